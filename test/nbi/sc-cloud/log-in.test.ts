import test from 'ava';
import { HOUR_MS, MINUTE_MS } from '../../../common/index.js';
import { until } from '../../support/ferry.js';
import { coded, fieldOf, form, md5, PASSWORD, startCloud, told } from './support.js';

const WRONG = {
  result: -1,
  message: 'pass: the name of a user and the MD5 of his password',
};
const NOT_LOGGED_IN = {
  result: -2,
  message: 'Cookie: a session in mwcloud-sid: log in',
};

test('who shows the MD5 of his password is logged in, with both cookies, as documented', async (t) => {
  const { ask, url } = await startCloud(t);
  const reply = await ask('login', { body: form({ id: 'admin@north', pass: md5(PASSWORD) }) });
  const { id, sid, ...rest } = reply.body as { id: number; sid: string };
  t.is(reply.status, 200);
  t.deepEqual(Object.keys(reply.body as object), ['id', 'name', 'pass', 'result', 'sid']);
  t.deepEqual(rest as object, { name: 'admin@north', pass: '', result: 0 });
  t.true(Number.isInteger(id) && id >= 0);
  t.regex(sid, /^[A-Z]{32}$/);
  t.deepEqual(reply.cookies, [
    `mwcloud-sid=${sid}; Path=/sc_cloud; HttpOnly; SameSite=Strict`,
    'mwcloud-uid=admin@north; Path=/sc_cloud; HttpOnly; SameSite=Strict',
  ]);
  const cookies = `mwcloud-sid=${sid}; mwcloud-uid=admin@north`;
  t.deepEqual(told(await ask('scapi/get-devs?id=0&module=0', { cookies })), [200, { result: 0, devs: [] }]);
  // Of no use elsewhere.
  t.is((await fetch(`${url}/v1/images`, { headers: { Cookie: cookies } })).status, 401);
  t.is((await fetch(`${url}/v1/images`, { headers: { Cookie: `ferry-session=${sid}` } })).status, 401);
});

test('the digest may come in capitals, in a form as pages send it, or in JSON', async (t) => {
  const { ask } = await startCloud(t);
  const credentials = { id: 'viewer@north', pass: md5(PASSWORD).toUpperCase() };
  const bodies = [
    { body: form(credentials) },
    {
      body: new URLSearchParams(credentials).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    },
    { json: credentials },
  ];
  for (const asked of bodies)
    t.is(fieldOf((await ask('login', { method: 'POST', ...asked })).body, 'result'), 0);
});

test('a wrong digest, the password itself, a user without this log-in and nobody are one answer', async (t) => {
  const { ask, users } = await startCloud(t);
  await users.add({ name: 'plain', password: PASSWORD, role: 'admin' });
  await users.change(['operator@north'], { active: false });
  const attempts = [
    { id: 'admin@north', pass: md5('another password') },
    { id: 'admin@north', pass: PASSWORD },
    { id: 'admin@north', pass: '' },
    { id: 'plain', pass: md5(PASSWORD) },
    { id: 'operator@north', pass: md5(PASSWORD) },
    { id: 'nobody', pass: md5(PASSWORD) },
    { id: 'x'.repeat(10_000), pass: md5(PASSWORD) },
    { id: 'no name at all', pass: md5(PASSWORD) },
  ];
  for (const attempt of attempts) {
    const reply = await ask('login', { body: form(attempt) });
    t.deepEqual(told(reply), [200, WRONG], attempt.id.slice(0, 20));
    t.deepEqual(reply.cookies, []);
  }
});

