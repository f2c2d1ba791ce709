import type { Document, Page, Stored } from '../collection.js';
import type { FindPlan } from '../query.js';
import type { FindAtOnce } from './find-at-once.js';
import { keyBytes, type StoredRecord } from './layout.js';
import { boundsOf, indexOf, keyIn } from './ranges.js';

/** Most records that are read for several look-ups together. */
const RECORDS_MAX = 1_000;

/** Whether a plan asks for the first page of what equals one value in all fields of an index: mostly few documents, or none. */
export function isLookup({ index, inexact, repeats, after, descending }: FindPlan): boolean {
  return index !== 'id' && !inexact && !repeats && after === null && !descending;
}

/**
 * Reads the pages of look-ups in one index with one request.
 * @returns null where they are too much for it, or there are documents with arrays in the index
 */
export async function lookUpTogether<T extends Document>(
  find: (asked: Omit<FindAtOnce, 'collection' | 'readConcern'>) => Promise<readonly StoredRecord[] | null>,
  decode: (record: StoredRecord) => Stored<T> | null,
  plans: readonly FindPlan[],
): Promise<Page<T>[] | null> {
  const [first] = plans;
  if (first === undefined) return [];
  const { field, hint } = indexOf(first);
  const bounds = plans.map((plan) => boundsOf(plan));
  const starts = new Set<string | undefined>();
  const distinct = bounds.filter(({ $gte }) => !starts.has($gte) && starts.add($gte));
  const records = await find({
    filter: { $or: distinct.map((range) => ({ [field]: range })) },
    hint,
    projection: { r: 1, d: 1, o: 1, [field]: 1 },
    countMax: RECORDS_MAX,
  });
  if (records === null || records.some(({ o }) => o !== undefined)) return null;
  const found = records.map((record) => ({ key: keyIn(first, record), record }));
  found.sort((a, b) => (a.key < b.key ? -1 : 1));
  return plans.map((plan, at) => {
    const { $gte = '', $lt } = bounds[at] ?? {};
    const own = found.filter(({ key }) => key >= $gte && ($lt === undefined || key < $lt));
    const given = own.slice(0, plan.limit);
    const last = given.at(-1);
    return {
      items: given
        .map(({ record }) => decode(record))
        .filter((stored): stored is Stored<T> => stored !== null),
      next: last !== undefined && own.length > given.length ? plan.cursor(keyBytes(last.key)) : null,
    };
  });
}
