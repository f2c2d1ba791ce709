import test, { type ExecutionContext } from 'ava';
import { sendRaw, statusesOf } from '../../support/raw-socket.js';
import { APIS } from '../declared.js';
import { startNbi, type TestNbi, VIEWER } from '../support.js';
import { ask, boxApi, DOMAIN } from './box.js';

const BOX = '/api/firmware-slots/box';

async function start(t: ExecutionContext, options: Parameters<typeof startNbi>[1] = {}): Promise<TestNbi> {
  const nbi = await startNbi(t, {
    deviceDomain: DOMAIN,
    beside: (parts) => [boxApi(parts, 'firmware-slots')],
    ...options,
  });
  await nbi.putDevice({ serialNumber: 'AbC-1', serialLabel: 'abc-1' });
  return nbi;
}

const answered = (details: unknown) => ({ code: 200, message: 'response from firmware-slots', details });
const ID = '00A1B2-HGW-AbC-1';

test('the first label of Host names the CPE, whatever its case, the port and the dot of the root', async (t) => {
  const nbi = await start(t);
  const own = answered({ id: ID, form: 'host', prefix: '', user: 'viewer' });
  for (const host of [
    `abc-1.${DOMAIN}`,
    `ABC-1.${DOMAIN}`,
    'aBc-1.CPE.Example.NET',
    `abc-1.${DOMAIN}:8443`,
    `abc-1.${DOMAIN}:`,
    `abc-1.${DOMAIN}.`,
    `abc-1.${DOMAIN}.:7557`,
  ]) {
    const { status, body } = await ask(nbi.url, BOX, { as: VIEWER, headers: { Host: host } });
    t.deepEqual({ status, body }, { status: 200, body: own }, host);
  }
});

test("a CPE's UUID names it as well, and the form by path goes on to work", async (t) => {
  const nbi = await start(t);
  const uuid = nbi.deviceIds.idOf(ID as never);
  await nbi.putDevice({ serialNumber: 'AbC-1', serialLabel: 'abc-1', uuid });
  for (const label of [uuid, uuid.toUpperCase()]) {
    const { body } = await ask(nbi.url, BOX, { as: VIEWER, headers: { Host: `${label}.${DOMAIN}` } });
    t.deepEqual(body, answered({ id: ID, form: 'host', prefix: '', user: 'viewer' }));
    const path = await ask(nbi.url, `/devices/${label}${BOX}`, { as: VIEWER });
    t.deepEqual(path.body, answered({ id: ID, form: 'path', prefix: `/devices/${label}`, user: 'viewer' }));
  }
});

test('under such a host there is nothing but the API of the device: no page, no other API, no probe', async (t) => {
  const nbi = await start(t);
  const headers = { Host: `abc-1.${DOMAIN}` };
  const paths = new Set(APIS.flatMap(({ routes }) => routes.map(({ path }) => path)));
  for (const path of [
    ...paths,
    `/devices/${ID}${BOX}`,
    '/',
    '/apis',
    '/API',
    '/%61pi/x',
    '//api',
    '/.',
    '*',
  ]) {
    if (path.startsWith('/api/')) continue;
    const { status, headers: answer } = await ask(nbi.url, path, { as: VIEWER, headers });
    t.is(status, 404, path);
    t.is(answer['set-cookie'], undefined, path);
  }
  // Where Ferry has paths of its own below /api, they are none of the device's.
  for (const path of [...paths].filter((each) => each.startsWith('/api/'))) {
    t.is((await ask(nbi.url, path, { as: VIEWER, headers })).status, 404, path);
  }
  for (const path of ['/healthz', '/v1/openapi.json']) t.is((await nbi.call(path)).status, 200, path);
});

test('what is below the domain and no label of a device is no Ferry either', async (t) => {
  const nbi = await start(t);
  for (const host of [
    `a.abc-1.${DOMAIN}`,
    `.${DOMAIN}`,
    `a_b.${DOMAIN}`,
    `${'a'.repeat(64)}.${DOMAIN}`,
    `user@abc-1.${DOMAIN}`,
    `a%2e.${DOMAIN}`,
    `a/../.${DOMAIN}`,
  ]) {
    for (const path of [BOX, '/healthz', '/v1/images']) {
      t.is((await ask(nbi.url, path, { as: VIEWER, headers: { Host: host } })).status, 404, host);
    }
  }
});

