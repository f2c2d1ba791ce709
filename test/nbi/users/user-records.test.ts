import test from 'ava';
import fc from 'fast-check';
import { MINUTE_MS } from '../../../common/index.js';
import { type Actor, byCommand } from '../../../events/index.js';
import { type Role, UserError, type Users } from '../../../nbi/index.js';
import { ADDRESS, openTestUsers } from './support.js';

const BY: Actor = byCommand('ops');

const kindOf = async (users: Users, name: string) =>
  (await users.verify({ name, password: `password of ${name}`, address: ADDRESS })).kind;

const outcomeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'done',
    (error: unknown) => (error instanceof UserError ? error.code : String(error)),
  );

test('who was stored before there were users to deactivate is active', async (t) => {
  const { users, put } = await openTestUsers(t);
  await put('ann', 'viewer');
  t.like(await users.list(), [{ name: 'ann', active: true }]);
  t.is(await kindOf(users, 'ann'), 'verified');
});

test('who is deactivated, or has another role or password, is so on every node at once', async (t) => {
  const { users, openOther, put } = await openTestUsers(t);
  const other = await openOther();
  await put('ann', 'viewer');
  await put('root', 'admin');
  const roleOf = async (of: Users) => {
    const verified = await of.verify({ name: 'ann', password: 'password of ann', address: ADDRESS });
    return verified.kind === 'verified' ? verified.user.role : verified.kind;
  };
  t.is(await roleOf(users), 'viewer');
  await other.change(['ann'], { role: 'operator' }, BY);
  t.is(await roleOf(users), 'operator');
  await other.change(['ann'], { active: false }, BY);
  t.is(await roleOf(users), 'denied');
  await other.change(['ann'], { active: true }, BY);
  t.is(await roleOf(users), 'operator');
  await other.setPassword('ann', 'staple battery', BY);
  t.is(await roleOf(users), 'denied');
  await other.remove('ann', BY);
  t.is((await users.verify({ name: 'ann', password: 'staple battery', address: ADDRESS })).kind, 'denied');
});

test('the last admin who is active is kept, whatever is done to all of them at a time', async (t) => {
  const { users, put } = await openTestUsers(t);
  await put('ann', 'admin');
  await put('bob', 'admin', { active: false });
  await put('eve', 'operator');
  for (const attempt of [
    () => users.remove('ann', BY),
    () => users.change(['ann'], { active: false }, BY),
    () => users.change(['ann'], { role: 'operator' }, BY),
    () => users.put({ name: 'ann', role: 'viewer' }, BY),
    () => users.remove(['eve', 'bob', 'ann'], BY),
    () => users.change(['eve', 'ann'], { active: false }, BY),
  ]) {
    t.is(await outcomeOf(attempt()), 'last-admin');
  }
  // Nobody before the last has been changed either.
  t.deepEqual(
    (await users.list()).map(({ name, role, active }) => [name, role, active]),
    [
      ['ann', 'admin', true],
      ['bob', 'admin', false],
      ['eve', 'operator', true],
    ],
  );
  await users.change(['bob'], { active: true }, BY);
  t.is(await outcomeOf(users.remove('ann', BY)), 'done');
  t.is(await outcomeOf(users.remove('bob', BY)), 'last-admin');
});

test('of nodes that each take another admin away at once, one is left', async (t) => {
  const { users, openOther, put } = await openTestUsers(t);
  const nodes = [users, await openOther(), await openOther()];
  const ways = [
    (node: Users, name: string) => node.remove(name, BY),
    (node: Users, name: string) => node.change([name], { active: false }, BY),
    (node: Users, name: string) => node.change([name], { role: 'viewer' }, BY),
  ];
  const rounds = 30;
  for (let round = 0; round < rounds; round++) {
    const admins = Array.from({ length: 2 + (round % 2) }, (_, at) => `admin${at}`);
    // Who was left of three would be a third where there are to be two.
    await put('admin2', 'viewer');
    for (const name of admins) await put(name, 'admin');
    const outcomes = await Promise.all(
      admins.map((name, at) => {
        const [node, way] = [nodes[at], ways[(round + at * (1 + (round % 3))) % 3]];
        return node === undefined || way === undefined ? 'none' : outcomeOf(way(node, name));
      }),
    );
    t.deepEqual(outcomes.toSorted(), [...admins.slice(1).map(() => 'done'), 'last-admin']);
    const left = (await users.list()).filter(({ role, active }) => role === 'admin' && active);
    t.is(left.length, 1);
  }
});

