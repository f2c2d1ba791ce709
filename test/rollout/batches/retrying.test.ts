import test from 'ava';
import { HOUR_MS, type ResultId } from '../../../common/index.js';
import { BatchError, OPERATIONS, operationIdOf } from '../../../rollout/index.js';
import { RULE_GATES } from '../../../rules/index.js';
import { uploadOf } from '../../firmware/support.js';
import {
  BY,
  cpe,
  IMAGE,
  listOf,
  openTestBatches,
  START_MS,
  storeWhere,
  type TestBatches,
} from './support.js';

/** Of four CPEs the first is verified, the second has failed, the third runs, the fourth waits. */
async function halfWay(has: TestBatches) {
  const { id } = await has.batches.create(listOf(await has.haveCpes(4)), BY);
  for (const [index, how] of [
    [0, 'verified'],
    [1, 'failed'],
  ] as const) {
    const upgrade = await has.session(cpe(index));
    await has.end(cpe(index), upgrade?.id as ResultId, how);
  }
  const running = await has.session(cpe(2));
  return { id, running: running?.id as ResultId };
}

test('what has failed is tried again, and what was verified, runs or waits stays', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await halfWay(has);
  t.deepEqual(await has.outcomes(id), {
    [cpe(0)]: 'verified',
    [cpe(1)]: 'failed fault-9010',
    [cpe(2)]: 'running',
    [cpe(3)]: 'pending',
  });
  t.is(await has.session(cpe(1)), null);
  t.is(await has.batches.retry(id, {}, BY), 1);
  t.deepEqual(await has.outcomes(id), {
    [cpe(0)]: 'verified',
    [cpe(1)]: 'pending',
    [cpe(2)]: 'running',
    [cpe(3)]: 'pending',
  });
  await has.counted(id);
  t.is(await has.session(cpe(0)), null);
  const again = await has.session(cpe(1));
  await has.end(cpe(1), again?.id as ResultId, 'verified');
  t.is((await has.operations.of(id, cpe(1)))?.state, 'verified');
  t.is((await has.operations.of(id, cpe(1)))?.attempts, 2);
  t.is(await has.batches.retry(id, {}, BY), 0);
});

test('a batch that was cancelled goes on where it was when it is tried again', async (t) => {
  const has = await openTestBatches(t);
  const { id, running } = await halfWay(has);
  await has.batches.cancel(id, BY);
  await has.end(cpe(2), running, 'failed');
  t.is(await has.batches.retry(id, {}, BY), 3);
  t.is((await has.batches.progress(id))?.state, 'in-progress');
  t.is(await has.gate(id), 'open');
  for (const index of [1, 2, 3]) {
    const upgrade = await has.session(cpe(index));
    await has.end(cpe(index), upgrade?.id as ResultId, 'verified');
  }
  await has.batches.round();
  t.like(await has.batches.progress(id), { state: 'success' });
  t.is((await has.stored(id))?.phase, 'ended');
  t.is(await has.gate(id), 'closed');
});

test('only what ended for a reason is tried again where that is said, or only one', async (t) => {
  const has = await openTestBatches(t);
  const { id, running } = await halfWay(has);
  await has.end(cpe(2), running, 'failed');
  await has.batches.cancelOne(operationIdOf(id, cpe(3)), BY);
  t.is(await has.batches.retry(id, { reason: 'withdrawn' }, BY), 1);
  t.is(await has.batches.retry(id, { reason: 'old-version' }, BY), 0);
  const operation = operationIdOf(id, cpe(1));
  t.is(await has.batches.retry(id, { operation }, BY), 1);
  t.deepEqual(await has.outcomes(id), {
    [cpe(0)]: 'verified',
    [cpe(1)]: 'pending',
    [cpe(2)]: 'failed fault-9010',
    [cpe(3)]: 'pending',
  });
  t.truthy(await has.session(cpe(3)), 'its rule was taken back, and is there again');
  const other = await has.batches.create(listOf([cpe(0)]), BY);
  await t.throwsAsync(has.batches.retry(other.id, { operation }, BY), { instanceOf: BatchError });
});

test('a batch that has ended and is tried again is opened only where something waits again', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(1)), BY);
  await has.batches.cancel(id, BY);
  await has.batches.made(id);
  t.is((await has.stored(id))?.phase, 'ended');
  t.is(await has.batches.retry(id, { reason: 'old-version' }, BY), 0);
  t.is((await has.stored(id))?.phase, 'ended');
  t.is(await has.batches.retry(id, {}, BY), 1);
  t.is((await has.stored(id))?.phase, 'made');
  t.deepEqual(
    (await has.events(id)).map(({ action }) => action),
    ['added', 'cancelled', 'retried'],
  );
});

test('what was skipped as its image did not fit is tried again where that is asked for, and fits by now', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(1, { productClass: 'Other' });
  await has.library.remove('hgw-2.0.0.bin', BY);
  const { Readable } = await import('node:stream');
  await has.library.upload({
    metadata: { name: 'hgw-2.0.0.bin', productClass: 'HGW', softwareVersion: '2.0.0' },
    content: Readable.from([Buffer.from('for HGW')]),
    by: BY,
    uploadedBy: 'tester',
  });
  const { id } = await has.batches.create(listOf(ids), BY);
  t.is(await has.session(cpe(0)), null);
  t.deepEqual(await has.outcomes(id), { [cpe(0)]: 'skipped does-not-fit' });
  t.is(await has.batches.retry(id, {}, BY), 0);
  t.is(await has.batches.retry(id, { reason: 'does-not-fit' }, BY), 1);
  await has.haveCpe(cpe(0), { ...(await has.devices.get(cpe(0))), productClass: 'HGW' });
  t.truthy(await has.session(cpe(0)));
});

