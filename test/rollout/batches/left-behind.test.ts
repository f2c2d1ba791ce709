import test from 'ava';
import { UPGRADES, type Upgrade } from '../../../acs/index.js';
import type { ResultId } from '../../../common/index.js';
import { BatchError, operationIdOf } from '../../../rollout/index.js';
import { BY, cpe, listOf, openTestBatches, type TestBatches } from './support.js';

/** As a node does that knows of no owners: the result alone. */
async function endedElsewhere(has: TestBatches, id: ResultId, state: Upgrade['state'] | null): Promise<void> {
  const upgrades = has.store.collection<Upgrade>(UPGRADES);
  if (state === null) {
    await upgrades.delete(id);
    return;
  }
  const stored = await upgrades.get(id);
  if (stored === null) throw new Error('There is no such upgrade');
  const { deadlineAtMs: _, ...rest } = stored.document;
  await upgrades.put({ ...rest, state, status: true });
}

test('what ended, or went, without a word to its batch is brought forward, and the batch ends', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(3)), BY);
  const begun = [await has.session(cpe(0)), await has.session(cpe(1)), await has.session(cpe(2))];
  const [first, second, third] = begun.map((upgrade) => upgrade?.id as ResultId);
  if (first === undefined || second === undefined || third === undefined) return t.fail();
  await endedElsewhere(has, first, 'verified');
  await endedElsewhere(has, second, null);
  await has.batches.round();
  t.deepEqual(await has.outcomes(id), {
    [cpe(0)]: 'verified',
    [cpe(1)]: 'failed device-gone',
    [cpe(2)]: 'running',
  });
  t.deepEqual(await has.counted(id), { verified: 1, failed: 1, running: 1 });
  await has.end(cpe(2), third, 'verified');
  await has.batches.round();
  t.is((await has.stored(id))?.phase, 'ended');
});

test('who cancels what was left behind is told that it has ended', async (t) => {
  const underWay = { withdraw: async () => 'ended' as const, call: () => {} };
  const has = await openTestBatches(t, { underWay });
  const { id } = await has.batches.create(listOf(await has.haveCpes(1)), BY);
  const upgrade = await has.session(cpe(0));
  await endedElsewhere(has, upgrade?.id as ResultId, 'failed');
  const operation = operationIdOf(id, cpe(0));
  const error = await t.throwsAsync(has.batches.cancelOne(operation, BY), { instanceOf: BatchError });
  t.is(error.code, 'state');
  t.deepEqual(await has.counted(id), { failed: 1 });
});
