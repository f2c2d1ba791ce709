import test from 'ava';
import fc from 'fast-check';
import { commandKeyOf } from '../../../acs/upgrade/command-key.js';
import { advance, type Evidence, hasEnded, REPEATS_MAX } from '../../../acs/upgrade/life.js';
import { repeatsOf, type Upgrade } from '../../../acs/upgrade/upgrade.js';
import { RUNNING } from '../../../acs/upgrade/words.js';
import type { CountKey, CpeId, ResultId, RuleId } from '../../../common/index.js';

const id = 'cd3627cd-1908-4ff8-8fe3-f7078723a684' as ResultId;

function upgrade(changes: Partial<Upgrade> = {}): Upgrade {
  return {
    id,
    commandKey: commandKeyOf(id),
    cpeid: '00A1B2-HGW-1' as CpeId,
    campaignid: 'UPGRADE_1' as RuleId,
    countKey: 'k' as CountKey,
    ruleDescription: '',
    state: 'sent',
    status: false,
    result: RUNNING.sent,
    file: 'hgw.bin',
    targetVersion: '2.0',
    fromVersion: '1.0',
    startedAtMs: 0,
    updatedAtMs: 0,
    deadlineAtMs: 600_000,
    stateMsMax: { sent: 600_000, accepted: 86_400_000, transferred: 3_600_000 },
    ...changes,
  };
}

type Queue = Extract<Evidence, { kind: 'queue' }>;

const LONGER_THAN_ANY_DEADLINE_MS = 100_000_000;

/** The state and code after some evidence, each so much later that whatever was awaited is due. */
function after(evidence: readonly Evidence[], start = upgrade()): string {
  let current = start;
  evidence.forEach((piece, index) => {
    current = advance(current, piece, (index + 1) * LONGER_THAN_ANY_DEADLINE_MS);
  });
  const repeats = current.repeats === undefined ? '' : ` +${current.repeats}`;
  return `${current.state} ${current.result.code}${repeats}`;
}

const accepted: Evidence = { kind: 'download-response', status: 1 };
const applied: Evidence = { kind: 'download-response', status: 0 };
const downloadFault = (repeats: number): Evidence => ({
  kind: 'download-fault',
  fault: { faultCode: 9001, faultString: 'Request denied' },
  repeats,
});
const complete = (version: string | null): Evidence => ({ kind: 'transfer-complete', fault: null, version });
const completeFault: Evidence = {
  kind: 'transfer-complete',
  fault: { faultCode: 9010, faultString: 'Download failure. File not found.' },
  version: '1.0',
};
const quiet = (boot: boolean, version: string | null, applying = false): Evidence => ({
  kind: 'quiet',
  boot,
  applying,
  version,
});
/** A session after the one of TransferComplete. */
const later = (boot: boolean, version: string | null): Evidence => quiet(boot, version, true);
const deadline = (version: string | null, heardSince = false): Evidence => ({
  kind: 'deadline',
  version,
  heardSince,
});

/** What the CPE has queued, where it was asked about the first sending unless told. */
const queue = (
  found: Queue['found'],
  version: string | null,
  repeat: Queue['repeat']['kind'] = 'allowed',
  repeats = 0,
): Queue => ({
  kind: 'queue',
  found,
  version,
  repeats,
  repeat: repeat === 'held' || repeat === 'void' ? { kind: repeat, reason: 'a reason' } : { kind: repeat },
  waitMs: 1_000,
  periodicWaitMs: 1_000,
  periodic: false,
});

