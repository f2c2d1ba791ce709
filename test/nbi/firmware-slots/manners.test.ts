import test from 'ava';
import { sendRaw, statusesOf } from '../../support/raw-socket.js';
import { ask as askHost } from '../device-apis/box.js';
import { BOX, errorOf, startSlots } from './support.js';

test('the indexes lead to what there is', async (t) => {
  const at = await startSlots(t);
  const api = `${BOX}/api`;
  const root = await at.ask('GET', '/api');
  t.is(root.status, 200);
  t.deepEqual(root.body, {
    items: [
      { key: 'authentication', meta: { href: `${api}/authentication` } },
      { key: 'firmware', meta: { href: `${api}/firmware` } },
      { key: 'upload', meta: { href: `${api}/upload/firmware` } },
    ],
    meta: {
      href: api,
      parent: null,
      authentication: `${api}/authentication`,
      firmware: `${api}/firmware`,
      upload: `${api}/upload/firmware`,
    },
  });
  const firmware = await at.ask('GET', '/api/firmware');
  t.deepEqual(firmware.body, {
    items: ['fetch', 'slots', 'test', 'upgrade'].map((key) => ({
      key,
      meta: { href: `${api}/firmware/${key}` },
    })),
    meta: {
      href: `${api}/firmware`,
      parent: api,
      fetch: `${api}/firmware/fetch`,
      slots: `${api}/firmware/slots`,
      test: `${api}/firmware/test`,
      upgrade: `${api}/firmware/upgrade`,
    },
  });
  for (const { headers } of [root, firmware]) {
    t.is(headers.get('Allow'), 'GET');
    t.is(headers.get('Content-Language'), 'en');
    t.is(headers.get('Content-Type'), 'application/json');
  }
});

test('by the host of the device hrefs begin at /api, and the cookie is that path’s', async (t) => {
  const at = await startSlots(t, { deviceDomain: 'cpe.example.net' });
  const headers = { Host: '000123.cpe.example.net' };
  const logIn = await askHost(at.url, '/api/authentication', { headers, as: at.as.north.operator });
  t.is(logIn.status, 200);
  t.deepEqual(logIn.body, {
    meta: {
      firmware: '/api/firmware',
      href: '/api/authentication',
      login_methods: '/api/authentication/login_methods',
      parent: '/api',
    },
  });
  const [given = ''] = logIn.headers['set-cookie'] ?? [];
  t.regex(given, /^session_id=[0-9a-f]{40}; Path=\/api; HttpOnly; SameSite=Strict$/);
  const asked = { headers: { ...headers, Cookie: given.split(';')[0] ?? '' } };
  const slots = await askHost(at.url, '/api/firmware/slots', asked);
  t.like(slots.body, { meta: { href: '/api/firmware/slots', parent: '/api/firmware' } });
  const none = await askHost(at.url, '/api/firmware/slots/9', asked);
  t.like(none.body, { meta: { href: '/api/firmware/slots/9', parent: '/api/firmware/slots' } });
  t.deepEqual((await askHost(at.url, '/api', asked)).status, 200);
});

test('without a session everything is 401, whatever is asked for', async (t) => {
  const at = await startSlots(t);
  const ask = async (method: string, path: string) => {
    const answer = await at.ask(method, path, { cookie: null, ...(method === 'POST' && { json: {} }) });
    return errorOf(answer).slice(0, 2);
  };
  for (const [method, path] of [
    ['GET', '/api/firmware/slots'],
    ['GET', '/devices/no-such/api/firmware/slots'],
    ['DELETE', '/api/firmware/slots/9'],
    ['POST', '/api/firmware/test'],
    ['POST', '/api/upload/firmware'],
    ['DELETE', '/api/authentication'],
    ['GET', '/api'],
  ] as const)
    t.deepEqual(await ask(method, path), [401, 'AuthenticationFailure'], `${method} ${path}`);
});

test('a device of another organization is answered as one that there is not', async (t) => {
  const at = await startSlots(t);
  const cookie = await at.sessionOf('admin@south');
  const [other, none] = await Promise.all(
    ['000123', '999999'].map((serial) =>
      at.ask('GET', `/devices/00A1B2-HGW-${serial}/api/firmware`, { cookie }),
    ),
  );
  t.is(other?.status, 404);
  t.is(other?.text.replaceAll('000123', '999999'), none?.text);
  t.is(errorOf(other ?? ({} as never))[1], 'ResourceNotFound');
});

test('several devices of one serial number are 421, with the paths by which each is reached', async (t) => {
  const at = await startSlots(t);
  await at.putDeviceOf(at.north, {
    id: 'FFFFFF-HGW-000123' as never,
    oui: 'FFFFFF',
    serialNumber: '000123',
    serialLabel: '000123',
  });
  const answer = await at.ask('GET', '/devices/000123/api/firmware');
  t.is(answer.status, 421);
  t.is(errorOf(answer)[1], 'MisdirectedRequest');
  t.regex(answer.text, /\/devices\/00A1B2-HGW-000123\/api, \/devices\/FFFFFF-HGW-000123\/api/);
});

