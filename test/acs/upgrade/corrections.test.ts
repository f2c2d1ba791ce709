import test from 'ava';
import fc from 'fast-check';
import { commandKeyOf } from '../../../acs/upgrade/command-key.js';
import { advance, CORRECTIONS_MAX, type Evidence, FALLS_BACK_WITHIN_MS } from '../../../acs/upgrade/life.js';
import { countedAs, deviceAfter, deviceReserving, endOf, mayCorrect } from '../../../acs/upgrade/marks.js';
import type { Upgrade } from '../../../acs/upgrade/upgrade.js';
import { RUNNING } from '../../../acs/upgrade/words.js';
import type { CountKey, CpeId, ResultId, RuleId } from '../../../common/index.js';
import { deviceOf } from '../../support/installation.js';

const id = 'cd3627cd-1908-4ff8-8fe3-f7078723a684' as ResultId;
const cpeid = '00A1B2-HGW-1' as CpeId;
const countKey = 'k' as CountKey;

function transferred(changes: Partial<Upgrade> = {}): Upgrade {
  return {
    id,
    commandKey: commandKeyOf(id),
    cpeid,
    campaignid: 'UPGRADE_1' as RuleId,
    countKey,
    ruleDescription: '',
    state: 'transferred',
    status: false,
    result: RUNNING.transferred,
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

const shown = (version: string | null): Evidence => ({ kind: 'quiet', boot: true, applying: true, version });
const reported = (version: string | null): Evidence => ({ kind: 'transfer-complete', fault: null, version });
const faulty: Evidence = {
  kind: 'transfer-complete',
  fault: { faultCode: 9018, faultString: 'File corrupted' },
  version: '1.0',
};

/** The result after some evidence, a minute apart. */
function resultAfter(evidence: readonly Evidence[], start = transferred()): string {
  const last = evidence.reduce((upgrade, piece, at) => advance(upgrade, piece, (at + 1) * 60_000), start);
  return `${last.result.code} ${last.result.message}`;
}

const SUCCESS = '200 Upgrade has succeeded: software version 2.0, before 1.0';
const FAILURE = '500 Upgrade has failed: the device reports software version 1.0 instead of 2.0';
const FALLEN_BACK =
  '500 Upgrade has failed: the device has gone back to software version 1.0, after it had reported 2.0';

const sequences: readonly [title: string, evidence: readonly Evidence[], expected: string][] = [
  ['a boot with the old version, and the target after it, is success', [shown('1.0'), shown('2.0')], SUCCESS],
  ['a boot with a third version, and the target after it', [shown('3.0'), shown('2.0')], SUCCESS],
  ['the old version, then TransferComplete with the target', [shown('1.0'), reported('2.0')], SUCCESS],
  [
    'the old version, then the fault that explains it',
    [shown('1.0'), faulty],
    '500 Upgrade has failed with FaultCode 9018. FaultString: File corrupted',
  ],
  ['the old version again changes nothing', [shown('1.0'), shown('1.0'), shown(null)], FAILURE],
  ['what its own fault says is not taken back', [faulty, shown('2.0')], resultAfter([faulty])],
  ['the target, and then the old version, is failure', [shown('2.0'), shown('1.0')], FALLEN_BACK],
  ['the target, the old version, and the target again', [shown('2.0'), shown('1.0'), shown('2.0')], SUCCESS],
  ['the target, and then a third version: somebody went on', [shown('2.0'), shown('3.0')], SUCCESS],
  ['after success a fault that comes late changes nothing', [shown('2.0'), faulty], SUCCESS],
];

for (const [title, evidence, expected] of sequences) {
  test(title, (t) => t.is(resultAfter(evidence), expected));
}

test('a device falls back within a day; who is on the old version later was brought there', (t) => {
  const done = advance(transferred(), shown('2.0'), 1_000);
  t.is(advance(done, shown('1.0'), 999 + FALLS_BACK_WITHIN_MS).state, 'failed');
  t.is(advance(done, shown('1.0'), 1_000 + FALLS_BACK_WITHIN_MS), done);
});

test('a failure waits for its target for as long as no other upgrade begins', (t) => {
  const failed = advance(transferred(), shown('1.0'), 1_000);
  t.is(advance(failed, shown('2.0'), 1_000 + 100 * FALLS_BACK_WITHIN_MS).state, 'verified');
});

test('without a target, "not changed" is corrected by another version, and back again', (t) => {
  const untargeted = transferred({ targetVersion: null });
  t.regex(resultAfter([shown('1.0')], untargeted), /^200 .*has not changed: 1\.0$/);
  t.is(resultAfter([shown('1.0'), shown('2.0')], untargeted), SUCCESS);
  t.is(resultAfter([shown('2.0'), shown('1.0')], untargeted), FALLEN_BACK);
});

test('forcing the version that is there falls back to nothing', (t) => {
  const forced = transferred({ fromVersion: '2.0' });
  const done = advance(forced, reported('2.0'), 1);
  t.is(advance(done, shown('2.0'), 2), done);
  t.is(advance(done, shown('1.0'), 2), done);
});

test('a result that was stored before conclusions were kept stays', (t) => {
  const { concludedFrom: _, ...old } = advance(transferred(), shown('1.0'), 1);
  t.is(advance(old, shown('2.0'), 2), old);
});

test('a CPE that shows one version and then the other does not have its result rewritten for ever', (t) => {
  let upgrade = transferred();
  for (let at = 1; at <= 100; at++) upgrade = advance(upgrade, shown(at % 2 === 0 ? '1.0' : '2.0'), at);
  t.is(upgrade.corrections, CORRECTIONS_MAX);
});

const anyEvidence: fc.Arbitrary<Evidence> = fc.oneof(
  fc.constantFrom('1.0', '2.0', '3.0', null).map(shown),
  fc.constantFrom('1.0', '2.0', '3.0', null).map(reported),
  fc.constant(faulty),
  fc.constant<Evidence>({ kind: 'download-response', status: 0 }),
  fc.constant<Evidence>({ kind: 'cancel', reason: 'by admin' }),
  fc
    .tuple(fc.constantFrom('1.0', '2.0', '3.0', null), fc.boolean())
    .map(([version, heardSince]) => ({ kind: 'deadline' as const, version, heardSince })),
);

test('whatever comes: one end is counted at a time, executions stay as begun, and an upgraded CPE stays upgraded', (t) => {
  fc.assert(
    fc.property(fc.array(anyEvidence, { maxLength: 30 }), (pieces) => {
      const start = transferred();
      let device = deviceReserving(deviceOf(cpeid, null), start);
      let upgrade = start;
      const counts = new Map<string, number>();
      const add = (end: string, sign: 1 | -1) => counts.set(end, (counts.get(end) ?? 0) + sign);
      pieces.forEach((piece, at) => {
        const before = upgrade;
        upgrade = advance(before, piece, (at + 1) * 700_000);
        if (upgrade === before || !upgrade.status) return;
        const end = endOf(upgrade, piece, device, before.status);
        add(end, 1);
        if (before.status) add(countedAs(before), -1);
        const had = device.counts[countKey]?.verified === true;
        device = deviceAfter(device, upgrade, end, before.status);
        const count = device.counts[countKey];
        t.is(count?.started, 1);
        t.is(count?.verified === true, had || end === 'verified');
        t.true((count?.failures ?? 0) <= 1);
        t.is(device.inFlight, undefined);
      });
      const held = [...counts].filter(([, count]) => count !== 0);
      t.deepEqual(held, upgrade.status ? [[upgrade.state, 1]] : []);
      const { concluded } = device;
      if (concluded === undefined) return;
      // What the mark says of what would correct the result is so.
      const version = concluded.correctedBy ?? 'another';
      const nowMs = (pieces.length + 1) * 700_000;
      const awaited = mayCorrect({ ...device, softwareVersion: version }, nowMs);
      const corrected = advance(upgrade, shown(version), nowMs);
      t.is(awaited && (upgrade.corrections ?? 0) < CORRECTIONS_MAX, corrected !== upgrade);
    }),
    { numRuns: 2_000 },
  );
});

test('a failure by its version is taken back by the target; where that was read from the file, by any other than before', (t) => {
  for (const isTargetRead of [true, false]) {
    const read = isTargetRead ? { isTargetRead } : {};
    const start = { ...transferred(), ...read };
    const failed = advance(start, { kind: 'quiet', boot: true, applying: true, version: '1.0' }, 1_000);
    t.is(failed.state, 'failed');
    const device = deviceAfter(deviceReserving(deviceOf(cpeid, null), start), failed, 'failed', false);
    for (const [softwareVersion, isTakenBack] of [
      ['2.0', true],
      [`OpenWrt ${start.targetVersion} r1`, isTargetRead],
      ['3.0', isTargetRead],
      ['1.0', false],
    ] as const) {
      t.is(mayCorrect({ ...device, softwareVersion }, 2_000), isTakenBack, softwareVersion);
      t.is(advance(failed, shown(softwareVersion), 2_000).state, isTakenBack ? 'verified' : 'failed');
    }
  }
});
