import test, { type ExecutionContext } from 'ava';
import { byCommand } from '../../../events/index.js';
import {
  type Answered,
  COMMON,
  DOMAIN,
  errorOf,
  request,
  SERVICE,
  startSystemUpdate,
  type TestSystemUpdate,
  told,
} from './support.js';

const UPDATE = `${SERVICE}/update`;
const NO_SESSION = errorOf(401, 'AUTH_INVALID_SESSION', 'Cookie: a session in system_update_session: log in');
const NO_BEARER = errorOf(
  401,
  'AUTH_INVALID_TOKEN',
  'Authorization: a bearer that holds: ask oauth/token for one, with a token of the user as access code',
);

function credentials(as: string) {
  const [username = '', password = ''] = as.split(':');
  return { username, password };
}

function cookieOf({ headers }: Answered): string {
  return (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
}

const byToken = (code: string, more: Readonly<Record<string, string>> = {}) => ({
  as: null,
  headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({
    grant_type: 'access_code',
    assertion: `eyJhbGciOiJub25lIn0=.${code}.`,
    state: 's1',
    ...more,
  }).toString(),
});

async function bearerOf(t: ExecutionContext, { url }: TestSystemUpdate, code: string): Promise<string> {
  const { status, body } = await request(url, 'POST', `/devices/any${COMMON}/oauth/token`, byToken(code));
  t.is(status, 200, JSON.stringify(body));
  return (body as { readonly access_token: string }).access_token;
}

const showing = (bearer: string) => ({ as: null, headers: { Authorization: `Bearer ${bearer}` } });

test('by Basic each request shows name and password; wrong ones are refused', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('L1');
  t.is((await nbi.api(box, 'GET', UPDATE, { as: nbi.as.north.viewer })).status, 200);
  const text = 'Authorization: the name and password of a user (Basic authentication)';
  const wrong = await nbi.api(box, 'GET', UPDATE, { as: 'nobody:wrong' });
  t.deepEqual(told(wrong), errorOf(401, 'AUTH_INVALID_CREDENTIALS', text));
  const none = await nbi.api(box, 'GET', UPDATE, { as: null });
  t.deepEqual(told(none), errorOf(401, 'AUTH_REQUIRED', text));
  t.is(none.headers['www-authenticate'], 'Basic realm="Ferry", charset="UTF-8"');
  t.deepEqual(
    told(await nbi.api(box, 'POST', `${UPDATE}/init`, { as: nbi.as.north.viewer })),
    errorOf(403, 'AUTH_FORBIDDEN', 'role: operator: ask an admin for it, found viewer'),
  );
});

test('login begins a session that its cookie names, below the API of the device, until logout', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('L2');
  const login = await nbi.api(box, 'POST', `${COMMON}/login`, {
    as: null,
    json: credentials(nbi.as.north.operator),
  });
  t.deepEqual(told(login), { status: 204, body: '' });
  t.regex(
    String(login.headers['set-cookie']),
    new RegExp(
      `^system_update_session=[\\w-]{43}; Path=/devices/${box.cpeid}/api; HttpOnly; SameSite=Strict$`,
    ),
  );
  const session = { as: null, headers: { Cookie: cookieOf(login) } };
  t.is((await nbi.api(box, 'GET', UPDATE, session)).status, 200);
  t.is((await nbi.api(box, 'POST', `${UPDATE}/reset`, session)).status, 204);
  const out = await nbi.api(box, 'POST', `${COMMON}/logout`, session);
  t.deepEqual(told(out), { status: 204, body: '' });
  t.is(
    String(out.headers['set-cookie']),
    `system_update_session=; Path=/devices/${box.cpeid}/api; HttpOnly; SameSite=Strict; Max-Age=0`,
  );
  const over = await nbi.api(box, 'GET', UPDATE, session);
  t.deepEqual(told(over), NO_SESSION);
  t.is(over.headers['www-authenticate'], 'Cookie realm="Ferry", cookie-name="system_update_session"');
  t.true(String(over.headers['set-cookie']).endsWith('Max-Age=0'));
  const byHost = await request(nbi.url, 'POST', `${COMMON}/login`, {
    json: credentials(nbi.as.north.operator),
    headers: { Host: `l2.${DOMAIN}` },
  });
  t.regex(String(byHost.headers['set-cookie']), /; Path=\/api; HttpOnly; SameSite=Strict$/);
});

test('login refuses wrong passwords, other bodies, and what pages of other sites send', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('L3');
  const login = async (json: unknown, headers = {}) =>
    told(await nbi.api(box, 'POST', `${COMMON}/login`, { as: null, json, headers }));
  t.deepEqual(
    await login({ username: 'nobody', password: 'wrong' }),
    errorOf(401, 'AUTH_INVALID_CREDENTIALS', 'password: the name and password of a user'),
  );
  t.deepEqual(
    await login({ username: 'nobody' }),
    errorOf(400, 'REQUEST_INVALID_INPUT', 'password: the password of that user'),
  );
  t.deepEqual(
    await login(credentials(nbi.as.north.operator), { 'Sec-Fetch-Site': 'cross-site' }),
    errorOf(
      403,
      'AUTH_FORBIDDEN',
      'Sec-Fetch-Site: same-origin: pages of other sites change nothing here, found "cross-site"',
    ),
  );
});

