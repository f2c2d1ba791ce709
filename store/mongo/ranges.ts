import type { ClientSession, Collection, Filter } from 'mongodb';
import type { FindPlan } from '../query.js';
import { indexName } from './catalog.js';
import { FIRST_ID, fieldsName, keyText, type StoredRecord } from './layout.js';

/** So many entries are counted with one request. */
const PIECE_ENTRIES_MAX = 100_000;

/** The field that holds the keys a plan walks, and the index over it. */
export function indexOf(plan: FindPlan): { readonly field: string; readonly hint: string } {
  if (plan.index === 'id') return { field: '_id', hint: '_id_' };
  const name = fieldsName(plan.fields);
  return { field: `x.${name}`, hint: indexName(name) };
}

export function keyIn(plan: FindPlan, record: StoredRecord): string {
  return plan.index === 'id' ? record._id : (record.x?.[fieldsName(plan.fields)] ?? '');
}

export function isEmpty(plan: FindPlan): boolean {
  return plan.end !== null && Buffer.compare(plan.start, plan.end) >= 0;
}

export function sortOf(plan: FindPlan): Record<string, 1 | -1> {
  return { [indexOf(plan).field]: plan.descending ? -1 : 1 };
}

/** The records that a page is made of, from where the last one ended. */
export function filterOf(plan: FindPlan): Filter<StoredRecord> {
  if (plan.index === 'id') return { _id: boundsOf(plan), d: { $exists: true } };
  return { [indexOf(plan).field]: boundsOf(plan), ...withoutRepeats(plan) };
}

/** An entry is not the first of its document in the range where the one before it is in the range too. */
function withoutRepeats(plan: FindPlan): Filter<StoredRecord> {
  if (!plan.repeats || plan.inexact || plan.descending) return {};
  return { p: { $not: { $gte: keyText(plan.start) } } };
}

export function boundsOf(plan: FindPlan): { $gt?: string; $gte?: string; $lt?: string } {
  const start = keyText(plan.start);
  const after = plan.after === null ? null : keyText(plan.after);
  // Ids begin where satellites end.
  const first = plan.index === 'id' && start < FIRST_ID ? FIRST_ID : start;
  const end = plan.descending && after !== null ? after : plan.end === null ? null : keyText(plan.end);
  return {
    ...(plan.descending || after === null ? { $gte: first } : { $gt: after }),
    ...(end === null ? {} : { $lt: end }),
  };
}

/**
 * How many entries an ascending plan's range holds, in pieces of which each is one request.
 * @param withAbsent  of ids count the marks of absent documents too, so that no document has to be looked at
 */
export async function* countPieces(
  records: Collection<StoredRecord>,
  plan: FindPlan,
  session: ClientSession,
  withAbsent: boolean,
): AsyncIterable<number> {
  const { field, hint } = indexOf(plan);
  for (let at = plan; ; ) {
    const match = plan.index === 'id' && withAbsent ? { _id: boundsOf(at) } : filterOf(at);
    const [piece] = await records
      .aggregate<{ counted: number; last: string }>(
        [
          { $match: match },
          { $sort: { [field]: 1 } },
          { $limit: PIECE_ENTRIES_MAX },
          { $group: { _id: null, counted: { $sum: 1 }, last: { $max: `$${field}` } } },
        ],
        { session, hint },
      )
      .toArray();
    yield piece?.counted ?? 0;
    if (piece === undefined || piece.counted < PIECE_ENTRIES_MAX) return;
    at = { ...plan, after: Buffer.from(piece.last, 'latin1') };
  }
}
