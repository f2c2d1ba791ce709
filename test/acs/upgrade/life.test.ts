import test from 'ava';
import fc from 'fast-check';
import { advance, type Evidence, hasEnded, RUNNING } from '../../../acs/upgrade/life.js';
import type { Upgrade } from '../../../acs/upgrade/upgrade.js';
import { commandKeyOf, resultIdOf } from '../../../acs/upgrade/upgrade-store.js';
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

const LONGER_THAN_ANY_DEADLINE_MS = 100_000_000;

/** The state and code after some evidence, each so much later that whatever was awaited is due. */
function after(evidence: readonly Evidence[], start = upgrade()): string {
  let current = start;
  evidence.forEach((piece, index) => {
    current = advance(current, piece, (index + 1) * LONGER_THAN_ANY_DEADLINE_MS);
  });
  return `${current.state} ${current.result.code}`;
}

const accepted: Evidence = { kind: 'download-response', status: 1 };
const applied: Evidence = { kind: 'download-response', status: 0 };
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

test('a result id and its CommandKey name each other, and nothing else is a CommandKey of ours', (t) => {
  t.is(commandKeyOf(id).length, 32);
  t.is(resultIdOf(commandKeyOf(id)), id);
  for (const foreign of ['', 'download-1', `${commandKeyOf(id)}0`, commandKeyOf(id).toUpperCase()]) {
    t.is(resultIdOf(foreign), null);
  }
});

const anyVersion = fc.constantFrom('1.0', '2.0', '3.0', null);
const anyEvidence: fc.Arbitrary<Evidence> = fc.oneof(
  fc.constantFrom(accepted, applied, completeFault),
  anyVersion.map(complete),
  fc
    .tuple(fc.boolean(), anyVersion, fc.boolean())
    .map(([boot, version, applying]) => quiet(boot, version, applying)),
  fc.tuple(anyVersion, fc.boolean()).map(([version, heard]) => deadline(version, heard)),
  fc.constant<Evidence>({ kind: 'download-fault', fault: { faultCode: 9004, faultString: 'busy' } }),
);

test('whatever comes in whatever order: final states stay, a deadline always ends, and only a target verifies', (t) => {
  fc.assert(
    fc.property(fc.array(anyEvidence, { maxLength: 12 }), (evidence) => {
      let current = upgrade();
      for (const [index, piece] of evidence.entries()) {
        const next = advance(current, piece, (index + 1) * LONGER_THAN_ANY_DEADLINE_MS);
        if (hasEnded(current.state) && current.state !== 'timed-out') t.is(next, current);
        if (piece.kind === 'deadline') t.true(hasEnded(next.state));
        if (next.state === 'verified' && current.state !== 'verified') {
          t.is('version' in piece ? piece.version : null, '2.0');
        }
        t.is(next.status, hasEnded(next.state));
        t.is(next.deadlineAtMs === undefined, hasEnded(next.state));
        current = next;
      }
    }),
    { numRuns: 2_000 },
  );
});
