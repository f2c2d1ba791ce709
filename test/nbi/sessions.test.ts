import { createHash } from 'node:crypto';
import test, { type ExecutionContext } from 'ava';
import { HOUR_MS, MINUTE_MS } from '../../common/index.js';
import { EventLog } from '../../events/index.js';
import type { JsonObject } from '../../nbi/http/index.js';
import { USER_SESSIONS, type UserSession } from '../../nbi/sessions/index.js';
import { USERS } from '../../nbi/users/user.js';
import { until } from '../support/ferry.js';
import { call, OPERATOR, type Reply, startNbi, type TestNbi, VIEWER } from './support.js';

const BEGIN_MS = 1_790_000_000_000;
const JSON_PATH = '/v1/dyn/FirmwareStorage/NONE';

interface LogIn {
  readonly reply: Reply;
  readonly cookie: string;
  readonly setCookie: string;
  readonly token: string;
  readonly id: string;
}

/** Logs in as a page does. */
async function logIn(
  { url }: Pick<TestNbi, 'url'>,
  credentials: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<LogIn> {
  const [name, password] = credentials.split(':');
  const reply = await call(`${url}/v1/session`, {
    method: 'POST',
    as: null,
    json: { name, password },
    headers,
  });
  const setCookie = reply.headers.get('Set-Cookie') ?? '';
  const details = detailsOf(reply);
  return {
    reply,
    setCookie,
    cookie: setCookie.split(';')[0] ?? '',
    token: String(details['csrfToken']),
    id: String(details['session']),
  };
}

function detailsOf({ body }: Reply): JsonObject {
  return (body as { readonly details: JsonObject }).details;
}

/** Whether a cookie has a session, and whose. */
async function whoIs({ url }: Pick<TestNbi, 'url'>, cookie: string, headers = {}): Promise<string | number> {
  const reply = await call(`${url}/v1/session`, { as: null, headers: { Cookie: cookie, ...headers } });
  return reply.status === 200 ? String(detailsOf(reply)['name']) : reply.status;
}

function clockAt(atMs: number) {
  let nowMs = atMs;
  return { clock: () => nowMs, pass: (ms: number) => (nowMs += ms) };
}

async function eventsOf({ store }: TestNbi, subject: 'session' | 'log-in') {
  const found = [];
  for await (const event of new EventLog({ store, clock: Date.now }).scan({ subject, order: 'ascending' })) {
    found.push(event);
  }
  return found;
}

const storedSessions = ({ store }: TestNbi) => store.collection<UserSession>(USER_SESSIONS);

test('a page logs in by name and password, acts by the cookie and the token, and logs out', async (t) => {
  const nbi = await startNbi(t);
  const { reply, cookie, token, setCookie } = await logIn(nbi, OPERATOR);
  t.is(reply.status, 200);
  t.like(detailsOf(reply), { name: 'api', role: 'operator', idleSeconds: 3_600 });
  t.regex(setCookie, /^ferry-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  t.is(await whoIs(nbi, cookie), 'api');
  const told = await nbi.call('/v1/session', { as: null, headers: { Cookie: cookie } });
  t.is(detailsOf(told)['csrfToken'], token);

  const change = (headers: Record<string, string>) =>
    nbi.call(JSON_PATH, { method: 'DELETE', as: null, headers: { Cookie: cookie, ...headers } });
  t.is((await change({ 'X-CSRF-Token': token })).status, 404, 'let in: there is no such rule');
  for (const wrong of ['', token.slice(1), `${token}a`, token.toUpperCase(), cookie]) {
    t.is((await change(wrong === '' ? {} : { 'X-CSRF-Token': wrong })).status, 403, wrong);
  }

  const out = await nbi.call('/v1/session', {
    method: 'DELETE',
    as: null,
    headers: { Cookie: cookie, 'X-CSRF-Token': token },
  });
  t.is(out.status, 200);
  t.regex(out.headers.get('Set-Cookie') ?? '', /^ferry-session=; .*Max-Age=0$/);
  t.is(await whoIs(nbi, cookie), 401);
});

test('a cookie that names nothing is answered 401, takes itself away, and opens no dialog of a browser', async (t) => {
  const nbi = await startNbi(t);
  const { cookie } = await logIn(nbi, VIEWER);
  const never = `ferry-session=${'A'.repeat(43)}`;
  for (const wrong of [never, 'ferry-session=', 'ferry-session=a', `${cookie}A`, `${cookie}; ${never}`]) {
    const reply = await nbi.call('/v1/images', { as: null, headers: { Cookie: wrong } });
    t.is(reply.status, 401, wrong);
    t.regex(reply.headers.get('Set-Cookie') ?? '', /^ferry-session=; .*Max-Age=0$/, wrong);
    t.regex(reply.headers.get('WWW-Authenticate') ?? '', /^Cookie /);
  }
  t.is((await nbi.call('/v1/images', { as: null, headers: { Cookie: `other=1; ${cookie}` } })).status, 200);
  // What is called so under TLS alone is none here, and another way to log in is asked for.
  const other = await nbi.call('/v1/images', { as: null, headers: { Cookie: `__Host-${cookie}` } });
  t.regex(other.headers.get('WWW-Authenticate') ?? '', /^Basic /);
});

test('each log-in has a new cookie, whatever the browser sent, and ends the session that it had', async (t) => {
  const nbi = await startNbi(t);
  const planted = `ferry-session=${'B'.repeat(43)}`;
  const first = await logIn(nbi, VIEWER, { Cookie: planted });
  t.not(first.cookie, planted);
  t.is(await whoIs(nbi, planted), 401);
  const second = await logIn(nbi, OPERATOR, { Cookie: first.cookie });
  t.not(second.cookie, first.cookie);
  t.not(second.token, first.token);
  t.is(await whoIs(nbi, first.cookie), 401);
  t.is(await whoIs(nbi, second.cookie), 'api');
});

test('a log-in that fails tells no more than Basic does, counts as it does, and leaves the session that there is', async (t) => {
  const nbi = await startNbi(t);
  const { cookie } = await logIn(nbi, VIEWER);
  const wrong = await logIn(nbi, 'viewer:wrong', { Cookie: cookie });
  const nobody = await logIn(nbi, 'nobody:wrong', { Cookie: cookie });
  t.is(wrong.reply.status, 401);
  t.deepEqual(wrong.reply.body, nobody.reply.body);
  t.is(wrong.setCookie, '');
  t.is(await whoIs(nbi, cookie), 'viewer');
  const statuses = [];
  for (let count = 0; count < 12; count++) statuses.push((await logIn(nbi, 'api:wrong')).reply.status);
  t.deepEqual([...new Set(statuses)], [401, 429]);
  t.is((await nbi.call('/v1/images', { as: 'api:wrong' })).status, 429, 'the attempts are those of Basic');
});

test('the cookie is Secure and bound to its host under TLS, which a trusted proxy tells and nobody else', async (t) => {
  const https = { 'X-Forwarded-Proto': 'https' };
  const behind = await startNbi(t, { trustedProxies: ['127.0.0.1'] });
  const secure = await logIn(behind, VIEWER, https);
  t.regex(secure.setCookie, /^__Host-ferry-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
  t.is(await whoIs(behind, secure.cookie, https), 'viewer');
  // What a neighbour has planted without TLS is not looked at.
  t.is(await whoIs(behind, secure.cookie.replace('__Host-', ''), https), 401);
  t.regex((await logIn(behind, VIEWER, { 'X-Forwarded-Proto': 'https, http' })).setCookie, /^ferry-session=/);
  t.regex((await logIn(behind, VIEWER, { 'X-Forwarded-Proto': 'gopher' })).setCookie, /^ferry-session=/);
  const alone = await startNbi(t);
  t.regex(
    (await logIn(alone, VIEWER, https)).setCookie,
    /^ferry-session=[^;]*; Path=\/; HttpOnly; SameSite=Strict$/,
  );
});

test('a session ends after an hour without a request, and after twelve however much it is used', async (t) => {
  const { clock, pass } = clockAt(BEGIN_MS);
  const nbi = await startNbi(t, { clock });
  const left = await logIn(nbi, VIEWER);
  const used = await logIn(nbi, VIEWER);
  pass(HOUR_MS - 1);
  t.is(await whoIs(nbi, used.cookie), 'viewer');
  const { id } = used;
  // Not in the way of the request.
  await t.notThrowsAsync(untilUsedAt(nbi, id, BEGIN_MS + HOUR_MS - 1));
  pass(1);
  t.is(await whoIs(nbi, left.cookie), 401);
  for (let minutes = 60; minutes < 12 * 60; minutes += 30) {
    t.is(await whoIs(nbi, used.cookie), 'viewer', `${minutes} min`);
    await untilUsedAt(nbi, id, clock());
    pass(30 * MINUTE_MS);
  }
  t.is(await whoIs(nbi, used.cookie), 401);
});

function untilUsedAt(nbi: TestNbi, id: string, atMs: number): Promise<true> {
  return until('its use is stored', async () => {
    const stored = await storedSessions(nbi).get(id);
    return stored !== null && atMs - stored.document.lastUsedAtMs < MINUTE_MS;
  });
}

test('that a session is used is stored once a minute at most', async (t) => {
  const { clock, pass } = clockAt(BEGIN_MS);
  const nbi = await startNbi(t, { clock });
  const { cookie, id } = await logIn(nbi, VIEWER);
  pass(MINUTE_MS - 1);
  await whoIs(nbi, cookie);
  pass(1);
  await whoIs(nbi, cookie);
  await untilUsedAt(nbi, id, clock());
  const { revision } = (await storedSessions(nbi).get(id)) ?? {};
  pass(MINUTE_MS - 1);
  await Promise.all(Array.from({ length: 5 }, () => whoIs(nbi, cookie)));
  t.is((await storedSessions(nbi).get(id))?.revision, revision);
});

test('a session that a clock was ahead of is over, and purged', async (t) => {
  const { clock, pass } = clockAt(BEGIN_MS + HOUR_MS);
  let elapsedMs = 0;
  const nbi = await startNbi(t, { clock, monotonic: () => elapsedMs });
  const { cookie, id } = await logIn(nbi, VIEWER);
  pass(-HOUR_MS);
  t.is(await whoIs(nbi, cookie), 401);
  elapsedMs += 9_999;
  await logIn(nbi, OPERATOR);
  t.not(await storedSessions(nbi).get(id), null, 'it is not looked for at every log-in');
  elapsedMs += 1;
  await logIn(nbi, OPERATOR);
  t.is(await storedSessions(nbi).get(id), null);
});

test('another password, a user who is removed, and one who is added anew end sessions at once; a role changes with the user', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  await nbi.users.add({ name: 'eve', password: 'the first password', role: 'viewer' });
  const first = await logIn(nbi, 'eve:the first password');
  t.is(await whoIs(nbi, first.cookie), 'eve');
  await nbi.users.setPassword('eve', 'the first password');
  t.is(await whoIs(nbi, first.cookie), 401, 'the same password set again is another one');
  const second = await logIn(nbi, 'eve:the first password');
  await nbi.users.remove('eve');
  t.is(await whoIs(nbi, second.cookie), 401);
  await nbi.users.add({ name: 'eve', password: 'the first password', role: 'viewer' });
  t.is(await whoIs(nbi, second.cookie), 401);

  const { cookie, token } = await logIn(nbi, OPERATOR);
  const change = () =>
    nbi.call(JSON_PATH, { method: 'DELETE', as: null, headers: { Cookie: cookie, 'X-CSRF-Token': token } });
  t.is((await change()).status, 404);
  const users = nbi.store.collection<{ readonly id: string; readonly role: string }>(USERS);
  const stored = await users.get('api');
  await users.put({ ...stored?.document, id: 'api', role: 'viewer' });
  t.is((await change()).status, 403);
});

test('the store has neither the cookie nor the token, and no id tells them', async (t) => {
  const nbi = await startNbi(t);
  const { cookie, token, id } = await logIn(nbi, VIEWER);
  const value = cookie.slice('ferry-session='.length);
  const { document } = (await storedSessions(nbi).get(id)) ?? {};
  t.is(document?.digest, createHash('sha256').update(value).digest('base64url'));
  const all = JSON.stringify([document, await eventsOf(nbi, 'session'), nbi.log]);
  t.false(all.includes(value));
  t.false(all.includes(token));
  t.is(await whoIs(nbi, `ferry-session=${document?.digest}`), 401);
});

test('everybody sees and ends the sessions that are his own, admins all; those of others are as unknown as none', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  const admin = 'root:a test password';
  const [own, other] = [await logIn(nbi, VIEWER, { 'User-Agent': 'a browser' }), await logIn(nbi, OPERATOR)];
  const list = async (as: string, query = '') => {
    const { body } = await nbi.call(`/v1/sessions${query}`, { as });
    return (body as { readonly details: readonly JsonObject[] }).details;
  };
  t.like((await list(VIEWER))[0], {
    id: own.id,
    user: 'viewer',
    address: '127.0.0.1',
    userAgent: 'a browser',
  });
  t.is((await list(VIEWER)).length, 1);
  t.deepEqual((await list(admin)).map(({ id }) => id).sort(), [own.id, other.id].sort());
  t.deepEqual(
    (await list(admin, '?user=api')).map(({ id }) => id),
    [other.id],
  );
  const page = await nbi.call('/v1/sessions?limit=1', { as: admin });
  const after = page.headers.get('X-Next-After') ?? '';
  t.is((await list(admin, `?limit=1&after=${after}`)).length, 1);

  const revoke = async (id: string, as: string) =>
    (await nbi.call(`/v1/sessions/${id}`, { method: 'DELETE', as })).status;
  t.is(await revoke(other.id, VIEWER), 404);
  t.is(await revoke('f'.repeat(32), VIEWER), 404);
  t.is(await whoIs(nbi, other.cookie), 'api');
  t.is(await revoke(own.id, VIEWER), 200);
  t.is(await revoke(other.id, admin), 200);
  t.is(await revoke(other.id, admin), 404);
  for (const { cookie } of [own, other]) t.is(await whoIs(nbi, cookie), 401);
});

test('what begins and ends a session is told in the log of events, by whom and from where', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  const first = await logIn(nbi, VIEWER);
  await nbi.call('/v1/session', {
    method: 'DELETE',
    as: null,
    headers: { Cookie: first.cookie, 'X-CSRF-Token': first.token },
  });
  const second = await logIn(nbi, VIEWER);
  await nbi.call(`/v1/sessions/${second.id}`, { method: 'DELETE', as: 'root:a test password' });
  const told = (await eventsOf(nbi, 'session')).map(({ action, subjectId, by }) => [
    action,
    subjectId,
    by?.name,
    by?.how,
    by?.credential,
    by?.address,
  ]);
  t.deepEqual(told, [
    ['begun', first.id, 'viewer', 'password', first.id, '127.0.0.1'],
    ['ended', first.id, 'viewer', 'session', first.id, '127.0.0.1'],
    ['begun', second.id, 'viewer', 'password', second.id, '127.0.0.1'],
    ['revoked', second.id, 'root', 'password', undefined, '127.0.0.1'],
  ]);
});