const sequences: readonly [title: string, evidence: readonly Evidence[], expected: string][] = [
  ['a Download that is accepted runs', [accepted], 'accepted 202'],
  ['status 0 means that the file is there already', [applied], 'transferred 202'],
  [
    'reboot, then TransferComplete with the new version',
    [accepted, complete('2.0'), quiet(true, '2.0')],
    'verified 200',
  ],
  ['TransferComplete before the reboot is not yet proof', [accepted, complete('1.0')], 'transferred 202'],
  [
    'a boot in the very session of TransferComplete did not come after it',
    [accepted, complete('1.0'), quiet(true, '1.0')],
    'transferred 202',
  ],
  [
    'TransferComplete, then 1 BOOT with the new version',
    [accepted, complete('1.0'), later(true, '2.0')],
    'verified 200',
  ],
  [
    '1 BOOT after TransferComplete with the old version',
    [accepted, complete('1.0'), later(true, '1.0')],
    'failed 500',
  ],
  [
    '1 BOOT after TransferComplete with a third version',
    [accepted, complete('1.0'), later(true, '3.0')],
    'failed 500',
  ],
  [
    'a fault in the session of such a boot is what counts',
    [applied, completeFault, later(true, '1.0')],
    'failed 500',
  ],
  [
    'a periodic session with the old version says nothing',
    [accepted, complete('1.0'), later(false, '1.0')],
    'transferred 202',
  ],
  [
    'a boot whose session lacks the version says nothing',
    [accepted, complete(null), later(true, null)],
    'transferred 202',
  ],
  ['a reboot during the download is not failure', [accepted, quiet(true, '1.0')], 'accepted 202'],
  ['a TransferComplete lost in the reboot', [accepted, quiet(true, '2.0')], 'verified 200'],
  ['a TransferComplete lost, and the boot not told of', [accepted, quiet(false, '2.0')], 'verified 200'],
  ['the Download in doubt, and its target shown', [quiet(false, '2.0')], 'verified 200'],
  ['a third version while it is downloading says nothing', [accepted, quiet(false, '3.0')], 'accepted 202'],
  ['a fault reported by TransferComplete', [accepted, completeFault], 'failed 500'],
  ['TransferComplete without a DownloadResponse', [complete('2.0')], 'verified 200'],
  ['TransferComplete twice', [accepted, complete('2.0'), complete('2.0')], 'verified 200'],
  ['a fault after success changes nothing', [accepted, complete('2.0'), completeFault], 'verified 200'],
  ['success after a fault changes nothing', [accepted, completeFault, complete('2.0')], 'failed 500'],
  ['no answer to the Download', [deadline('1.0')], 'timed-out 408'],
  ['no end of the transfer', [accepted, deadline('1.0')], 'timed-out 408'],
  ['no word, but the new version is there', [accepted, deadline('2.0')], 'verified 200'],
  ['transferred, heard of, still old at the deadline', [applied, deadline('1.0', true)], 'failed 500'],
  ['transferred and never heard of again', [applied, deadline('1.0', false)], 'timed-out 408'],
  [
    'late TransferComplete with the new version',
    [accepted, deadline('1.0'), complete('2.0')],
    'verified 200',
  ],
  ['late TransferComplete with a fault', [accepted, deadline('1.0'), completeFault], 'failed 500'],
  ['late sight of the new version', [accepted, deadline('1.0'), quiet(false, '2.0')], 'verified 200'],
  ['late sight of the old version', [accepted, deadline('1.0'), quiet(true, '1.0')], 'timed-out 408'],
  ['in doubt: queued', [queue('queued', '1.0')], 'accepted 202'],
  ['in doubt: queued, and the rule would rather fail', [queue('queued', '1.0', 'unwanted')], 'accepted 202'],
  ['in doubt: queued, and the rule is gone', [queue('queued', '1.0', 'void')], 'accepted 202'],
  ['in doubt: not queued, at target', [queue('absent', '2.0')], 'transferred 202'],
  ['in doubt: not queued, at target, the rule is gone', [queue('absent', '2.0', 'void')], 'transferred 202'],
  ['in doubt: not queued, old', [queue('absent', '1.0')], 'sent 202 +1'],
  ['in doubt: not queued, of a version that is not told', [queue('absent', null)], 'sent 202 +1'],
  [
    'in doubt: not queued, old, the rule would rather fail',
    [queue('absent', '1.0', 'unwanted')],
    'failed 500',
  ],
  ['in doubt: not queued, old, held back', [queue('absent', '1.0', 'held')], 'sent 202'],
  [
    'in doubt: held back, then let go',
    [queue('absent', '1.0', 'held'), queue('absent', '1.0')],
    'sent 202 +1',
  ],
  ['in doubt: held back for too long', [queue('absent', '1.0', 'held'), deadline('1.0')], 'timed-out 408'],
  ['in doubt: not queued, old, the rule is gone', [queue('absent', '1.0', 'void')], 'cancelled 499'],
  ['in doubt: not queued, another version', [queue('absent', '3.0')], 'failed 500'],
  ['in doubt: not told', [queue('untold', '1.0')], 'sent 202'],
  ['in doubt: not told twice', [queue('untold', '1.0'), queue('untold', '1.0')], 'sent 202 +1'],
  [
    'in doubt: not told twice, at target',
    [queue('untold', '1.0'), queue('untold', '2.0')],
    'transferred 202',
  ],
  [
    'in doubt: not told twice, the rule would rather fail',
    [queue('untold', '1.0'), queue('untold', '1.0', 'unwanted')],
    'failed 500',
  ],
  ['in doubt: not told, then told', [queue('untold', '1.0'), queue('queued', '1.0')], 'accepted 202'],
  [
    'in doubt: not told, and never again heard of',
    [queue('untold', '1.0'), deadline('1.0')],
    'timed-out 408',
  ],
  ['sent again, and accepted', [queue('absent', '1.0'), accepted], 'accepted 202 +1'],
  ['sent again, and verified', [queue('absent', '1.0'), accepted, complete('2.0')], 'verified 200 +1'],
  [
    'sent again: a question that was asked before says nothing',
    [queue('absent', '1.0'), queue('absent', '1.0')],
    'sent 202 +1',
  ],
  [
    'sent again: a fault that answers the first sending says nothing',
    [queue('absent', '1.0'), downloadFault(0)],
    'sent 202 +1',
  ],
  ['sent again, and refused', [queue('absent', '1.0'), downloadFault(1)], 'failed 500 +1'],
  [
    'sent again, in doubt again: sent a third time',
    [queue('absent', '1.0'), queue('absent', '1.0', 'allowed', 1)],
    'sent 202 +2',
  ],
  ['accepted meanwhile: an empty queue changes nothing', [accepted, queue('absent', '1.0')], 'accepted 202'],
  ['transferred meanwhile', [applied, queue('absent', '1.0')], 'transferred 202'],
  ['timed out meanwhile', [deadline('1.0'), queue('absent', '1.0')], 'timed-out 408'],
  ['timed out meanwhile, and queued', [deadline('1.0'), queue('queued', '1.0')], 'timed-out 408'],
  ['a cancelled one', [accepted, { kind: 'cancel', reason: 'by admin' }], 'cancelled 499'],
  ['a cancelled one stays so', [{ kind: 'cancel', reason: 'x' }, complete('2.0')], 'cancelled 499'],
];

