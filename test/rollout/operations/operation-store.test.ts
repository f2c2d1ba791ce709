import test from 'ava';
import fc from 'fast-check';
import type { BatchId, OrganizationId } from '../../../common/index.js';
import {
  OPERATION_STATES,
  type Operation,
  type OperationFilter,
  type OperationPlace,
} from '../../../rollout/index.js';
import { newestOperationFirst } from '../../../rollout/operations/scan-operations.js';
import { cpe, newBatch, openTestOperations, pending, START_MS, type TestOperations } from './support.js';

const numRuns = Number(process.env['FERRY_PROPERTY_CASES'] ?? 150);
const ORGANIZATIONS = ['org-a', 'org-b', undefined] as readonly (OrganizationId | undefined)[];
const REASONS = ['fault-9010', 'withdrawn', undefined];

/** Some of two batches, of several CPEs, in all states, many made in the same moment. */
async function someOperations({ ledger, commit }: TestOperations): Promise<{
  readonly batches: readonly BatchId[];
  readonly all: readonly Operation[];
}> {
  const batches = [newBatch(), newBatch()];
  const all = Array.from({ length: 400 }, (_, at): Operation => {
    const organization = ORGANIZATIONS[at % 3];
    const reason = REASONS[at % REASONS.length];
    return {
      ...pending(batches[at % 2] ?? newBatch(), cpe(Math.floor(at / 2))),
      state: OPERATION_STATES[at % OPERATION_STATES.length] ?? 'pending',
      ...(reason !== undefined && { reason }),
      ...(organization !== undefined && { organization }),
      image: at % 5 === 0 ? null : { number: 100_000_000 + (at % 4), name: 'a.bin' },
      createdAtMs: START_MS + Math.floor(at / 50),
    };
  });
  await commit(ledger.adding(all));
  return { batches, all };
}

async function scanned(own: TestOperations, filter: OperationFilter, limit = Number.POSITIVE_INFINITY) {
  const found: Operation[] = [];
  for await (const operation of own.operations.scan(filter)) {
    if (found.length === limit) break;
    found.push(operation);
  }
  return found;
}

function matching(all: readonly Operation[], filter: OperationFilter): readonly Operation[] {
  const { batch, cpeid, states, reason, imageNumber, organization, after } = filter;
  return all
    .filter((each) => batch === undefined || each.batch === batch)
    .filter((each) => cpeid === undefined || each.cpeid === cpeid)
    .filter((each) => states === undefined || states.includes(each.state))
    .filter((each) => reason === undefined || each.reason === reason)
    .filter((each) => imageNumber === undefined || each.image?.number === imageNumber)
    .filter((each) => organization === undefined || each.organization === organization)
    .filter((each) => after === undefined || newestOperationFirst(after, each) < 0)
    .sort(newestOperationFirst);
}

