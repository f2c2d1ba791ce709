import test from 'ava';
import fc from 'fast-check';
import { clientAddress, plainAddress, subnetList } from '../../common/index.js';
import { spellingOf } from './address-spellings.js';

const TRUSTED = subnetList(['10.0.0.0/8', 'fd00::/8']);

const from = (remoteAddress: string, forwarded?: string, trusted: typeof TRUSTED | null = TRUSTED) =>
  clientAddress({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }, trusted);

test('a client is one address, whichever way a proxy writes it, whatever port it came from', (t) => {
  const written = fc.oneof(fc.ipV4(), fc.ipV6()).chain((address) =>
    fc.record({
      address: fc.constant(address),
      spelling: spellingOf(address),
      port: fc.option(fc.integer({ min: 0, max: 65_535 })),
      inBrackets: fc.boolean(),
      inQuotes: fc.boolean(),
      blanks: fc.constantFrom('', ' ', '  '),
    }),
  );
  fc.assert(
    fc.property(written, ({ address, spelling, port, inBrackets, inQuotes, blanks }) => {
      const isIpv6 = spelling.includes(':');
      const host = isIpv6 && (inBrackets || port !== null) ? `[${spelling}]` : spelling;
      const hop = port === null ? host : `${host}:${port}`;
      const header = `${blanks}${inQuotes ? `"${hop}"` : hop}${blanks}`;
      t.is(from('10.0.0.1', header), plainAddress(address), header);
    }),
  );
});

test('of the hops the last one that is no trusted proxy is the client', (t) => {
  for (const [remote, forwarded, client] of [
    ['192.0.2.1', '203.0.113.9', '192.0.2.1'],
    ['10.0.0.1', undefined, '10.0.0.1'],
    ['10.0.0.1', '', '10.0.0.1'],
    ['::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    ['10.0.0.1', '198.51.100.1, 203.0.113.9:4711, 10.0.0.2:80', '203.0.113.9'],
    ['10.0.0.1', '203.0.113.9, [fd00::1]:443,', '203.0.113.9'],
    ['10.0.0.1', '::ffff:192.0.2.1:1234', '192.0.2.1'],
    ['10.0.0.1', '10.9.9.9, 10.0.0.2', '10.9.9.9'],
  ] as const) {
    t.is(from(remote, forwarded), client, `${remote}, ${forwarded}`);
  }
  t.is(from('10.0.0.1', '203.0.113.9', null), '10.0.0.1');
});

test('a hop that is no address makes nobody another client: who passed it on is counted', (t) => {
  for (const hop of [
    'unknown',
    '_hidden',
    '"',
    '[',
    '[]',
    '[2001:db8::1',
    '1.2.3',
    '192.0.2.1:x',
    'x'.repeat(16_000),
  ]) {
    t.is(from('10.0.0.1', `203.0.113.9, ${hop}`), '10.0.0.1', hop.slice(0, 20));
    t.is(from('10.0.0.1', `${hop}, 10.0.0.2`), '10.0.0.2', hop.slice(0, 20));
  }
});

test('a header of thousands of hops is read from its end, and no further than the client', (t) => {
  const hops = Array.from({ length: 4_000 }, (_, index) => `x${index}`);
  t.is(from('10.0.0.1', `${hops.join(',')},203.0.113.9`), '203.0.113.9');
  t.is(from('10.0.0.1', `203.0.113.9${','.repeat(10_000)}`), '203.0.113.9');
});
