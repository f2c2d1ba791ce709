import test from 'ava';
import { OPERATOR, startNbi, until, VIEWER } from './support.js';

test('without right credentials every call but the open ones is a 401 in its own dialect', async (t) => {
  const nbi = await startNbi(t);
  const details = [
    { field: 'Authorization', expected: 'the name and password of a user (Basic authentication)' },
  ];
  for (const as of [
    null,
    'api:wrong',
    'nobody:correct horse',
    'api',
    'api:',
    ':correct horse',
    'a\u0000pi:correct horse',
  ]) {
    const dyn = await nbi.call('/v1/dyn/FirmwareStorage/.*', { as });
    t.is(dyn.status, 401);
    t.is(dyn.headers.get('WWW-Authenticate'), 'Basic realm="Ferry", charset="UTF-8"');
    t.deepEqual(dyn.body, { code: 401, message: 'response from FirmwareStorage', details });
  }
  const method = await nbi.call('/v1/method/SendCNR', { method: 'POST', json: {}, as: null });
  t.deepEqual(method.body, {
    result: { code: 401, message: 'Authorization: the name and password of a user (Basic authentication)' },
    details,
  });
  for (const path of ['/metrics', '/v1/images', '/v1/images/a', '/v1/dyn/DeviceStorage/.*']) {
    t.is((await nbi.call(path, { as: null })).status, 401, path);
  }
  for (const path of ['/healthz', '/v1/openapi.json'])
    t.is((await nbi.call(path, { as: null })).status, 200, path);
  for (const header of ['Bearer x', 'Basic', 'Basic !!!', 'Basic /w==', `Basic ${'QQ'.repeat(4_000)}`]) {
    const { status } = await nbi.call('/metrics', { as: null, headers: { Authorization: header } });
    t.is(status, 401, header.slice(0, 20));
  }
});

test('a viewer reads and changes nothing', async (t) => {
  const nbi = await startNbi(t);
  t.is((await nbi.call('/v1/dyn/FirmwareStorage/.*', { as: VIEWER })).status, 404);
  t.is((await nbi.call('/v1/method/FreezeUpgrades', { as: VIEWER })).status, 200);
  t.is((await nbi.call('/metrics', { as: VIEWER })).status, 200);
  const changes: readonly (readonly [string, string])[] = [
    ['POST', '/v1/dyn/FirmwareStorage/.*'],
    ['PUT', '/v1/dyn/FirmwareStorage/.*'],
    ['DELETE', '/v1/dyn/FirmwareStorage/.*?all=true'],
    ['DELETE', '/v1/dyn/FirmwareResultStorage/.*?all=true'],
    ['POST', '/v1/method/SendCNR'],
    ['POST', '/v1/method/RestartRule'],
    ['POST', '/v1/method/FreezeUpgrades'],
    ['PUT', '/v1/images/a'],
    ['DELETE', '/v1/images/a'],
  ];
  for (const [method, path] of changes) {
    const { status, body } = await nbi.call(path, {
      method,
      as: VIEWER,
      ...(method === 'DELETE' ? {} : { json: {} }),
    });
    t.is(status, 403, `${method} ${path}`);
    t.true(JSON.stringify(body).includes('operator: ask an admin for it'));
  }
});

test('after ten wrong passwords an address is turned away for this user, with Retry-After; the right one is not asked for again', async (t) => {
  let nowMs = 0;
  const nbi = await startNbi(t, { monotonic: () => nowMs });
  t.is((await nbi.call('/metrics', { as: OPERATOR })).status, 200);
  for (let attempt = 0; attempt < 10; attempt++) {
    t.is((await nbi.call('/metrics', { as: `api:wrong ${attempt}` })).status, 401);
  }
  const turnedAway = await nbi.call('/metrics', { as: 'api:another' });
  t.is(turnedAway.status, 429);
  t.is(turnedAway.headers.get('Retry-After'), '60');
  t.like(turnedAway.body, {
    code: 429,
    message: 'response from metrics',
    details: [{ field: 'Authorization' }],
  });
  t.is((await nbi.call('/metrics', { as: OPERATOR })).status, 200);
  t.is((await nbi.call('/metrics', { as: VIEWER })).status, 200);
  nowMs += 60_000;
  t.is((await nbi.call('/metrics', { as: 'api:another' })).status, 401);
});