for (const [title, evidence, expected] of sequences) {
  test(title, (t) => t.is(after(evidence), expected));
}

test('without a target the version is shown to have changed, or not', (t) => {
  const untargeted = upgrade({ targetVersion: null });
  t.is(after([accepted, complete('2.0')], untargeted), 'verified 200');
  t.is(after([accepted, complete('1.0')], untargeted), 'transferred 202');
  const unchanged = [accepted, complete('1.0'), later(true, '1.0')].reduce(
    (current, piece) => advance(current, piece, 1),
    untargeted,
  );
  t.is(unchanged.state, 'verified');
  t.regex(unchanged.result.message, /has not changed: 1\.0/);
  t.is(after([accepted, complete('1.0'), deadline('1.0', true)], untargeted), 'verified 200');
  t.is(after([accepted, complete('1.0'), deadline('1.0', false)], untargeted), 'timed-out 408');
});

test('where it is not known what a CPE had before, the target is proof only after a boot', (t) => {
  const unknown = upgrade({ fromVersion: null });
  t.is(after([accepted, quiet(false, '2.0')], unknown), 'accepted 202');
  t.is(after([accepted, quiet(true, '2.0')], unknown), 'verified 200');
});

test('forcing the version that is there takes the word of TransferComplete', (t) => {
  const forced = upgrade({ fromVersion: '2.0' });
  t.is(after([accepted, quiet(true, '2.0')], forced), 'accepted 202');
  t.is(
    after([applied, deadline('2.0', false)], forced),
    'timed-out 408',
    'what was known before proves nothing',
  );
  t.is(after([accepted, complete('2.0')], forced), 'verified 200');
});

test('a fault is told in the words of the NBI document', (t) => {
  const failed = advance(upgrade(), completeFault, 1);
  t.is(
    failed.result.message,
    'Upgrade has failed with FaultCode 9010. FaultString: Download failure. File not found.',
  );
});

test('a deadline that was found due is not that of the state the CPE has moved on to meanwhile', (t) => {
  const moved = advance(upgrade({ deadlineAtMs: 600_000 }), accepted, 599_999);
  t.is(advance(moved, deadline('1.0'), 600_000), moved);
  t.is(advance(moved, deadline('1.0'), 599_999 + 86_400_000).state, 'timed-out');
});

