import test from 'ava';
import type { Upgrades } from '../../../acs/index.js';
import type { CpeId, ResultId } from '../../../common/index.js';
import { BatchError, type OpenedBatches, operationIdOf } from '../../../rollout/index.js';
import { BY, cpe, listOf, openTestBatches } from './support.js';

type Answer = Awaited<ReturnType<Upgrades['withdraw']>>;

test('once a batch is cancelled nothing of it begins, before a single operation of it has been moved', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(3);
  // It withdraws nothing itself: the gate alone holds.
  const { id } = await has.batches.create(listOf(ids), BY);
  const stopped = has.another();
  const cancelling = stopped.cancel(id, BY);
  void stopped.close();
  const batch = await cancelling;
  t.is(batch.isCancelled, true);
  t.is(await has.gate(id), 'closed');
  for (const cpeid of ids) t.is(await has.session(cpeid), null);
  await stopped.made(id);
  t.is((await has.batches.progress(id))?.state, 'cancelled');
});

test('what waits is withdrawn with its rules, whoever does it, and what runs goes on to its end', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(4);
  const { id } = await has.batches.create(listOf(ids), BY);
  const [first, second] = [await has.session(cpe(0)), await has.session(cpe(1))];
  await has.batches.cancel(id, BY);
  await has.batches.made(id);
  t.deepEqual(await has.counted(id), { running: 2, cancelled: 2 });
  t.deepEqual((await has.rulesOf(id)).length, 2);
  await has.end(cpe(0), first?.id as ResultId, 'verified');
  await has.end(cpe(1), second?.id as ResultId, 'failed');
  t.deepEqual(await has.counted(id), { verified: 1, failed: 1, cancelled: 2 });
  t.is((await has.stored(id))?.phase, 'cancelled');
  await has.batches.round();
  t.is((await has.stored(id))?.phase, 'ended');
  t.is((await has.batches.progress(id))?.state, 'cancelled');
});

test('whatever of a batch has begun when it is cancelled has one upgrade, and what has not has none', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(40);
  const { id } = await has.batches.create(listOf(ids), BY);
  const begun = await Promise.all([
    ...ids.slice(0, 20).map((cpeid) => has.session(cpeid)),
    has.batches.cancel(id, BY).then(() => null),
    ...ids.slice(20).map((cpeid) => has.session(cpeid)),
  ]);
  await has.batches.made(id);
  await has.batches.round();
  const running = begun.filter((upgrade) => upgrade !== null).length;
  t.is((await has.counted(id)).running ?? 0, running);
  for (const cpeid of ids) {
    const { length } = await has.upgradesOf(cpeid);
    const operation = await has.operations.of(id, cpeid);
    t.is(length, operation?.state === 'running' ? 1 : 0);
  }
});

test('cancelling says who did, once', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(1)), BY);
  await has.batches.cancel(id, BY);
  await has.batches.cancel(id, BY);
  const told = (await has.events(id)).map(({ action, by }) => [action, by?.name]);
  t.deepEqual(told, [
    ['added', BY.name],
    ['cancelled', BY.name],
  ]);
  await t.throwsAsync(has.batches.cancel(cpe(1) as never, BY), { instanceOf: BatchError });
});

test('one operation that waits is cancelled alone', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(2)), BY);
  const operation = operationIdOf(id, cpe(0));
  t.is(await has.batches.cancelOne(operation, BY), 'cancelled');
  t.deepEqual(await has.outcomes(id), { [cpe(0)]: 'cancelled withdrawn', [cpe(1)]: 'pending' });
  t.is(await has.session(cpe(0)), null);
  t.truthy(await has.session(cpe(1)));
  const error = await t.throwsAsync(has.batches.cancelOne(operation, BY), { instanceOf: BatchError });
  t.is((error as BatchError).code, 'state');
  t.deepEqual(
    (await has.events(id)).map(({ action }) => action),
    ['added', 'operation-cancelled'],
  );
});

for (const [title, withdrawn, expected] of [
  ['is asked for where its CPE has not begun', 'asked', 'running'],
  ['is refused where its CPE has the file', 'transferred', 'under-way'],
] as const) {
  test(`the end of an operation that runs ${title}`, async (t) => {
    const asked: ResultId[] = [];
    const called: CpeId[] = [];
    const underWay = {
      async withdraw(id: ResultId): Promise<Answer> {
        asked.push(id);
        return withdrawn;
      },
      call: (cpeid: CpeId) => void called.push(cpeid),
    };
    const has = await openTestBatches(t, { underWay });
    const { id } = await has.batches.create(listOf(await has.haveCpes(1)), BY);
    const upgrade = await has.session(cpe(0));
    const operation = operationIdOf(id, cpe(0));
    const outcome = await has.batches
      .cancelOne(operation, BY)
      .catch((error: unknown) => (error instanceof BatchError ? error.code : error));
    t.is(outcome, expected);
    t.deepEqual(asked, [upgrade?.id]);
    t.deepEqual(called, withdrawn === 'asked' ? [cpe(0)] : []);
    const stored = await has.operations.get(operation);
    t.is(stored?.cancelAskedAtMs, withdrawn === 'asked' ? has.clock.nowMs : undefined);
  });
}

for (const answer of ['asked', 'transferred'] as const) {
  test(`of a batch that is cancelled each CPE that runs is asked once: ${answer}`, async (t) => {
    const asked: ResultId[] = [];
    const underWay = {
      async withdraw(id: ResultId): Promise<Answer> {
        asked.push(id);
        return answer;
      },
      call() {},
    };
    const has = await openTestBatches(t, { underWay });
    const ids = await has.haveCpes(3);
    const { id } = await has.batches.create(listOf(ids), BY);
    await has.session(cpe(0));
    await has.session(cpe(1));
    // It is broken off after the first.
    const stopped: OpenedBatches = has.another({
      underWay: {
        async withdraw(result) {
          void stopped.close();
          return underWay.withdraw(result);
        },
        call() {},
      },
    });
    await stopped.cancel(id, BY);
    await stopped.made(id);
    t.is(asked.length, 1);
    await has.batches.round();
    await has.batches.round();
    t.is(asked.length, 2);
    t.is(new Set(asked).size, 2);
    t.is((await has.stored(id))?.hasAskedRunning, true);
  });
}

test('an operation of a batch by condition is cancelled without its batch', async (t) => {
  const underWay = { withdraw: async (): Promise<Answer> => 'asked', call() {} };
  const has = await openTestBatches(t, { underWay });
  await has.haveCpes(2);
  const whom = { kind: 'condition', condition: { productClass: 'HGW' } } as const;
  const { id } = await has.batches.create({ ...listOf([]), whom }, BY);
  await has.session(cpe(0));
  t.is(await has.batches.cancelOne(operationIdOf(id, cpe(0)), BY), 'running');
  t.truthy(await has.session(cpe(1)));
  await has.batches.cancel(id, BY);
  await has.haveCpe(cpe(5));
  t.is(await has.session(cpe(5)), null);
});