test('a password that is changed, or a user that is removed, holds from the next request', async (t) => {
  const nbi = await startNbi(t);
  t.is((await nbi.call('/metrics', { as: OPERATOR })).status, 200);
  await nbi.users.setPassword('api', 'staple battery');
  t.is((await nbi.call('/metrics', { as: OPERATOR })).status, 401);
  t.is((await nbi.call('/metrics', { as: 'api:staple battery' })).status, 200);
  await nbi.users.remove('api');
  t.is((await nbi.call('/metrics', { as: 'api:staple battery' })).status, 401);
});

test('requests are logged with user and status, and never with credentials', async (t) => {
  const nbi = await startNbi(t);
  await nbi.call('/v1/dyn/FirmwareStorage/.*?id=x');
  await nbi.call('/v1/images', { as: 'api:wrong password' });
  const requests = () => nbi.log.filter(({ event }) => event === 'nbi.request').map(({ fields }) => fields);
  await until(() => requests().length === 2);
  t.like(requests()[0], { method: 'GET', path: '/v1/dyn/FirmwareStorage/.*', status: 404, user: 'api' });
  t.like(requests()[1], { method: 'GET', path: '/v1/images', status: 401, user: undefined });
  const text = JSON.stringify(nbi.log);
  for (const secret of ['correct horse', 'wrong password', Buffer.from(OPERATOR).toString('base64')]) {
    t.false(text.includes(secret));
  }
});

test('attempts are counted by client, whatever port or spelling a trusted proxy writes with it', async (t) => {
  // Where no time passes, no place rests after a wrong password.
  const nbi = await startNbi(t, { trustedProxies: ['127.0.0.0/8'], monotonic: () => 0 });
  const spellings = ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:c000:201', '0:0:0:0:0:ffff:192.0.2.1'];
  const attempt = async (number: number, hop: string) =>
    (
      await nbi.call('/v1/images', {
        as: `api:wrong ${number}`,
        headers: { 'X-Forwarded-For': `203.0.113.${number}, ${hop}` },
      })
    ).status;
  const statuses: number[] = [];
  for (let number = 0; number < 12; number++) {
    const spelling = spellings[number % spellings.length] ?? '';
    const host = spelling.includes(':') ? `[${spelling}]` : spelling;
    statuses.push(
      await attempt(number, number % 3 === 0 ? `"${host}:${40_000 + number}"` : `${host}:${number}`),
    );
  }
  t.deepEqual(statuses, [...Array.from({ length: 10 }, () => 401), 429, 429]);
  t.is(await attempt(12, '192.0.2.2:1'), 401);
  for (let number = 0; number < 10; number++) await attempt(number, `[2001:db8:0:1::${number}]:80`);
  t.is(await attempt(10, '2001:DB8:0:1:ffff::1'), 429);
  t.is(await attempt(11, '2001:db8:0:2::1'), 401);
});

test('of every request of a user the log says from where it came; of those turned away before a log-in one in ten seconds', async (t) => {
  let nowMs = 0;
  const nbi = await startNbi(t, { trustedProxies: ['127.0.0.0/8'], monotonic: () => nowMs });
  const headers = { 'X-Forwarded-For': '[2001:DB8::1]:4711' };
  for (let request = 0; request < 3; request++) await nbi.call('/v1/images', { headers });
  for (let guess = 0; guess < 5; guess++) await nbi.call('/v1/images', { as: `api:guess ${guess}`, headers });
  nowMs = 10_000;
  await nbi.call('/v1/images', { as: 'api:guess 5', headers });
  await nbi.call('/v1/images', { headers });
  const requests = () => nbi.log.filter(({ event }) => event === 'nbi.request').map(({ fields }) => fields);
  await until(() => requests().filter(({ status }) => status === 200).length === 4);
  t.deepEqual(
    requests().map(({ status, ip, user, omitted }) => [status, ip, user, omitted]),
    [200, 200, 200, 401, 401, 200].map((status, index) => [
      status,
      '2001:db8::1',
      status === 200 ? 'api' : undefined,
      index === 4 ? 4 : undefined,
    ]),
  );
});
