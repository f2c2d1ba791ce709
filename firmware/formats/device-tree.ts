const NODE = 1;
const END_NODE = 2;
const PROPERTY = 3;
const NOTHING = 4;
const END = 9;
const WORD_BYTES = 4;
const PROPERTY_HEADER_BYTES = 12;

const DEPTH_MAX = 16;
const NAME_BYTES_MAX = 256;
const PROPERTIES_MAX = 4_096;
/** A longer value may be an image's data: it is passed on, and not kept. */
const VALUE_BYTES_MAX = 4_096;
const KEPT_BYTES_MAX = 512 * 1_024;

export interface TreeProperty {
  /** Of its node: empty for the root, `/images/kernel-1`. */
  readonly path: string;
  readonly name: string;
  readonly value: Buffer;
  readonly atByte: number;
}

interface Kept extends Omit<TreeProperty, 'name'> {
  readonly nameAt: number;
}

/** Who takes a long value of a node while it passes, which has its name at a byte of the strings; null: nobody. */
type TakeLong = (path: string, nameAt: number) => ((bytes: Buffer) => void) | null;

/** The name that stands at a byte of a tree's strings; null where there is none. */
export function nameIn(strings: Buffer, nameAt: number): string | null {
  const end = strings.indexOf(0, nameAt);
  if (nameAt >= strings.length || end < 0 || end - nameAt > NAME_BYTES_MAX) return null;
  return strings.toString('latin1', nameAt, end);
}

/** Reads the structure of a flattened device tree while it comes. Names of properties stand elsewhere in the file, and are put in at the end. */
export class DeviceTree {
  /** What is wrong with it, so that it cannot be read on; null: nothing. */
  problem: string | null = null;
  /** What it has more of than is read, so that it is not read on; null: nothing. */
  beyond: string | null = null;
  readonly #takeLong: TakeLong;
  readonly #path: string[] = [];
  readonly #kept: Kept[] = [];
  #at: number;
  #pending: Buffer = Buffer.alloc(0);
  #keptBytes = 0;
  #passing: { left: number; filler: number; readonly take: ((bytes: Buffer) => void) | null } | null = null;
  #hasEnded = false;
  #hasRoot = false;

  /** @param atByte  where in the file it begins */
  constructor(atByte: number, takeLong: TakeLong) {
    this.#at = atByte;
    this.#takeLong = takeLong;
  }

  update(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0 && !this.#isOver) {
      rest = this.#passing === null ? this.#read(rest) : this.#pass(rest);
    }
  }

  /** What was kept, with the names that its strings give. */
  named(strings: Buffer): readonly TreeProperty[] {
    return this.#kept.flatMap(({ nameAt, ...kept }) => {
      const name = nameIn(strings, nameAt);
      return name === null ? [] : [{ ...kept, name }];
    });
  }

  get #isOver(): boolean {
    return this.#hasEnded || this.problem !== null || this.beyond !== null;
  }

  #pass(bytes: Buffer): Buffer {
    const passing = this.#passing;
    if (passing === null) return bytes;
    const value = bytes.subarray(0, Math.min(bytes.length, passing.left));
    passing.take?.(value);
    passing.left -= value.length;
    const filler = Math.min(bytes.length - value.length, passing.filler);
    passing.filler -= filler;
    this.#at += value.length + filler;
    if (passing.left === 0 && passing.filler === 0) this.#passing = null;
    return bytes.subarray(value.length + filler);
  }

  /** Reads as many whole tokens as there are. @returns what is behind a token that passes a long value on */
  #read(bytes: Buffer): Buffer {
    const all = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    let at = 0;
    while (!this.#isOver && this.#passing === null) {
      const used = this.#token(all.subarray(at));
      if (used === 0) break;
      at += used;
      this.#at += used;
    }
    const rest = all.subarray(at);
    if (this.#passing !== null) {
      this.#pending = Buffer.alloc(0);
      return rest;
    }
    this.#pending = Buffer.from(rest);
    return Buffer.alloc(0);
  }

  /** @returns how many bytes the token has; 0: not all of it has come */
  #token(bytes: Buffer): number {
    if (bytes.length < WORD_BYTES) return 0;
    switch (bytes.readUInt32BE(0)) {
      case NODE:
        return this.#node(bytes);
      case PROPERTY:
        return this.#property(bytes);
      case END_NODE:
        if (this.#path.pop() === undefined) this.problem = 'an end without a beginning';
        return WORD_BYTES;
      case NOTHING:
        return WORD_BYTES;
      case END:
        this.#hasEnded = true;
        return WORD_BYTES;
      default:
        this.problem = 'a token that is none';
        return WORD_BYTES;
    }
  }

  #node(bytes: Buffer): number {
    const end = bytes.indexOf(0, WORD_BYTES);
    if (end < 0 || end - WORD_BYTES > NAME_BYTES_MAX) {
      if (bytes.length > WORD_BYTES + NAME_BYTES_MAX) this.problem = 'a name that is too long';
      return 0;
    }
    const used = aligned(end + 1);
    if (used > bytes.length) return 0;
    if (this.#path.length === 0 && this.#hasRoot) this.problem = 'a second root';
    if (this.#path.length >= DEPTH_MAX) this.beyond = `nodes deeper than ${DEPTH_MAX}`;
    this.#hasRoot = true;
    this.#path.push(bytes.toString('latin1', WORD_BYTES, end));
    return used;
  }

  #property(bytes: Buffer): number {
    if (bytes.length < PROPERTY_HEADER_BYTES) return 0;
    const valueBytes = bytes.readUInt32BE(WORD_BYTES);
    const nameAt = bytes.readUInt32BE(2 * WORD_BYTES);
    // The root has no name, so it leaves nothing before the first slash.
    const path = this.#path.join('/');
    if (valueBytes > VALUE_BYTES_MAX) {
      const filler = aligned(valueBytes) - valueBytes;
      this.#passing = { left: valueBytes, filler, take: this.#takeLong(path, nameAt) };
      return PROPERTY_HEADER_BYTES;
    }
    const used = PROPERTY_HEADER_BYTES + aligned(valueBytes);
    if (used > bytes.length) return 0;
    this.#keptBytes += valueBytes;
    if (this.#kept.length >= PROPERTIES_MAX || this.#keptBytes > KEPT_BYTES_MAX) {
      this.beyond = `more properties than the ${PROPERTIES_MAX}, of ${KEPT_BYTES_MAX} bytes, that are read`;
      return used;
    }
    const value = Buffer.from(bytes.subarray(PROPERTY_HEADER_BYTES, PROPERTY_HEADER_BYTES + valueBytes));
    this.#kept.push({ path, nameAt, value, atByte: this.#at + PROPERTY_HEADER_BYTES });
    return used;
  }
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / WORD_BYTES) * WORD_BYTES;
}
