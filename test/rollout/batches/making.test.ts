import test from 'ava';
import type { CpeId } from '../../../common/index.js';
import { BatchError, type BatchTarget } from '../../../rollout/index.js';
import type { Change } from '../../../store/index.js';
import { uploadOf } from '../../firmware/support.js';
import { BY, cpe, IMAGE, listOf, NORTH, of, openTestBatches, SOUTH, START_MS, targetsOf } from './support.js';

test('a list becomes an operation and a pinned rule of each CPE, that run once the last is written', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(3);
  const batch = await has.batches.create(listOf(ids), BY);
  t.is(batch.phase, 'made');
  t.deepEqual(await has.counted(batch.id), { pending: 3 });
  t.is(await has.gate(batch.id), 'open');
  const [rule] = await has.rulesOf(batch.id);
  t.like(rule, {
    file: IMAGE,
    executions: 1,
    priority: 0,
    owner: { kind: 'batch', id: batch.id },
    author: BY.name,
  });
  t.is((await has.rulesOf(batch.id)).length, 3);
  const upgrade = await has.session(cpe(1));
  t.is(String(upgrade?.campaignid), `batch:${batch.id}:${cpe(1)}`);
  t.deepEqual(await has.outcomes(batch.id), {
    [cpe(0)]: 'pending',
    [cpe(1)]: 'running',
    [cpe(2)]: 'pending',
  });
});

test('nothing of a batch runs while it is being prepared, however much of it is written', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(600);
  let decided = '';
  const names = async function* () {
    yield* ids;
    // The first portion is written by now.
    const stored = (await has.operations.of(await onlyBatch(has), cpe(0)))?.state;
    decided = `${stored} ${(await has.decision(cpe(0))).kind}`;
  };
  const batch = await has.batches.create({ ...listOf([]), whom: { kind: 'list', cpeids: names() } }, BY);
  t.is(decided, 'pending nothing');
  t.deepEqual(await has.counted(batch.id), { pending: 600 });
  t.is((await has.decision(cpe(0))).kind, 'upgrade');
});

test('whoever cannot be sent anything is skipped from the first, with the reason', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpe(cpe(1));
  await has.haveCpe(cpe(2), { enrolment: 'waiting' });
  await has.haveCpe('00A1B2-OLD-3' as CpeId, { supersededBy: cpe(1), serialNumber: 'a' });
  await has.haveCpe('00A1B2-A-same' as CpeId, { productClass: 'A' });
  await has.haveCpe('00A1B2-B-same' as CpeId, { productClass: 'B' });
  const names = [cpe(1), cpe(1), cpe(2), '00A1B2-OLD-3', 'same', 'nobody', '', 'a\ud800', 'x'.repeat(500)];
  const batch = await has.batches.create(listOf(names), BY);
  t.deepEqual(await has.outcomes(batch.id), {
    [cpe(1)]: 'pending',
    [cpe(2)]: 'skipped not-enrolled',
    '00A1B2-OLD-3': 'skipped duplicate',
    same: 'skipped ambiguous-device',
    nobody: 'skipped unknown-device',
    '': 'skipped unknown-device',
    'a\ufffd': 'skipped unknown-device',
    ['x'.repeat(400)]: 'skipped unknown-device',
  });
  const ambiguous = await has.operations.of(batch.id, 'same' as CpeId);
  t.regex(ambiguous?.detail ?? '', /00A1B2-A-same, 00A1B2-B-same/);
  await has.counted(batch.id);
});

test('a serial number stands for the one CPE that has it, and an old identity for the one it goes by now', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpe(cpe(1), { serialNumber: 'S-1' });
  await has.haveCpe(cpe(2));
  await has.haveCpe('00A1B2-OLD-2' as CpeId, { supersededBy: cpe(2) });
  const batch = await has.batches.create(listOf(['S-1', '00A1B2-OLD-2']), BY);
  t.deepEqual(await has.outcomes(batch.id), { [cpe(1)]: 'pending', [cpe(2)]: 'pending' });
});

test('an old identity that is named after its CPE is a duplicate, however many are named between them; one that is named first stands for it', async (t) => {
  const has = await openTestBatches(t);
  const between = await has.haveCpes(600);
  const [one, other] = [cpe(1_001), cpe(1_002)];
  for (const id of [one, other]) await has.haveCpe(id);
  await has.haveCpe('00A1B2-OLD-1' as CpeId, { supersededBy: one });
  await has.haveCpe('00A1B2-OLD-2' as CpeId, { supersededBy: other });
  for (const many of [[], between]) {
    const names = [one, '00A1B2-OLD-2', ...many, '00A1B2-OLD-1', other];
    const { id } = await has.batches.create(listOf(names), BY);
    const outcomes = Object.entries(await has.outcomes(id));
    t.deepEqual(Object.fromEntries(outcomes.filter(([cpeid]) => !between.includes(cpeid as CpeId))), {
      [one]: 'pending',
      [other]: 'pending',
      '00A1B2-OLD-1': 'skipped duplicate',
    });
    await has.counted(id);
  }
});