test('a CPE of a batch by condition is tried again by a rule of its own', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(1);
  const whom = { kind: 'condition', condition: { productClass: 'HGW' } } as const;
  const { id } = await has.batches.create({ ...listOf([]), whom }, BY);
  const upgrade = await has.session(cpe(0));
  await has.end(cpe(0), upgrade?.id as ResultId, 'failed');
  t.is(await has.session(cpe(0)), null);
  t.is(await has.batches.retry(id, {}, BY), 1);
  const again = await has.session(cpe(0));
  t.is(String(again?.campaignid), `batch:${id}:${cpe(0)}`);
  t.deepEqual(await has.counted(id), { running: 1 });
});

test('a batch whose time is over, or that is being made, is not tried again', async (t) => {
  const has = await openTestBatches(t);
  const notAfter = new Date(START_MS + HOUR_MS).toISOString();
  const { id } = await has.batches.create(listOf(await has.haveCpes(1), { notAfter }), BY);
  await has.batches.cancel(id, BY);
  await has.batches.made(id);
  has.clock.nowMs = START_MS + HOUR_MS;
  const error = await t.throwsAsync(has.batches.retry(id, {}, BY), { instanceOf: BatchError });
  t.deepEqual([(error as BatchError).code, (error as BatchError).field], ['state', 'notAfter']);
});

for (const [when, collection, method, count] of [
  ['before it is opened', OPERATIONS.name, 'getMany', 1],
  ['once it is opened', RULE_GATES.name, 'get', 2],
] as const) {
  test(`a batch that somebody cancels while it is tried again, ${when}, is cancelled`, async (t) => {
    const has = await openTestBatches(t);
    const { id } = await halfWay(has);
    const store = storeWhere(has.store, {
      collection,
      method,
      before: async (asked) => asked === count && has.batches.cancel(id, BY),
    });
    const error = await t.throwsAsync(has.another({ store }).retry(id, {}, BY), { instanceOf: BatchError });
    t.is((error as BatchError).code, 'state');
    t.is((await has.stored(id))?.phase, 'cancelled');
    t.is(await has.gate(id), 'closed');
    await has.batches.made(id);
    await has.batches.round();
    t.is(await has.session(cpe(1)), null);
    t.is(await has.session(cpe(3)), null);
    t.is((await has.counted(id)).pending, undefined);
  });
}

test('of a batch by condition that was cancelled only those go on that are tried again, and then it has ended', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(2);
  const whom = { kind: 'condition', condition: { productClass: 'HGW' } } as const;
  const { id } = await has.batches.create({ ...listOf([]), whom }, BY);
  const upgrade = await has.session(cpe(0));
  await has.end(cpe(0), upgrade?.id as ResultId, 'failed');
  await has.batches.cancel(id, BY);
  t.is(await has.batches.retry(id, {}, BY), 1);
  t.is(await has.session(cpe(1)), null);
  t.deepEqual(
    (await has.rulesOf(id)).map((rule) => String(rule.id)),
    [`batch:${id}:${cpe(0)}`],
  );
  const again = await has.session(cpe(0));
  await has.end(cpe(0), again?.id as ResultId, 'verified');
  await has.batches.round();
  t.is((await has.stored(id))?.phase, 'ended');
  t.is((await has.batches.progress(id))?.state, 'success');
});

test('what has failed is tried again after its batch has ended and its rules were taken back', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(2)), BY);
  for (const cpeid of [cpe(0), cpe(1)]) {
    const upgrade = await has.session(cpeid);
    await has.end(cpeid, upgrade?.id as ResultId, 'failed');
  }
  for (let run = 1; run <= 3; run++) {
    await has.batches.round();
    t.is((await has.stored(id))?.phase, 'ended');
    t.deepEqual(await has.rulesOf(id), []);
    t.is(await has.batches.retry(id, {}, BY), 2);
    for (const cpeid of [cpe(0), cpe(1)]) {
      const again = await has.session(cpeid);
      t.truthy(again, `${cpeid} in run ${run}`);
      t.is(await has.session(cpeid), null);
      await has.end(cpeid, again?.id as ResultId, 'failed');
    }
  }
});

for (const [reason, isAnother] of [
  ['image-name-taken', true],
  ['image-missing', false],
] as const) {
  test(`nothing is tried again by the name of an image that is not the one that was meant: ${reason}`, async (t) => {
    const has = await openTestBatches(t);
    const { id } = await has.batches.create(listOf(await has.haveCpes(1)), BY);
    const upgrade = await has.session(cpe(0));
    await has.end(cpe(0), upgrade?.id as ResultId, 'failed');
    await has.batches.round();
    await has.library.remove(IMAGE, BY);
    const other = uploadOf(IMAGE, Buffer.from('other'), { metadata: { softwareVersion: '6.6.6' } });
    if (isAnother) await has.library.upload(other);
    t.is(await has.batches.retry(id, {}, BY), 0);
    t.deepEqual(await has.outcomes(id), { [cpe(0)]: `failed ${reason}` });
    t.is(await has.session(cpe(0)), null);
    await has.counted(id);
    await has.batches.round();
    t.is((await has.batches.progress(id))?.state, 'failed');
  });
}
