import test from 'ava';
import { USERS, type UserDocument } from '../../../nbi/users/user.js';
import { fieldOf, form, md5, PASSWORD, startCloud } from './support.js';

const ANOTHER = 'another test password';

test('the log-in is off unless it is switched on with a password, and goes with it', async (t) => {
  const { ask, call, users, store } = await startCloud(t);
  const admin = { as: `admin.all:${PASSWORD}` };
  const mayLogIn = async (password: string) =>
    fieldOf((await ask('login', { body: form({ id: 'oss', pass: md5(password) }) })).body, 'result') === 0;
  const change = async (json: unknown) =>
    (await call('/v1/dyn/UserStorage/oss', { method: 'PUT', json, ...admin })).status;
  const shown = async () => {
    const { body } = await call('/v1/dyn/UserStorage/oss', admin);
    return (body as { details: { scCloud: boolean }[] }).details[0]?.scCloud;
  };
  const kept = async () => (await store.collection<UserDocument>(USERS).get('oss'))?.document.digestLogin;

  await users.add({ name: 'oss', password: PASSWORD, role: 'operator' });
  t.deepEqual([await shown(), await mayLogIn(PASSWORD), await kept()], [false, false, undefined]);

  const refused = await call('/v1/dyn/UserStorage/oss', { method: 'PUT', json: { scCloud: true }, ...admin });
  t.is(refused.status, 400);
  t.is((refused.body as { details: { field: string }[] }).details[0]?.field, 'scCloud');

  t.is(await change({ scCloud: true, password: PASSWORD }), 200);
  t.deepEqual([await shown(), await mayLogIn(PASSWORD)], [true, true]);
  t.is(await change({ scCloud: true }), 200);

  // Every other way to another password renews it.
  t.is(await change({ password: ANOTHER }), 200);
  t.deepEqual([await mayLogIn(PASSWORD), await mayLogIn(ANOTHER)], [false, true]);
  const json = { oldPassword: ANOTHER, newPassword: PASSWORD };
  t.is((await call('/v1/method/ChangePassword', { method: 'POST', json, as: `oss:${ANOTHER}` })).status, 200);
  t.deepEqual([await shown(), await mayLogIn(ANOTHER), await mayLogIn(PASSWORD)], [true, false, true]);

  t.is(await change({ scCloud: false }), 200);
  t.deepEqual([await shown(), await mayLogIn(PASSWORD), await kept()], [false, false, undefined]);
});

test('what is kept is neither the password nor its MD5, and is of no use with another password', async (t) => {
  const { ask, store } = await startCloud(t);
  const users = store.collection<UserDocument>(USERS);
  const stored = await users.get('admin@north');
  const text = JSON.stringify(stored?.document);
  t.false(text.includes(PASSWORD));
  t.false(text.includes(md5(PASSWORD)));
  // As a version would leave it that knows nothing of it.
  const other = await users.get('admin.all');
  if (stored === null || other === null) throw new Error('They are not there');
  const password = { ...stored.document.password, salt: 'AAAAAAAAAAAAAAAAAAAAAA==' };
  await users.put({ ...stored.document, password });
  const reply = await ask('login', { body: form({ id: 'admin@north', pass: md5(PASSWORD) }) });
  t.is(fieldOf(reply.body, 'result'), -1);
});

test('the digest is no password elsewhere, and the password none here', async (t) => {
  const { ask, call } = await startCloud(t);
  t.is((await call('/v1/images', { as: `admin.all:${md5(PASSWORD)}` })).status, 401);
  t.is((await call('/v1/images', { as: `admin.all:${PASSWORD}` })).status, 200);
  const reply = await ask('login', { body: form({ id: 'admin.all', pass: PASSWORD }) });
  t.is(fieldOf(reply.body, 'result'), -1);
});

test('switching it on and off is an event that says who, without anything of the password', async (t) => {
  const { call, events } = await startCloud(t);
  const admin = { as: `admin.all:${PASSWORD}` };
  await call('/v1/dyn/UserStorage/viewer.all', { method: 'PUT', json: { scCloud: false }, ...admin });
  const noted = [];
  for await (const { action, subjectId, by, before, after } of events.scan({ subject: 'user' }))
    noted.push({ action, subjectId, by: by?.name, before, after });
  t.deepEqual(noted, [
    { action: 'changed', subjectId: 'viewer.all', by: 'admin.all', before: { scCloud: true }, after: {} },
  ]);
});