test('a path that there is not is 404, another method 405 with what is allowed', async (t) => {
  const at = await startSlots(t);
  const none = await at.ask('GET', '/api/configuration/ssh?x=1');
  t.is(none.status, 404);
  t.deepEqual(none.body, {
    error: {
      details: { mount_point: '/', resource: `${BOX}/api/configuration/ssh` },
      message: 'Resource was not found',
      type: 'ResourceNotFound',
    },
    meta: { href: `${BOX}/api/configuration/ssh`, parent: `${BOX}/api/configuration` },
  });
  for (const [method, path, allow] of [
    ['PUT', '/api/firmware/slots/1', 'GET, DELETE'],
    ['GET', '/api/firmware/test', 'POST'],
    ['GET', '/api/firmware/upgrade', 'POST'],
    ['DELETE', '/api/firmware/fetch', 'GET, POST'],
    ['POST', '/api/authentication', 'GET, DELETE'],
  ] as const) {
    const answer = await at.ask(method, path);
    t.is(answer.status, 405);
    t.is(answer.headers.get('Allow'), allow);
    t.deepEqual(answer.body, {
      error: { details: { allow }, message: 'The method is not allowed here', type: 'MethodNotAllowed' },
      meta: { href: `${BOX}${path}`, parent: `${BOX}${path.slice(0, path.lastIndexOf('/'))}` },
    });
  }
});

test('a POST without a length is 411, of another type 415, too large 413, and no JSON 400', async (t) => {
  const at = await startSlots(t);
  const cookie = await at.sessionOf('operator@north');
  const { hostname, port } = new URL(at.url);
  for (const path of [
    '/api/firmware/test',
    '/api/firmware/upgrade',
    '/api/upload/firmware',
    '/api/firmware/fetch',
  ]) {
    const head = `POST ${BOX}${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`;
    const received = await sendRaw(at.url, head);
    t.deepEqual(statusesOf(received), [411], path);
    t.regex(received, /"type":"LengthRequired"/);
  }
  const post = (asked: Parameters<typeof at.ask>[2]) => at.ask('POST', '/api/firmware/test', asked);
  const typed = await post({ body: '{}', headers: { 'Content-Type': 'text/xml' } });
  t.deepEqual(errorOf(typed), [
    415,
    'UnsupportedMediaType',
    {
      path: 'Content-Type',
      expected: 'application/json or application/x-www-form-urlencoded (UTF-8)',
      found: 'text/xml',
    },
  ]);
  const large = JSON.stringify({ slot_id: 'x'.repeat(300_000) });
  t.deepEqual(errorOf(await post({ json: JSON.parse(large) })).slice(0, 2), [413, 'RequestEntityTooLarge']);
  for (const body of ['{', '{"a":1,"a":2}', 'slot_id=2'])
    t.deepEqual(
      errorOf(await post({ body, headers: { 'Content-Type': 'application/json' } })).slice(0, 2),
      [400, 'InvalidRequestBodyError'],
      body,
    );
});

test('what curl --data calls a form is read as JSON', async (t) => {
  const at = await startSlots(t);
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const answer = await at.ask('POST', '/api/firmware/test', { body: '{"slot_id": 4}', headers });
  t.deepEqual(errorOf(answer), [404, 'ResourceNotFound', { mount_point: '/firmware/test', resource: '4' }]);
});

test('a page of another site changes nothing', async (t) => {
  const at = await startSlots(t);
  const headers = { Origin: 'https://elsewhere.example' };
  const answer = await at.ask('DELETE', '/api/firmware/slots/1', { headers });
  t.deepEqual(errorOf(answer).slice(0, 2), [403, 'Unauthorized']);
});

test('a viewer reads, an operator changes', async (t) => {
  const at = await startSlots(t);
  const cookie = await at.sessionOf('viewer@north');
  for (const path of ['', '/firmware', '/firmware/slots', '/firmware/slots/1', '/firmware/fetch'])
    t.is((await at.ask('GET', `/api${path}`, { cookie })).status, 200, path);
  for (const [method, path] of [
    ['DELETE', '/api/firmware/slots/2'],
    ['POST', '/api/firmware/test'],
    ['POST', '/api/firmware/upgrade'],
    ['POST', '/api/firmware/fetch'],
    ['DELETE', '/api/firmware/fetch/1'],
  ] as const) {
    const answer = await at.ask(method, path, { cookie, ...(method === 'POST' && { json: {} }) });
    t.deepEqual(errorOf(answer).slice(0, 2), [403, 'Unauthorized'], `${method} ${path}`);
  }
});