test('whatever is done to users, an admin who is active is left, and nobody logs in who is not', async (t) => {
  const names = ['a', 'b', 'c'];
  const step = fc.record({
    name: fc.constantFrom(...names),
    way: fc.constantFrom('remove', 'activate', 'deactivate', 'viewer', 'admin'),
  });
  const { users, put, time } = await openTestUsers(t);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      for (const name of names) await put(name, 'admin');
      for (const { name, way } of steps) {
        const done =
          way === 'remove'
            ? users.remove(name, BY)
            : users.change(
                [name],
                way.endsWith('activate') ? { active: way === 'activate' } : { role: way as Role },
                BY,
              );
        await outcomeOf(done);
        // Who was refused a moment ago has his attempts back.
        time.elapsedMs += MINUTE_MS;
        const all = await users.list();
        t.true(all.some(({ role, active }) => role === 'admin' && active));
        for (const each of names) {
          const user = all.find((one) => one.name === each);
          t.is(await kindOf(users, each), user?.active === true ? 'verified' : 'denied');
        }
      }
    }),
    { numRuns: 10 },
  );
});

test('each change of a user is an event of the same commit, with who made it and nothing of a password', async (t) => {
  const { users, eventsOf } = await openTestUsers(t);
  await users.ensureFirstAdmin('the first password');
  await users.add({ name: 'ann', password: 'correct horse', role: 'viewer' }, BY);
  await users.change(['ann'], { role: 'operator', password: 'staple battery' }, BY);
  await users.change(['ann'], { role: 'operator' }, BY);
  await users.put({ name: 'ann', active: false }, BY);
  await outcomeOf(users.add({ name: 'ann', password: 'correct horse', role: 'viewer' }, BY));
  await outcomeOf(users.change(['admin'], { active: false }, BY));
  await users.remove('ann', BY);
  const events = await eventsOf({ subject: 'user' });
  t.deepEqual(
    events.map(({ action, subjectId, by, before, after }) => ({
      what: `${action} ${subjectId} by ${by?.name}`,
      before,
      after,
    })),
    [
      {
        what: 'added admin by undefined',
        before: undefined,
        after: { name: 'admin', role: 'admin', active: true },
      },
      {
        what: 'added ann by ops',
        before: undefined,
        after: { name: 'ann', role: 'viewer', active: true },
      },
      {
        what: 'changed ann by ops',
        before: { role: 'viewer' },
        after: { role: 'operator', passwordChanged: true },
      },
      { what: 'changed ann by ops', before: { active: true }, after: { active: false } },
      {
        what: 'removed ann by ops',
        before: { name: 'ann', role: 'operator', active: false },
        after: undefined,
      },
    ],
  );
  t.notRegex(JSON.stringify(events), /scrypt|salt|horse|battery|first password/);
});

test('a password that was changed meanwhile is not changed by who knew the one before', async (t) => {
  const { users, openOther, put } = await openTestUsers(t);
  await put('ann', 'viewer');
  const own = (oldPassword: string, password: string) =>
    users.changePassword({ name: 'ann', password: oldPassword, address: ADDRESS }, password, null);
  const other = await openOther();
  const [outcome] = await Promise.all([
    outcomeOf(own('password of ann', 'of my own')),
    other.setPassword('ann', 'of an admin', BY),
  ]);
  const holds = async (password: string) =>
    (await users.verify({ name: 'ann', password, address: ADDRESS })).kind === 'verified';
  // Whichever was first: the admin's holds where the user's did not come after it with the new one.
  t.is(await holds('of my own'), outcome === 'done' && !(await holds('of an admin')));
  t.false(await holds('password of ann'));
});
