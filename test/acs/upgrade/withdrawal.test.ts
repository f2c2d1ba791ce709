import test from 'ava';
import { commandKeyOf } from '../../../acs/upgrade/command-key.js';
import { advance, type Evidence } from '../../../acs/upgrade/life.js';
import { deviceAfter, deviceReserving, endOf } from '../../../acs/upgrade/marks.js';
import type { Upgrade } from '../../../acs/upgrade/upgrade.js';
import { isWithdrawalDue, WITHDRAWAL_TRIES_MAX } from '../../../acs/upgrade/withdrawal.js';
import { RUNNING } from '../../../acs/upgrade/words.js';
import type { CountKey, CpeId, ResultId, RuleId } from '../../../common/index.js';
import { deviceOf } from '../../support/installation.js';

const id = 'cd3627cd-1908-4ff8-8fe3-f7078723a684' as ResultId;
const cpeid = '00A1B2-HGW-1' as CpeId;
const NOW_MS = 1_000;
const MESSAGE = 'Upgrade was cancelled: withdrawn before the device began';

function upgrade(changes: Partial<Upgrade> = {}): Upgrade {
  return {
    id,
    commandKey: commandKeyOf(id),
    cpeid,
    campaignid: 'UPGRADE_1' as RuleId,
    countKey: 'k' as CountKey,
    ruleDescription: '',
    state: 'accepted',
    status: false,
    result: RUNNING.accepted,
    file: 'hgw.bin',
    targetVersion: '2.0',
    fromVersion: '1.0',
    startedAtMs: 0,
    updatedAtMs: 0,
    deadlineAtMs: 600_000,
    stateMsMax: { sent: 600_000, accepted: 86_400_000, transferred: 3_600_000 },
    withdrawal: { askedAtMs: 0, tries: 0 },
    ...changes,
  };
}

const answer = (outcome: Extract<Evidence, { kind: 'withdrawal' }>['outcome']): Evidence => ({
  kind: 'withdrawal',
  outcome,
});
const shows = (version: string | null): Evidence => ({
  kind: 'quiet',
  boot: false,
  applying: false,
  version,
});
const complete = (version: string | null): Evidence => ({ kind: 'transfer-complete', fault: null, version });
const fault: Evidence = {
  kind: 'transfer-complete',
  fault: { faultCode: 9010, faultString: 'Download failure' },
  version: '1.0',
};
const queue = (found: 'queued' | 'absent' | 'untold', version: string | null = '1.0'): Evidence => ({
  kind: 'queue',
  found,
  version,
  repeats: 0,
  repeat: { kind: 'allowed' },
  waitMs: 1_000,
  periodicWaitMs: 1_000,
  periodic: false,
});

function after(start: Upgrade, ...evidence: readonly Evidence[]): string {
  let current = start;
  for (const piece of evidence) current = advance(current, piece, NOW_MS);
  return `${current.state} ${current.result.code}`;
}

test('a CPE that gives up ends the upgrade as cancelled, and so before its deadline', (t) => {
  for (const state of ['sent', 'accepted'] as const) {
    const ended = advance(upgrade({ state }), answer('given-up'), NOW_MS);
    t.like(ended, { state: 'cancelled', status: true, result: { code: 499, message: MESSAGE } });
    t.is(ended.deadlineAtMs, undefined);
  }
});

test('nobody gives up what nobody has withdrawn, what was transferred or what has ended', (t) => {
  const { withdrawal: _, ...never } = upgrade();
  t.is(advance(never, answer('refused'), NOW_MS), never);
  t.is(advance(never, answer('failed'), NOW_MS), never);
  for (const state of ['transferred', 'verified', 'failed', 'timed-out', 'cancelled'] as const) {
    const there = upgrade({ state });
    t.is(advance(there, answer('given-up'), NOW_MS), there, state);
  }
});

test('a CPE that says it is too late is not asked again, and its upgrade goes on', (t) => {
  const refused = advance(upgrade(), answer('refused'), NOW_MS);
  t.true(isWithdrawalDue(upgrade()));
  t.false(isWithdrawalDue(refused));
  t.is(advance(refused, answer('refused'), NOW_MS), refused);
  t.is(after(refused, complete('2.0')), 'verified 200');
  t.is(after(refused, fault), 'failed 500');
});

test('a CPE that answers with other faults is asked a bounded number of times', (t) => {
  let current = upgrade();
  for (let tries = 0; tries < WITHDRAWAL_TRIES_MAX; tries++) {
    t.true(isWithdrawalDue(current), String(tries));
    current = advance(current, answer('failed'), NOW_MS);
  }
  t.false(isWithdrawalDue(current));
  t.is(current.state, 'accepted');
});

test('what shows or tells of the target before the CPE has answered is believed', (t) => {
  t.is(after(upgrade(), shows('2.0'), answer('given-up')), 'verified 200');
  t.is(after(upgrade(), complete('1.0'), answer('given-up')), 'transferred 202');
});

test('a CPE that had given up and shows the target all the same was upgraded; nothing else is taken back', (t) => {
  const withdrawn = advance(upgrade(), answer('given-up'), NOW_MS);
  t.is(after(withdrawn, shows('2.0')), 'verified 200');
  t.is(after(withdrawn, complete('2.0')), 'verified 200');
  for (const piece of [shows('1.0'), shows('3.0'), shows(null), complete('1.0'), fault, queue('queued')])
    t.is(advance(withdrawn, piece, NOW_MS), withdrawn);
  const { withdrawal: _, ...byRule } = withdrawn;
  t.is(advance(byRule, shows('2.0'), NOW_MS), byRule, 'cancelled for another reason');
});

test('its device waits for such word, and counts it as the upgrade that it was', (t) => {
  const begun = upgrade({ state: 'sent' });
  const device = deviceReserving(deviceOf(cpeid, null), begun);
  const withdrawn = advance(begun, answer('given-up'), NOW_MS);
  const free = deviceAfter(device, withdrawn, endOf(withdrawn, answer('given-up'), device, false), false);
  t.like(free, { late: id, counts: { k: { started: 1, failures: 1, verified: false } } });
  t.is(free.inFlight, undefined);
  const shown = advance(withdrawn, shows('2.0'), NOW_MS);
  const corrected = deviceAfter(free, shown, endOf(shown, shows('2.0'), free, true), true);
  t.is(corrected.late, undefined);
  t.true(corrected.counts['k' as CountKey]?.verified);
});

test('a withdrawn Download that has not arrived is not sent again, and one that has is waited for', (t) => {
  const sent = upgrade({ state: 'sent' });
  t.is(after(sent, queue('absent')), 'cancelled 499');
  t.is(after(sent, queue('queued')), 'accepted 202');
  t.is(after(sent, queue('untold')), 'sent 202');
  t.is(after({ ...sent, doubtUntilMs: NOW_MS - 1 }, queue('untold')), 'cancelled 499');
  t.is(after(sent, queue('absent', '2.0')), 'transferred 202');
  t.is(after(sent, queue('absent', '3.0')), 'failed 500');
});
