import { BlankRuns } from './blank-runs.js';
import type { JsonSink } from './json-scan.js';

/** So much text is handed to JSON.parse at a time: a fraction of a millisecond. */
export const PIECE_BYTES = 64 * 1024;

/** An object or array that is not closed yet. */
interface Frame {
  /** Made once it is larger than a piece; null while it is only part of the text of what is around it. */
  made: Made | null;
  readonly isObject: boolean;
  /** Where the members begin that are text still; null where there are none. */
  textFrom: number | null;
  /** Where the member begins that the scan is in, and its key. */
  memberFrom: number;
  key: string;
}

type Made =
  | { readonly isObject: true; readonly value: Record<string, unknown> }
  | { readonly isObject: false; readonly value: unknown[] };

/**
 * Makes the value of a JSON text that is being scanned: JSON.parse does, a piece at a time, so that no large text keeps everything
 * else waiting. What is smaller than a piece is left to the piece it is part of. Long runs of blanks are left out.
 */
export class JsonPieces implements JsonSink {
  /** Where the items of an array begin that is all there is. */
  readonly itemsFrom: number[] = [];
  readonly #bytes: Buffer;
  readonly #frames: Frame[] = [];
  readonly #blanks: BlankRuns;
  #rootFrom = 0;
  #root: Made | null = null;
  #isArray = false;

  constructor(bytes: Buffer, blanks = new BlankRuns()) {
    this.#bytes = bytes;
    this.#blanks = blanks;
  }

  /** Whether an array is all there is. */
  get isArray(): boolean {
    return this.#isArray;
  }

  /** Of the whole text, once it was scanned. */
  value(): unknown {
    return this.#root === null
      ? JSON.parse(this.#text(this.#rootFrom, this.#bytes.length))
      : this.#root.value;
  }

  begins(at: number, depth: number): void {
    if (depth === 0) this.#rootFrom = at;
    else if (depth === 1 && this.#isArray) this.itemsFrom.push(at);
  }

  open(at: number, isObject: boolean): void {
    if (this.#frames.length === 0) this.#isArray = !isObject;
    this.#frames.push({ made: null, isObject, textFrom: at + 1, memberFrom: at + 1, key: '' });
  }

  key(key: string): void {
    const frame = this.#frames.at(-1);
    if (frame !== undefined) frame.key = key;
  }

  comma(at: number): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    if (frame.textFrom !== null && at - frame.textFrom > PIECE_BYTES) {
      // What is around it is larger still, and each has a member that is not complete.
      for (const outer of this.#frames) {
        if (outer !== frame) this.#make(outer, outer.memberFrom - 1);
      }
      this.#make(frame, at);
    }
    frame.textFrom ??= at + 1;
    frame.memberFrom = at + 1;
  }

  close(at: number): void {
    const frame = this.#frames.pop();
    if (frame === undefined || frame.made === null) return;
    this.#make(frame, at);
    const around = this.#frames.at(-1);
    if (around === undefined) this.#root = frame.made;
    else if (around.made !== null) add(around.made, around.key, frame.made.value);
  }

  blank(from: number, to: number): void {
    this.#blanks.add(from, to);
  }

  /** Makes values of the members that are text still, and end at `to`. */
  #make(frame: Frame, to: number): void {
    frame.made ??= frame.isObject ? { isObject: true, value: {} } : { isObject: false, value: [] };
    const from = frame.textFrom;
    frame.textFrom = null;
    // It may be empty, or have no member but the one that is not complete.
    if (from === null || to <= from) return;
    const { made } = frame;
    if (made.isObject) {
      Object.assign(made.value, JSON.parse(`{${this.#text(from, to)}}`));
      return;
    }
    const items: readonly unknown[] = JSON.parse(`[${this.#text(from, to)}]`);
    for (const item of items) made.value.push(item);
  }

  /** The text without its long runs of blanks. */
  #text(from: number, to: number): string {
    let text = '';
    let at = from;
    for (const [begin, end] of this.#blanks.within(from, to)) {
      text += this.#bytes.toString('utf8', at, begin);
      at = end;
    }
    return text + this.#bytes.toString('utf8', at, to);
  }
}

function add(made: Made, key: string, value: unknown): void {
  if (made.isObject) made.value[key] = value;
  else made.value.push(value);
}
