import { BlockList, isIP } from 'node:net';
import test from 'ava';
import fc from 'fast-check';
import { isListed, networkOf, plainAddress, subnetList } from '../../common/index.js';
import { spellingsOf } from './address-spellings.js';

test('an address has one form, however it is spelled', (t) => {
  fc.assert(
    fc.property(spellingsOf(fc.oneof(fc.ipV4(), fc.ipV6())), ([one, other]) => {
      t.is(plainAddress(one), plainAddress(other), `${one} and ${other}`);
      t.is(plainAddress(plainAddress(one)), plainAddress(one));
    }),
  );
});

test('the form is lower case without a zone, and IPv4 where an IPv4 address is mapped', (t) => {
  for (const [written, plain] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['0000:0000:0000:0000:0000:FFFF:C000:0201', '192.0.2.1'],
    ['::ffff:192.0.2.1%eth0', '192.0.2.1'],
    ['', ''],
    ['nonsense', 'nonsense'],
    ['a:b', 'a:b'],
  ] as const) {
    t.is(plainAddress(written), plain, written);
  }
});

test('subnets: bare addresses, both families, and a clear word on what is none', (t) => {
  const list = subnetList(['192.0.2.0/24', '2001:db8::1', '::ffff:198.51.100.0/120']);
  t.true(isListed(list, '192.0.2.200'));
  t.true(isListed(list, '::ffff:192.0.2.1'));
  t.true(isListed(list, '::FFFF:c000:201'));
  t.true(isListed(list, '2001:db8::1'));
  t.true(isListed(list, '2001:DB8:0::1'));
  t.true(isListed(list, '198.51.100.9'));
  t.false(isListed(list, '198.51.101.9'));
  t.false(isListed(list, '2001:db8::2'));
  t.false(isListed(list, 'nonsense'));
  t.false(isListed(new BlockList(), '192.0.2.1'));
  for (const wrong of [
    '192.0.2.0/33',
    'localhost',
    '10.0.0.0/',
    '10.0.0.0/x',
    '10.0.0.0/8/24',
    '2001:db8::/129',
  ]) {
    t.throws(() => subnetList([wrong]), { message: /is not a subnet/ }, wrong);
  }
});

test('addresses of one IPv6 /64 count as one, and IPv4 addresses each for itself', (t) => {
  for (const [address, network] of [
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8::/64'],
    ['::1', '::/64'],
    ['::192.0.2.1', '::/64'],
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['', ''],
    ['nonsense', 'nonsense'],
  ] as const) {
    t.is(networkOf(address), network, address);
  }
});

test('two IPv6 addresses count as one just where their first 64 bits are the same', (t) => {
  const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
  const text = (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(':');
  fc.assert(
    fc.property(half, half, half, half, (network, other, one, two) => {
      const address = `${text(network)}:${text(one)}`;
      if (isIP(plainAddress(address)) === 4) return;
      t.is(networkOf(address), networkOf(`${text(network)}:1:${text(two).split(':').slice(1).join(':')}`));
      t.is(networkOf(address) === networkOf(`${text(other)}:1:2:3:4`), text(network) === text(other));
    }),
  );
});
