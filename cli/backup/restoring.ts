import { SECOND_MS } from '../../common/index.js';
import type { Collection, Document, Store } from '../../store/index.js';
import { INSTALLATION } from '../first-start.js';
import { BackupError } from './format.js';

/** A backup or a restore may keep the database as busy as it can be, and nobody waits for each answer. */
export const DATABASE_TIMEOUT_MS = 60 * SECOND_MS;

/** There while a restore is under way, so that nobody takes half of a backup for all there is. */
export interface RestoreMark extends Document {
  readonly id: typeof RESTORE_ID;
  /** The checksum of the backup that is being restored. */
  readonly sha256: string;
}

export const RESTORE_ID = 'restore';

export function restoreMarks(store: Store): Collection<RestoreMark> {
  return store.collection<RestoreMark>(INSTALLATION);
}

/** @throws BackupError where a restore into this store has begun and not ended */
export async function refuseHalfRestored(store: Store): Promise<void> {
  if ((await restoreMarks(store).get(RESTORE_ID)) === null) return;
  throw new BackupError(
    'A restore into this store was cut off, so it holds only a part of the backup: run ferry restore with the same file again.',
  );
}
