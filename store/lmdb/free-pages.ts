import type { FileHandle } from 'node:fs/promises';
import type { Meta } from './meta-page.js';

// A page: a header of 24 bytes, then 2-byte places of its nodes, then the nodes; all counted from after the header. A node: 4 bytes and the flags (which in a
// branch are part of a page number), the size of its key, key and data.
const HEADER_BYTES = 24;
const FLAGS_AT = 18;
const NODES_END_AT = 20;
const FLAG_BRANCH = 0x01;
const FLAG_LEAF = 0x02;
const FLAG_OVERFLOW = 0x04;
const NODE_FLAG_LARGE = 0x01;
const NODE_HEADER_BYTES = 8;
const WORD_BYTES = 8;
/** No tree of pages is deeper. */
const DEPTH_MAX = 32;

/** The tree of free pages is not one. */
export class FreePagesError extends Error {
  override readonly name = 'FreePagesError';
}

/**
 * Whether each of the last pages that `meta` counts is free: LMDB never writes pages that are given back in the transaction
 * that took them, so a sound file may end before the last page that was ever in use.
 * @param from  the first of them, beyond the end of the file
 * @throws FreePagesError where the tree of free pages is damaged
 */
export async function areFreeFrom(file: FileHandle, meta: Meta, from: number): Promise<boolean> {
  const ranges: Range[] = [];
  if (meta.freeRoot !== null) await walk({ file, meta, from, ranges }, meta.freeRoot, 0);
  ranges.sort((one, other) => one.first - other.first);
  let next = from;
  for (const { first, last } of ranges) {
    if (first > next) return false;
    next = Math.max(next, last + 1);
  }
  return next > meta.lastPage;
}

/** Free pages, first and last included: as many as the file has words for, however many pages they are said to be. */
interface Range {
  readonly first: number;
  readonly last: number;
}

interface Walking {
  readonly file: FileHandle;
  readonly meta: Meta;
  readonly from: number;
  /** Those that reach beyond `from`. */
  readonly ranges: Range[];
}

async function walk(walking: Walking, number: number, depth: number): Promise<void> {
  if (depth > DEPTH_MAX) throw new FreePagesError(`page ${number} lies too deep`);
  const page = await readPages(walking, number, 1);
  const flags = page.readUInt16LE(FLAGS_AT);
  if ((flags & (FLAG_BRANCH | FLAG_LEAF)) === 0) throw new FreePagesError(`page ${number} is none of a tree`);
  const count = page.readUInt16LE(NODES_END_AT) >> 1;
  for (let index = 0; index < count; index++) {
    const at = HEADER_BYTES + page.readUInt16LE(HEADER_BYTES + 2 * index);
    if (at + NODE_HEADER_BYTES > page.length)
      throw new FreePagesError(`page ${number} points beyond its end`);
    const low = page.readUInt32LE(at);
    const nodeFlags = page.readUInt16LE(at + 4);
    if ((flags & FLAG_BRANCH) !== 0) {
      await walk(walking, nodeFlags * 2 ** 32 + low, depth + 1);
      continue;
    }
    const dataAt = at + NODE_HEADER_BYTES + page.readUInt16LE(at + 6);
    note(
      walking,
      (nodeFlags & NODE_FLAG_LARGE) === 0
        ? page.subarray(dataAt, dataAt + low)
        : await largeData(walking, page, dataAt, low),
    );
  }
}

async function largeData(walking: Walking, page: Buffer, at: number, sizeBytes: number): Promise<Buffer> {
  if (at + WORD_BYTES > page.length) throw new FreePagesError('a list of pages has no place');
  const number = Number(page.readBigUInt64LE(at));
  const pages = Math.ceil((HEADER_BYTES + sizeBytes) / walking.meta.pageBytes);
  const data = await readPages(walking, number, pages);
  if ((data.readUInt16LE(FLAGS_AT) & FLAG_OVERFLOW) === 0) {
    throw new FreePagesError(`page ${number} is no list of pages`);
  }
  return data.subarray(HEADER_BYTES, HEADER_BYTES + sizeBytes);
}

async function readPages({ file, meta, from }: Walking, number: number, count: number): Promise<Buffer> {
  if (!(number + count <= from)) throw new FreePagesError(`page ${number} lies beyond the end`);
  const sizeBytes = count * meta.pageBytes;
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(sizeBytes),
    0,
    sizeBytes,
    number * meta.pageBytes,
  );
  if (bytesRead < sizeBytes) throw new FreePagesError(`page ${number} lies beyond the end`);
  return buffer;
}

/** A list: how many words follow; of these 0 is nothing, a page is itself, and -n before a page the n pages from there. */
function note({ ranges, from }: Walking, list: Buffer): void {
  const words = Math.floor(list.length / WORD_BYTES);
  if (words === 0) return;
  const count = Math.min(Number(list.readBigUInt64LE(0)), words - 1);
  const free = (first: number, pages: number) => {
    const last = first + pages - 1;
    if (last >= from) ranges.push({ first, last });
  };
  for (let index = 1; index <= count; index++) {
    const word = Number(list.readBigInt64LE(index * WORD_BYTES));
    if (word > 0) free(word, 1);
    if (word < 0 && index < count) free(Number(list.readBigInt64LE(++index * WORD_BYTES)), -word);
  }
}
