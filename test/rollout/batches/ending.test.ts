import test from 'ava';
import { DEVICES, type Device } from '../../../acs/device/device.js';
import { DAY_MS, HOUR_MS, type ResultId } from '../../../common/index.js';
import { BatchError } from '../../../rollout/index.js';
import { RULE_GATES } from '../../../rules/index.js';
import { BY, cpe, listOf, NORTH, of, openTestBatches, SOUTH, START_MS } from './support.js';

const at = (ms: number): string => new Date(ms).toISOString();

test('a batch begins at notBefore, and what waits at notAfter has failed by then', async (t) => {
  const has = await openTestBatches(t);
  const times = { notBefore: at(START_MS + HOUR_MS), notAfter: at(START_MS + 2 * HOUR_MS) };
  const { id } = await has.batches.create(listOf(await has.haveCpes(2), times), BY);
  t.is((await has.batches.progress(id))?.state, 'scheduled');
  t.is(await has.session(cpe(0)), null);
  has.clock.nowMs = START_MS + HOUR_MS;
  t.is((await has.batches.progress(id))?.state, 'idle');
  const upgrade = await has.session(cpe(0));
  t.truthy(upgrade);
  has.clock.nowMs = START_MS + 2 * HOUR_MS;
  t.is(await has.session(cpe(1)), null);
  await has.batches.round();
  t.deepEqual(await has.outcomes(id), { [cpe(0)]: 'running', [cpe(1)]: 'failed too-late' });
  t.is((await has.stored(id))?.phase, 'made');
  await has.end(cpe(0), upgrade?.id as ResultId, 'verified');
  await has.batches.round();
  t.is((await has.stored(id))?.phase, 'ended');
  t.is((await has.batches.progress(id))?.state, 'failed');
  await has.counted(id);
});

test('of a batch that is not persistent what was not reached within the hour has failed, and another try has another hour', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(2), { persistent: false }), BY);
  const upgrade = await has.session(cpe(0));
  has.clock.nowMs = START_MS + HOUR_MS - 1;
  await has.batches.round();
  t.deepEqual(await has.counted(id), { running: 1, pending: 1 });
  has.clock.nowMs = START_MS + HOUR_MS;
  await has.batches.round();
  t.deepEqual(await has.outcomes(id), { [cpe(0)]: 'running', [cpe(1)]: 'failed not-reached' });
  t.is(await has.batches.retry(id, {}, BY), 1);
  has.clock.nowMs = START_MS + 2 * HOUR_MS - 1;
  await has.batches.round();
  t.deepEqual(await has.counted(id), { running: 1, pending: 1 });
  await has.end(cpe(0), upgrade?.id as ResultId, 'verified');
  has.clock.nowMs = START_MS + 2 * HOUR_MS;
  await has.batches.round();
  t.is((await has.stored(id))?.phase, 'ended');
});

test('a persistent batch waits for CPEs that are away as long as it takes', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(1)), BY);
  has.clock.nowMs = START_MS + 300 * DAY_MS;
  await has.batches.round();
  t.is((await has.batches.progress(id))?.state, 'idle');
  t.truthy(await has.session(cpe(0)));
});

test('a batch by condition stays open until its time is over, and then nothing begins', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(2);
  const whom = { kind: 'condition', condition: { productClass: 'HGW' } } as const;
  const { id } = await has.batches.create({ ...listOf([]), whom, persistent: false }, BY);
  const upgrade = await has.session(cpe(0));
  await has.end(cpe(0), upgrade?.id as ResultId, 'verified');
  await has.batches.round();
  t.is((await has.batches.progress(id))?.state, 'in-progress');
  has.clock.nowMs = START_MS + HOUR_MS;
  t.is(await has.session(cpe(1)), null);
  await has.batches.round();
  t.is((await has.batches.progress(id))?.state, 'success');
  t.is(await has.gate(id), 'closed');
});

test('a batch in which there was nothing to do has succeeded', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf([]), BY);
  t.is((await has.batches.progress(id))?.state, 'success');
  await has.batches.round();
  t.is((await has.stored(id))?.phase, 'ended');
});

test('what waits for a CPE that was deleted, goes by another name or was moved away has failed', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(4, of(NORTH));
  const { id } = await has.batches.create({ ...listOf(ids), organization: NORTH }, BY);
  await has.devices.remove([cpe(0)], { why: 'asked', by: BY });
  await has.haveCpe(cpe(1), { ...of(NORTH), supersededBy: cpe(7) });
  await has.haveCpe(cpe(2), of(SOUTH));
  await has.batches.endStrays();
  t.deepEqual(await has.outcomes(id), {
    [cpe(0)]: 'failed device-gone',
    [cpe(1)]: 'failed device-gone',
    [cpe(2)]: 'failed other-organization',
    [cpe(3)]: 'pending',
  });
  t.is((await has.rulesOf(id)).length, 1);
  t.is((await has.batches.progress(id))?.state, 'in-progress');
});

