import test from 'ava';
import { isSameClient } from '../../../acs/session/session-address.js';

const SAME: readonly (readonly [string, string])[] = [
  ['192.0.2.1', '192.0.2.1'],
  ['192.0.2.1', '::ffff:192.0.2.1'],
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9'],
  ['2001:db8:1:2::1', '2001:0DB8:0001:0002:0:0:0:1'],
  ['fe80::1%eth0', 'fe80::2%eth0'],
];
const OTHER: readonly (readonly [string, string])[] = [
  ['192.0.2.1', '192.0.2.2'],
  ['2001:db8:1:2::1', '2001:db8:1:3::1'],
  ['192.0.2.1', '2001:db8::1'],
  ['::1', '127.0.0.1'],
  ['192.0.2.1', ''],
  ['', '2001:db8::1'],
];

test('addresses are of one client where they are the same, or of IPv6 in one /64', (t) => {
  for (const [one, another] of SAME) {
    t.true(isSameClient(one, another), `${one} ${another}`);
    t.true(isSameClient(another, one), `${another} ${one}`);
  }
  for (const [one, another] of OTHER) {
    t.false(isSameClient(one, another), `${one} ${another}`);
    t.false(isSameClient(another, one), `${another} ${one}`);
  }
});
