import test, { type ExecutionContext } from 'ava';
import { FAILED_LOGINS_MAX } from '../../nbi/users/attempts.js';
import { OPERATOR, type Reply, startNbi, VIEWER } from './support.js';

const ADMIN = 'root:a test password';
const NAMES = ['UserStorage', 'AuthStorage'] as const;

async function start(t: ExecutionContext) {
  const nbi = await startNbi(t, { monotonic: () => 0 });
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  const storage = (name: string, pattern: string, method = 'GET', json?: unknown, as = ADMIN) =>
    nbi.call(`/v1/dyn/${name}/${pattern}`, { method, as, ...(json !== undefined && { json }) });
  return { nbi, storage };
}

const detailsOf = ({ body }: Reply) => (body as { readonly details: unknown }).details;

test('UserStorage and AuthStorage are the same users, each answering in its own name', async (t) => {
  const { storage } = await start(t);
  for (const [name, other] of [NAMES, NAMES.toReversed()] as const) {
    const made = { name: 'oss', role: 'viewer', password: 'correct horse' };
    const answer = await storage(String(name), '.*', 'POST', made);
    t.deepEqual(answer.body, { code: 204, message: `response from ${name}`, details: '' });
    const lists = [await storage(String(name), '.*'), await storage(String(other), '.*')];
    t.deepEqual(lists.map(detailsOf)[0], lists.map(detailsOf)[1]);
    t.like(detailsOf(lists[0] as Reply), [
      { id: 'api', role: 'operator', active: true },
      { id: 'oss', name: 'oss', role: 'viewer', active: true },
      { id: 'root', role: 'admin' },
      { id: 'viewer' },
    ]);
    t.notRegex(JSON.stringify(lists), /password|scrypt|salt|horse/);
    t.is((await storage(String(other), 'oss', 'DELETE')).status, 200);
    t.is((await storage(String(name), 'oss')).status, 404);
  }
});

test('users are added, changed by what is named, and log in by it at once', async (t) => {
  const { nbi, storage } = await start(t);
  const post = (json: unknown) => storage('UserStorage', '.*', 'POST', json);
  const statusAs = async (as: string) => (await nbi.call('/v1/images', { as })).status;
  t.is((await post({ name: 'oss', password: 'correct horse' })).status, 200);
  t.like(detailsOf(await storage('UserStorage', 'oss')), [{ role: 'operator', active: true }]);
  t.is(await statusAs('oss:correct horse'), 200);
  t.is((await post({ name: 'oss', active: false })).status, 200);
  t.is(await statusAs('oss:correct horse'), 401);
  t.is((await storage('UserStorage', 'oss', 'PUT', { active: true, role: 'viewer' })).status, 200);
  t.is(await statusAs('oss:correct horse'), 200);
  t.is((await post({ name: 'oss', password: 'staple battery' })).status, 200);
  t.is(await statusAs('oss:correct horse'), 401);
  t.is(await statusAs('oss:staple battery'), 200);
  t.like(detailsOf(await storage('UserStorage', 'oss')), [{ role: 'viewer', active: true }]);
  // An admin's own, too.
  t.is((await post({ name: 'root', password: 'another password' })).status, 200);
  t.is(await statusAs(ADMIN), 401);
  t.is(await statusAs('root:another password'), 200);
});

test('the last admin stays, by either name and every way, and with him whoever was to change with him', async (t) => {
  const { storage } = await start(t);
  for (const name of NAMES) {
    for (const [method, pattern, json] of [
      ['DELETE', 'root', undefined],
      ['DELETE', '.*?all=true', undefined],
      ['PUT', 'root', { role: 'operator' }],
      ['PUT', 'a.*%7Croot', { active: false }],
      ['POST', '.*', { name: 'root', active: false }],
    ] as const) {
      const reply = await storage(name, pattern, method, json);
      t.is(reply.status, 409, `${method} ${pattern}`);
      t.like(detailsOf(reply), [
        {
          code: 'last-admin',
          expected: 'root is the last admin who is active: make another user one first',
        },
      ]);
    }
  }
  const all = detailsOf(await storage('UserStorage', '.*')) as readonly { readonly active: boolean }[];
  t.deepEqual(
    all.map(({ active }) => active),
    [true, true, true],
  );
});

test('a user of any role gives himself another password by the old one, and nobody without that', async (t) => {
  const { nbi } = await start(t);
  for (const [name, password] of [OPERATOR, VIEWER, ADMIN].map((each) => each.split(':'))) {
    const change = (oldPassword: unknown, newPassword: unknown, as = `${name}:${password}`) =>
      nbi.call('/v1/method/ChangePassword', { method: 'POST', json: { oldPassword, newPassword }, as });
    t.is((await change('not it', 'a new password')).status, 400);
    t.is((await change(password, 'short')).status, 400);
    t.is((await change(password, 'a new password')).status, 200);
    t.is((await change('a new password', 'yet another one')).status, 401);
    t.is((await change('a new password', String(password), `${name}:a new password`)).status, 200);
  }
  const guess = (at: number) =>
    nbi.call('/v1/method/ChangePassword', {
      method: 'POST',
      json: { oldPassword: `guess ${at}`, newPassword: 'a new password' },
      as: VIEWER,
    });
  // Two were wrong above, one at the log-in: they are counted together.
  for (let at = 0; at < FAILED_LOGINS_MAX - 2; at++) t.is((await guess(at)).status, 400);
  const throttled = await guess(FAILED_LOGINS_MAX);
  t.is(throttled.status, 429);
  t.is(throttled.headers.get('Retry-After'), '60');
});

test('no answer and no line of the log repeats a password', async (t) => {
  const { nbi, storage } = await start(t);
  const replies = [
    await storage('UserStorage', '.*', 'POST', { name: 'x', password: 'Zq7' }),
    await storage('UserStorage', '.*', 'POST', { name: 'x', password: ['Zq7 Zq7 Zq7'] }),
    await storage('UserStorage', 'viewer', 'PUT', { password: `Zq7${'x'.repeat(2_000)}` }),
    await storage('UserStorage', '.*', 'POST', { name: 'x', password: 'Zq7 Zq7 Zq7\n' }),
    await nbi.call('/v1/method/ChangePassword', {
      method: 'POST',
      json: { oldPassword: 'Zq7 Zq7', newPassword: 'Zq7\tZq7 Zq7' },
    }),
  ];
  t.deepEqual(
    replies.map(({ status }) => status),
    [400, 400, 400, 400, 400],
  );
  t.notRegex(JSON.stringify([replies.map(({ body }) => body), nbi.log]), /Zq7/);
});
