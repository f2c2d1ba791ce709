import test from 'ava';
import { type BatchId, HOUR_MS, MINUTE_MS, type ResultId, SECOND_MS } from '../../../common/index.js';
import type { Batch } from '../../../rollout/batches/batch.js';
import { BATCHES } from '../../../rollout/batches/batch.js';
import { BatchStore } from '../../../rollout/batches/batch-store.js';
import { BatchWaking } from '../../../rollout/batches/waking.js';
import { pendingOperation } from '../../../rollout/operations/operation-life.js';
import type { Cursor, Revision } from '../../../store/index.js';
import { BY, cpe, listOf, openTestBatches, START_MS, type TestBatches } from './support.js';

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

test('of a batch of more CPEs than anything remembers each is called three times all the same, at the pace of the batch', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpe(cpe(0), REACHABLE);
  const { id } = await has.batches.create(listOf([cpe(0)], { wakePerSecond: 1_000 }), BY);
  const WAITING = 101_000;
  const waking = await wakingOf(has, WAITING);
  const PASS_SECONDS = WAITING / 1_000;
  for (let seconds = 0; seconds < PASS_SECONDS; seconds++) {
    await waking.tick();
    has.clock.nowMs += SECOND_MS;
  }
  t.is(has.calls.made.length, WAITING);
  for (let pass = 0; pass < 5; pass++) {
    has.clock.nowMs += 10 * MINUTE_MS;
    for (let seconds = 0; seconds < PASS_SECONDS; seconds++) {
      await waking.tick();
      has.clock.nowMs += SECOND_MS;
    }
  }
  t.is(has.calls.made.length, 3 * WAITING);
  t.is((await has.stored(id))?.phase, 'made');
});

test('batches that have called as often as they may keep no place from a new one, however many they are', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpe(cpe(0), REACHABLE);
  const { id } = await has.batches.create(listOf([cpe(0)]), BY);
  const like = (await has.stored(id)) as Batch;
  const batches = has.store.collection<Batch>(BATCHES);
  const OLD = 10_000;
  for (let first = 0; first < OLD; first += 1_000) {
    const some = Array.from({ length: 1_000 }, (_, at) => `old-${first + at}` as BatchId);
    await has.store.commit(
      some.map((old) => batches.putting({ ...like, id: old, updatedAtMs: START_MS - 1 })),
    );
  }
  const waking = await wakingOf(has, 1);
  const called: number[] = [];
  for (let pass = 0; pass < 3; pass++) {
    for (let ticks = 0; ticks < 11; ticks++) {
      await waking.tick();
      has.clock.nowMs += SECOND_MS;
    }
    called.push(has.calls.made.length);
    has.clock.nowMs += 10 * MINUTE_MS;
  }
  t.deepEqual(called, [OLD, 2 * OLD, 3 * OLD + 1]);
});

test('a pass that meets nobody does not count: what is tried again waits a moment after its batch is open', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(1, REACHABLE)), BY);
  const upgrade = await has.session(cpe(0));
  for (let seconds = 0; seconds < 60; seconds++) {
    await has.batches.wake();
    has.clock.nowMs += SECOND_MS;
  }
  await has.end(cpe(0), upgrade?.id as ResultId, 'failed');
  await has.batches.wake();
  t.is(has.calls.made.length, 0);
  await has.batches.retry(id, {}, BY);
  await has.batches.wake();
  t.is(has.calls.made.length, 1);
});

/** Calls for the batches that are stored, of each of which so many wait: they would take minutes to be stored. */
async function wakingOf(has: TestBatches, count: number): Promise<BatchWaking> {
  const device = await has.devices.get(cpe(0));
  const waiting = pendingOperation({ batch: 'any' as BatchId, cpeid: cpe(0), image: null }, START_MS);
  const now = (): number => has.clock.nowMs;
  const kept = new BatchStore({ store: has.store, clock: now });
  has.calls.free = 1_000_000;
  return new BatchWaking({
    kept: {
      batches: kept.batches,
      inPhase: (phase) => kept.inPhase(phase),
      async waiting(_, place, limit) {
        const first = place === null ? 0 : Number(place.cpeid.slice(-7)) + 1;
        const end = Math.min(count, first + limit);
        const items = Array.from({ length: end - first }, (_, at) => ({
          document: { ...waiting, cpeid: cpe(first + at) },
          revision: 1 as Revision,
        }));
        return { items, next: end < count ? ('more' as Cursor) : null };
      },
    },
    devices: {
      get: async () => device,
      isWaiting: (known) => has.devices.isWaiting(known),
    },
    rules: has.rules,
    calling: has.calls,
    clock: now,
    monotonic: now,
  });
}
