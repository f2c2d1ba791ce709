import { randomBytes } from 'node:crypto';
import { opendir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { HOUR_MS, MINUTE_MS } from '../common/index.js';
import type { Collection, Document } from '../store/index.js';
import { INCOMING_NAME_PATTERN } from './incoming.js';

/** One content (id = SHA-256) and how many images have it. It is made with its first image and goes with its last, in one commit. */
export interface StoredContent extends Document {
  readonly file: string;
  readonly names: number;
}

/** An upload under way in another process writes far more often than this, or is given up by it. */
export const INCOMING_AGE_MS_MIN = 10 * MINUTE_MS;
/** Between the move of a content into its place and the commit that names it pass milliseconds. */
export const CONTENT_AGE_MS_MIN = HOUR_MS;
const CONTENT_NAME_PATTERN = /^([0-9a-f]{64})\.[0-9a-f]{16}$/;
const CONTENT_SUFFIX_BYTES = 8;
/** Content documents looked up at a time. */
const BATCH_FILES = 256;

/** A file name for a content that no file ever had. */
export function newContentFile(sha256: string): string {
  return `${sha256}.${randomBytes(CONTENT_SUFFIX_BYTES).toString('hex')}`;
}

/** True where the file is there and has that many bytes. */
export async function hasSize(path: string, sizeBytes: number): Promise<boolean> {
  try {
    return (await stat(path)).size === sizeBytes;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Removes incoming files that nobody has written to for long. @returns how many */
export async function cleanIncoming(directory: string, nowMs: number): Promise<number> {
  let removed = 0;
  for await (const entry of await opendir(directory)) {
    if (!INCOMING_NAME_PATTERN.test(entry.name)) continue;
    const path = join(directory, entry.name);
    if (nowMs - (await changedMs(path)) < INCOMING_AGE_MS_MIN) continue;
    await rm(path, { force: true });
    removed++;
  }
  return removed;
}

/** Removes content files that no content document names and that have been in their place for long. @returns how many */
export async function cleanContents(
  directory: string,
  contents: Collection<StoredContent>,
  nowMs: number,
): Promise<number> {
  let removed = 0;
  let batch: { file: string; sha256: string }[] = [];
  const removeUnnamed = async () => {
    const stored = await contents.getMany(batch.map((entry) => entry.sha256));
    for (const [index, { file }] of batch.entries()) {
      if (stored[index]?.document.file === file) continue;
      await rm(join(directory, file), { force: true });
      removed++;
    }
    batch = [];
  };
  for await (const entry of await opendir(directory)) {
    const sha256 = CONTENT_NAME_PATTERN.exec(entry.name)?.[1];
    if (sha256 === undefined) continue;
    if (nowMs - (await changedMs(join(directory, entry.name))) < CONTENT_AGE_MS_MIN) continue;
    batch.push({ file: entry.name, sha256 });
    if (batch.length === BATCH_FILES) await removeUnnamed();
  }
  await removeUnnamed();
  return removed;
}

/** When the file was last written to or moved; never, for one that vanished meanwhile: nothing is left to remove. */
async function changedMs(path: string): Promise<number> {
  try {
    return (await stat(path)).ctimeMs;
  } catch (error) {
    if (isMissing(error)) return Number.POSITIVE_INFINITY;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
