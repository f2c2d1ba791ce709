import { MongoError, MongoNetworkError, MongoServerError, MongoWriteConcernError } from 'mongodb';
import { StoreError } from '../collection.js';

/** Of MongoDB's errors those that say more than "it did not work" (its `error_codes.yml`). */
const UNAUTHORIZED = 13;
const AUTHENTICATION_FAILED = 18;
export const DUPLICATE_KEY = 11000;
const WRITE_CONFLICT = 112;
const OUT_OF_DISK_SPACE = 14031;
const TOO_LARGE = new Set([10334 /* BSONObjectTooLarge */, 17419, 17420 /* … after an update */]);

export const OUTCOME_OPEN =
  'The database did not answer in time; the outcome is open: the change may or may not be in the store';
export const NOTHING_CHANGED = 'nothing was changed';

/** A write found the database other than it was read: another node was faster. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError';
}

/** True where the same transaction may go through when it is begun anew. */
export function isConflict(error: unknown): boolean {
  if (error instanceof ConflictError) return true;
  return error instanceof MongoServerError && (error.code === WRITE_CONFLICT || error.code === DUPLICATE_KEY);
}

export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

/** The same, for another reason than others in the way: a fail-over, a cut connection. Not of a commit, whose outcome may be open. */
export function isTransient(error: unknown): boolean {
  if (error instanceof MongoNetworkError) return true;
  return error instanceof MongoError && error.hasErrorLabel('TransientTransactionError');
}

/**
 * Of an error of a commit: true where the transaction may be committed all the same. The driver's label says so, but is missing where the
 * driver had given up the connection or the server before the answer was lost; so only a refusal by the server counts as one.
 */
export function isOutcomeOpen(error: unknown): boolean {
  if (!(error instanceof MongoServerError) || error instanceof MongoWriteConcernError) return true;
  return error.hasErrorLabel('UnknownTransactionCommitResult');
}

/** What of a driver's error the store's callers are told; `what` says what could not be done. */
export function storeErrorOf(error: unknown, what: string): StoreError {
  if (error instanceof StoreError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof MongoServerError ? error.code : undefined;
  if (code === OUT_OF_DISK_SPACE || /no space left|ENOSPC|disk (is )?full/i.test(message)) {
    return new StoreError('no-space', `${what}: the database has no space left (${message})`, {
      cause: error,
    });
  }
  if (typeof code === 'number' && TOO_LARGE.has(code)) {
    return new StoreError(
      'bad-document',
      `${what}: a document is too large with its index keys (${message})`,
      {
        cause: error,
      },
    );
  }
  if (code === AUTHENTICATION_FAILED || code === UNAUTHORIZED) {
    return new StoreError('unavailable', `${what}: the database refuses the credentials (${message})`, {
      cause: error,
    });
  }
  return new StoreError('unavailable', `${what}: ${message}`, { cause: error });
}

/**
 * Resolves or rejects as `promise` does, or with `unavailable` after `timeoutMs`: the driver's own limits are per request,
 * and it makes several of them for one read.
 */
export async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new StoreError('unavailable', `${what}: the database did not answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => {});
  }
}
