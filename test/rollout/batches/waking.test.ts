import test from 'ava';
import { HOUR_MS, MINUTE_MS, type ResultId, SECOND_MS } from '../../../common/index.js';
import { BY, cpe, listOf, openTestBatches, START_MS } from './support.js';

const REACHABLE = { connectionRequestUrl: 'http://127.0.0.1:7547/' };

test('CPEs that wait are called at the pace of their batch, each once until a while has passed', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(25, REACHABLE);
  await has.batches.create(listOf(ids, { wakePerSecond: 10 }), BY);
  await has.batches.wake();
  t.is(has.calls.made.length, 10);
  for (let seconds = 0; seconds < 5; seconds++) {
    has.clock.nowMs += SECOND_MS;
    await has.batches.wake();
  }
  t.is(has.calls.made.length, 25);
  t.deepEqual([...has.calls.made].sort(), [...ids]);
});

test('a CPE is called three times for a batch, ten minutes apart, and no more', async (t) => {
  const has = await openTestBatches(t);
  await has.batches.create(listOf(await has.haveCpes(1, REACHABLE)), BY);
  const calledAfter: number[] = [];
  for (let minutes = 0; minutes < 60; minutes++) {
    const { length } = has.calls.made;
    await has.batches.wake();
    if (has.calls.made.length > length) calledAfter.push(minutes);
    has.clock.nowMs += MINUTE_MS;
  }
  t.deepEqual(calledAfter, [0, 10, 20]);
});

test('whoever is tried again is called again at once', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(1, REACHABLE)), BY);
  await has.batches.wake();
  const upgrade = await has.session(cpe(0));
  await has.end(cpe(0), upgrade?.id as ResultId, 'failed');
  has.clock.nowMs += MINUTE_MS;
  await has.batches.wake();
  t.is(has.calls.made.length, 1, 'nothing of it waits');
  await has.batches.retry(id, {}, BY);
  has.clock.nowMs += MINUTE_MS;
  await has.batches.wake();
  t.is(has.calls.made.length, 2);
});

test('nobody is called before notBefore, after notAfter, while upgrades are frozen, or for a batch that was cancelled', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(1, REACHABLE);
  const notBefore = new Date(START_MS + HOUR_MS).toISOString();
  const notAfter = new Date(START_MS + 2 * HOUR_MS).toISOString();
  const { id } = await has.batches.create(listOf(ids, { notBefore, notAfter }), BY);
  await has.batches.wake();
  has.clock.nowMs = START_MS + 2 * HOUR_MS;
  await has.batches.wake();
  has.clock.nowMs = START_MS + HOUR_MS;
  await has.rules.freeze({ frozen: true, by: BY });
  await has.batches.wake();
  t.deepEqual(has.calls.made, []);
  await has.rules.freeze({ frozen: false, by: BY });
  await has.batches.cancel(id, BY);
  await has.batches.wake();
  t.deepEqual(has.calls.made, []);
  await has.batches.retry(id, {}, BY);
  await has.batches.wake();
  t.deepEqual(has.calls.made, [cpe(0)]);
});

test('who cannot come for it is not called: busy with an upgrade, not enrolled, without a URL', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(4, REACHABLE);
  await has.batches.create(listOf(ids), BY);
  await has.haveCpe(cpe(0), { ...REACHABLE, inFlight: 'another' as ResultId });
  await has.haveCpe(cpe(1), { ...REACHABLE, enrolment: 'waiting' });
  await has.haveCpe(cpe(2));
  await has.batches.wake();
  t.deepEqual(has.calls.made, [cpe(3)]);
});

test('a batch that says so calls nobody, and less than one a second is as slow as that', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(3, REACHABLE);
  await has.batches.create(listOf(ids, { wakePerSecond: 0 }), BY);
  await has.batches.wake();
  t.deepEqual(has.calls.made, []);
  await has.batches.create(listOf(ids, { wakePerSecond: 0.1 }), BY);
  for (let seconds = 0; seconds < 20; seconds++) {
    await has.batches.wake();
    has.clock.nowMs += SECOND_MS;
  }
  t.is(has.calls.made.length, 2);
});

test('there is no call without room for one', async (t) => {
  const has = await openTestBatches(t);
  await has.batches.create(listOf(await has.haveCpes(3, REACHABLE)), BY);
  has.calls.free = 0;
  await has.batches.wake();
  t.deepEqual(has.calls.made, []);
});