test('a form that lacks something, has it twice or is none is -4; another type 415, and a large one 413', async (t) => {
  const { ask } = await startCloud(t);
  const twice = form({ id: 'a', pass: 'b' });
  twice.append('id', 'c');
  t.deepEqual(told(await ask('login', { body: form({ pass: 'x' }) })), [
    200,
    { result: -4, message: 'id: the name of a user' },
  ]);
  t.deepEqual(told(await ask('login', { body: form({ id: 'x' }) })), [
    200,
    { result: -4, message: 'pass: the MD5 of his password in hexadecimal' },
  ]);
  t.deepEqual(told(await ask('login', { body: twice })), [
    200,
    { result: -4, message: 'id: this field once' },
  ]);
  t.deepEqual(coded(await ask('login', { json: ['x'] })), [200, { result: -4 }]);
  const file = form({ id: 'x' });
  file.set('pass', new Blob(['x']), 'x');
  t.deepEqual(told(await ask('login', { body: file })), [
    200,
    { result: -4, message: 'body: fields without files' },
  ]);
  const headers = { 'Content-Type': 'multipart/form-data' };
  t.deepEqual(coded(await ask('login', { body: 'x', headers })), [200, { result: -4 }]);
  const text = { 'Content-Type': 'text/plain' };
  t.deepEqual(coded(await ask('login', { body: 'x', headers: text })), [415, { result: -415 }]);
  t.deepEqual(coded(await ask('login', { json: { id: 'x'.repeat(20_000) } })), [413, { result: -413 }]);
});

test('who guesses waits as at every log-in, by HTTP status', async (t) => {
  const { ask } = await startCloud(t);
  for (let attempt = 0; attempt < 10; attempt++)
    t.deepEqual(coded(await ask('login', { body: form({ id: 'nobody', pass: md5(`${attempt}`) }) })), [
      200,
      { result: -1 },
    ]);
  const reply = await ask('login', { body: form({ id: 'nobody', pass: md5('next') }) });
  t.deepEqual(told(reply), [
    429,
    { result: -429, message: 'password: fewer attempts to log in: wait 60 seconds' },
  ]);
  t.is(reply.headers.get('Retry-After'), '60');
});

test('whatever needs a log-in says -2 without one, before anything else', async (t) => {
  const { ask } = await startCloud(t);
  const calls = [
    ['logout', { method: 'POST' }],
    ['scapi/get-all-firmwares', {}],
    ['scapi/get-devs', {}],
    ['scapi/get-dev', {}],
    ['uploadFirmware', { method: 'POST' }],
  ] as const;
  for (const cookies of [null, 'mwcloud-uid=admin@north', `mwcloud-sid=${'A'.repeat(32)}`]) {
    for (const [path, asked] of calls)
      t.deepEqual(told(await ask(path, { ...asked, cookies })), [200, NOT_LOGGED_IN], path);
    t.deepEqual(told(await ask('firmware/add', { json: {}, cookies })), [
      200,
      { result: -2, method: 'add-firmware', message: NOT_LOGGED_IN.message },
    ]);
    t.deepEqual(told(await ask('upgrade/start', { json: {}, cookies })), [
      200,
      { result: -2, method: 'start-upgrade', details: [], message: NOT_LOGGED_IN.message },
    ]);
  }
  const basic = { Authorization: `Basic ${Buffer.from(`admin@north:${PASSWORD}`).toString('base64')}` };
  t.deepEqual(told(await ask('scapi/get-devs', { headers: basic })), [200, NOT_LOGGED_IN]);
});

test('the cookie with the name need not come, and names the user of the session', async (t) => {
  const { ask, as } = await startCloud(t);
  const [sid = ''] = (await as('north')).split('; ');
  const results = [];
  for (const cookies of [sid, `${sid}; mwcloud-uid=admin@south`, `${sid}; ${sid}`])
    results.push(fieldOf((await ask('scapi/get-devs', { cookies })).body, 'result'));
  t.deepEqual(results, [0, -2, -2]);
});

