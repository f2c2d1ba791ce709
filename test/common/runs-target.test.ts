import test from 'ava';
import fc from 'fast-check';
import { isDeviceTreeBoard, runsTarget, sameBoard } from '../../common/index.js';

/** Of a target that was read from a file. */
const READ: readonly (readonly [target: string, reported: string, runs: boolean])[] = [
  ['2.0', '2.0', true],
  ['23.05.2', 'OpenWrt 23.05.2 r23630', true],
  ['23.05.2', 'OpenWrt 23.05.2 r23630-842932a63d', true],
  ['1.0.0.24', 'V1.0.0.24_1.0.1', true],
  ['V1.0.0.24', '1.0.0.24', true],
  ['v1.0.0.24', 'V1.0.0.24_1.0.1', true],
  ['V1.0.0.24', 'v1.0.0.24', true],
  ['23.05-SNAPSHOT', 'OpenWrt 23.05-SNAPSHOT', true],
  ['23.05.0-rc1', 'OpenWrt 23.05.0-rc1 r23069', true],
  ['23.05.0', '23.05.0-rc1, then 23.05.0', true],
  ['1.0', '1.0-premium', true],
  ['1.0', '1.0_device', true],
  ['1.0+b2', 'fw(1.0+b2)', true],
  ['1.0', '(1.0)', true],
  ['1.2.3', '1.2.30 then 1.2.3', true],
  ['vendor-1', 'vendor-1', true],
  ['23.05.2', 'OpenWrt 23.05.20', false],
  ['23.05.2', 'OpenWrt 23.05.2.1', false],
  ['23.05.2', 'OpenWrt 123.05.2', false],
  ['3.05.2', '23.05.2', false],
  ['23.05.0', '23.05.0-rc1', false],
  ['23.05.0', 'OpenWrt 23.05.0-rc1 r23069', false],
  ['23.05', 'OpenWrt 23.05-SNAPSHOT r23630', false],
  ['2.0', 'v2.0~BETA3', false],
  ['2.0', '2.0_alpha', false],
  ['2.0', '2.0+dev', false],
  ['2.0', '2.0-pre', false],
  ['05.2', '23.05.2', false],
  ['1.0', '1.0a', false],
  ['1.0', 'rev1.0', false],
  ['1.0', 'xv1.0', false],
  ['1.0', '1.0é', false],
  ['1.0', '1x0', false],
  ['vendor-1', 'endor-1', false],
  ['1.0', '', false],
  ['2.0', '1.0', false],
];

for (const [version, reported, runs] of READ) {
  test(`${JSON.stringify(version)} read from a file is ${runs ? '' : 'not '}what ${JSON.stringify(reported)} says`, (t) => {
    t.is(runsTarget(reported, { version, isRead: true }), runs);
  });
}

test('a target that was typed is reported exactly, whatever it is', (t) => {
  const texts = fc.string({ minLength: 1 });
  fc.assert(
    fc.property(texts, texts, (version, reported) => {
      t.is(runsTarget(reported, { version, isRead: false }), reported === version);
      t.true(runsTarget(version, { version, isRead: false }));
    }),
  );
});

test('a target that was read counts within words of its own, and never within a longer number', (t) => {
  const version = fc.array(fc.nat(999), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
  const apart = fc.constantFrom(' ', '_', '-', '(', '/', ' r1 ', ' (', '');
  fc.assert(
    fc.property(version, apart, apart, fc.nat(9), (read, before, behind, digit) => {
      const target = { version: read, isRead: true };
      t.true(runsTarget(`${before}${read}${behind}`, target));
      t.true(runsTarget(`${before}v${read}${behind}`, target));
      t.false(runsTarget(`${digit}${read}`, target));
      t.false(runsTarget(`${read}${digit}`, target));
      t.false(runsTarget(`${digit}.${read}`, target));
      t.false(runsTarget(`${read}.${digit}`, target));
    }),
  );
});

test('a board is the same in any case, and where a file writes the comma of a device tree as _', (t) => {
  t.true(sameBoard('tplink,archer-c7-v5', 'TPLink,Archer-C7-v5 '));
  t.true(sameBoard('tplink,archer-c7-v5', 'tplink_archer-c7-v5'));
  t.false(sameBoard('tplink,archer-c7-v5', 'tplink,archer-c7-v4'));
  t.false(sameBoard('R7800', 'R7800v2'));
});

test('a board of a device tree is vendor,model, and no sentence', (t) => {
  for (const board of ['tplink,archer-c7-v5', 'linksys,e8450-ubi']) t.true(isDeviceTreeBoard(board));
  for (const other of ['HGW', 'Archer C7', 'Acme, Inc.', 'a,b,c', ',b', 'a,', '']) {
    t.false(isDeviceTreeBoard(other), other);
  }
});
