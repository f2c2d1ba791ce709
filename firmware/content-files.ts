import { randomBytes } from 'node:crypto';
import { HOUR_MS, MINUTE_MS } from '../common/index.js';
import type { Collection, Document } from '../store/index.js';
import { CONTENT_PREFIX, type ContentStore } from './content-store.js';

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

/** Removes incoming content whose receiver has ended, or that nobody has written to for long. @returns how much */
export async function cleanIncoming(store: ContentStore, nowMs: number): Promise<number> {
  let removed = 0;
  for await (const { name, changedMs, isAbandoned } of store.listIncoming()) {
    if (!isAbandoned && nowMs - changedMs < INCOMING_AGE_MS_MIN) continue;
    await store.remove(name);
    removed++;
  }
  return removed;
}

/**
 * Removes content that no content document names and that has been in its place for long.
 * @param spared  files that something else will name yet
 * @returns how much
 */
export async function cleanContents(
  store: ContentStore,
  contents: Collection<StoredContent>,
  nowMs: number,
  spared: ReadonlySet<string>,
): Promise<number> {
  let removed = 0;
  let batch: { name: string; file: string; sha256: string }[] = [];
  const removeUnnamed = async () => {
    const stored = await contents.getMany(batch.map((entry) => entry.sha256));
    for (const [index, { name, file }] of batch.entries()) {
      if (stored[index]?.document.file === file) continue;
      await store.remove(name);
      removed++;
    }
    batch = [];
  };
  for await (const { name, changedMs } of store.list()) {
    const file = name.slice(CONTENT_PREFIX.length);
    const sha256 = CONTENT_NAME_PATTERN.exec(file)?.[1];
    if (sha256 === undefined || spared.has(file) || nowMs - changedMs < CONTENT_AGE_MS_MIN) continue;
    batch.push({ name, file, sha256 });
    if (batch.length === BATCH_FILES) await removeUnnamed();
  }
  await removeUnnamed();
  return removed;
}
