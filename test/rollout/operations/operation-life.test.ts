import test from 'ava';
import type { Upgrade } from '../../../acs/index.js';
import { advance, type Evidence, hasEnded } from '../../../acs/upgrade/life.js';
import { countedAs } from '../../../acs/upgrade/marks.js';
import { MINUTE_MS } from '../../../common/index.js';
import {
  cancelAsked,
  failedFor,
  type Operation,
  skippedOperation,
  waitingAgain,
  withdrawn,
} from '../../../rollout/index.js';
import {
  afterEnd,
  begun,
  mayBegin,
  OPERATION_LOG_LINES_MAX,
} from '../../../rollout/operations/operation-life.js';
import { cpe, fleetRule, newBatch, pending, pinnedRule, START_MS, upgradeBy } from './support.js';

const batch = newBatch();
const rule = pinnedRule(batch, cpe(1));

/** An operation and its upgrade. */
interface Pair {
  readonly operation: Operation;
  readonly upgrade: Upgrade;
}

function running(over: Partial<Upgrade> = {}): Pair {
  const upgrade = upgradeBy(rule, cpe(1), START_MS, over);
  return { operation: begun(pending(batch, cpe(1)), upgrade), upgrade };
}

/** The two after what a CPE says, or does not say. */
function learnt({ operation, upgrade }: Pair, ...evidence: readonly Evidence[]): Pair {
  return evidence.reduce(
    (pair, piece, at): Pair => {
      const after = advance(pair.upgrade, piece, START_MS + (at + 1) * 20 * MINUTE_MS);
      if (after === pair.upgrade || !hasEnded(after.state))
        return { operation: pair.operation, upgrade: after };
      const previously = hasEnded(pair.upgrade.state) ? countedAs(pair.upgrade) : undefined;
      return { operation: afterEnd(pair.operation, after, countedAs(after), previously), upgrade: after };
    },
    { operation, upgrade },
  );
}

const fault = (faultCode: number): Evidence => ({
  kind: 'transfer-complete',
  fault: { faultCode, faultString: 'x'.repeat(2_000) },
  version: '1.0',
});
const reports = (version: string): Evidence => ({ kind: 'quiet', boot: true, applying: true, version });
const transferred: Evidence = { kind: 'transfer-complete', fault: null, version: '1.0' };
const silence: Evidence = { kind: 'deadline', version: '1.0', heardSince: false };
const cancel: Evidence = { kind: 'cancel', reason: 'Upgrade was cancelled: the device has given it up' };

function toldOf({ operation: { state, reason } }: Pair): string {
  return reason === undefined ? state : `${state}: ${reason}`;
}

for (const [title, evidence, told] of [
  ['its fault', [fault(9010)], 'failed: fault-9010'],
  ['a fault that nobody knows', [fault(9899)], 'failed: fault-other'],
  ['the version of before', [transferred, reports('1.0')], 'failed: old-version'],
  ['another version', [transferred, reports('3.0')], 'failed: other-version'],
  ['silence', [silence], 'timed-out: not-heard-of'],
  ['its giving it up', [cancel], 'cancelled: withdrawn'],
  ['the target', [transferred, reports('2.0')], 'verified'],
  ['the target after silence', [silence, reports('2.0')], 'verified'],
  ['a fault after silence', [silence, fault(9018)], 'failed: fault-9018'],
  ['the target after the version of before', [transferred, reports('1.0'), reports('2.0')], 'verified'],
  [
    'the version of before after the target',
    [transferred, reports('2.0'), reports('1.0')],
    'failed: old-version',
  ],
] as const) {
  test(`the operation of a CPE that tells ${title} is ${told}`, (t) => {
    t.is(toldOf(learnt(running(), ...evidence)), told);
  });
}

test('a Download that did not reach its CPE is told from one that failed there', (t) => {
  const found: Evidence = {
    kind: 'queue',
    found: 'absent',
    repeats: 0,
    version: '1.0',
    repeat: { kind: 'unwanted' },
    waitMs: 1,
    periodicWaitMs: 1,
    periodic: false,
  };
  t.is(toldOf(learnt(running(), found)), 'failed: not-reached');
});

test('a CPE that is busy is waited for again, and no more where somebody wants it cancelled', (t) => {
  const pair = running();
  const upgrade = advance(
    pair.upgrade,
    { kind: 'download-fault', fault: { faultCode: 9004, faultString: '' }, repeats: 0 },
    START_MS,
  );
  const waits = afterEnd(pair.operation, upgrade, 'given-back');
  t.is(waits.state, 'pending');
  t.is(waits.reason, undefined);
  const asked = cancelAsked(pair.operation, 'op', START_MS);
  t.is(afterEnd(asked, upgrade, 'given-back').state, 'cancelled');
});