test('a batch that is removed is gone at once for whoever asks, and leaves nothing but results', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(3);
  const { id } = await has.batches.create(listOf(ids), BY);
  const verified = await has.session(cpe(0));
  await has.end(cpe(0), verified?.id as ResultId, 'verified');
  const running = await has.session(cpe(1));
  await has.batches.remove(id, BY);
  t.is(await has.batches.get(id), null);
  t.is(await has.batches.progress(id), null);
  t.is(await has.session(cpe(2)), null);
  await has.batches.made(id);
  t.deepEqual(await has.counted(id), { running: 1 });
  await has.end(cpe(1), running?.id as ResultId, 'failed');
  await has.batches.round();
  t.deepEqual(await has.leftOf(id), []);
  t.is((await has.upgradesOf(cpe(0))).length, 1);
  await t.throwsAsync(has.batches.remove(id, BY), { instanceOf: BatchError });
  t.deepEqual(
    (await has.events(id)).map(({ action }) => action),
    ['added', 'removed'],
  );
});

test('batches that have ended are kept as long as results are', async (t) => {
  const has = await openTestBatches(t, { resultDays: 10 });
  const { id } = await has.batches.create(listOf(await has.haveCpes(1)), BY);
  await has.batches.cancel(id, BY);
  await has.batches.made(id);
  has.clock.nowMs = START_MS + 10 * DAY_MS;
  await has.batches.round();
  t.truthy(await has.batches.get(id));
  has.clock.nowMs += 1;
  await has.batches.round();
  t.is(await has.batches.get(id), null);
  await has.batches.round();
  t.deepEqual(await has.leftOf(id), []);
});

test('a batch ends with nothing of it begun meanwhile', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(1);
  const whom = { kind: 'condition', condition: { productClass: 'HGW' } } as const;
  const { id } = await has.batches.create({ ...listOf([]), whom, persistent: false }, BY);
  let begun = 0;
  const owned: typeof has.rules.owned = {
    ...has.rules.owned,
    async some(...args) {
      const rules = await has.rules.owned.some(...args);
      // By the clock of another node its time is not over.
      has.clock.nowMs = START_MS;
      if ((await has.session(cpe(0))) !== null) begun++;
      has.clock.nowMs = START_MS + HOUR_MS;
      return rules;
    },
  };
  const { rules } = has;
  const racing = has.another({
    rules: {
      check: rules.check.bind(rules),
      scan: rules.scan.bind(rules),
      freezeState: rules.freezeState.bind(rules),
      owned,
    },
  });
  has.clock.nowMs = START_MS + HOUR_MS;
  await racing.round();
  t.is(begun, 1);
  t.is((await has.stored(id))?.phase, 'made');
  t.is(await has.gate(id), 'open');
  t.deepEqual(await has.counted(id), { running: 1 });
});

test('a batch that has ended has no rules that sessions would read', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(3)), BY);
  for (const [index, how] of [
    [0, 'verified'],
    [1, 'failed'],
    [2, 'verified'],
  ] as const) {
    t.is((await has.rulesOf(id)).length, 3);
    const upgrade = await has.session(cpe(index));
    await has.end(cpe(index), upgrade?.id as ResultId, how);
    await has.batches.round();
  }
  t.is((await has.stored(id))?.phase, 'ended');
  t.deepEqual(await has.rulesOf(id), []);
});

test('a batch without a gate ends, and has one that is closed', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(1)), BY);
  const stopped = has.another();
  const cancelling = stopped.cancel(id, BY);
  void stopped.close();
  await cancelling;
  await stopped.made(id);
  await has.store.collection(RULE_GATES).delete(`batch:${id}`);
  await has.batches.round();
  t.is((await has.stored(id))?.phase, 'ended');
  t.is(await has.gate(id), 'closed');
});

test('one round goes through more than a portion of what waits for CPEs that are gone', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(1_100);
  const { id } = await has.batches.create(listOf(ids), BY);
  const known = has.store.collection<Device>(DEVICES);
  for (let first = 0; first < ids.length; first += 500)
    await has.store.commit(ids.slice(first, first + 500).map((cpeid) => known.deleting(cpeid)));
  await has.batches.round();
  t.deepEqual(await has.counted(id), { failed: 1_100 });
});
