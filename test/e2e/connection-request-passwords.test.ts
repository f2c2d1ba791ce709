import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  type InformFields,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';

const CPE = '00A1B2-HGW-1';
const BASIC = 'Basic realm="gate"';
const DIGEST = 'Digest realm="gate", nonce="n", qop="auth", algorithm=SHA-256';

/** Whoever listens for connection requests there: asks for a log-in until it gets one, and keeps what it is given. */
async function listen(t: ExecutionContext, address: string, challenge: string) {
  const given: string[] = [];
  let calls = 0;
  const server = http.createServer((request, response) => {
    calls++;
    const { authorization } = request.headers;
    if (authorization === undefined) response.writeHead(401, { 'WWW-Authenticate': challenge });
    else given.push(authorization);
    response.end();
  });
  server.listen(0, address);
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { given, url: `http://${address}:${port}/cr`, calls: () => calls };
}

/** One session from `address`, which takes what is to be set. @returns the connection-request password that it was told */
async function visit(ferry: TestFerry, address: string, url: string, fields: InformFields = {}) {
  const cpe = new RawCpe(ferry.urls.cwmp, address);
  const parameters = { 'Device.ManagementServer.ConnectionRequestURL': url };
  await cpe.post(inform({ ...fields, parameters }));
  let answer = await cpe.post('');
  let password: string | null = null;
  while (rpcOf(answer.body) === 'SetParameterValues') {
    password = /ConnectionRequestPassword<\/Name><Value[^>]*>([^<]*)</.exec(answer.body)?.[1] ?? password;
    answer = await cpe.post(SET_PARAMETER_VALUES_RESPONSE);
  }
  cpe.close();
  return password;
}

async function call(ferry: TestFerry): Promise<{ readonly code: number; readonly message: string }> {
  const { body } = await ferry.nbi('POST', '/v1/method/SendCNR', { search_options: { cpe_id: CPE } });
  const { code, message } = (body as { readonly result: { readonly code: number; readonly message: string } })
    .result;
  return { code, message };
}

const moves = (ferry: TestFerry) =>
  ferry.events.filter(({ event }) => event === 'cpe.connection-request-moved').map(({ fields }) => fields);

async function shownAsMoved(ferry: TestFerry): Promise<number> {
  const { body } = await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*');
  const { details } = body as { details: readonly { readonly connectionRequestMoved?: number }[] };
  return details.filter(({ connectionRequestMoved = 0 }) => connectionRequestMoved > 0).length;
}

test('a rogue that has only informed and asks for Basic gets no password of the fleet', async (t) => {
  const ferry = await startTestFerry(t, { config: { connectionRequestAuth: 'fleet:FLEETWIDE-SECRET' } });
  const rogue = await listen(t, '127.0.0.1', BASIC);
  await visit(ferry, '127.0.0.1', rogue.url);
  const { code, message } = await call(ferry);
  t.is(code, 502);
  t.regex(message, /Basic.*--connection-request-auth/);
  t.deepEqual(rogue.given, []);
  t.is(rogue.calls(), 1);
});

test('credentials that a fleet shares are given by Digest', async (t) => {
  const ferry = await startTestFerry(t, { config: { connectionRequestAuth: 'fleet:FLEETWIDE-SECRET' } });
  const cpe = await listen(t, '127.0.0.1', `${BASIC}, ${DIGEST}`);
  await visit(ferry, '127.0.0.1', cpe.url);
  t.is((await call(ferry)).code, 200);
  t.regex(cpe.given.join(), /^Digest username="fleet", .*algorithm=SHA-256/);
});

test('one that informs as another CPE with a URL of its own gets none of the real one’s password by Basic', async (t) => {
  const ferry = await startTestFerry(t);
  const real = await listen(t, '127.0.0.1', DIGEST);
  const rogue = await listen(t, '127.0.0.2', BASIC);
  t.truthy(await visit(ferry, '127.0.0.1', real.url));
  t.is((await call(ferry)).code, 200);
  t.is(await visit(ferry, '127.0.0.2', rogue.url), null);
  const { code, message } = await call(ferry);
  t.is(code, 502);
  t.regex(message, /Basic.*--connection-request-basic/);
  t.deepEqual(rogue.given, []);
  t.true(
    ferry.events.some(
      ({ event, fields }) => event === 'connection-request.failed' && fields['message'] === message,
    ),
  );
});

test('where Basic is allowed a CPE is sent its own password so, and whoever then informs as it from elsewhere is not', async (t) => {
  const ferry = await startTestFerry(t, { config: { connectionRequestBasic: true } });
  const real = await listen(t, '127.0.0.1', BASIC);
  const rogue = await listen(t, '127.0.0.2', BASIC);
  const password = await visit(ferry, '127.0.0.1', real.url);
  t.is((await call(ferry)).code, 200);
  const [given = ''] = real.given;
  t.true(Buffer.from(given.replace('Basic ', ''), 'base64').toString().endsWith(`:${password}`));

  await visit(ferry, '127.0.0.2', rogue.url);
  const { code, message } = await call(ferry);
  t.is(code, 502);
  t.regex(message, /moved to another address \(127\.0\.0\.2\).*ferry device approve-url/);
  t.deepEqual(rogue.given, []);
});

test('a ConnectionRequestURL that moves to another address is told and shown, and Digest is answered there', async (t) => {
  const ferry = await startTestFerry(t);
  const before = await listen(t, '127.0.0.1', DIGEST);
  const after = await listen(t, '127.0.0.2', DIGEST);
  await visit(ferry, '127.0.0.1', before.url);
  await visit(ferry, '127.0.0.1', `${before.url}/other`);
  t.deepEqual(moves(ferry), []);
  for (let times = 0; times < 3; times++) await visit(ferry, '127.0.0.2', after.url);
  t.deepEqual(moves(ferry), [
    { cpeid: CPE, from: '127.0.0.1', to: '127.0.0.2', ip: '127.0.0.2', omitted: 0 },
  ]);
  t.is((await call(ferry)).code, 200);
  t.regex(after.given.join(), /^Digest /);
  t.is(await shownAsMoved(ferry), 1);
});

test('of many CPEs whose addresses change at once the log tells one, and later how many were left out', async (t) => {
  let nowMs = 0;
  const ferry = await startTestFerry(t, { monotonic: () => nowMs });
  const move = async (serial: number) => {
    const fields = { serial: String(serial) };
    await visit(ferry, '127.0.0.1', 'http://127.0.0.1:1/cr', fields);
    await visit(ferry, '127.0.0.2', 'http://127.0.0.2:1/cr', fields);
  };
  for (let serial = 1; serial <= 5; serial++) await move(serial);
  t.is(await shownAsMoved(ferry), 5);
  nowMs = 10_000;
  await move(6);
  t.deepEqual(
    moves(ferry).map(({ cpeid, omitted }) => ({ cpeid, omitted })),
    [
      { cpeid: CPE, omitted: 0 },
      { cpeid: '00A1B2-HGW-6', omitted: 4 },
    ],
  );
});
