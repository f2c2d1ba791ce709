import { type Db, type Filter, MongoError } from 'mongodb';
import type { StoredRecord } from './layout.js';

export interface FindAtOnce {
  readonly collection: string;
  readonly filter: Filter<StoredRecord>;
  readonly hint?: string;
  readonly projection?: Readonly<Record<string, 1>>;
  readonly readConcern: 'local' | 'majority' | 'snapshot';
  /** More are not to be expected. */
  readonly countMax: number;
}

/**
 * Reads a few records with one request, as the command itself: the driver's cursors cost several times what the records do, which
 * counts where every session of a CPE reads.
 * @returns null where they are not all in one answer, or where it should be tried again: the driver's own way sees to both
 */
export async function findAtOnce(database: Db, asked: FindAtOnce): Promise<readonly StoredRecord[] | null> {
  const { collection, filter, hint, projection, readConcern, countMax } = asked;
  try {
    const { cursor } = await database.command({
      find: collection,
      filter,
      ...(hint !== undefined && { hint }),
      ...(projection !== undefined && { projection }),
      batchSize: countMax + 1,
      readConcern: { level: readConcern },
    });
    if (String(cursor.id) === '0') return cursor.firstBatch;
    // Nobody will ask for the rest.
    await database.command({ killCursors: collection, cursors: [cursor.id] });
    return null;
  } catch (error) {
    if (error instanceof MongoError) return null;
    throw error;
  }
}