test('a CPE of another organization is told from one that nobody knows by nothing', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpe(cpe(1), of(NORTH));
  await has.haveCpe(cpe(2), of(SOUTH));
  await has.haveCpe('00A1B2-X-same' as CpeId, of(SOUTH));
  const names = [cpe(1), cpe(2), cpe(3), 'same'];
  const batch = await has.batches.create({ ...listOf(names), organization: NORTH }, BY);
  t.deepEqual(await has.outcomes(batch.id), {
    [cpe(1)]: 'pending',
    [cpe(2)]: 'skipped unknown-device',
    [cpe(3)]: 'skipped unknown-device',
    same: 'skipped unknown-device',
  });
  const [foreign, unknown] = await Promise.all(
    [cpe(2), cpe(3)].map((cpeid) => has.operations.of(batch.id, cpeid)),
  );
  const told = ({ id: _, cpeid: _cpeid, ...rest }: object & { id?: unknown; cpeid?: unknown }) => rest;
  t.deepEqual(told(foreign ?? {}), told(unknown ?? {}));
  const [rule] = await has.rulesOf(batch.id);
  t.is(rule?.organization, NORTH);
});

test('a batch of all is made in the background, of the CPEs of its organization alone', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(3, of(SOUTH));
  await has.haveCpe(cpe(10), of(NORTH));
  await has.haveCpe('00A1B2-OLD-10' as CpeId, { ...of(NORTH), supersededBy: cpe(10) });
  const whom = { kind: 'all' } as const;
  const batch = await has.batches.create({ ...listOf([]), whom, organization: NORTH }, BY);
  t.is(batch.phase, 'preparing');
  await has.batches.made(batch.id);
  t.is((await has.batches.get(batch.id))?.phase, 'made');
  t.deepEqual(await has.outcomes(batch.id), { [cpe(10)]: 'pending' });
  const everybody = await has.batches.create({ ...listOf([]), whom }, BY);
  await has.batches.made(everybody.id);
  t.deepEqual(await has.counted(everybody.id), { pending: 4 });
});

test('a batch by condition is one rule with its limits, and has an operation of each CPE that it begins with', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(2);
  const whom = { kind: 'condition', condition: { productClass: 'HGW' } } as const;
  const batch = await has.batches.create({ ...listOf([]), whom, limits: { concurrent: 1 } }, BY);
  t.is(batch.phase, 'made');
  t.like((await has.rulesOf(batch.id))[0], { id: `batch:${batch.id}`, limits: { concurrent: 1 } });
  t.is((await has.batches.progress(batch.id))?.state, 'idle');
  t.truthy(await has.session(cpe(0)));
  t.is(await has.session(cpe(1)), null);
  t.deepEqual(await has.outcomes(batch.id), { [cpe(0)]: 'running' });
  t.is((await has.batches.progress(batch.id))?.state, 'in-progress');
});

test('a CPE that a condition names by a serial number which others have too is counted as skipped, and so says why', async (t) => {
  const has = await openTestBatches(t);
  const twins = ['00A1B2-A-same', '00A1B2-B-same', '00A1B2-A-own'] as const;
  for (const id of twins) await has.haveCpe(id as CpeId, { serialNumber: id.slice(-4).replace('-', '') });
  const whom = { kind: 'condition', condition: { cpeid: ['same', 'own'] } } as const;
  const { id } = await has.batches.create({ ...listOf([]), whom }, BY);
  for (const cpeid of twins) await has.session(cpeid as CpeId);
  await has.session(twins[0] as CpeId);
  t.deepEqual(await has.outcomes(id), {
    [twins[2]]: 'running',
    [twins[0]]: 'skipped ambiguous-serial',
    [twins[1]]: 'skipped ambiguous-serial',
  });
  t.deepEqual(await has.counted(id), { running: 1, skipped: 2 });
  t.is(
    (await has.operations.of(id, twins[0] as CpeId))?.detail,
    'same stands for 00A1B2-B-same too; name it by its cpeid',
  );
});

