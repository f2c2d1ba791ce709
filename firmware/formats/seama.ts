import { createHash, type Hash } from 'node:crypto';
import type { Fact, FileEnd, Finding, Format, Reader } from './format.js';
import { Regions } from './regions.js';
import { readable } from './text.js';

const MAGIC = 0x5ea3a417;
const HEADER_BYTES = 12;
const META_BYTES_AT = 6;
const IMAGE_BYTES_AT = 8;
const MD5_BYTES = 16;
/** Only what seals the others has none. */
const HEADERS_LOOKED_AT = 2;

/** SEAMA: a seal with texts of whose board it is, then images, each with its MD5; or one such image alone. */
export const seama: Format = {
  recognises: (head) => head.length >= HEADER_BYTES && head.readUInt32BE(0) === MAGIC,
  begin: (head) => new SeamaReader(head),
};

interface Entity {
  readonly until: number;
  readonly md5: string;
  readonly hash: Hash;
}

class SeamaReader implements Reader {
  readonly #regions = new Regions();
  readonly #texts = new Map<string, Fact>();
  readonly #broken: string[] = [];
  #entity: Entity | null = null;

  constructor(head: Buffer) {
    let at = 0;
    for (let headers = 0; headers < HEADERS_LOOKED_AT && this.#entity === null; headers++)
      at = this.#header(head, at);
  }

  /** @returns where the next header is */
  #header(head: Buffer, at: number): number {
    if (at + HEADER_BYTES > head.length || head.readUInt32BE(at) !== MAGIC) return at;
    const imageBytes = head.readUInt32BE(at + IMAGE_BYTES_AT);
    const metaFrom = at + HEADER_BYTES + (imageBytes === 0 ? 0 : MD5_BYTES);
    const until = metaFrom + head.readUInt16BE(at + META_BYTES_AT);
    if (until > head.length) {
      this.#broken.push('the texts of the SEAMA header reach beyond where headers are');
      return head.length;
    }
    this.#read(head.subarray(metaFrom, until), metaFrom);
    if (imageBytes > 0) {
      const hash = createHash('md5');
      const md5 = head.toString('hex', at + HEADER_BYTES, metaFrom);
      this.#entity = { until: until + imageBytes, md5, hash };
      this.#regions.watch(until, until + imageBytes, (bytes) => hash.update(bytes));
    }
    return until;
  }

  #read(texts: Buffer, from: number): void {
    let at = from;
    for (const text of texts.toString('latin1').split('\0')) {
      const [name = '', ...rest] = text.split('=');
      const value = readable(rest.join('='));
      if (value !== null && !this.#texts.has(name))
        this.#texts.set(name, { value, from: `${name}= in the SEAMA header`, atByte: at });
      at += text.length + 1;
    }
  }

  update(chunk: Buffer): void {
    this.#regions.update(chunk);
  }

  end({ sizeBytes }: FileEnd): Finding {
    const broken = [...this.#broken];
    const entity = this.#entity;
    if (entity !== null && entity.until > sizeBytes)
      broken.push(`the SEAMA header tells of ${entity.until} bytes, and there are ${sizeBytes}`);
    else if (entity !== null && entity.hash.digest('hex') !== entity.md5)
      broken.push('the MD5 in the SEAMA header is not that of the image');
    const board = this.#texts.get('signature');
    const device = this.#texts.get('dev');
    return {
      format: 'seama',
      facts: {
        ...(board !== undefined && { boards: { ...board, value: [board.value] } }),
        ...(device !== undefined && { description: device }),
      },
      checksum: broken.length > 0 ? 'wrong' : entity === null ? 'none' : 'right',
      broken,
    };
  }
}
