import test, { type ExecutionContext } from 'ava';
import { DutyRecords, type Store } from '../../store/index.js';
import { recordingLogger, until } from '../support/ferry.js';
import { storeOf } from '../support/store.js';

const AGE_MS_MAX = 60_000;

function open(
  t: ExecutionContext,
  store: Store,
  time: { ms: number },
  by: string,
  wallMs = 1_800_000_000_000,
) {
  const { logger, events } = recordingLogger();
  const clock = () => wallMs + time.ms;
  const records = new DutyRecords({ store, clock, monotonic: () => time.ms, logger, by });
  t.teardown(() => records.close());
  const done = records.expect({ id: 'sweep', ageMsMax: AGE_MS_MAX });
  const overdue = async () => (await records.look()).map(({ isOverdue }) => isOverdue);
  return { records, done, overdue, events };
}

/** What is told is told without waiting. */
const told = (store: Store, by: string) =>
  until(`${by} has told`, async () => {
    const stored = await store
      .collection<{ id: string; by: string }>({ name: 'duties', indexes: {}, passing: true })
      .get('sweep');
    return stored?.document.by === by;
  });

test('a duty that nobody does is overdue, with an event; done by any process it is not', async (t) => {
  const store = await storeOf(t);
  const time = { ms: 0 };
  const first = open(t, store, time, 'first');
  // Its clock is years off: nobody goes by it.
  const second = open(t, store, time, 'second', 0);
  t.deepEqual(await first.overdue(), [false]);
  time.ms += AGE_MS_MAX + 1;
  t.deepEqual([await first.overdue(), await second.overdue()], [[true], [true]]);
  t.like(first.events, [{ event: 'duty.overdue', fields: { duty: 'sweep', seconds: 60 } }]);
  await first.overdue();
  t.is(first.events.length, 1, 'said once');

  second.done();
  await told(store, 'second');
  await first.overdue();
  time.ms += 20_000;
  second.done();
  await until('it is heard of', async () => !(await first.overdue())[0]);
  t.like(first.events[1], { event: 'duty.resumed' });
  t.like(first.records.states, [{ id: 'sweep', ageMs: 0, by: 'second' }]);

  time.ms += AGE_MS_MAX + 1;
  t.deepEqual(await first.overdue(), [true], 'what was said before is not said again');
  t.like(first.events[2], { event: 'duty.overdue', fields: { by: 'second' } });
});

test('what a process finds in the store when it starts may be of any age', async (t) => {
  const store = await storeOf(t);
  const time = { ms: 0 };
  open(t, store, time, 'dead', 4_000_000_000_000).done();
  await told(store, 'dead');
  const next = open(t, store, time, 'next');
  t.deepEqual(await next.overdue(), [false]);
  time.ms += AGE_MS_MAX + 1;
  t.deepEqual(await next.overdue(), [true]);
});
