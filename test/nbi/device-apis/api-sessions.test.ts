import test, { type ExecutionContext } from 'ava';
import { HOUR_MS, MINUTE_MS } from '../../../common/index.js';
import { USER_SESSIONS, type UserSession } from '../../../nbi/sessions/index.js';
import { OPERATOR, startNbi, type TestNbi, VIEWER } from '../support.js';
import { ask, boxApi, DOMAIN } from './box.js';

const KINDS = ['firmware-slots', 'system-update', 'sc-cloud'] as const;
type Kind = (typeof KINDS)[number];
const SHAPES: Readonly<Record<Kind, string>> = {
  'firmware-slots': '[0-9a-f]{40}',
  'system-update': '[A-Za-z0-9_-]{43}',
  'sc-cloud': '[A-Z]{32}',
};
const DEVICE = '/devices/00A1B2-HGW-S1';

async function start(t: ExecutionContext, options: Parameters<typeof startNbi>[1] = {}): Promise<TestNbi> {
  const nbi = await startNbi(t, {
    deviceDomain: DOMAIN,
    beside: (parts) => KINDS.map((kind) => boxApi(parts, kind)),
    ...options,
  });
  await nbi.putDevice({ serialNumber: 'S1', serialLabel: 's1' });
  // Sessions of one kind are of users for whom its log-in was switched on.
  for (const as of [OPERATOR, VIEWER]) {
    const [name = '', password = ''] = as.split(':');
    await nbi.users.change([name], { password, scCloud: true });
  }
  return nbi;
}