test('a state has its own deadline, and an ended upgrade none', (t) => {
  const running = advance(upgrade(), accepted, 5_000);
  t.is(running.deadlineAtMs, 5_000 + 86_400_000);
  t.false('deadlineAtMs' in advance(running, complete('2.0'), 6_000));
});

test('a CPE that does not tell is waited for, with room to come back twice before the deadline', (t) => {
  const untold = queue('untold', '1.0');
  const waiting = advance(upgrade(), untold, 10_000);
  t.is(waiting.doubtUntilMs, 11_000);
  t.is(waiting.deadlineAtMs, 12_000 + 600_000);
  t.regex(waiting.result.message, /does not tell/);
  t.is(advance(waiting, untold, 10_999), waiting);
  t.is(advance(waiting, untold, 11_000).repeats, 1);
  t.false('doubtUntilMs' in advance(waiting, untold, 11_000));
  t.false('doubtUntilMs' in advance(waiting, accepted, 10_999));
  t.false('doubtUntilMs' in advance(waiting, completeFault, 10_999));
});

test('a CPE that does not tell is waited for no longer where its periodic Inform says that it has called once more', (t) => {
  const untold: Queue = { ...queue('untold', '1.0'), periodicWaitMs: 400 };
  const periodic = { ...untold, periodic: true };
  const waiting = advance(upgrade(), periodic, 10_000);
  t.is(advance(waiting, periodic, 10_399), waiting);
  t.is(advance(waiting, untold, 10_400), waiting, 'what it calls for otherwise does not say so');
  const again = advance(waiting, periodic, 10_400);
  t.is(again.repeats, 1);
  t.false('doubtUntilPeriodicMs' in again);
  t.false('doubtUntilPeriodicMs' in advance(waiting, accepted, 10_400));
  t.false('doubtUntilPeriodicMs' in advance(waiting, completeFault, 10_400));
});

test('what is sent again has the whole time of a Download, and what is held back that of a transfer, counted from its start', (t) => {
  t.is(advance(upgrade(), queue('absent', '1.0'), 5_000).deadlineAtMs, 605_000);
  const held = advance(upgrade(), queue('absent', '1.0', 'held'), 5_000);
  t.is(held.deadlineAtMs, 600_000 + 86_400_000);
  t.regex(held.result.message, /not sent again yet \(a reason\)/);
  t.is(advance(held, queue('absent', '1.0', 'held'), 6_000), held);
  t.true(held.heldBack);
  t.false('heldBack' in advance(held, queue('absent', '1.0'), 6_000));
  t.false('heldBack' in advance(held, accepted, 6_000));
  t.false('heldBack' in advance(held, completeFault, 6_000));
});

test('a Download is not sent again for ever', (t) => {
  let current = upgrade();
  let sendings = 1;
  for (; !hasEnded(current.state) && sendings < 100; sendings++) {
    current = advance(current, queue('absent', '1.0', 'allowed', sendings - 1), sendings);
  }
  t.is(current.state, 'failed');
  t.is(current.repeats, REPEATS_MAX);
  t.is(
    current.result.message,
    'Upgrade has failed: the Download was sent 6 times, and the device has none of them',
  );
});

test('that a Download was sent more than once is told beside the result, but for the words of the NBI document', (t) => {
  const again = advance(upgrade(), queue('absent', '1.0'), 1);
  const twice = advance(again, queue('absent', '1.0', 'allowed', 1), 2);
  const words = (current: Upgrade, evidence: Evidence) => advance(current, evidence, 3).result.message;
  t.is(
    words(again, complete('2.0')),
    'Upgrade has succeeded: software version 2.0, before 1.0; the Download was sent again once, as it did not seem to have reached the device',
  );
  t.regex(words(twice, complete('2.0')), /sent again 2 times/);
  t.regex(words(again, completeFault), /File not found\.$/);
});

test('forcing the version that is there: an empty queue beside it proves nothing', (t) => {
  t.is(after([queue('absent', '2.0')], upgrade({ fromVersion: '2.0' })), 'sent 202 +1');
});

test('without a target any other version than before says that the transfer went through', (t) => {
  t.is(after([queue('absent', '2.0')], upgrade({ targetVersion: null })), 'transferred 202');
  t.is(after([queue('absent', '1.0')], upgrade({ targetVersion: null })), 'sent 202 +1');
});

