import test, { type ExecutionContext } from 'ava';
import { DAY_MS } from '../../common/index.js';
import { EventLog, EventRetention } from '../../events/index.js';
import { DutyRecords } from '../../store/index.js';
import { BY } from '../support/actor.js';
import { recordingLogger, startTestFerry } from '../support/ferry.js';
import { storeOf } from '../support/store.js';

const NOW_MS = Date.UTC(2026, 0, 1);

/** Events of so many days ago. */
async function open(t: ExecutionContext, agesDays: readonly number[]) {
  const store = await storeOf(t);
  const time = { nowMs: NOW_MS };
  const { logger, events: logged } = recordingLogger();
  const parts = { store, clock: () => time.nowMs, monotonic: () => time.nowMs, logger };
  const events = new EventLog(parts);
  await store.commit(
    agesDays.map((days) => {
      time.nowMs = NOW_MS - days * DAY_MS;
      return events.noting({ action: 'added', subject: 'rule', subjectId: String(days), by: BY });
    }),
  );
  time.nowMs = NOW_MS;
  const duties = new DutyRecords({ ...parts, by: 'test' });
  const open = () => new EventRetention({ ...parts, events, duties, days: 730 });
  const retention = open();
  t.teardown(async () => {
    await retention.close();
    await duties.close();
  });
  const left = async () => {
    const ids: number[] = [];
    for await (const { subjectId } of events.scan({ order: 'ascending' })) ids.push(Number(subjectId));
    return ids;
  };
  return { retention, another: open, time, logged, left };
}

test('what is older than it is to be kept is forgotten, however much it is, and nothing else', async (t) => {
  const at = await open(t, [...Array.from({ length: 1_200 }, (_, n) => 2_000 - n), 731, 729, 0]);
  t.is(await at.retention.forget(), 1_201);
  t.deepEqual(await at.left(), [729, 0]);
  t.is(await at.retention.forget(), 0);
});

test('where all of it would be, as a clock that was set ahead has it, nothing is', async (t) => {
  const at = await open(t, [20, 10]);
  at.time.nowMs += 5_000 * DAY_MS;
  t.is(await at.retention.forget(), 0);
  t.deepEqual(await at.left(), [20, 10]);
  t.deepEqual(
    at.logged.map(({ event }) => event),
    ['audit.retention-refused'],
  );
});

test('one process forgets at a time', async (t) => {
  const at = await open(t, [800, 0]);
  const other = at.another();
  t.teardown(() => other.close());
  t.is(await at.retention.forget(), 1);
  t.is(await other.forget(), null);
});

test('health names the duty where --audit-days says so, and not where it says 0', async (t) => {
  const partsOf = async (auditDays: number) => {
    const ferry = await startTestFerry(t, { config: { auditDays } });
    return ((await ferry.nbi('GET', '/healthz')).body as { parts: object }).parts;
  };
  t.like(await partsOf(730), { auditRetention: 'ok' });
  t.false('auditRetention' in (await partsOf(0)));
});
