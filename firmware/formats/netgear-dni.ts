import type { Fact, FileEnd, Finding, Format, Reader } from './format.js';
import { readable } from './text.js';

const HEADER_BYTES = 128;
/** All bytes of the file, the last one among them, add up to this. */
const SUM = 0xff;

/** Netgear's DNI: lines of a text header, and a last byte by which all add up. One of its lines alone other texts have too. */
export const netgearDni: Format = {
  recognises(head) {
    if (head.length <= HEADER_BYTES) return false;
    const header = headerOf(head);
    const [device, version, hardware] = ['device', 'version', 'hd_id'].map((name) => lineIn(header, name));
    return device != null && (version != null || hardware != null);
  },
  begin: (head) => new DniReader(headerOf(head)),
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
      factIn(this.#header, name),
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
}

function headerOf(head: Buffer): string {
  return head.toString('latin1', 0, HEADER_BYTES);
}

function lineIn(header: string, name: string): RegExpExecArray | null {
  return new RegExp(`(?:^|\\n|\\0)${name}:([^\\r\\n\\0]*)`).exec(header);
}

function factIn(header: string, name: string): Fact | null {
  const found = lineIn(header, name);
  const value = readable(found?.[1]);
  return found === null || value === null
    ? null
    : { value, from: `${name}: in the DNI header`, atByte: found.index };
}