test('whatever is asked of operations, they come newest first, those alone, and page after page the same', async (t) => {
  const own = await openTestOperations(t);
  const { batches, all } = await someOperations(own);
  const some = <T>(...values: readonly T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
  const filters = fc.record({
    batch: some(...batches, newBatch()),
    cpeid: some(cpe(3), cpe(150)),
    states: fc.option(fc.array(fc.constantFrom(...OPERATION_STATES), { maxLength: 4 }), { nil: undefined }),
    reason: some('fault-9010', 'withdrawn', 'none'),
    imageNumber: some(100_000_001, 100_000_003, 1),
    organization: some('org-a' as OrganizationId, 'org-c' as OrganizationId),
    after: some<OperationPlace>(
      ...all,
      { createdAtMs: START_MS + 3, id: 'zzz' },
      { createdAtMs: 0, id: '0' },
    ),
  });
  await fc.assert(
    fc.asyncProperty(filters, fc.integer({ min: 1, max: 60 }), async (drawn, limit) => {
      const { after, ...rest } = drawn;
      const place = after === undefined ? {} : { after: { createdAtMs: after.createdAtMs, id: after.id } };
      const asked = Object.entries(rest).filter(([, value]) => value !== undefined);
      const filter: OperationFilter = { ...Object.fromEntries(asked), ...place };
      const expected = matching(all, filter);
      t.deepEqual(await scanned(own, filter), expected);
      const page = await scanned(own, filter, limit);
      const last = page.at(-1);
      if (last === undefined) return;
      t.deepEqual([...page, ...(await scanned(own, { ...filter, after: last }))], expected);
    }),
    { numRuns },
  );
});

test('what can be counted without reading is counted right, and what cannot is not', async (t) => {
  const own = await openTestOperations(t);
  const { batches, all } = await someOperations(own);
  const [batch] = batches;
  const [organization] = ORGANIZATIONS;
  if (batch === undefined || organization === undefined) return t.fail();
  const counted: readonly OperationFilter[] = [
    {},
    { states: ['failed', 'pending'] },
    { organization },
    { organization, states: ['running', 'running'] },
    { batch },
    { batch, states: ['verified'] },
    { batch, reason: 'withdrawn' },
    { imageNumber: 100_000_001 },
    { cpeid: cpe(3) },
  ];
  for (const filter of counted)
    t.is(await own.operations.counting(filter)?.(), matching(all, filter).length, JSON.stringify(filter));
  const others: readonly OperationFilter[] = [
    { batch, organization },
    { imageNumber: 100_000_001, states: ['failed'] },
    { cpeid: cpe(3), states: ['failed'] },
    { organization, reason: 'withdrawn' },
  ];
  for (const filter of others) t.is(own.operations.counting(filter), null, JSON.stringify(filter));
});

test('one that goes from one of the states asked for to another meanwhile is given once', async (t) => {
  const own = await openTestOperations(t);
  const batch = newBatch();
  const made = Array.from({ length: 1_000 }, (_, at) =>
    pending(batch, cpe(at), { createdAtMs: START_MS + at, ...(at % 2 === 0 && { state: 'failed' }) }),
  );
  await own.commit(own.ledger.adding(made));
  const seen = new Map<string, number>();
  for await (const { id } of own.operations.scan({ batch, states: ['pending', 'failed'] })) {
    seen.set(id, (seen.get(id) ?? 0) + 1);
    if (seen.size % 100 !== 1) continue;
    // Every third of them, and each of these three times.
    const third = made.filter((_, at) => at % 3 === Math.floor(seen.size / 100) % 3);
    const stored = await Promise.all(third.map(({ cpeid }) => own.stored(batch, cpeid)));
    await own.commit(
      own.ledger.moving(stored.map((each) => ({ stored: each, after: turned(each.document) }))),
    );
  }
  t.true(seen.size > made.length / 2);
  t.true([...seen.values()].every((times) => times === 1));
});

function turned(operation: Operation): Operation {
  return { ...operation, state: operation.state === 'failed' ? 'pending' : 'failed' };
}

test('three CPEs are named for each reason, the newest, and none for what nobody failed for', async (t) => {
  const own = await openTestOperations(t);
  const batch = newBatch();
  const made = Array.from({ length: 5 }, (_, at) =>
    pending(batch, cpe(at), { createdAtMs: START_MS + at, state: 'failed', reason: 'fault-9010' }),
  );
  await own.commit(own.ledger.adding([...made, pending(newBatch(), cpe(9), { reason: 'fault-9010' })]));
  t.deepEqual(await own.operations.examples(batch, ['fault-9010', 'withdrawn', 'fault-9010']), {
    'fault-9010': [cpe(4), cpe(3), cpe(2)],
    withdrawn: [],
  });
});

test('a batch that has no operations counts none', async (t) => {
  const { operations } = await openTestOperations(t);
  t.deepEqual(await operations.counts(newBatch()), {
    total: 0,
    byState: { pending: 0, running: 0, verified: 0, failed: 0, 'timed-out': 0, cancelled: 0, skipped: 0 },
    byReason: {},
  });
  t.is(await operations.of(newBatch(), cpe(1)), null);
});
