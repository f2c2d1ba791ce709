/** One of many values in a body, as the bytes it was sent in. */
export interface BodyRecord {
  /** Of a line: counted from 1. Of an item of an array: counted from 0. */
  readonly number: number;
  /** Null where it has more bytes than it may. Overwritten once the next record is asked for. */
  readonly bytes: Buffer | null;
}

/** Cuts a body into records as its bytes come in, holding no more than one of them. */
export interface RecordSplitter {
  /** @throws RecordError */
  push(chunk: Buffer): Iterable<BodyRecord>;
  /** What is left at the end of the body. @throws RecordError */
  end(): Iterable<BodyRecord>;
}

/** Where one record ends and the next begins cannot be told any more. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === LINE_FEED || byte === CARRIAGE_RETURN;
}

/** A record may be megabytes of blanks. */
function isAllBlank(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at++) if (!isBlank(bytes[at] ?? 0)) return false;
  return true;
}

/** The bytes of one record, gathered from any number of chunks, however small. */
class Gathered {
  #buffer = Buffer.alloc(4 * 1024);
  #sizeBytes = 0;

  constructor(private readonly sizeBytesMax: number) {}

  add(piece: Buffer): void {
    const sizeBytes = this.#sizeBytes + piece.length;
    if (sizeBytes <= this.sizeBytesMax) {
      if (sizeBytes > this.#buffer.length) this.#grow(sizeBytes);
      piece.copy(this.#buffer, this.#sizeBytes);
    }
    this.#sizeBytes = sizeBytes;
  }

  /** Null where it was too much. What comes next is another record's. */
  take(): Buffer | null {
    const sizeBytes = this.#sizeBytes;
    this.#sizeBytes = 0;
    return sizeBytes > this.sizeBytesMax ? null : this.#buffer.subarray(0, sizeBytes);
  }

  #grow(sizeBytes: number): void {
    const larger = Buffer.alloc(Math.min(2 * sizeBytes, this.sizeBytesMax));
    this.#buffer.copy(larger, 0, 0, this.#sizeBytes);
    this.#buffer = larger;
  }
}

/** The lines of a body that are not blank. CRLF ends one as LF does, and the last needs no end. */
export class LineSplitter implements RecordSplitter {
  readonly #line: Gathered;
  #number = 1;

  constructor(lineBytesMax: number) {
    this.#line = new Gathered(lineBytesMax);
  }

  *push(chunk: Buffer): Iterable<BodyRecord> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      this.#line.add(chunk.subarray(start, end));
      start = end + 1;
      yield* this.#take();
    }
    this.#line.add(chunk.subarray(start));
  }

  *end(): Iterable<BodyRecord> {
    yield* this.#take();
  }

  *#take(): Iterable<BodyRecord> {
    const number = this.#number++;
    const bytes = this.#line.take();
    if (bytes === null || !isAllBlank(bytes)) yield { number, bytes };
  }
}

/**
 * The items of a JSON array. Only looks for where each ends, outside of strings and brackets; what stands between is for
 * JSON.parse to judge, also where it is nothing (`[1,,2]`).
 */
export class ArraySplitter implements RecordSplitter {
  readonly #item: Gathered;
  #number = 0;
  #state: 'before' | 'inside' | 'after' = 'before';
  /** Brackets that are open within the item. */
  #depth = 0;
  #inString = false;
  #escaped = false;
  /** How many bytes of a byte order mark have come. */
  #mark = 0;

  constructor(itemBytesMax: number) {
    this.#item = new Gathered(itemBytesMax);
  }

  *push(chunk: Buffer): Iterable<BodyRecord> {
    let start = this.#state === 'inside' ? 0 : this.#skipOutside(chunk, 0);
    for (let at = start; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (!this.#endsItem(byte)) continue;
      this.#item.add(chunk.subarray(start, at));
      yield* this.#take(byte === CLOSE_BRACKET);
      start = at + 1;
      if (byte !== CLOSE_BRACKET) continue;
      this.#state = 'after';
      this.#skipOutside(chunk, start);
      return;
    }
    this.#item.add(chunk.subarray(start));
  }

  end(): Iterable<BodyRecord> {
    if (this.#state === 'before') throw new RecordError('a JSON array, which begins with [');
    if (this.#state === 'inside') throw new RecordError('a whole JSON array: it ends before its ]');
    return [];
  }

  /** Before and after the array there is white space only. @returns where the first item begins, if it does */
  #skipOutside(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.#state === 'before' && byte === BYTE_ORDER_MARK[this.#mark]) {
        this.#mark++;
      } else if (
        this.#state === 'before' &&
        byte === OPEN_BRACKET &&
        this.#mark % BYTE_ORDER_MARK.length === 0
      ) {
        this.#state = 'inside';
        return at + 1;
      } else if (!isBlank(byte)) {
        throw new RecordError(
          this.#state === 'before'
            ? 'a JSON array, which begins with ['
            : 'nothing after the ] that ends the array',
        );
      }
    }
    return chunk.length;
  }

  #endsItem(byte: number): boolean {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
    } else if (byte === QUOTE) {
      this.#inString = true;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      this.#depth++;
    } else if (byte === COMMA || byte === CLOSE_BRACKET || byte === CLOSE_BRACE) {
      if (this.#depth === 0) return byte !== CLOSE_BRACE;
      if (byte !== COMMA) this.#depth--;
    }
    return false;
  }

  /** An array without any items has a blank one only where it begins and ends. */
  *#take(isLast: boolean): Iterable<BodyRecord> {
    const number = this.#number++;
    const bytes = this.#item.take();
    if (isLast && number === 0 && bytes !== null && isAllBlank(bytes)) return;
    yield { number, bytes };
  }
}
