import { StoreError } from '../collection.js';
import { FORMAT, metaKey, type Trees } from './layout.js';

/** Brings a store from format `from` to the next, in one write transaction. */
export interface Migration {
  readonly from: number;
  run(trees: Trees): void;
}

const MIGRATIONS: readonly Migration[] = [];

/**
 * Marks a new store with its format, and brings an older one to `format`, step by step. Each step and its number are one
 * transaction, and who comes second sees what the first did.
 * @param write  runs a change in a write transaction
 * @returns the format it had before
 * @throws StoreError `unavailable` where a newer version of Ferry wrote it
 */
export async function bringFormat(
  trees: Trees,
  write: <R>(change: (trees: Trees) => R) => Promise<R>,
  format = Number(FORMAT),
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<number> {
  const key = metaKey('format');
  const read = ({ meta }: Trees) => meta.get(key);
  const step = (within: Trees): number => {
    const text = read(within);
    const found = text === undefined ? format : Number(text);
    const migration = migrations.find(({ from }) => from === found);
    if (found !== format && (migration === undefined || found > format)) throw unknownFormat(text, format);
    if (found !== format) migration?.run(within);
    if (found !== format || text === undefined) {
      within.meta.put(key, String(found === format ? format : found + 1));
    }
    return found;
  };
  if (read(trees) === String(format)) return format;
  const first = await write(step);
  for (let at = first; at !== format; ) at = await write(step);
  return first;
}

function unknownFormat(found: string | undefined, known: number): StoreError {
  return new StoreError(
    'unavailable',
    `The store has format ${found}, this version of Ferry knows ${known}: use the version that wrote it or a newer one`,
  );
}