const anyVersion = fc.constantFrom('1.0', '2.0', '3.0', null);
const anyEvidence: fc.Arbitrary<Evidence> = fc.oneof(
  fc.constantFrom(accepted, applied, completeFault),
  anyVersion.map(complete),
  fc
    .tuple(fc.boolean(), anyVersion, fc.boolean())
    .map(([boot, version, applying]) => quiet(boot, version, applying)),
  fc.tuple(anyVersion, fc.boolean()).map(([version, heard]) => deadline(version, heard)),
  fc
    .tuple(
      fc.constantFrom('queued', 'absent', 'untold'),
      anyVersion,
      fc.constantFrom('allowed', 'unwanted', 'held', 'void'),
      fc.nat({ max: 3 }),
    )
    .map((parts) => queue(...parts)),
  fc.constant<Evidence>({
    kind: 'download-fault',
    fault: { faultCode: 9004, faultString: 'busy' },
    repeats: 0,
  }),
);

test('whatever comes in whatever order: final states stay, a deadline always ends, and only a target verifies', (t) => {
  fc.assert(
    fc.property(fc.array(anyEvidence, { maxLength: 12 }), (evidence) => {
      let current = upgrade();
      for (const [index, piece] of evidence.entries()) {
        const next = advance(current, piece, (index + 1) * LONGER_THAN_ANY_DEADLINE_MS);
        // A day lies between them: a failure alone may still be corrected, where no more than a version said so.
        const mayChange =
          current.state === 'timed-out' ||
          (current.state === 'failed' && current.concludedFrom !== undefined);
        if (hasEnded(current.state) && !mayChange) t.is(next, current);
        if (piece.kind === 'deadline') t.true(hasEnded(next.state));
        if (next.state === 'verified' && current.state !== 'verified') {
          t.is('version' in piece ? piece.version : null, '2.0');
        }
        if (hasEnded(current.state)) t.is(next.repeats, current.repeats);
        t.true(repeatsOf(next) - repeatsOf(current) <= (piece.kind === 'queue' ? 1 : 0), 'once per question');
        if (piece.kind === 'queue' && piece.found === 'queued') t.is(next.repeats, current.repeats);
        t.is(next.status, hasEnded(next.state));
        t.is(next.deadlineAtMs === undefined, hasEnded(next.state));
        current = next;
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a target that was read from the file is proved by a version with more around it, one that was typed is not', (t) => {
  const around = 'OpenWrt 2.0 r23630';
  const start = upgrade({ fromVersion: 'OpenWrt 1.0 r1' });
  const evidence = [accepted, complete(around), quiet(true, around, true)];
  t.is(after(evidence, { ...start, isTargetRead: true }), 'verified 200');
  t.is(after(evidence, start), 'failed 500');
  // Without word of the transfer the new version says as much.
  t.is(after([accepted, quiet(true, around)], { ...start, isTargetRead: true }), 'verified 200');
  t.is(after([accepted, quiet(true, 'OpenWrt 2.0.1 r1')], { ...start, isTargetRead: true }), 'accepted 202');
});

test('a target that was read from the file makes no failure of another version than before, and the result names both', (t) => {
  const [old, own] = ['V1.0.0.50', 'V1.0.0.58'];
  const typed = upgrade({ fromVersion: old, targetVersion: 'V1.0.0.58_1.0.38' });
  const read: Upgrade = { ...typed, isTargetRead: true };
  const booted = [accepted, complete(old), later(true, own)];
  const expired = [accepted, complete(old), deadline(own, true)];
  const told = [accepted, complete(own)];
  for (const evidence of [told, booted, expired]) t.is(after(evidence, read), 'verified 200');
  for (const evidence of [booted, expired]) t.is(after(evidence, typed), 'failed 500');
  t.is(after([queue('absent', own)], read), 'transferred 202');
  t.is(
    advance({ ...read, state: 'transferred' }, later(true, own), 1).result.message,
    `Upgrade has succeeded: software version ${own}, before ${old}; the image's file says V1.0.0.58_1.0.38`,
  );
  t.is(after([accepted, complete(old), later(true, old)], read), 'failed 500');
  // What it had before is not known: its first version is no proof before it has booted, and no failure then.
  const unknown: Upgrade = { ...read, fromVersion: null };
  t.is(after([accepted, complete(own)], unknown), 'transferred 202');
  t.is(after([accepted, complete(own), later(true, own)], unknown), 'verified 200');
});
