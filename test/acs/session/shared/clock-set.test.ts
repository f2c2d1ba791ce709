import test from 'ava';
import { DAY_MS } from '../../../../common/index.js';
import { storeOf } from '../../../support/store.js';
import {
  ASKED,
  begin,
  found,
  IDLE_MS,
  openSessions,
  sessionWith,
  socket,
  storedIds,
  takeStep,
} from './setup.js';

const BEGUN_MS = 1_800_000_000_000;

for (const [way, setByMs] of [
  ['forward', 60 * DAY_MS],
  ['back', -60 * DAY_MS],
] as const) {
  test(`sessions go on at any process while the clock is set ${way} by sixty days, and silent ones end`, async (t) => {
    const store = await storeOf(t);
    const wall = { ms: BEGUN_MS };
    const elapsed = { ms: 0 };
    const pass = (ms: number): void => {
      wall.ms += ms;
      elapsed.ms += ms;
    };
    const open = () =>
      openSessions(
        store,
        true,
        () => wall.ms,
        () => elapsed.ms,
      );
    const [first, second] = [open(), open()];
    const moving = await begin(first, ASKED);
    const silent = await begin(first, sessionWith());
    pass(1_000);
    wall.ms += setByMs;
    t.deepEqual([await first.expire(), await second.expire()], [[], []], 'nobody has been silent for long');
    await found(first, silent.id);
    t.true(
      await takeStep(second, moving.id, sessionWith({ request: 'GetParameterValues', names: ['Device.B'] })),
    );
    t.true(await takeStep(first, moving.id, sessionWith()));
    // What was stored since tells the right time, and goes on when the rest is given up.
    pass(IDLE_MS - 5_000);
    t.true(await takeStep(second, moving.id, ASKED));
    pass(6_000);
    await first.expire();
    await second.expire();
    t.deepEqual(await storedIds(store), [moving.id]);
    t.is((await first.find([silent.id], socket)).kind, 'none');
    await found(first, moving.id);
  });
}

test('a claim that a clock was ahead for keeps nobody from going on with the session', async (t) => {
  const store = await storeOf(t);
  const wall = { ms: BEGUN_MS + 2 * DAY_MS };
  const open = () =>
    openSessions(
      store,
      true,
      () => wall.ms,
      () => 0,
    );
  const first = open();
  const second = open();
  const { id } = await begin(first);
  const entry = await found(first, id);
  t.true(first.take(entry));
  const { change } = await first.claiming(entry);
  t.true((await store.commit([change])).committed);
  t.false(await takeStep(second, id, ASKED), 'claimed a moment ago');
  wall.ms = BEGUN_MS;
  t.true(await takeStep(second, id, ASKED));
});
