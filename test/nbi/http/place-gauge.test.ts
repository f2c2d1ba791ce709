import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { DEVICES } from '../../../acs/device/device.js';
import type { Device } from '../../../acs/index.js';
import { FAILED_LOGINS_MAX } from '../../../nbi/users/attempts.js';
import { until } from '../../support/ferry.js';
import { deviceOf, OPERATOR, startNbi, type TestNbi, VIEWER } from '../support.js';

/** Of a server to which nobody has come but who reads the metrics. */
const AT_REST = {
  requests: 0,
  reserved: 1,
  bodies: 0,
  downloads: 0,
  'large-bodies': 0,
  lists: 0,
  hashing: 0,
  'log-ins-waiting': 0,
  explanations: 0,
  searches: 0,
  uploads: 0,
  batches: 0,
};

async function placesOf(nbi: TestNbi): Promise<Readonly<Record<string, number>>> {
  const { body } = await nbi.call('/metrics');
  const samples = String(body).matchAll(/^ferry_nbi_places_in_use\{kind="([^"]+)"\} (\d+)$/gm);
  return Object.fromEntries([...samples].map(([, kind, taken]) => [kind, Number(taken)]));
}

function become(nbi: TestNbi, wanted: Readonly<Record<string, number>>): Promise<true> {
  return until(`places are ${JSON.stringify(wanted)}`, async () => {
    const places = await placesOf(nbi);
    return Object.entries(wanted).every(([kind, count]) => places[kind] === count);
  });
}

function begin(t: ExecutionContext, { server }: TestNbi, text: string): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  t.teardown(() => socket.destroy());
  socket.write(text);
  return socket;
}

function head(path: string, as: string, headers = ''): string {
  const basic = Buffer.from(as).toString('base64');
  const method = headers === '' ? 'GET' : 'POST';
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${basic}\r\n${headers}\r\n`;
}

const json = (bytes: number) => `Content-Type: application/json\r\nContent-Length: ${bytes}\r\n`;
/** Users for whom one address has all the wrong passwords a minute that an address has. */
const GUESSED_AT = 6;
const RULES = '/v1/dyn/FirmwareStorage/.*';

test('the metrics show how many places of each kind are taken, and that each is given back with its connection', async (t) => {
  const nbi = await startNbi(t);
  t.deepEqual(await placesOf(nbi), AT_REST);
  // More than what the sockets in between hold.
  const manufacturer = 'x'.repeat(100_000);
  const devices = nbi.store.collection<Device>(DEVICES);
  await nbi.store.commit(
    Array.from({ length: 300 }, (_, index) =>
      devices.putting(deviceOf({ serialNumber: `S${index}`, manufacturer })),
    ),
  );
  const list = begin(t, nbi, head('/v1/dyn/DeviceStorage/.*', VIEWER));
  await once(list, 'readable');
  const others = [
    begin(t, nbi, `${head('/v1/method/ExplainRules', VIEWER, json(1_000))}{`),
    begin(t, nbi, `${head(RULES, OPERATOR, json(1_000_000))}[`),
    begin(t, nbi, `${head('/v1/method/FreezeUpgrades', OPERATOR, json(1_000))}{`),
  ];
  const taken = { ...AT_REST, requests: 3, reserved: 2, bodies: 2, 'large-bodies': 1, lists: 1 };
  await t.notThrowsAsync(become(nbi, taken));
  for (const socket of [list, ...others]) socket.destroy();
  await t.notThrowsAsync(become(nbi, AT_REST));
});

test('the metrics show how many passwords are being hashed and wait for it, and who hangs up waits no longer and has lost no attempt', async (t) => {
  // Where no time passes, attempts do not come back by themselves.
  const nbi = await startNbi(t, { monotonic: () => 0 });
  await placesOf(nbi);
  const guesses = Array.from({ length: GUESSED_AT * FAILED_LOGINS_MAX }, (_, index) =>
    begin(t, nbi, head('/v1/images', `nobody${index % GUESSED_AT}:guess ${index}`)),
  );
  await t.notThrowsAsync(
    until('one is hashed and others wait', () => nbi.users.hashing > 0 && nbi.users.waitingForHash > 0),
  );
  for (const socket of guesses) socket.destroy();
  await t.notThrowsAsync(until('none waits', async () => (await placesOf(nbi))['log-ins-waiting'] === 0));
  t.is((await nbi.call('/v1/images', { as: 'another:guess' })).status, 401);
  // What was being hashed when all hung up is hashed to its end.
  await t.notThrowsAsync(become(nbi, AT_REST));
  t.deepEqual(await placesOf(nbi), AT_REST);
});
