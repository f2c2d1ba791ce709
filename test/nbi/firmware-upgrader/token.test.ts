import test from 'ava';
import { byCommand } from '../../../events/index.js';
import { ask as askAt, fieldOf, startUpgrader } from './support.js';

const TOKEN = '/api/v1/users/token/';
const DENIED = '{"non_field_errors":["Unable to log in with provided credentials."]}';
const by = byCommand('test');

async function start(
  t: Parameters<typeof startUpgrader>[0],
  options: Parameters<typeof startUpgrader>[1] = {},
) {
  const upgrader = await startUpgrader(t, {
    ...options,
    firmwareUpgrader: { tokenRequestsPerDayMax: 0, ...options.firmwareUpgrader },
  });
  const [username = '', password = ''] = upgrader.as.north.operator.split(':');
  const obtain = (credentials: Readonly<Record<string, string>> = { username, password }) =>
    upgrader.ask('POST', TOKEN, { json: credentials, token: null });
  const tokenOf = async (credentials?: Readonly<Record<string, string>>) =>
    String(fieldOf((await obtain(credentials)).body, 'token'));
  const isRight = async (token: string) => (await upgrader.ask('GET', 'category/', { token })).status === 200;
  return { ...upgrader, username, password, obtain, tokenOf, isRight };
}

test('who shows his password is given his one permanent token, as JSON or by a form, whatever else he shows', async (t) => {
  const { ask, obtain, isRight, username, password, users } = await start(t);
  const answer = await obtain();
  t.is(answer.status, 200);
  const token = String(fieldOf(answer.body, 'token'));
  t.regex(token, /^[0-9a-f]{40}$/);
  t.is(answer.text, JSON.stringify({ token }));
  t.is(answer.headers.get('Allow'), 'POST, OPTIONS');
  t.true(await isRight(token));
  const form = await ask('POST', TOKEN, { form: { username, password }, token: 'wrong' });
  t.is(form.text, answer.text);
  const all = [];
  for await (const each of users.tokens.scan({ user: username })) all.push(each);
  const permanent = all.filter(({ expiresAtMs }) => expiresAtMs === null);
  t.is(permanent.length, 1);
  t.false(JSON.stringify(permanent).includes(token));
});

test('a wrong password, an unknown user and one who may not log in are 400, and told the same', async (t) => {
  const { ask, obtain, username, password, users } = await start(t);
  for (const credentials of [
    { username, password: 'wrong password' },
    { username: 'nobody', password },
    { username: 'no/name', password },
    { username, password: `${password} ` },
  ]) {
    const answer = await obtain(credentials);
    t.is(answer.status, 400, JSON.stringify(credentials));
    t.is(answer.text, DENIED);
  }
  await users.change([username], { active: false }, by);
  t.is((await obtain()).text, DENIED);
  for (const [json, problems] of [
    [{}, { username: ['This field is required.'], password: ['This field is required.'] }],
    [
      { username: '', password: null },
      { username: ['This field may not be blank.'], password: ['This field may not be null.'] },
    ],
    [[], { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] }],
  ] as const) {
    const answer = await ask('POST', TOKEN, { json, token: null });
    t.is(answer.status, 400);
    t.is(answer.text, JSON.stringify(problems));
  }
});

test('it is asked for by POST alone, and OPTIONS tells of it', async (t) => {
  const { ask } = await start(t);
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const answer = await ask(method, TOKEN, { token: null });
    t.is(answer.status, 405, method);
    t.is(answer.text, `{"detail":"Method \\"${method}\\" not allowed."}`);
    t.is(answer.headers.get('Allow'), 'POST, OPTIONS');
  }
  const options = await ask('OPTIONS', TOKEN, { token: null });
  t.is(options.status, 200);
  t.like(options.body, { name: 'Obtain Auth Token', renders: ['application/json', 'text/html'] });
  t.is((await ask('POST', TOKEN.slice(0, -1), { token: null })).status, 301);
});

test('a new password, and revoking it, make the token another', async (t) => {
  const { tokenOf, isRight, username, password, users } = await start(t);
  const first = await tokenOf();
  await users.setPassword(username, 'another password', by);
  t.false(await isRight(first));
  const second = await tokenOf({ username, password: 'another password' });
  t.not(second, first);
  t.true(await isRight(second));
  // The same again is another all the same.
  await users.setPassword(username, password, by);
  t.false(await isRight(second));
  const third = await tokenOf();
  t.not(third, first);
  const ids = [];
  for await (const { id, expiresAtMs } of users.tokens.scan({ user: username }))
    if (expiresAtMs === null) ids.push(id);
  t.is(ids.length, 1);
  await users.tokens.revoke(ids[0] ?? '', by);
  t.false(await isRight(third));
  const fourth = await tokenOf();
  t.not(fourth, third);
  t.true(await isRight(fourth));
  t.is(await tokenOf(), fourth);
});

