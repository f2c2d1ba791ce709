import { Readable } from 'node:stream';
import { type Clock, silentLogger, systemClock } from '../../../common/index.js';
import { type ContentStore, openImageLibrary, openUploads } from '../../../firmware/index.js';
import type { Store } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { MEBIBYTE } from '../support.js';

/** The uploads over stores that are open, as one process has them. */
export function uploadsOver(store: Store, contents: ContentStore, clock: Clock = systemClock) {
  const parts = {
    store,
    contents,
    limits: { imageBytesMax: 64 * MEBIBYTE },
    clock,
    logger: silentLogger,
  };
  const library = openImageLibrary(parts);
  return { library, uploads: openUploads({ ...parts, library }) };
}

/** What an upload says of itself. */
export function saying(name: string, sizeBytes: number) {
  return { metadata: { name }, by: BY, uploadedBy: 'tester', sizeBytes };
}

/** The part of `content` between two places. */
export function partFrom(content: Buffer, from: number, to = content.length) {
  const range = { part: { from, to: to - 1 }, totalBytes: content.length };
  return [range, Readable.from([content.subarray(from, to)])] as const;
}

/** Content that two processes can make alike. */
export function knownContent(sizeBytes: number): Buffer {
  const content = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 4) content.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at);
  return content;
}

export const KNOWN_BYTES = 4 * MEBIBYTE;