test('of one user so many sessions last as one may have, the newest; also where many log in at once', async (t) => {
  const { clock, pass } = clockAt(BEGIN_MS);
  const nbi = await startNbi(t, { clock, sessionLimits: { inAllMax: 100, perUserMax: 3 } });
  const cookies: string[] = [];
  for (let count = 0; count < 5; count++) {
    cookies.push((await logIn(nbi, VIEWER)).cookie);
    pass(1_000);
  }
  t.deepEqual(await namesOf(nbi, cookies), [401, 401, 'viewer', 'viewer', 'viewer']);
  await Promise.all(Array.from({ length: 10 }, () => logIn(nbi, VIEWER)));
  t.is(await storedSessions(nbi).count({ index: 'user', equals: ['viewer'] }), 3);
});

test('of all users so many last as there may be, those used last; what is over is purged', async (t) => {
  const { clock, pass } = clockAt(BEGIN_MS);
  const nbi = await startNbi(t, { clock, sessionLimits: { inAllMax: 4, perUserMax: 32 } });
  const cookies: string[] = [];
  for (let count = 0; count < 6; count++) {
    cookies.push((await logIn(nbi, count % 2 === 0 ? VIEWER : OPERATOR)).cookie);
    pass(1_000);
  }
  t.deepEqual(await namesOf(nbi, cookies), [401, 401, 'viewer', 'api', 'viewer', 'api']);
  pass(HOUR_MS + 1);
  await logIn(nbi, VIEWER);
  t.is(await storedSessions(nbi).count(), 1);
});