test('a token does what its user may at that time, and nothing once he may not log in', async (t) => {
  const { ask, tokenOf, username, users, north } = await start(t);
  const token = await tokenOf();
  const add = (name: string) => ask('POST', 'category/', { json: { name, organization: north.id }, token });
  t.is((await add('one')).status, 201);
  await users.change([username], { role: 'viewer' }, by);
  t.is((await add('two')).status, 403);
  await users.change([username], { role: 'admin' }, by);
  t.is((await add('three')).status, 201);
  await users.change([username], { active: false }, by);
  const inactive = await ask('GET', 'category/', { token });
  t.is(inactive.status, 401);
  t.is(inactive.text, '{"detail":"User inactive or deleted."}');
  await users.remove([username], by);
  const removed = await ask('GET', 'category/', { token });
  t.is(removed.text, '{"detail":"Invalid token."}');
});

test('a token is asked for so often a day from one address; wrong passwords are bounded by themselves', async (t) => {
  let nowMs = 0;
  const limited = await start(t, { firmwareUpgrader: { tokenRequestsPerDayMax: 2 }, monotonic: () => nowMs });
  t.is((await limited.obtain()).status, 200);
  t.is((await limited.obtain({ username: 'nobody', password: 'x' })).status, 400);
  const refused = await limited.obtain();
  t.is(refused.status, 429);
  t.is(refused.text, '{"detail":"Request was throttled. Expected available in 86400 seconds."}');
  t.is(refused.headers.get('Retry-After'), '86400');
  nowMs = 24 * 60 * 60 * 1_000;
  t.is((await limited.obtain()).status, 200);
});

test('that a token was given and revoked is kept, with who was given it', async (t) => {
  const { tokenOf, username, events } = await start(t);
  await tokenOf();
  await tokenOf();
  const noted = [];
  for await (const each of events.scan({ subject: 'token' }))
    if (each.by?.name === username) noted.push(each);
  t.is(noted.length, 1);
  t.like(noted[0], { action: 'added', subject: 'token', by: { how: 'password' } });
});

test('a token of the other APIs is taken here, and this one there', async (t) => {
  const { ask, tokenOf, url } = await start(t);
  t.is((await ask('GET', 'category/')).status, 200);
  const token = await tokenOf();
  t.is((await askAt(`${url}/v1/images`, 'GET', { token })).status, 200);
});

test('who showed a password that is another by now is given no token of the new one', async (t) => {
  const { users, username } = await start(t);
  const shown = await users.find(username);
  if (shown === null) throw new Error('There is no such user');
  const before = await users.tokens.permanent(shown, by);
  t.is((await users.tokens.permanent(shown, by))?.text, before?.text);
  await users.change([username], { password: 'another password' }, by);
  t.is(await users.tokens.permanent(shown, by), null);
  const now = await users.find(username);
  if (now === null) throw new Error('There is no such user');
  t.is(await users.tokens.permanent({ ...now, createdAtMs: now.createdAtMs - 1 }, by), null);
  t.not((await users.tokens.permanent(now, by))?.text, before?.text);
});

test('a permanent token is listed with the role that its user has', async (t) => {
  const { users, as, tokenOf } = await start(t);
  for (const role of ['viewer', 'operator', 'admin'] as const) {
    const [username = '', password = ''] = as.north[role].split(':');
    await tokenOf({ username, password });
    const roles = [];
    for await (const each of users.tokens.scan({ user: username }))
      if (each.expiresAtMs === null) roles.push(each.role);
    t.deepEqual(roles, [role]);
  }
});

test('what is noted of a permanent token whose user is removed has the role that he had', async (t) => {
  const { users, as, tokenOf, events } = await start(t);
  const [username = '', password = ''] = as.north.viewer.split(':');
  await tokenOf({ username, password });
  await users.remove(username, by);
  const roles = [];
  for await (const { action, before } of events.scan({ subject: 'token' }))
    if (action === 'revoked' && before?.['expiresAtMs'] === null) roles.push(before['role']);
  t.deepEqual(roles, ['viewer']);
});