test('oauth/token gives a bearer for a token of a user, who may do by it what the token may', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('L4');
  const [user = ''] = nbi.as.north.admin.split(':');
  const { text, token } = await nbi.users.tokens.create({ name: 'viewing', user, role: 'viewer' }, null);
  const given = await nbi.api(box, 'POST', `${COMMON}/oauth/token`, byToken(text));
  t.is(given.status, 200);
  const { access_token, ...rest } = given.body as { readonly access_token: string };
  t.regex(access_token, /^[\w-]{43}$/);
  t.deepEqual(rest, { token_type: 'Bearer', expires_in: 43_200, state: 's1' } as unknown as typeof rest);
  t.is((await nbi.api(box, 'GET', UPDATE, showing(access_token))).status, 200);
  t.deepEqual(
    told(await nbi.api(box, 'POST', `${UPDATE}/reset`, showing(access_token))),
    errorOf(403, 'AUTH_FORBIDDEN', 'role: operator: ask an admin for it, found viewer'),
  );
  await nbi.users.tokens.revoke(token.id, byCommand('test'));
  t.deepEqual(told(await nbi.api(box, 'GET', UPDATE, showing(access_token))), NO_BEARER);
});

test('a bearer is none from where its token may not be used, in the header and as a cookie', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('L9');
  const [user = ''] = nbi.as.north.operator.split(':');
  const token = async (more: object) =>
    (await nbi.users.tokens.create({ name: 'test', user, ...more }, null)).token.id;
  const shown = async (id: string) => {
    const found = await nbi.users.find(user);
    if (found === null) throw new Error('There is no such user');
    const { cookie } = await nbi.sessions
      .of('system-update')
      .begin({ user: found, address: '192.0.2.1', userAgent: '', requestId: 'r', replaced: [], token: id });
    const asCookie = { as: null, headers: { Cookie: `system_update_session=${cookie}` } };
    return [
      told(await nbi.api(box, 'GET', UPDATE, showing(cookie))),
      told(await nbi.api(box, 'GET', UPDATE, asCookie)),
    ];
  };
  t.deepEqual(await shown(await token({ subnets: ['192.0.2.0/24'] })), [NO_BEARER, NO_SESSION]);
  const here = await shown(await token({ subnets: ['127.0.0.0/8', '::1'] }));
  t.deepEqual(
    here.map(({ status }) => status),
    [200, 200],
  );
});

test('a bearer holds from where its token may be used, as long as that holds, and until logout', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('L5');
  const [user = ''] = nbi.as.north.operator.split(':');
  const make = (more: object) => nbi.users.tokens.create({ name: 'test', user, ...more }, null);
  const elsewhere = await make({ subnets: ['192.0.2.0/24'] });
  const refused = errorOf(
    401,
    'AUTH_INVALID_TOKEN',
    'assertion: a token of a user who is active, that holds, from where it may be used',
  );
  t.deepEqual(told(await nbi.api(box, 'POST', `${COMMON}/oauth/token`, byToken(elsewhere.text))), refused);
  const short = await make({ expiresAtMs: nbi.tick() + 60_000 });
  const given = await nbi.api(box, 'POST', `${COMMON}/oauth/token`, byToken(short.text));
  t.like(given.body, { expires_in: 60 });
  const bearer = (given.body as { readonly access_token: string }).access_token;
  t.is((await nbi.api(box, 'GET', UPDATE, showing(bearer))).status, 200);
  nbi.tick(60_001);
  t.deepEqual(told(await nbi.api(box, 'GET', UPDATE, showing(bearer))), NO_BEARER);
  const another = await bearerOf(t, nbi, (await make({})).text);
  t.is((await nbi.api(box, 'POST', `${COMMON}/logout`, showing(another))).status, 204);
  t.deepEqual(told(await nbi.api(box, 'GET', UPDATE, showing(another))), NO_BEARER);
});

test('oauth/token refuses other grants and forms', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('L6');
  const ask = async (more: Readonly<Record<string, string>>) =>
    told(await nbi.api(box, 'POST', `${COMMON}/oauth/token`, byToken('code', more)));
  t.deepEqual(
    await ask({ grant_type: 'password' }),
    errorOf(400, 'REQUEST_INVALID_INPUT', 'grant_type: access_code, found "password"'),
  );
  for (const assertion of ['code', 'a.b', 'a.b.c', 'a..', 'a.b.c.d'])
    t.deepEqual(
      await ask({ assertion }),
      errorOf(400, 'REQUEST_INVALID_INPUT', 'assertion: a header, a dot, the access code and a dot'),
    );
  t.is((await nbi.api(box, 'POST', `${COMMON}/oauth/token`, { as: null, json: {} })).status, 415);
});

test('what logs in here is of no use elsewhere, and what logs in elsewhere none here', async (t) => {
  const nbi = await startSystemUpdate(t);
  const box = await nbi.box('L7');
  const login = await nbi.api(box, 'POST', `${COMMON}/login`, {
    as: null,
    json: credentials(nbi.as.north.operator),
  });
  const [, secret = ''] = cookieOf(login).split('=');
  for (const headers of [
    { Authorization: `Bearer ${secret}` },
    { Cookie: `ferry-session=${secret}` },
    { Cookie: `session_id=${secret}` },
    { Cookie: cookieOf(login) },
  ])
    t.is((await request(nbi.url, 'GET', '/v1/session', { headers })).status, 401);
  t.deepEqual(told(await nbi.api(box, 'GET', UPDATE, showing(nbi.tokens.north.operator))), NO_BEARER);
  const page = await request(nbi.url, 'POST', '/v1/session', {
    json: {
      name: credentials(nbi.as.north.operator).username,
      password: credentials(nbi.as.north.operator).password,
    },
  });
  const [, ofPage = ''] = cookieOf(page).split('=');
  t.deepEqual(
    told(
      await nbi.api(box, 'GET', UPDATE, { as: null, headers: { Cookie: `system_update_session=${ofPage}` } }),
    ),
    NO_SESSION,
  );
});
