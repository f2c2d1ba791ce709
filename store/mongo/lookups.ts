import type { ClientSession, Collection } from 'mongodb';
import type { Document, Page, Stored } from '../collection.js';
import type { FindPlan } from '../query.js';
import { decodeRecord, keyBytes, type StoredRecord } from './layout.js';
import { boundsOf, indexOf, keyIn } from './ranges.js';

/** Most records, and bytes of documents, that are read for several look-ups together. */
const RECORDS_MAX = 1_000;
const BYTES_MAX = 4 * 1024 * 1024;

/** Whether a plan asks for the first page of what equals one value in all fields of an index: mostly few documents, or none. */
export function isLookup({ index, inexact, repeats, after, descending }: FindPlan): boolean {
  return index !== 'id' && !inexact && !repeats && after === null && !descending;
}

/**
 * Reads the pages of look-ups in one index with one request.
 * @returns null where they are too much for it, or there are documents with arrays in the index
 */
export async function lookUpTogether<T extends Document>(
  records: Collection<StoredRecord>,
  plans: readonly FindPlan[],
  session: ClientSession,
): Promise<Page<T>[] | null> {
  const [first] = plans;
  if (first === undefined) return [];
  const { field, hint } = indexOf(first);
  const bounds = plans.map((plan) => boundsOf(plan));
  const starts = new Set<string | undefined>();
  const distinct = bounds.filter(({ $gte }) => !starts.has($gte) && starts.add($gte));
  const cursor = records.find(
    { $or: distinct.map((range) => ({ [field]: range })) },
    { session, hint, projection: { r: 1, d: 1, o: 1, [field]: 1 }, limit: RECORDS_MAX + 1 },
  );
  const found: { readonly key: string; readonly record: StoredRecord }[] = [];
  let sizeBytes = 0;
  for await (const record of cursor) {
    sizeBytes += record.d?.length ?? 0;
    if (record.o !== undefined || found.length === RECORDS_MAX || sizeBytes > BYTES_MAX) return null;
    found.push({ key: keyIn(first, record), record });
  }
  found.sort((a, b) => (a.key < b.key ? -1 : 1));
  return plans.map((plan, at) => {
    const { $gte = '', $lt } = bounds[at] ?? {};
    const own = found.filter(({ key }) => key >= $gte && ($lt === undefined || key < $lt));
    const given = own.slice(0, plan.limit);
    const last = given.at(-1);
    return {
      items: given
        .map(({ record }) => decodeRecord<T>(record))
        .filter((stored): stored is Stored<T> => stored !== null),
      next: last !== undefined && own.length > given.length ? plan.cursor(keyBytes(last.key)) : null,
    };
  });
}
