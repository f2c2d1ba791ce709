import test from 'ava';
import fc from 'fast-check';
import { DOUBT_MS_MAX, isHeardSince, stateMsOf, withDeadlineFrom } from '../../../acs/upgrade/deadlines.js';
import type { Upgrade } from '../../../acs/upgrade/upgrade.js';
import type { CpeId } from '../../../common/index.js';
import { CLOCKS_APART_MS_MAX, DAY_MS, HOUR_MS, MINUTE_MS } from '../../../common/index.js';
import { cpeidOf } from '../../e2e/simulated.js';
import { upgradeOf } from '../../support/installation.js';

const NOW_MS = Date.UTC(2026, 0, 1);
const stateMsMax = { sent: 10 * MINUTE_MS, accepted: DAY_MS, transferred: 60 * MINUTE_MS };

function running(state: Upgrade['state'], deadlineAtMs: number): Upgrade {
  return { ...upgradeOf(cpeidOf('1') as CpeId, 0), state, deadlineAtMs, stateMsMax };
}

test('a deadline that lies further than its state may last was stored by a clock that was ahead, and begins anew', (t) => {
  for (const state of ['sent', 'accepted', 'transferred'] as const) {
    const ahead = running(state, NOW_MS + 60 * DAY_MS);
    t.is(withDeadlineFrom(ahead, NOW_MS, 0).deadlineAtMs, NOW_MS + stateMsMax[state], state);
    const right = running(state, NOW_MS + stateMsMax[state]);
    t.is(withDeadlineFrom(right, NOW_MS, 0), right, 'one that can be is left alone');
  }
});

test('a deadline that the clock was set over has not been reached; one that was due before is', (t) => {
  const stepMs = 60 * DAY_MS;
  const beforeMs = NOW_MS - stepMs;
  const awaited = running('accepted', beforeMs + DAY_MS / 2);
  t.is(withDeadlineFrom(awaited, NOW_MS, stepMs).deadlineAtMs, NOW_MS + stateMsMax.accepted);
  const due = running('accepted', beforeMs - 2 * MINUTE_MS);
  t.is(withDeadlineFrom(due, NOW_MS, stepMs), due);
  t.is(withDeadlineFrom(awaited, NOW_MS, 0), awaited, 'without a step it is simply due');
});

test('where a Download is in doubt or held back it is given all the time of that anew, not that of one on its way', (t) => {
  const sent = running('sent', NOW_MS + 5 * MINUTE_MS);
  const inDoubt = { ...sent, doubtUntilMs: NOW_MS + 4 * MINUTE_MS };
  const held = { ...sent, heldBack: true } as const;
  for (const [upgrade, durationMs] of [
    [sent, stateMsMax.sent],
    [inDoubt, stateMsMax.sent + stateMsMax.accepted + 2 * DOUBT_MS_MAX],
    [held, stateMsMax.sent + stateMsMax.accepted],
  ] as const) {
    // A machine that has slept, and a clock that was ahead.
    const wokenMs = NOW_MS + 8 * HOUR_MS;
    t.is(withDeadlineFrom(upgrade, wokenMs, 8 * HOUR_MS).deadlineAtMs, wokenMs + durationMs);
    const rightMs = NOW_MS - 60 * DAY_MS;
    t.is(withDeadlineFrom(upgrade, rightMs, 0).deadlineAtMs, rightMs + durationMs);
  }
});

test('what begins anew has heard nothing since, where the clock was ahead when it last moved on', (t) => {
  const ahead = { ...running('transferred', NOW_MS + 60 * DAY_MS), updatedAtMs: NOW_MS + 59 * DAY_MS };
  const mended = withDeadlineFrom(ahead, NOW_MS, 0);
  t.true(isHeardSince({ lastInformMs: NOW_MS + 1 }, mended, NOW_MS + MINUTE_MS));
  t.false(isHeardSince({ lastInformMs: NOW_MS - 1 }, mended, NOW_MS + MINUTE_MS));
});

test('whatever the clock did, an upgrade has a deadline within its own duration, and mending twice is mending once', (t) => {
  const days = fc.integer({ min: -90 * DAY_MS, max: 90 * DAY_MS });
  const states = fc.constantFrom('sent' as const, 'accepted' as const, 'transferred' as const);
  const doubts = fc.constantFrom({}, { doubtUntilMs: NOW_MS + DAY_MS }, { heldBack: true } as const);
  fc.assert(
    fc.property(days, days, states, doubts, (offMs, stepMs, state, doubt) => {
      const mended = withDeadlineFrom({ ...running(state, NOW_MS + offMs), ...doubt }, NOW_MS, stepMs);
      t.true((mended.deadlineAtMs ?? 0) <= NOW_MS + stateMsOf(mended) + CLOCKS_APART_MS_MAX);
      t.is(withDeadlineFrom(mended, NOW_MS, stepMs), mended);
    }),
  );
});
