import test from 'ava';
import fc from 'fast-check';
import { stateMsOf, withDeadlineFrom } from '../../../acs/upgrade/deadlines.js';
import type { Upgrade } from '../../../acs/upgrade/upgrade.js';
import type { CpeId } from '../../../common/index.js';
import { CLOCKS_APART_MS_MAX, DAY_MS, MINUTE_MS } from '../../../common/index.js';
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

test('whatever the clock did, an upgrade has a deadline within its own duration, and mending twice is mending once', (t) => {
  const days = fc.integer({ min: -90 * DAY_MS, max: 90 * DAY_MS });
  const states = fc.constantFrom('sent' as const, 'accepted' as const, 'transferred' as const);
  fc.assert(
    fc.property(days, days, states, (offMs, stepMs, state) => {
      const mended = withDeadlineFrom(running(state, NOW_MS + offMs), NOW_MS, stepMs);
      t.true((mended.deadlineAtMs ?? 0) <= NOW_MS + stateMsOf(mended) + CLOCKS_APART_MS_MAX);
      t.is(withDeadlineFrom(mended, NOW_MS, stepMs), mended);
    }),
  );
});
