import test from 'ava';
import fc from 'fast-check';
import { CLOCKS_APART_MS_MAX, ClockSteps, DAY_MS, SECOND_MS, stillHolds } from '../../common/index.js';

const NOW_MS = Date.UTC(2026, 0, 1);

test('a stored time is believed to its end, and no further than its own duration from now', (t) => {
  const duration = 10 * SECOND_MS;
  t.false(stillHolds(undefined, duration, NOW_MS));
  t.false(stillHolds(NOW_MS, duration, NOW_MS), 'it is over');
  t.true(stillHolds(NOW_MS + 1, duration, NOW_MS));
  t.true(stillHolds(NOW_MS + duration + CLOCKS_APART_MS_MAX, duration, NOW_MS), 'another node may be ahead');
  t.false(stillHolds(NOW_MS + duration + CLOCKS_APART_MS_MAX + 1, duration, NOW_MS));
  t.false(stillHolds(NOW_MS + 2 * DAY_MS, duration, NOW_MS), 'stored by a clock that was ahead');
});

test('whatever a clock was when a time was stored, it keeps nothing from being done for longer than its duration', (t) => {
  const times = fc.integer({ min: -100 * DAY_MS, max: 100 * DAY_MS });
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: DAY_MS }), (aheadMs, duration) => {
      const storedMs = NOW_MS + aheadMs + duration;
      const later = NOW_MS + duration + 2 * CLOCKS_APART_MS_MAX;
      // Either it is over at once, or it is when so much has passed.
      t.false(stillHolds(storedMs, duration, NOW_MS) && stillHolds(storedMs, duration, later));
    }),
  );
});

test('a clock that is set is noticed, one that drifts is not', (t) => {
  const wall = { ms: NOW_MS };
  const elapsed = { ms: 5 };
  const steps = new ClockSteps({ clock: () => wall.ms, monotonic: () => elapsed.ms });
  const pass = (wallMs: number, elapsedMs: number): void => {
    wall.ms += wallMs;
    elapsed.ms += elapsedMs;
  };
  t.is(steps.sinceMs(), Number.POSITIVE_INFINITY);
  for (let second = 0; second < 100; second++) {
    pass(1_001, SECOND_MS);
    t.is(steps.sinceMs(), Number.POSITIVE_INFINITY);
  }
  t.is(steps.takeMs(), 0);
  pass(60 * DAY_MS + SECOND_MS, SECOND_MS);
  t.is(steps.sinceMs(), 0);
  pass(3 * SECOND_MS, 3 * SECOND_MS);
  t.is(steps.sinceMs(), 3 * SECOND_MS);
  t.is(steps.takeMs(), 60 * DAY_MS);
  t.is(steps.takeMs(), 0, 'each step is told once');
  pass(-DAY_MS, 0);
  t.is(steps.takeMs(), -DAY_MS);
  t.is(steps.sinceMs(), 0);
});
