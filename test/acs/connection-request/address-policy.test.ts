import test from 'ava';
import { AddressPolicy, AddressRefusedError } from '../../../acs/connection-request/address-policy.js';

const policy = new AddressPolicy([]);

test('the address a CPE informed from is permitted, also written as mapped IPv6', async (t) => {
  t.is((await policy.pin('http://192.0.2.7:7547/cr', '192.0.2.7')).address, '192.0.2.7');
  t.is((await policy.pin('http://192.0.2.7:7547/cr', '::ffff:192.0.2.7')).address, '192.0.2.7');
  t.is((await policy.pin('http://[2001:db8::7]:7547/cr', '2001:db8::7')).address, '2001:db8::7');
});

test('the address a CPE informed from is permitted in whatever spelling it is kept or named', async (t) => {
  for (const from of ['::FFFF:192.0.2.7', '::ffff:c000:207', '0:0:0:0:0:ffff:192.0.2.7']) {
    t.is((await policy.pin('http://192.0.2.7:7547/cr', from)).address, '192.0.2.7', from);
  }
  t.truthy(await policy.pin('http://[::ffff:192.0.2.7]/cr', '192.0.2.7'));
  t.truthy(await policy.pin('http://[2001:db8:0:0::7]/cr', '2001:DB8::0007'));
});

test('another host is refused, with the remedy', async (t) => {
  const error = await t.throwsAsync(policy.pin('http://198.51.100.1/cr', '192.0.2.7'), {
    instanceOf: AddressRefusedError,
  });
  t.regex(error?.message ?? '', /198\.51\.100\.1 .* 192\.0\.2\.7; .*--connection-request-subnet/);
});

test('a configured subnet is permitted, also where it is special', async (t) => {
  const configured = new AddressPolicy(['127.0.0.0/8', '198.51.100.0/24']);
  t.is((await configured.pin('http://127.0.0.1:1/cr', '127.0.0.1')).address, '127.0.0.1');
  t.is((await configured.pin('http://198.51.100.9/cr', '192.0.2.7')).address, '198.51.100.9');
});

for (const host of [
  '127.0.0.1',
  '[::1]',
  '169.254.169.254',
  '[fe80::1]',
  '0.0.0.0',
  '224.0.0.1',
  '[::ffff:127.0.0.1]',
  // The same addresses in other spellings that URLs know.
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0x7f.1',
  '127.1',
  '0',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:0:0:1]',
  '１２７.０.０.１',
  '2852039166',
]) {
  test(`${host} is never called unless configured, even if the Inform came from there`, async (t) => {
    const from = new URL(`http://${host}/`).hostname.replace(/[[\]]/g, '');
    await t.throwsAsync(policy.pin(`http://${host}/cr`, from), { instanceOf: AddressRefusedError });
  });
}

test('names are resolved and what they resolve to is checked', async (t) => {
  await t.throwsAsync(policy.pin('http://localhost:7547/cr', '127.0.0.1'), {
    instanceOf: AddressRefusedError,
  });
  const pinned = await new AddressPolicy(['127.0.0.0/8', '::1']).pin('http://localhost:7547/cr', '192.0.2.1');
  t.true(['127.0.0.1', '::1'].includes(pinned.address));
});

test('what is no plain http URL is refused', async (t) => {
  for (const url of [
    '',
    'nonsense',
    'ftp://192.0.2.7/',
    'http://u:p@192.0.2.7/',
    `http://192.0.2.7/${'x'.repeat(300)}`,
  ]) {
    await t.throwsAsync(policy.pin(url, '192.0.2.7'), { instanceOf: AddressRefusedError }, url);
  }
});
