import test from 'ava';
import { MINUTE_MS } from '../../../common/index.js';
import { BOX, errorOf, startSlots } from './support.js';

const basic = (credentials: string) => ({
  Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
});

test('a name and password are answered 200 with meta and a cookie of 40 hexadecimal digits', async (t) => {
  const at = await startSlots(t);
  const answer = await at.ask('GET', '/api/authentication', {
    cookie: null,
    headers: basic(at.as.north.viewer),
  });
  t.is(answer.status, 200);
  t.deepEqual(answer.body, {
    meta: {
      firmware: `${BOX}/api/firmware`,
      href: `${BOX}/api/authentication`,
      login_methods: `${BOX}/api/authentication/login_methods`,
      parent: `${BOX}/api`,
    },
  });
  t.is(answer.headers.get('Allow'), 'GET, DELETE');
  t.is(answer.headers.get('Content-Language'), 'en');
  t.is(answer.headers.get('Content-Type'), 'application/json');
  const cookie = answer.headers.get('Set-Cookie') ?? '';
  t.regex(
    cookie,
    /^session_id=[0-9a-f]{40}; Path=\/devices\/00A1B2-HGW-000123\/api; HttpOnly; SameSite=Strict$/,
  );
  const [session = ''] = cookie.split(';');
  t.is((await at.ask('GET', '/api/firmware', { cookie: session })).status, 200);
});

test('a wrong password, and none, is 401 with the challenge of Basic', async (t) => {
  const at = await startSlots(t);
  for (const headers of [
    {},
    basic('viewer@north:wrong'),
    basic('nobody:wrong'),
    { Authorization: 'Basic !' },
  ]) {
    const answer = await at.ask('GET', '/api/authentication', { cookie: null, headers });
    t.is(answer.status, 401);
    t.is(answer.headers.get('WWW-Authenticate'), 'Basic realm="Ferry", charset="UTF-8"');
    t.deepEqual(answer.body, {
      error: {
        details: {
          path: 'Authorization',
          expected: 'the name and password of a user (Basic authentication)',
        },
        message: 'Authentication is required, or has failed',
        type: 'AuthenticationFailure',
      },
      meta: { href: `${BOX}/api/authentication`, parent: `${BOX}/api` },
    });
    t.is(answer.headers.get('Set-Cookie'), null);
  }
});

test('a password lets in nowhere but where a session begins, and a session of another API nowhere', async (t) => {
  const at = await startSlots(t);
  const before = await at.ask('GET', '/api/firmware/slots', {
    cookie: null,
    headers: basic(at.as.north.admin),
  });
  t.is(before.status, 401);
  t.is(before.headers.get('WWW-Authenticate'), 'Cookie realm="Ferry", cookie-name="session_id"');
  const other = await at.sessionOf('admin@north', 'system-update');
  t.is((await at.ask('GET', '/api/firmware/slots', { cookie: other })).status, 401);
  const wrong = await at.ask('GET', '/api/firmware/slots', { cookie: `session_id=${'0'.repeat(40)}` });
  t.is(wrong.status, 401);
  t.is(
    wrong.headers.get('Set-Cookie'),
    'session_id=; Path=/devices/00A1B2-HGW-000123/api; HttpOnly; SameSite=Strict; Max-Age=0',
  );
});

test('a session ends 20 minutes after its last request, 12 hours after it began, and by DELETE', async (t) => {
  const at = await startSlots(t);
  const slots = (cookie: string) => at.ask('GET', '/api/firmware/slots', { cookie });
  const idle = await at.sessionOf('viewer@north');
  at.tick(19 * MINUTE_MS);
  t.is((await slots(idle)).status, 200);
  at.tick(21 * MINUTE_MS);
  t.is((await slots(idle)).status, 401);

  const left = await at.sessionOf('viewer@north');
  const out = await at.ask('DELETE', '/api/authentication', { cookie: left });
  t.is(out.status, 200);
  t.deepEqual(out.body, { meta: { href: `${BOX}/api/authentication`, parent: `${BOX}/api` } });
  t.regex(out.headers.get('Set-Cookie') ?? '', /^session_id=; .*Max-Age=0$/);
  t.is((await slots(left)).status, 401);
});

test('a log-in at a device that is not seen is 404 once the password is right, and begins no session', async (t) => {
  const at = await startSlots(t);
  const paths = [`${BOX}/api/authentication`, '/devices/no-such/api/authentication'];
  for (const path of paths) {
    t.is((await at.ask('GET', path, { cookie: null })).status, 401);
    const answer = await at.ask('GET', path, { cookie: null, headers: basic(at.as.south.admin) });
    t.is(answer.status, 404);
    t.is(answer.headers.get('Set-Cookie'), null);
    t.is(errorOf(answer)[1], 'ResourceNotFound');
  }
  t.deepEqual(await at.sessions.ofUser('admin@south'), []);
});

test('the ways to log in are Basic alone, under both names', async (t) => {
  const at = await startSlots(t);
  for (const name of ['login_methods', 'types']) {
    const { status, body } = await at.ask('GET', `/api/authentication/${name}`);
    t.is(status, 200);
    t.deepEqual(body, {
      items: [{ key: 'basic', meta: { href: `${BOX}/api/authentication` } }],
      meta: { href: `${BOX}/api/authentication/${name}`, parent: `${BOX}/api/authentication` },
    });
  }
});

test('a page of another site logs nobody in', async (t) => {
  const at = await startSlots(t);
  const headers = { ...basic(at.as.north.admin), 'Sec-Fetch-Site': 'cross-site' };
  const answer = await at.ask('GET', '/api/authentication', { cookie: null, headers });
  t.is(answer.status, 403);
  t.is(errorOf(answer)[1], 'Unauthorized');
});
