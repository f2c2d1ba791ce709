import test from 'ava';
import fc from 'fast-check';
import { bucket, compareVersions, inSubnet } from '../../../rules/index.js';

const versions = fc.oneof(
  fc.array(fc.nat(2_000), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.')),
  fc.stringMatching(/^[0-9a-z._-]{0,12}$/),
  fc.string({ maxLength: 10 }),
);

for (const [smaller, larger] of [
  ['1.9', '1.10'],
  ['2.0', '2.0.1'],
  ['', '0'],
  ['V5.3.2', 'V5.3.10'],
  ['1.2.3-rc2', '1.2.3-rc10'],
  ['20250131120000122', '20250131120000123'],
  ['9007199254740992.1', '9007199254740993.0'],
] as const) {
  test(`compareVersions: ${JSON.stringify(smaller)} comes before ${JSON.stringify(larger)}`, (t) => {
    t.true(compareVersions(smaller, larger) < 0);
    t.true(compareVersions(larger, smaller) > 0);
  });
}

test('compareVersions: leading zeros do not matter', (t) => {
  t.is(compareVersions('1.01', '1.1'), 0);
  t.is(compareVersions('0.0', '00.000'), 0);
});

test('compareVersions is a total preorder', (t) => {
  fc.assert(
    fc.property(versions, versions, versions, (a, b, c) => {
      const [ab, bc, ac] = [compareVersions(a, b), compareVersions(b, c), compareVersions(a, c)];
      if (compareVersions(a, a) !== 0) return false;
      if (Math.sign(ab) !== -Math.sign(compareVersions(b, a)) && ab !== 0) return false;
      if (ab <= 0 && bc <= 0 && ac > 0) return false;
      return !(ab === 0 && bc === 0 && ac !== 0);
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

test('compareVersions orders dotted numbers as lists of numbers', (t) => {
  const parts = fc.array(fc.nat(300), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(parts, parts, (left, right) => {
      const first = left.findIndex((part, index) => part !== right[index]);
      const wanted = first === -1 ? 0 : Math.sign((left[first] ?? 0) - (right[first] ?? 0));
      return Math.sign(compareVersions(left.join('.'), right.join('.'))) === wanted;
    }),
  );
  t.pass();
});

for (const [address, cidr, inside] of [
  ['10.1.2.3', '10.0.0.0/8', true],
  ['11.1.2.3', '10.0.0.0/8', false],
  ['10.1.2.3', '10.1.2.3/32', true],
  ['1.2.3.4', '0.0.0.0/0', true],
  ['::ffff:10.1.2.3', '10.0.0.0/8', true],
  ['2001:db8::1', '2001:db8::/32', true],
  ['2001:db9::1', '2001:db8::/32', false],
  ['2001:db8::1', '10.0.0.0/8', false],
  ['10.0.0.1', '::/0', false],
  ['not an address', '10.0.0.0/8', false],
  ['', '10.0.0.0/8', false],
] as const) {
  test(`inSubnet: ${JSON.stringify(address)} ${inside ? 'is' : 'is not'} in ${cidr}`, (t) => {
    t.is(inSubnet(address, cidr), inside);
  });
}

for (const cidr of [
  '10.0.0.0',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '::/129',
  'x/8',
  '10.0.0.0/',
  '',
]) {
  test(`inSubnet refuses the subnet ${JSON.stringify(cidr)} and says how to write one`, (t) => {
    t.throws(() => inSubnet('10.0.0.1', cidr), { name: 'FunctionArgumentError', message: /10\.0\.0\.0\/8/ });
  });
}

test('bucket is stable for ever: canaries that are in the field stay the same ones', (t) => {
  t.deepEqual(
    ['00A1B2-HGW-1', '00A1B2-HGW-2', ''].map((cpeid) => bucket(cpeid, 'r1')),
    [27, 24, 26],
  );
});

test('bucket spreads CPEs evenly, and one salt independently of another', (t) => {
  const sizes = new Array<number>(100).fill(0);
  let both = 0;
  const cpes = 100_000;
  for (let serial = 0; serial < cpes; serial++) {
    const cpeid = `00A1B2-HGW-${serial}`;
    const first = bucket(cpeid, 'a');
    sizes[first] = (sizes[first] ?? 0) + 1;
    if (first < 50 && bucket(cpeid, 'b') < 50) both += 1;
  }
  // 1000 expected with a standard deviation of 31.5: six of them are no accident.
  t.true(Math.min(...sizes) > 810 && Math.max(...sizes) < 1_190);
  t.true(Math.abs(both / cpes - 0.25) < 0.01);
});
