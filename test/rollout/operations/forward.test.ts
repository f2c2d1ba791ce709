import test from 'ava';
import type { Upgrade } from '../../../acs/index.js';
import { MINUTE_MS } from '../../../common/index.js';
import { afterEnd, begun, type Operation, waitingAgain, withdrawn } from '../../../rollout/index.js';
import { broughtForward } from '../../../rollout/operations/forward.js';
import { cpe, newBatch, pending, pinnedRule, START_MS, upgradeBy } from './support.js';

const batch = newBatch();
const rule = pinnedRule(batch, cpe(1));
const waits = pending(batch, cpe(1));

function upgrade(minutes: number, over: Partial<Upgrade> = {}): Upgrade {
  return upgradeBy(rule, cpe(1), START_MS + minutes * MINUTE_MS, { share: 0, ...over });
}

const VERIFIED = { state: 'verified', status: true } as const;
const FAILED = { state: 'failed', status: true, fault: 9010 } as const;
const TIMED_OUT = { state: 'timed-out', status: true } as const;

function told(operation: Operation): string {
  return `${operation.state} ${operation.reason ?? ''}, ${operation.attempts}`;
}

test('what waits by its record runs where an upgrade has begun since, and has ended where that has', (t) => {
  for (const [over, expected] of [
    [{}, 'running , 1'],
    [VERIFIED, 'verified , 1'],
    [FAILED, 'failed fault-9010, 1'],
    [{ ...VERIFIED, share: undefined }, 'verified , 0'],
  ] as const) {
    const { share, ...rest } = upgrade(1, over as Partial<Upgrade>);
    const since = share === undefined ? (rest as Upgrade) : { ...rest, share };
    const after = broughtForward(waits, since, null);
    t.is(told(after), expected);
    t.is(after.resultId, since.id);
  }
});

test('what runs by its record is as its upgrade, and the same where that runs', (t) => {
  const own = upgrade(1);
  const runs = begun(waits, own);
  t.is(broughtForward(runs, own, own), runs);
  t.is(told(broughtForward(runs, { ...own, ...VERIFIED }, own)), 'verified , 1');
  t.is(told(broughtForward(runs, { ...own, ...TIMED_OUT }, own)), 'timed-out not-heard-of, 1');
});

test('an upgrade from before the one that it names says nothing new, and one from after it all', (t) => {
  const [before, own, since] = [upgrade(1, FAILED), upgrade(2, FAILED), upgrade(3)];
  const failed = afterEnd(begun(waits, own), own, 'failed');
  t.is(broughtForward(failed, before, own), failed);
  t.is(told(broughtForward(failed, since, own)), 'running , 2');
});

test('where the upgrade that it names is gone, only what began after it moved last is new', (t) => {
  const own = upgrade(2, FAILED);
  const failed = afterEnd(begun(waits, own), own, 'failed');
  t.is(broughtForward(failed, upgrade(1), null), failed);
  t.is(told(broughtForward(failed, upgrade(3), null)), 'running , 2');
});

test('what is to be tried again, or was cancelled, after its upgrade has ended stays, unless its CPE was verified', (t) => {
  const own = upgrade(1, FAILED);
  const again = waitingAgain(afterEnd(begun(waits, own), own, 'failed'), 'op', START_MS + 5 * MINUTE_MS);
  for (const stays of [again, withdrawn(again, 'op', START_MS + 6 * MINUTE_MS)]) {
    t.is(broughtForward(stays, own, own), stays);
    t.is(told(broughtForward(stays, { ...own, ...VERIFIED }, own)), 'verified , 1');
  }
});

test('an end that was corrected since is corrected, and one that came before is not taken back', (t) => {
  const own = upgrade(1, TIMED_OUT);
  const timedOut = afterEnd(begun(waits, own), own, 'timed-out');
  const failed = afterEnd(timedOut, { ...own, ...FAILED }, 'failed', 'timed-out');
  t.is(told(broughtForward(timedOut, { ...own, ...FAILED }, own)), 'failed fault-9010, 1');
  t.is(broughtForward(failed, own, own), failed);
  const verified = afterEnd(timedOut, { ...own, ...VERIFIED }, 'verified', 'timed-out');
  t.is(told(broughtForward(verified, { ...own, ...FAILED }, own)), 'failed fault-9010, 1');
});
