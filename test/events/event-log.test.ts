import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { silentLogger } from '../../common/index.js';
import { type Actor, type EventFilter, EventLog, type Happening } from '../../events/index.js';
import { openLmdbStore } from '../../store/index.js';

const ANN: Actor = { name: 'ann', how: 'password', address: '192.0.2.1', requestId: 'r1' };
const BOB: Actor = { name: 'bob', how: 'command' };

async function log(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-events-'));
  const store = await openLmdbStore({ directory, logger: silentLogger });
  t.teardown(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  const time = { nowMs: 1_000_000 };
  const events = new EventLog({ store, clock: () => time.nowMs });
  return {
    store,
    time,
    events,
    tell: (happening: Partial<Happening> = {}) =>
      events.note({ action: 'changed', subject: 'rule', subjectId: 'R', by: ANN, ...happening }),
    async idsOf(filter: EventFilter) {
      const found: string[] = [];
      for await (const { subjectId } of events.scan(filter)) found.push(subjectId);
      return found;
    },
  };
}

test('ids are in the order of what happens, also within a millisecond, and tell nothing of how much happened before it', async (t) => {
  const { time, events, tell } = await log(t);
  const ids = async () => {
    const found: string[] = [];
    for await (const { id } of events.scan({ order: 'ascending' })) found.push(id);
    return found;
  };
  for (let count = 0; count < 5; count++) await tell({ subjectId: `R${count}` });
  time.nowMs++;
  await tell({ subjectId: 'later' });
  const counts = (await ids()).map((id) => Number(id.split('-')[1]));
  t.deepEqual(counts, [0, 1, 2, 3, 4, 0]);
  // A clock that goes back comes upon no id that there is.
  time.nowMs--;
  await tell({ subjectId: 'back' });
  time.nowMs++;
  await tell({ subjectId: 'again' });
  t.is(new Set(await ids()).size, 8);
});

test('an event is there with the commit that lets it happen, and only with it', async (t) => {
  const { store, events, idsOf } = await log(t);
  const rules = store.collection({ name: 'things', indexes: {} });
  const noting = () => events.noting({ action: 'added', subject: 'rule', subjectId: 'R', by: ANN });
  t.true((await store.commit([rules.inserting({ id: 'R' }), noting()])).committed);
  t.false((await store.commit([rules.inserting({ id: 'R' }), noting()])).committed);
  t.deepEqual(await idsOf({}), ['R']);
});

test('of what there was and is only what differs is kept, without secrets', async (t) => {
  const { events, tell } = await log(t);
  await tell({
    before: { id: 'R', enabled: true, password: 'old', window: { secretKey: 1 } },
    after: { id: 'R', enabled: false, password: 'new', window: { secretKey: 1 }, nested: [{ token: 't' }] },
  });
  for await (const { before, after, by } of events.scan({})) {
    t.deepEqual(before, { enabled: true, password: '***' });
    t.deepEqual(after, { enabled: false, password: '***', nested: [{ token: '***' }] });
    t.deepEqual(by, ANN);
  }
});

test('what is longer than anybody reads is cut, and says so', async (t) => {
  const { events, tell } = await log(t);
  await tell({ after: { description: 'x'.repeat(100_000) } });
  for await (const { after } of events.scan({})) t.like(after, { cut: true, characters: 100_018 });
});

test('events come in the order asked, by what, whom and when, from where one stopped', async (t) => {
  const { time, events, tell, idsOf } = await log(t);
  for (const [subjectId, by, organization] of [
    ['A', ANN, null],
    ['B', BOB, 'o1'],
    ['C', ANN, 'o1'],
    ['C', BOB, 'o2'],
  ] as const) {
    await tell({ subjectId, by, organization });
    time.nowMs += 1_000;
  }
  t.deepEqual(await idsOf({}), ['C', 'C', 'B', 'A']);
  t.deepEqual(await idsOf({ order: 'ascending' }), ['A', 'B', 'C', 'C']);
  t.deepEqual(await idsOf({ by: 'bob' }), ['C', 'B']);
  t.deepEqual(await idsOf({ subject: 'rule', subjectId: 'C', by: 'ann' }), ['C']);
  t.deepEqual(await idsOf({ organization: 'o1' }), ['C', 'B']);
  t.deepEqual(await idsOf({ fromMs: 1_001_000, beforeMs: 1_003_000 }), ['C', 'B']);
  t.deepEqual(await idsOf({ subject: 'image' }), []);
  const filters: readonly EventFilter[] = [
    {},
    { by: 'ann' },
    { subject: 'rule', subjectId: 'C' },
    { organization: 'o1' },
    { order: 'ascending' },
  ];
  for (const filter of filters) {
    const all: string[] = [];
    for await (const { id } of events.scan(filter)) all.push(id);
    for (const [index, id] of all.entries()) {
      const rest: string[] = [];
      for await (const event of events.scan({ ...filter, after: { id } })) rest.push(event.id);
      t.deepEqual(rest, all.slice(index + 1));
    }
  }
});

test('what is older than is kept is removed', async (t) => {
  const { time, events, tell, idsOf } = await log(t);
  await tell({ subjectId: 'A' });
  time.nowMs += 5_000;
  await tell({ subjectId: 'B' });
  t.is(await events.forgetSomeBefore(time.nowMs), 1);
  t.deepEqual(await idsOf({}), ['B']);
});

test('two nodes lose nothing in the same millisecond', async (t) => {
  const { store, time, events } = await log(t);
  const clock = () => time.nowMs;
  const nodes = [new EventLog({ store, clock }), new EventLog({ store, clock })];
  await Promise.all(
    nodes.flatMap((node, which) =>
      Array.from({ length: 300 }, (_, n) =>
        node.note({ action: 'changed', subject: 'rule', subjectId: `${which}-${n}`, by: ANN }),
      ),
    ),
  );
  const ids = new Set<string>();
  const subjects = new Set<string>();
  for await (const { id, subjectId } of events.scan({})) {
    ids.add(id);
    subjects.add(subjectId);
  }
  t.is(ids.size, 600);
  t.is(subjects.size, 600);
});

test('of a time asked for no more is walked than that, by whatever index', async (t) => {
  const { time, events, tell, idsOf } = await log(t);
  for (let n = 0; n < 20; n++) {
    await tell({ subjectId: String(n), by: n % 2 === 0 ? ANN : BOB });
    time.nowMs += 1_000;
  }
  const between = { fromMs: 1_005_000, beforeMs: 1_010_000 };
  t.deepEqual(await idsOf(between), ['9', '8', '7', '6', '5']);
  t.deepEqual(await idsOf({ ...between, by: 'ann' }), ['8', '6']);
  t.deepEqual(await idsOf({ ...between, by: 'ann', order: 'ascending' }), ['6', '8']);
  t.deepEqual(await idsOf({ ...between, action: 'removed' }), []);
  t.is(await events.latestMs(), 1_019_000);
});

test('ids say in which order, and nothing of how much happens in other organizations', async (t) => {
  const { events, tell } = await log(t);
  for (const organization of ['north', 'south', 'south', 'north', null, 'south', 'north'])
    await tell({ organization });
  const counts: Record<string, string[]> = {};
  for await (const { id, organization = '' } of events.scan({ order: 'ascending' })) {
    const [, time = '', count = ''] = /^(\d{15})-(\d{6})-[0-9a-f]{16}$/.exec(id) ?? [];
    t.is(Number(time), 1_000_000);
    counts[organization] = [...(counts[organization] ?? []), count];
  }
  t.deepEqual(counts, {
    '': ['000000'],
    north: ['000000', '000001', '000002'],
    south: ['000000', '000001', '000002'],
  });
});
