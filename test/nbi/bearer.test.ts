import { setTimeout as delay } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { DAY_MS } from '../../common/index.js';
import { EventLog } from '../../events/index.js';
import {
  type Reply,
  type RequestOptions,
  startNbi,
  type TestNbi,
  type TestNbiOptions,
  VIEWER,
} from './support.js';

const ADMIN = 'root:a test password';

async function start(t: ExecutionContext, options: TestNbiOptions = {}) {
  const nbi = await startNbi(t, options);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  return {
    nbi,
    async create(body: Readonly<Record<string, unknown>> = {}) {
      const json = { name: 'nightly job', user: 'api', ...body };
      const reply = await nbi.call('/v1/dyn/TokenStorage/.*', { method: 'POST', json, as: ADMIN });
      t.is(reply.status, 200, JSON.stringify(reply.body));
      return detailsOf(reply) as { readonly id: string; readonly token: string };
    },
  };
}

const detailsOf = ({ body }: Reply) => (body as { readonly details: unknown }).details;
const problemOf = (reply: Reply) => (detailsOf(reply) as readonly Record<string, unknown>[])[0];

function by(nbi: TestNbi, token: string, path = '/v1/images', options: RequestOptions = {}): Promise<Reply> {
  const headers = { ...options.headers, Authorization: `Bearer ${token}` };
  return nbi.call(path, { ...options, as: null, headers });
}

test('a token is shown once, and lets a script in as long as it is not revoked', async (t) => {
  const { nbi, create } = await start(t);
  const { id, token } = await create();
  t.is((await by(nbi, token)).status, 200);
  for (const path of ['/v1/dyn/TokenStorage/.*', `/v1/dyn/TokenStorage/${id}`]) {
    const listed = JSON.stringify((await nbi.call(path, { as: ADMIN })).body);
    t.true(listed.includes(id), path);
    t.notRegex(listed, /ferry_|hash/, path);
  }
  const { status } = await nbi.call(`/v1/dyn/TokenStorage/${id}`, { method: 'DELETE', as: ADMIN });
  t.is(status, 200);
  const refused = await by(nbi, token);
  t.is(refused.status, 401);
  t.is(
    refused.headers.get('WWW-Authenticate'),
    'Bearer realm="Ferry", error="invalid_token", Basic realm="Ferry", charset="UTF-8"',
  );
  t.false(JSON.stringify(nbi.log).includes(token.slice(-43)));
});

test('the scheme is read in any case, and a request that names none is told of Basic as ever', async (t) => {
  const { nbi, create } = await start(t);
  const { token } = await create();
  for (const header of [`bearer ${token}`, `BEARER   ${token}`]) {
    t.is((await nbi.call('/v1/images', { as: null, headers: { Authorization: header } })).status, 200);
  }
  for (const header of [`Bearer${token}`, `Token ${token}`, token]) {
    const { status, headers } = await nbi.call('/v1/images', {
      as: null,
      headers: { Authorization: header },
    });
    t.is(status, 401);
    t.is(headers.get('WWW-Authenticate'), 'Basic realm="Ferry", charset="UTF-8"');
  }
  t.is((await nbi.call('/v1/images', { as: `token:${token}` })).status, 401);
});