/** The cookie that a log-in gives, as a client sends it. */
async function logIn(nbi: TestNbi, kind: Kind, as = OPERATOR): Promise<string> {
  const { headers } = await ask(nbi.url, `${DEVICE}/api/${kind}/login`, { as });
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

async function statusAt(nbi: TestNbi, kind: Kind, cookie: string): Promise<number | undefined> {
  return (await ask(nbi.url, `${DEVICE}/api/${kind}/box`, { headers: { Cookie: cookie } })).status;
}

function clockAt(atMs: number) {
  let nowMs = atMs;
  return { clock: () => nowMs, pass: (ms: number) => (nowMs += ms) };
}

test("each API's cookie has the form that its clients know, and is for its own paths alone", async (t) => {
  const nbi = await start(t, { trustedProxies: ['127.0.0.1'] });
  for (const kind of KINDS) {
    const login = `/api/${kind}/login`;
    const value = `${kind}-id=${SHAPES[kind]}; `;
    const attributes = '; HttpOnly; SameSite=Strict';
    const given = async (path: string, headers = {}) =>
      (await ask(nbi.url, path, { as: OPERATOR, headers })).headers['set-cookie']?.[0] ?? '';
    const ofForm = (path: string, rest = '') => new RegExp(`^${value}Path=${path}${attributes}${rest}$`);
    t.regex(await given(`${DEVICE}${login}`), ofForm(`${DEVICE}/api`));
    t.regex(await given(login, { Host: `s1.${DOMAIN}` }), ofForm('/api'));
    t.regex(
      await given(login, { Host: `s1.${DOMAIN}`, 'X-Forwarded-Proto': 'https' }),
      ofForm('/api', '; Secure'),
    );
    t.regex(await given(`/devices/x;Domain=a.b${login}`), ofForm('/devices/x%3BDomain%3Da.b/api'));
  }
});

test('a session of one API is of no use in another, nor at pages, nor theirs in it', async (t) => {
  const nbi = await start(t);
  const page = await nbi.call('/v1/session', {
    method: 'POST',
    as: null,
    json: { name: 'api', password: 'correct horse' },
  });
  const [, secretOfPage = ''] = (page.headers.get('Set-Cookie') ?? '').split(';')[0]?.split('=') ?? [];
  const secrets = new Map<string, string>();
  for (const kind of KINDS) {
    const [, secret = ''] = (await logIn(nbi, kind)).split('=');
    secrets.set(kind, secret);
  }
  for (const kind of KINDS) {
    for (const [other, secret] of secrets) {
      t.is(
        await statusAt(nbi, kind, `${kind}-id=${secret}`),
        other === kind ? 200 : 401,
        `${other} at ${kind}`,
      );
    }
    t.is(await statusAt(nbi, kind, `${kind}-id=${secretOfPage}`), 401);
    const secret = secrets.get(kind) ?? '';
    for (const name of ['ferry-session', '__Host-ferry-session', 'sessionid']) {
      for (const path of ['/v1/session', '/v1/images']) {
        const { status } = await nbi.call(path, { as: null, headers: { Cookie: `${name}=${secret}` } });
        t.is(status, 401, `${kind} as ${name}`);
      }
      t.is(await nbi.sessions.principalOf(secret), null);
    }
    // Two of a name: one was planted.
    t.is(await statusAt(nbi, kind, `${kind}-id=${secret}; ${kind}-id=${secret}`), 401);
  }
});

test('a session of firmware slots ends after twenty minutes without a request and after twelve hours in all, others as those of pages', async (t) => {
  const { clock, pass } = clockAt(1_790_000_000_000);
  const nbi = await start(t, { clock });
  const [slots, update] = [await logIn(nbi, 'firmware-slots'), await logIn(nbi, 'system-update')];
  pass(20 * MINUTE_MS - 1);
  t.is(await statusAt(nbi, 'firmware-slots', slots), 200);
  await nbi.sessions.of('firmware-slots').principalOf(slots.split('=')[1] ?? '', '127.0.0.1');
  const lastUsed = async () => {
    const { items } = await nbi.store
      .collection<UserSession>(USER_SESSIONS)
      .find({ index: 'lastUsed', limit: 10 });
    return items.map(({ document }) => document).find(({ kind }) => kind === 'firmware-slots');
  };
  while ((await lastUsed())?.lastUsedAtMs !== clock()) await new Promise((resolve) => setImmediate(resolve));
  pass(20 * MINUTE_MS);
  t.is(await statusAt(nbi, 'firmware-slots', slots), 401);
  t.is(await statusAt(nbi, 'system-update', update), 200);
  // However much it is used: what is stored is put where that would have left it.
  const again = await logIn(nbi, 'firmware-slots');
  const stored = await lastUsedOf(nbi, again);
  pass(12 * HOUR_MS - 1);
  await stored(clock());
  t.is(await statusAt(nbi, 'firmware-slots', again), 200);
  pass(1);
  t.is(await statusAt(nbi, 'firmware-slots', again), 401);
});

/** Has the session of a cookie been used at a time, as a client does that asks all the while. */
async function lastUsedOf(nbi: TestNbi, cookie: string): Promise<(atMs: number) => Promise<void>> {
  const principal = await nbi.sessions
    .of('firmware-slots')
    .principalOf(cookie.split('=')[1] ?? '', '127.0.0.1');
  const collection = nbi.store.collection<UserSession>(USER_SESSIONS);
  return async (atMs) => {
    const document = (await collection.get(principal?.credential ?? ''))?.document;
    if (document !== undefined) await collection.put({ ...document, lastUsedAtMs: atMs });
  };
}

test('another password, a user who is deactivated, and log-out end sessions of every kind at once', async (t) => {
  const nbi = await start(t);
  await nbi.users.add({ name: 'second', password: 'one of a kind', role: 'viewer', scCloud: true });
  for (const kind of KINDS) {
    const out = await logIn(nbi, kind, VIEWER);
    const { headers } = await ask(nbi.url, `${DEVICE}/api/${kind}/login`, {
      method: 'DELETE',
      headers: { Cookie: out },
    });
    t.regex(
      headers['set-cookie']?.[0] ?? '',
      new RegExp(`^${kind}-id=; Path=${DEVICE}/api; HttpOnly; SameSite=Strict; Max-Age=0$`),
    );
    t.is(await statusAt(nbi, kind, out), 401);
  }
  const all = new Map<Kind, string>();
  for (const kind of KINDS) all.set(kind, await logIn(nbi, kind, 'second:one of a kind'));
  for (const [kind, cookie] of all) t.is(await statusAt(nbi, kind, cookie), 200);
  await nbi.users.setPassword('second', 'another of a kind');
  for (const [kind, cookie] of all) t.is(await statusAt(nbi, kind, cookie), 401);
  for (const kind of KINDS) all.set(kind, await logIn(nbi, kind, 'second:another of a kind'));
  await nbi.users.change(['second'], { active: false });
  for (const [kind, cookie] of all) t.is(await statusAt(nbi, kind, cookie), 401);
});

test('lists show of which kind a session is, and every kind can be revoked', async (t) => {
  const nbi = await start(t);
  for (const kind of KINDS) await logIn(nbi, kind);
  const listed = (await nbi.call('/v1/sessions')).body as {
    readonly details: readonly { readonly id: string; readonly kind: string }[];
  };
  t.deepEqual(listed.details.map(({ kind }) => kind).sort(), [...KINDS].sort());
  for (const { id } of listed.details) {
    t.is((await nbi.call(`/v1/sessions/${id}`, { method: 'DELETE' })).status, 200);
  }
  t.deepEqual((await nbi.call('/v1/sessions')).body, { ...listed, details: [] });
});

test("many log-ins at one API end that user's oldest there, and none at a page", async (t) => {
  const nbi = await start(t, { sessionLimits: { inAllMax: 100, perUserMax: 2 } });
  const page = await nbi.call('/v1/session', {
    method: 'POST',
    as: null,
    json: { name: 'api', password: 'correct horse' },
  });
  const cookie = (page.headers.get('Set-Cookie') ?? '').split(';')[0] ?? '';
  const update = await logIn(nbi, 'system-update');
  const slots = [];
  for (let index = 0; index < 3; index++) slots.push(await logIn(nbi, 'firmware-slots'));
  t.is((await nbi.call('/v1/session', { as: null, headers: { Cookie: cookie } })).status, 200);
  t.is(await statusAt(nbi, 'system-update', update), 200);
  const statuses = await Promise.all(slots.map((each) => statusAt(nbi, 'firmware-slots', each)));
  t.is(statuses.filter((status) => status === 200).length, 2);
});

test('a log-in by GET is refused to pages of other sites, as are changes; reading is not', async (t) => {
  const nbi = await start(t);
  const own = `s1.${DOMAIN}`;
  const cookie = await logIn(nbi, 'firmware-slots');
  const statusOf = async (method: string, path: string, headers: Readonly<Record<string, string>>) =>
    (
      await ask(nbi.url, `/api/firmware-slots/${path}`, {
        method,
        as: OPERATOR,
        headers: { Host: own, ...headers },
      })
    ).status;
  for (const headers of [
    { Origin: 'http://other.example.net' },
    { Origin: `http://other.${DOMAIN}` },
    { Origin: 'null' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
  ]) {
    t.is(await statusOf('GET', 'login', headers), 403);
    t.is(await statusOf('HEAD', 'login', headers), 403);
    t.is(await statusOf('DELETE', 'login', { ...headers, Cookie: cookie }), 403);
    t.is(await statusOf('GET', 'box', headers), 200);
  }
  t.is(await statusOf('GET', 'login', { Origin: `http://${own}`, 'Sec-Fetch-Site': 'same-origin' }), 200);
  t.is(await statusOf('GET', 'login', { 'Sec-Fetch-Site': 'none' }), 200);
});