function namesOf(nbi: TestNbi, cookies: readonly string[]): Promise<(string | number)[]> {
  return Promise.all(cookies.map((cookie) => whoIs(nbi, cookie)));
}

test('a password that is changed while somebody logs in by the old one gives no session that holds', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'eve', password: 'the first password', role: 'viewer' });
  const cookies: string[] = [];
  const logIns = Promise.all(
    Array.from({ length: 8 }, async () => cookies.push((await logIn(nbi, 'eve:the first password')).cookie)),
  );
  await nbi.users.setPassword('eve', 'the second password');
  await logIns;
  for (const cookie of cookies) t.is(await whoIs(nbi, cookie), 401);
});

test('a name, a password and a client of any length and kind are refused or cut', async (t) => {
  const nbi = await startNbi(t);
  const post = async (body: unknown, more: Readonly<Record<string, string>> = {}) =>
    (await nbi.call('/v1/session', { method: 'POST', as: null, json: body, headers: more })).status;
  for (const body of [
    [],
    'viewer',
    {},
    { name: 'viewer' },
    { name: 1, password: 'only looking' },
    { name: 'viewer', password: ['only looking'] },
    { name: 'x'.repeat(65), password: 'only looking' },
    { name: 'viewer', password: 'x'.repeat(1_025) },
    { name: 'viewer', password: 'only looking', more: 1 },
  ]) {
    t.is(await post(body), 400, JSON.stringify(body).slice(0, 50));
  }
  for (const name of ['../viewer', 'viewer\0', '__proto__', 'ü']) {
    t.is(await post({ name, password: 'only looking' }), 401, name);
  }
  t.is(await post({ name: 'viewer', password: 'only looking' }, { 'User-Agent': 'x'.repeat(5_000) }), 200);
  const { items } = await storedSessions(nbi).find({ limit: 10 });
  t.deepEqual(
    items.map(({ document }) => document.userAgent.length),
    [200],
  );
});

test('no answer has a header that lets a page of another origin read it', async (t: ExecutionContext) => {
  const nbi = await startNbi(t);
  const { cookie, token } = await logIn(nbi, OPERATOR);
  const origin = { Origin: 'http://other.example.net', 'Access-Control-Request-Method': 'DELETE' };
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE']) {
    for (const path of ['/v1/session', '/v1/images', JSON_PATH, '/v1/nothing']) {
      const { headers } = await fetch(nbi.url + path, {
        method,
        headers: { Cookie: cookie, 'X-CSRF-Token': token, ...origin },
      });
      t.deepEqual(
        [...headers.keys()].filter((name) => name.startsWith('access-control-')),
        [],
      );
      t.is(headers.get('Cache-Control'), 'no-store');
      t.is(headers.get('Content-Security-Policy'), "default-src 'none'; frame-ancestors 'none'");
    }
  }
});
