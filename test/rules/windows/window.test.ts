import test from 'ava';
import fc from 'fast-check';
import { MINUTE_MS } from '../../../common/index.js';
import { createWindowClock } from '../../../rules/windows/window.js';

const NIGHTLY = { cron: '0 2 * * *', durationMinutes: 120, timezone: 'Europe/Berlin' };

for (const [at, open] of [
  ['2026-01-31T00:59:59Z', false],
  ['2026-01-31T01:00:00Z', true],
  ['2026-01-31T02:59:59Z', true],
  ['2026-01-31T03:00:00Z', false],
  // Summer: two hours ahead of UTC.
  ['2026-07-31T00:00:00Z', true],
  ['2026-07-31T02:00:00Z', false],
] as const) {
  test(`a window of two hours from 02:00 in Berlin is ${open ? 'open' : 'closed'} at ${at}`, (t) => {
    t.is(createWindowClock().isOpen(NIGHTLY, Date.parse(at)), open);
  });
}

test('a window longer than a day spans it', (t) => {
  const weekend = { cron: '0 18 * * 5', durationMinutes: 3_600, timezone: 'UTC' };
  const clock = createWindowClock();
  t.true(clock.isOpen(weekend, Date.parse('2026-02-01T23:00:00Z')));
  t.false(clock.isOpen(weekend, Date.parse('2026-02-02T06:00:00Z')));
});

test('what a window clock remembers never changes its answer', (t) => {
  const window = { cron: '*/7 1-3 * * *', durationMinutes: 5, timezone: 'UTC' };
  const startMs = Date.UTC(2026, 0, 31, 0, 50);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3, max: 40 }), { minLength: 1, maxLength: 12 }), (steps) => {
      const remembering = createWindowClock();
      let atMs = startMs;
      return steps.every((step) => {
        atMs += step * MINUTE_MS;
        return remembering.isOpen(window, atMs) === createWindowClock().isOpen(window, atMs);
      });
    }),
  );
  t.pass();
});