test('targets that have been looked at are made as they are said, with what each brings along', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(2);
  const image = { number: (await has.library.get(IMAGE))?.number ?? 0, name: IMAGE };
  const others = has.store.collection<{ readonly id: string }>({ name: 'others', indexes: {} });
  const targets: readonly BatchTarget[] = [
    { cpeid: cpe(0), image, along: [others.inserting({ id: 'zero' })] },
    { cpeid: cpe(1), image, skipped: 'already-under-way', detail: 'another runs' },
    { cpeid: cpe(2), image: { number: 1, name: IMAGE } },
    { cpeid: cpe(3), image: { number: 2, name: 'gone.bin' } },
  ];
  const said = { ...listOf([]), whom: { kind: 'targets', targets: targetsOf(targets) } } as const;
  const batch = await has.batches.create(said, BY);
  t.deepEqual(await has.outcomes(batch.id), {
    [cpe(0)]: 'pending',
    [cpe(1)]: 'skipped already-under-way',
    [cpe(2)]: 'skipped image-name-taken',
    [cpe(3)]: 'skipped image-missing',
  });
  t.truthy(await others.get('zero'));
});

test('where what a target brings along has moved, nothing is left of the batch', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(2);
  const image = { number: (await has.library.get(IMAGE))?.number ?? 0, name: IMAGE };
  const others = has.store.collection<{ readonly id: string }>({ name: 'others', indexes: {} });
  await others.put({ id: 'zero' });
  const along: readonly Change[] = [others.inserting({ id: 'zero' })];
  const ids: string[] = [];
  const said = {
    ...listOf([]),
    whom: {
      kind: 'targets',
      targets: (id: string) => {
        ids.push(id);
        return targetsOf([
          { cpeid: cpe(0), image },
          { cpeid: cpe(1), image, along },
        ])();
      },
    },
  } as const;
  const error = await t.throwsAsync(has.batches.create(said, BY), { instanceOf: BatchError });
  t.is((error as BatchError).code, 'moved');
  t.deepEqual(await has.leftOf(ids[0] as never), []);
});

test('a list that fails half-way leaves nothing', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(501);
  let id: string | null = null;
  const names = async function* () {
    yield* ids;
    id = await onlyBatch(has);
    throw new Error('the client has gone away');
  };
  const said = { ...listOf([]), whom: { kind: 'list', cpeids: names() } } as const;
  await t.throwsAsync(has.batches.create(said, BY), { message: 'the client has gone away' });
  t.deepEqual(await has.leftOf(id as never), []);
});

test('what is being made is cancelled at once: no portion is written after that', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(1_000);
  const names = async function* () {
    yield* ids.slice(0, 600);
    await has.batches.cancel(await onlyBatch(has), BY);
    yield* ids.slice(600);
  };
  const said = { ...listOf([]), whom: { kind: 'list', cpeids: names() } } as const;
  const batch = await has.batches.create(said, BY);
  t.is(batch.isCancelled, true);
  await has.batches.made(batch.id);
  t.deepEqual(await has.counted(batch.id), { cancelled: 500 });
  t.deepEqual(await has.rulesOf(batch.id), []);
  t.is((await has.batches.get(batch.id))?.phase, 'ended');
});

test('a list whose maker has died is removed once a minute is over', async (t) => {
  const has = await openTestBatches(t);
  const ids = await has.haveCpes(700);
  const dead = has.another();
  let wakeUp: () => void = () => {};
  const death = new Promise<void>((resolve) => {
    wakeUp = resolve;
  });
  const names = async function* () {
    yield* ids;
    await death;
    throw new Error('it wakes up');
  };
  const creating = dead.create({ ...listOf([]), whom: { kind: 'list', cpeids: names() } }, BY);
  const list = await waitFor(async () => {
    const id = await onlyBatch(has).catch(() => null);
    return id !== null && (await has.operations.counts(id)).total === 500 ? id : null;
  });
  await has.batches.round();
  t.is((await has.stored(list))?.phase, 'preparing', 'it is alive');
  has.clock.nowMs = START_MS + 61_000;
  await has.batches.round();
  t.deepEqual(await has.leftOf(list), []);
  wakeUp();
  await t.throwsAsync(creating, { message: 'it wakes up' });
  t.deepEqual(await has.leftOf(list), []);
});

test('of what is gone on with the operations that are there are passed over', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(1_200);
  const stopped = has.another({
    // It is stopped before it has read the last CPEs.
    turn: async (work) => {
      if (reads++ > 0) void stopped.close();
      return work();
    },
  });
  let reads = 0;
  const batch = await stopped.create({ ...listOf([]), whom: { kind: 'all' } }, BY);
  await stopped.close();
  await stopped.made(batch.id);
  t.is((await has.stored(batch.id))?.phase, 'preparing');
  const { total } = await has.operations.counts(batch.id);
  t.true(total < 1_200, String(total));
  await has.batches.round();
  await has.batches.made(batch.id);
  t.deepEqual(await has.counted(batch.id), { pending: 1_200 });
  t.is((await has.rulesOf(batch.id)).length, 1_200);
});