test('who may not is told what role it takes, and whether it is the token that is limited', async (t) => {
  const { nbi, create } = await start(t);
  const limited = await create({ role: 'viewer' });
  const forbidden = await by(nbi, limited.token, '/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: {} });
  t.is(forbidden.status, 403);
  t.deepEqual(problemOf(forbidden), {
    field: 'role',
    expected: 'operator: this token is limited to viewer; api may, by another one',
    found: 'viewer',
  });
  t.is(forbidden.headers.get('WWW-Authenticate'), 'Bearer realm="Ferry", error="insufficient_scope"');
  const full = await create();
  t.deepEqual(problemOf(await by(nbi, full.token, '/v1/dyn/TokenStorage/.*')), {
    field: 'role',
    expected: 'admin: ask an admin for it',
    found: 'operator',
  });
  // The user's own role comes down: what the token would still allow does not help.
  await nbi.users.change(['api'], { role: 'viewer' });
  t.is((await by(nbi, full.token, '/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: {} })).status, 403);
  await nbi.users.change(['api'], { active: false });
  t.is((await by(nbi, full.token)).status, 401);
});

test('a token expires by the wall’s clock', async (t) => {
  let nowMs = 1_743_412_600_000;
  const { nbi, create } = await start(t, { clock: () => nowMs, monotonic: () => 0 });
  const { token } = await create({ expiresAt: Math.floor((nowMs + DAY_MS) / 1_000) });
  nowMs += DAY_MS - 1;
  t.is((await by(nbi, token)).status, 200);
  nowMs += 1;
  const refused = await by(nbi, token);
  t.is(refused.status, 401);
  t.is(problemOf(refused)?.['expected'], 'a token that has not expired: have a new one made');
});

test('a subnet is that of the client: behind a proxy that is trusted what it says, else the proxy’s own', async (t) => {
  const trusting = await start(t, { trustedProxies: ['127.0.0.1'] });
  const token = (await trusting.create({ subnets: ['198.51.100.0/24'] })).token;
  const through = (nbi: TestNbi, shown: string, client: string) =>
    by(nbi, shown, '/v1/images', { headers: { 'X-Forwarded-For': client } });
  t.is((await through(trusting.nbi, token, '198.51.100.7')).status, 200);
  t.is((await through(trusting.nbi, token, '198.51.100.7, 203.0.113.1')).status, 401);
  t.is((await by(trusting.nbi, token)).status, 401);
  const alone = await start(t);
  const elsewhere = (await alone.create({ subnets: ['198.51.100.0/24'] })).token;
  t.is((await through(alone.nbi, elsewhere, '198.51.100.7')).status, 401, 'anybody can say so');
  const here = (await alone.create({ subnets: ['127.0.0.0/8'] })).token;
  t.is((await through(alone.nbi, here, '198.51.100.7')).status, 200);
});

test('wrong tokens are kept waiting after so many, and who has a password or a token that was right is not', async (t) => {
  const { nbi, create } = await start(t, { monotonic: () => 0 });
  const { token } = await create();
  t.is((await by(nbi, token)).status, 200);
  const wrong = `ferry_${'0'.repeat(20)}_${'A'.repeat(43)}`;
  for (let at = 0; at < 10; at++) t.is((await by(nbi, wrong)).status, 401);
  const throttled = await by(nbi, wrong);
  t.is(throttled.status, 429);
  t.is(throttled.headers.get('Retry-After'), '60');
  t.is((await by(nbi, token)).status, 200);
  t.is((await nbi.call('/v1/images', { as: VIEWER })).status, 200);
});

test('what is done by a token is known to be, by its id', async (t) => {
  const { nbi, create } = await start(t);
  const { id, token } = await create({ user: 'root' });
  const json = { name: 'made by a script', user: 'api' };
  const made = await by(nbi, token, '/v1/dyn/TokenStorage/.*', { method: 'POST', json });
  t.is(made.status, 200);
  const events = new EventLog({ store: nbi.store, clock: Date.now });
  const found = [];
  for await (const event of events.scan({ subject: 'token' })) found.push(event);
  t.like(found[0], {
    action: 'added',
    by: {
      name: 'root',
      how: 'token',
      credential: id,
      address: '127.0.0.1',
      requestId: made.headers.get('X-Request-Id') ?? '',
    },
  });
});

test('a refusal for want of a role is an event with who asked for what', async (t) => {
  const { nbi, create } = await start(t);
  const { id, token } = await create({ role: 'viewer' });
  await by(nbi, token, '/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: {} });
  await nbi.call('/v1/dyn/UserStorage/.*', { as: VIEWER });
  const events = new EventLog({ store: nbi.store, clock: Date.now });
  const refusals: unknown[] = [];
  // No request waits until they are written.
  while (refusals.length < 2) {
    refusals.length = 0;
    for await (const { action, subjectId, by: who, after } of events.scan({ subject: 'log-in' })) {
      if (action === 'refused') refusals.unshift([subjectId, who?.how, who?.credential, after]);
    }
    await delay(5);
  }
  t.deepEqual(refusals, [
    ['api', 'token', id, { reason: 'wrong-role', needed: 'operator' }],
    ['viewer', 'password', undefined, { reason: 'wrong-role', needed: 'admin' }],
  ]);
});