test("any other Host is Ferry's own, and none of a device", async (t) => {
  const nbi = await start(t);
  for (const host of [
    DOMAIN,
    `x${DOMAIN}`,
    '[::1]:7557',
    '[::1]',
    '127.0.0.1',
    `abc-1.${DOMAIN}.net`,
    'ferry',
  ]) {
    t.is((await ask(nbi.url, '/v1/images', { as: VIEWER, headers: { Host: host } })).status, 200, host);
    t.is((await ask(nbi.url, BOX, { as: VIEWER, headers: { Host: host } })).status, 404, host);
  }
  const basic = `Authorization: Basic ${Buffer.from(VIEWER).toString('base64')}\r\n`;
  t.deepEqual(statusesOf(await sendRaw(nbi.url, `GET /v1/images HTTP/1.0\r\n${basic}\r\n`)), [200]);
  t.deepEqual(statusesOf(await sendRaw(nbi.url, `GET ${BOX} HTTP/1.0\r\n${basic}\r\n`)), [404]);
});

test('without the option Host is not looked at', async (t) => {
  const nbi = await startNbi(t, { beside: (parts) => [boxApi(parts, 'firmware-slots')] });
  const headers = { Host: `abc-1.${DOMAIN}` };
  t.is((await ask(nbi.url, '/v1/images', { as: VIEWER, headers })).status, 200);
  t.is((await ask(nbi.url, BOX, { as: VIEWER, headers })).status, 404);
});

test('which host was meant is told by X-Forwarded-Host of a trusted proxy, and of nobody else', async (t) => {
  const forwarded = { Host: 'inside', 'X-Forwarded-Host': `abc-1.${DOMAIN}` };
  const trusting = await start(t, { trustedProxies: ['127.0.0.1'] });
  t.is((await ask(trusting.url, BOX, { as: VIEWER, headers: forwarded })).status, 200);
  t.is((await ask(trusting.url, '/v1/images', { as: VIEWER, headers: forwarded })).status, 404);
  // Of several the nearest proxy has written the last.
  const planted = { Host: 'inside', 'X-Forwarded-Host': `abc-1.${DOMAIN}, ferry.example.net` };
  t.is((await ask(trusting.url, '/v1/images', { as: VIEWER, headers: planted })).status, 200);
  const plain = await start(t);
  t.is((await ask(plain.url, BOX, { as: VIEWER, headers: forwarded })).status, 404);
  t.is((await ask(plain.url, '/v1/images', { as: VIEWER, headers: forwarded })).status, 200);
});

test('no Host, however it is written, skips the log-in or tells more before it', async (t) => {
  const nbi = await start(t);
  for (const label of ['abc-1', 'nobody']) {
    const headers = { Host: `${label}.${DOMAIN}` };
    t.is((await ask(nbi.url, BOX, { headers })).status, 401, label);
    t.is((await ask(nbi.url, BOX, { as: 'viewer:wrong', headers })).status, 401, label);
  }
  const raw = async (lines: string) =>
    statusesOf(await sendRaw(nbi.url, `${lines}\r\nConnection: close\r\n\r\n`));
  const host = `Host: abc-1.${DOMAIN}`;
  // As a proxy would be sent it: the path counts, and Host as ever.
  t.deepEqual(await raw(`GET http://ferry/v1/images HTTP/1.1\r\n${host}`), [404]);
  t.deepEqual(await raw(`GET http://abc-1.${DOMAIN}${BOX} HTTP/1.1\r\nHost: ferry`), [404]);
  t.deepEqual(await raw(`GET /api/../../../v1/images HTTP/1.1\r\n${host}`), [404]);
  t.deepEqual(await raw(`GET /api/..%2f..%2fv1%2fimages HTTP/1.1\r\n${host}`), [404]);
  // The index of the device's own API.
  t.deepEqual(await raw(`GET /api?/v1/images HTTP/1.1\r\n${host}`), [401]);
  t.deepEqual(await raw(`OPTIONS * HTTP/1.1\r\n${host}`), [404]);
});

test('log and metrics have the path as it was sent, and which device it was for', async (t) => {
  const nbi = await start(t);
  await ask(nbi.url, `${BOX}?x=1`, { as: VIEWER, headers: { Host: `abc-1.${DOMAIN}` } });
  await ask(nbi.url, '/v1/images', { as: VIEWER, headers: { Host: `abc-1.${DOMAIN}` } });
  const told = nbi.log.filter(({ event }) => event === 'nbi.request').map(({ fields }) => fields);
  t.like(told[0], { path: BOX, device: 'abc-1', status: 400, user: 'viewer' });
  t.like(told[1], { path: '/v1/images', status: 404 });
  t.false('device' in (told[1] ?? {}));
  t.regex(
    await nbi.metrics.metrics(),
    /route="\/devices\/\{device\}\/api\/firmware-slots\/box",method="GET",status="400"/,
  );
});