test('a batch says what was wrong with it, and nothing of it is stored', async (t) => {
  const has = await openTestBatches(t);
  const refused = async (over: object, code: string, field: string | null) => {
    const error = await t.throwsAsync(has.batches.create({ ...listOf([cpe(1)]), ...over }, BY));
    t.true(error instanceof BatchError, String(error));
    if (error instanceof BatchError) t.deepEqual([error.code, error.field], [code, field]);
  };
  await refused({ name: '' }, 'invalid', 'name');
  await refused({ name: 'x'.repeat(201) }, 'invalid', 'name');
  await refused({ name: 'two\nlines' }, 'invalid', 'name');
  await refused({ wakePerSecond: -1 }, 'invalid', 'wakePerSecond');
  await refused({ wakePerSecond: 1_001 }, 'invalid', 'wakePerSecond');
  await refused({ wakePerSecond: Number.NaN }, 'invalid', 'wakePerSecond');
  await refused({ priority: 1_000_001 }, 'invalid', 'priority');
  await refused({ notBefore: 'tomorrow' }, 'invalid', 'notBefore');
  await refused({ notBefore: '2026-02-30T00:00:00Z' }, 'invalid', 'notBefore');
  await refused({ notAfter: '2026-01-01T00:00:00Z' }, 'invalid', 'notAfter');
  await refused({ limits: { concurrent: 1 } }, 'invalid', 'limits');
  await refused({ whom: { kind: 'condition', condition: '$$$(' } }, 'invalid', 'condition');
  await refused({ whom: { kind: 'build', firmwareless: false } }, 'invalid', 'image');
  await refused({ what: { image: 'none.bin' } }, 'no-image', 'image');
  await refused(
    { what: { build: NORTH }, whom: { kind: 'build', firmwareless: false } },
    'no-build',
    'build',
  );
  await refused({ what: { build: NORTH } }, 'invalid', 'build');
  const options = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`o${index}`, true]));
  await refused({ options }, 'invalid', 'options');
  t.deepEqual(await listed(has), []);
});

test('the image of an organization is meant before the shared one, and nobody else’s', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpe(cpe(1), of(NORTH));
  await has.library.upload(uploadOf('own.bin', Buffer.from('own'), { organization: NORTH }));
  const said = { ...listOf([cpe(1)]), what: { image: 'own.bin' } };
  await t.throwsAsync(has.batches.create({ ...said, organization: SOUTH }, BY), { instanceOf: BatchError });
  const batch = await has.batches.create({ ...said, organization: NORTH }, BY);
  t.is((await has.operations.of(batch.id, cpe(1)))?.image?.organization, NORTH);
});

test('where an image comes to have the name of the one that a batch sends, nothing is sent, and that is how it ends', async (t) => {
  const has = await openTestBatches(t);
  const cpeid = await has.haveCpe(cpe(0), of(NORTH));
  const { id } = await has.batches.create({ ...listOf([cpeid]), organization: NORTH }, BY);
  const own = uploadOf(IMAGE, Buffer.from('another'), {
    organization: NORTH,
    metadata: { softwareVersion: '9.9.9' },
  });
  await has.library.upload(own);
  t.is(await has.session(cpeid), null);
  t.deepEqual(await has.outcomes(id), { [cpeid]: 'skipped image-name-taken' });
  t.deepEqual(await has.upgradesOf(cpeid), []);
  await has.batches.round();
  t.is((await has.stored(id))?.phase, 'ended');
  t.is((await has.batches.progress(id))?.state, 'failed');
});

test('a CPE whose cpeid is as long as can be has a rule all the same', async (t) => {
  const has = await openTestBatches(t);
  const long = `00A1B2-HGW-${'9'.repeat(389)}` as CpeId;
  await has.haveCpe(long);
  const batch = await has.batches.create(listOf([long]), BY);
  t.truthy(await has.session(long));
  t.deepEqual(await has.outcomes(batch.id), { [long]: 'running' });
});

async function onlyBatch(has: Awaited<ReturnType<typeof openTestBatches>>) {
  for await (const { id } of has.batches.scan({})) return id;
  throw new Error('There is no batch');
}

async function listed(has: Awaited<ReturnType<typeof openTestBatches>>) {
  const found: string[] = [];
  for await (const { id } of has.batches.scan({})) found.push(id);
  return found;
}

async function waitFor<T>(read: () => Promise<T | null>): Promise<T> {
  for (;;) {
    const value = await read();
    if (value !== null) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