test('a session is over by log-out, another password, switching it off, and time', async (t) => {
  const { ask, logIn, users, sessions, tick } = await startCloud(t);
  const result = async (cookies: string) =>
    fieldOf((await ask('scapi/get-devs', { cookies })).body, 'result');
  const first = await logIn('admin@north');
  const sid = first.split('; ')[0]?.slice('mwcloud-sid='.length);
  const out = await ask('logout', { method: 'POST', cookies: first });
  t.deepEqual(told(out), [200, { result: 0, sid }]);
  t.deepEqual(out.cookies, [
    'mwcloud-sid=; Path=/sc_cloud; HttpOnly; SameSite=Strict; Max-Age=0',
    'mwcloud-uid=; Path=/sc_cloud; HttpOnly; SameSite=Strict; Max-Age=0',
  ]);
  t.is(await result(first), -2);

  const second = await logIn('admin@north');
  await users.setPassword('admin@north', 'another test password');
  t.is(await result(second), -2);
  const third = await logIn('admin@north', 'another test password');
  t.is(await result(third), 0);
  t.is((await sessions.ofUser('admin@north')).length, 1);
  await users.change(['admin@north'], { scCloud: false });
  t.is(await result(third), -2);
  t.deepEqual(await sessions.ofUser('admin@north'), []);
  await t.throwsAsync(logIn('admin@north', 'another test password'));

  const fourth = await logIn('admin@south');
  tick(59 * MINUTE_MS);
  t.is(await result(fourth), 0);
  tick(2 * HOUR_MS);
  t.is(await result(fourth), -2);
});

test('what a page of another site sends is 403, a log-in too', async (t) => {
  const { ask, as } = await startCloud(t);
  const cookies = await as('north');
  const elsewhere = [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }];
  for (const headers of elsewhere) {
    t.deepEqual(coded(await ask('login', { body: form({ id: 'a', pass: 'b' }), headers })), [
      403,
      { result: -403 },
    ]);
    t.deepEqual(coded(await ask('logout', { method: 'POST', cookies, headers })), [403, { result: -403 }]);
    t.deepEqual(coded(await ask('upgrade/start', { json: {}, cookies, headers })), [
      403,
      { result: -403, method: 'start-upgrade', details: [] },
    ]);
  }
});

test('paths that there are not are 404, other methods 405 with Allow, in the words of this API', async (t) => {
  const { ask } = await startCloud(t);
  t.deepEqual(coded(await ask('nothing')), [404, { result: -404 }]);
  const reply = await ask('login', { method: 'DELETE' });
  t.deepEqual(told(reply), [405, { result: -405, message: 'method: one of POST' }]);
  t.is(reply.headers.get('Allow'), 'POST');
  t.deepEqual(coded(await ask('upgrade/start')), [
    405,
    { result: -405, method: 'start-upgrade', details: [] },
  ]);
});

test('what is refused by 200 is logged and counted by the status that it means', async (t) => {
  const { ask, log } = await startCloud(t);
  await ask('scapi/get-devs');
  const line = log.find(
    ({ event, fields }) => event === 'nbi.request' && fields['path'] === '/sc_cloud/scapi/get-devs',
  );
  t.is(line?.fields['status'], 401);
});

test('users of an organization that is not active are not let in (-3)', async (t) => {
  const { ask, as, organizations, north } = await startCloud(t);
  const cookies = await as('north');
  await organizations.change(north.id, { active: false }, { name: 'test', how: 'command' });
  t.deepEqual(coded(await ask('login', { body: form({ id: 'viewer@north', pass: md5(PASSWORD) }) })), [
    200,
    { result: -3 },
  ]);
  t.not(fieldOf((await ask('scapi/get-devs', { cookies })).body, 'result'), 0);
});

test('the log of events says that a digest was shown, and no password', async (t) => {
  const { ask, events, logIn } = await startCloud(t);
  const shown: unknown[] = [];
  await logIn('admin@north');
  await ask('login', { body: form({ id: 'admin@north', pass: md5('another') }) });
  await until('both are told', async () => {
    shown.length = 0;
    for await (const { action, by, after } of events.scan({ subject: 'log-in' })) {
      const how = by?.how ?? fieldOf(after, 'how');
      shown.push(`${action} ${how} ${fieldOf(after, 'reason') ?? ''}`.trim());
    }
    return shown.length >= 2;
  });
  t.deepEqual(shown.sort(), ['refused digest wrong-password', 'taken digest']);
  const begun = [];
  for await (const { by } of events.scan({ subject: 'session' })) begun.push(by?.how);
  t.deepEqual(begun, ['digest']);
});
