import type { Fact, FileEnd, Finding, Format, Reader } from './format.js';
import { readable } from './text.js';

const HEADER_BYTES = 128;
const MARK = 'device:';
/** All bytes of the file, the last one among them, add up to this. */
const SUM = 0xff;

/** Netgear's DNI: lines of a text header, and a last byte by which all add up. */
export const netgearDni: Format = {
  recognises: (head) => head.length > HEADER_BYTES && head.subarray(0, HEADER_BYTES).includes(MARK),
  begin: (head) => new DniReader(head.toString('latin1', 0, HEADER_BYTES)),
};

class DniReader implements Reader {
  readonly #header: string;
  #sum = 0;

  constructor(header: string) {
    this.#header = header;
  }

  update(chunk: Buffer): void {
    let sum = this.#sum;
    for (const byte of chunk) sum = (sum + byte) & SUM;
    this.#sum = sum;
  }

  end(_end: FileEnd): Finding {
    const isRight = this.#sum === SUM;
    const [version, device, hardware, region] = ['version', 'device', 'hd_id', 'region'].map((name) =>
      this.#line(name),
    );
    return {
      format: 'netgear-dni',
      facts: {
        ...(version != null && { version }),
        ...(device != null && { boards: { ...device, value: [device.value] } }),
        ...(hardware != null && { hardware }),
        ...(region != null && { region }),
      },
      checksum: isRight ? 'right' : 'wrong',
      broken: isRight ? [] : ['the bytes of the file do not add up to what its last byte makes of them'],
    };
  }

  #line(name: string): Fact | null {
    const found = new RegExp(`(?:^|\\n|\\0)${name}:([^\\r\\n\\0]*)`).exec(this.#header);
    const value = readable(found?.[1]);
    return found === null || value === null
      ? null
      : { value, from: `${name}: in the DNI header`, atByte: found.index };
  }
}