test('late word of an attempt before the one that runs changes nothing, not even where it is good', (t) => {
  const first = learnt(running(), silence);
  const again = begun(
    waitingAgain(first.operation, 'op', START_MS),
    upgradeBy(rule, cpe(1), START_MS + MINUTE_MS),
  );
  for (const evidence of [reports('2.0'), fault(9010)]) {
    t.is(learnt({ operation: again, upgrade: first.upgrade }, evidence).operation, again);
  }
});

test('while it waits to be tried again only proof that its CPE runs the target moves it, and then it does not run', (t) => {
  const first = learnt(running(), silence);
  const waits = waitingAgain(first.operation, 'op', START_MS);
  t.is(waits.state, 'pending');
  t.is(learnt({ operation: waits, upgrade: first.upgrade }, fault(9010)).operation, waits);
  const { operation } = learnt({ operation: waits, upgrade: first.upgrade }, reports('2.0'));
  t.is(operation.state, 'verified');
  t.false(mayBegin(operation, upgradeBy(rule, cpe(1), START_MS), true));
});

test('late proof of an earlier attempt counts after a later one has failed, and falls back with the attempt that brought it', (t) => {
  const first = learnt(running(), silence);
  const second = upgradeBy(rule, cpe(1), START_MS + MINUTE_MS);
  const failed = learnt(
    { operation: begun(waitingAgain(first.operation, 'op', START_MS), second), upgrade: second },
    fault(9010),
  );
  t.is(toldOf(failed), 'failed: fault-9010');
  const proven = learnt({ operation: failed.operation, upgrade: first.upgrade }, reports('2.0'));
  t.is(toldOf(proven), 'verified');
  t.is(proven.operation.resultId, first.upgrade.id);
  t.is(toldOf(learnt(proven, reports('1.0'))), 'failed: old-version');
});

test('what was cancelled while it waited stays so, whatever is heard of an attempt before but proof', (t) => {
  const first = learnt(running(), silence);
  const off = withdrawn(waitingAgain(first.operation, 'op', START_MS), 'op', START_MS);
  t.is(learnt({ operation: off, upgrade: first.upgrade }, fault(9010)).operation, off);
  t.is(toldOf(learnt({ operation: off, upgrade: first.upgrade }, reports('2.0'))), 'verified');
});

test('of a list an upgrade begins only for what waits', (t) => {
  const upgrade = upgradeBy(rule, cpe(1), START_MS);
  const waits = pending(batch, cpe(1));
  t.true(mayBegin(waits, upgrade, true));
  const { operation } = running();
  for (const other of [
    operation,
    learnt(running(), fault(9010)).operation,
    learnt(running(), silence).operation,
    withdrawn(waits, 'op', START_MS),
    failedFor(waits, 'too-late', START_MS),
    skippedOperation(waits, 'unknown-device', START_MS),
  ]) {
    t.false(mayBegin(other, upgrade, true), other.state);
  }
});

test('by a condition what has failed runs again as its rule allows, but where the rule was restarted only what is to be tried again', (t) => {
  const failed = learnt(running(), fault(9010)).operation;
  const [sameRule, restarted] = [fleetRule(batch), fleetRule(batch, { restarts: 1 })];
  t.true(mayBegin(failed, upgradeBy(sameRule, cpe(1), START_MS), false));
  t.false(mayBegin(failed, upgradeBy(restarted, cpe(1), START_MS), false));
  t.true(mayBegin(waitingAgain(failed, 'op', START_MS), upgradeBy(restarted, cpe(1), START_MS), false));
  const verified = learnt(running(), transferred, reports('2.0')).operation;
  t.false(mayBegin(verified, upgradeBy(restarted, cpe(1), START_MS), false));
});

test('to want it cancelled twice is to want it once, and what does not run is not asked', (t) => {
  const asked = cancelAsked(running().operation, 'op', START_MS);
  t.is(asked.cancelAskedAtMs, START_MS);
  t.is(cancelAsked(asked, 'op', START_MS + 1), asked);
  const waits = pending(batch, cpe(1));
  t.is(cancelAsked(waits, 'op', START_MS), waits);
});

test('an operation keeps the last lines of its log, and of a CPE that says much only so much', (t) => {
  let { operation } = running();
  for (let round = 0; round < OPERATION_LOG_LINES_MAX; round++) {
    const upgrade = upgradeBy(rule, cpe(1), START_MS + round);
    operation = begun(waitingAgain(operation, 'op', START_MS), upgrade);
    operation = learnt({ operation, upgrade }, fault(9010)).operation;
  }
  t.is(operation.log.length, OPERATION_LOG_LINES_MAX);
  t.is(operation.attempts, OPERATION_LOG_LINES_MAX + 1);
  t.true(JSON.stringify(operation).length < 40_000);
  t.regex(operation.log.at(-1)?.text ?? '', /FaultCode 9010/);
});
