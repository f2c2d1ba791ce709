import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createSecrets, silentLogger } from '../../common/index.js';
import { openUsers, UserError } from '../../nbi/index.js';
import {
  ATTEMPT_KEYS_MAX,
  ATTEMPTS_PER_ADDRESS_MAX,
  ATTEMPTS_PER_USER_MAX,
  Attempts,
  attemptOrigin,
} from '../../nbi/users/attempts.js';
import { openLmdbStore } from '../../store/index.js';

async function openTestUsers(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-users-'));
  const store = await openLmdbStore({ directory });
  t.teardown(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  let nowMs = 1_743_400_000_000;
  const open = (usersStore = store) =>
    openUsers({
      store: usersStore,
      secrets: createSecrets(randomBytes(32)),
      clock: () => nowMs,
      logger: silentLogger,
    });
  return { users: open(), open, store, directory, pass: (ms: number) => (nowMs += ms) };
}

const credentials = (name: string, password: string) => ({ name, password, address: '192.0.2.1' });

test('a password is kept as a salted scrypt hash with its parameters', async (t) => {
  const { users, store } = await openTestUsers(t);
  await users.add({ name: 'a', password: 'correct horse', role: 'viewer' });
  await users.add({ name: 'b', password: 'correct horse', role: 'viewer' });
  const collection = store.collection<{ id: string; password: Record<string, unknown> }>({
    name: 'users',
    sequenced: true,
    indexes: {},
  });
  const [a, b] = [await collection.get('a'), await collection.get('b')];
  t.like(a?.document.password, { algorithm: 'scrypt', cost: 32_768, blockSize: 8, parallelization: 1 });
  t.not(a?.document.password['key'], b?.document.password['key']);
  t.false(JSON.stringify([a, b]).includes('correct horse'));
});

test('users are added, listed by name and removed, but never the last admin', async (t) => {
  const { users } = await openTestUsers(t);
  await users.add({ name: 'root', password: 'correct horse', role: 'admin' });
  await users.add({ name: 'api', password: 'correct horse', role: 'operator' });
  t.deepEqual(
    (await users.list()).map(({ name, role }) => [name, role]),
    [
      ['api', 'operator'],
      ['root', 'admin'],
    ],
  );
  const codeOf = async (attempt: Promise<unknown>) =>
    (await t.throwsAsync(attempt, { instanceOf: UserError }))?.code;
  t.is(await codeOf(users.add({ name: 'api', password: 'correct horse', role: 'viewer' })), 'exists');
  t.is(await codeOf(users.remove('root')), 'last-admin');
  t.is(await codeOf(users.remove('nobody')), 'not-found');
  t.is(await codeOf(users.setPassword('nobody', 'correct horse')), 'not-found');
  await users.remove('api');
  t.is((await users.list()).length, 1);
});

test('names and passwords outside their bounds are refused with the field', async (t) => {
  const { users } = await openTestUsers(t);
  for (const [field, name, password] of [
    ['name', '', 'correct horse'],
    ['name', 'a:b', 'correct horse'],
    ['name', 'x'.repeat(65), 'correct horse'],
    ['password', 'a', '1234567'],
    ['password', 'a', 'é'.repeat(513)],
  ] as const) {
    const error = await t.throwsAsync(users.add({ name, password, role: 'viewer' }), {
      instanceOf: UserError,
    });
    t.is(error?.field, field);
  }
});

test('a password is the same in any Unicode normal form', async (t) => {
  const { users } = await openTestUsers(t);
  await users.add({ name: 'a', password: 'contrase\u00f1a', role: 'viewer' });
  t.is((await users.verify(credentials('a', 'contrasen\u0303a'))).kind, 'verified');
});

test('many checks of the same credentials at once are one hash, and a change by another process holds at once', async (t) => {
  const { users, open, directory } = await openTestUsers(t);
  await users.add({ name: 'a', password: 'correct horse', role: 'viewer' });
  const all = await Promise.all(
    Array.from({ length: 200 }, () => users.verify(credentials('a', 'correct horse'))),
  );
  t.true(all.every(({ kind }) => kind === 'verified'));
  const otherStore = await openLmdbStore({ directory });
  t.teardown(() => otherStore.close());
  await open(otherStore).setPassword('a', 'staple battery');
  t.is((await users.verify(credentials('a', 'correct horse'))).kind, 'denied');
  t.is((await users.verify(credentials('a', 'staple battery'))).kind, 'verified');
});

test('a flood of guesses from everywhere waits in a bounded queue, and who comes on top is told to try again', async (t) => {
  const { users } = await openTestUsers(t);
  const flood = Array.from({ length: 40 }, (_, index) =>
    users.verify({ name: `user${index}`, password: 'guess guess', address: `192.0.2.${index}` }),
  );
  const kinds = (await Promise.all(flood)).map(({ kind }) => kind);
  t.is(kinds.filter((kind) => kind === 'denied').length, 32);
  t.is(kinds.filter((kind) => kind === 'throttled').length, 8);
});

test('an address has so many attempts a minute for one user, and so many in all', (t) => {
  const attempts = new Attempts();
  const take = (user: string, nowMs: number, address = 'a') => attempts.take(address, user, nowMs);
  for (let attempt = 0; attempt < ATTEMPTS_PER_USER_MAX; attempt++) t.is(take('u', 1_000), 0);
  t.is(take('u', 31_000), 30);
  t.is(take('u', 31_000, 'b'), 0);
  attempts.giveBack('a', 'u', 31_000);
  t.is(take('u', 31_000), 0);
  for (let user = ATTEMPTS_PER_USER_MAX; user < ATTEMPTS_PER_ADDRESS_MAX; user++)
    t.is(take(`u${user}`, 31_000), 0);
  t.is(take('another', 31_000), 30);
  t.is(take('u', 61_000), 0);
});

test('an address that makes up a new user for every guess has no more attempts a minute than any other', (t) => {
  const attempts = new Attempts();
  const minutes = 3;
  const guessesPerMinute = 120_000;
  let allowed = 0;
  for (let guess = 0; guess < minutes * guessesPerMinute; guess++) {
    const nowMs = Math.floor((guess * 60_000) / guessesPerMinute);
    if (attempts.take('a', `user${guess}`, nowMs) === 0) allowed++;
  }
  t.is(allowed, minutes * ATTEMPTS_PER_ADDRESS_MAX);
});

test('what others guess at does not bring an address its attempts back', (t) => {
  const attempts = new Attempts();
  const exhaust = (address: string) => {
    for (let user = 0; user < ATTEMPTS_PER_ADDRESS_MAX; user++) attempts.take(address, `u${user}`, 0);
  };
  exhaust('a');
  const others = Math.ceil((2 * ATTEMPT_KEYS_MAX) / ATTEMPTS_PER_ADDRESS_MAX);
  for (let other = 0; other < others; other++) exhaust(`other${other}`);
  t.is(attempts.take('a', 'another', 1_000), 59);
});

test('attempts are counted in bounded memory, which is free again once the minute is over', (t) => {
  const attempts = new Attempts();
  for (let guess = 0; guess < 3 * ATTEMPT_KEYS_MAX; guess++) attempts.take(`a${guess}`, 'u', 0);
  t.is(attempts.size, 2 * ATTEMPT_KEYS_MAX);
  attempts.giveBack('long forgotten', 'u', 0);
  t.is(attempts.size, 2 * ATTEMPT_KEYS_MAX);
  t.is(attempts.take('b', 'u', 60_000), 0);
  t.is(attempts.size, 2);
});

test('addresses of one IPv6 /64 count as one, and IPv4 addresses each for itself', (t) => {
  t.deepEqual(
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::6', '2001:db8::6', '::1', '192.0.2.1', '::ffff:192.0.2.1'].map(
      attemptOrigin,
    ),
    ['2001:db8:1:2', '2001:db8:1:2', '2001:db8:0:0', '0:0:0:0', '192.0.2.1', '::ffff:192.0.2.1'],
  );
});

test('the first admin is made once, with the password given or one that is generated', async (t) => {
  const { users } = await openTestUsers(t);
  const made = await users.ensureFirstAdmin(null);
  t.is(made?.name, 'admin');
  t.true((made?.password.length ?? 0) >= 20);
  t.is((await users.verify(credentials('admin', made?.password ?? ''))).kind, 'verified');
  t.is(await users.ensureFirstAdmin(null), null);
  const other = await openTestUsers(t);
  t.is(await other.users.ensureFirstAdmin('correct horse'), null);
  t.is((await other.users.verify(credentials('admin', 'correct horse'))).kind, 'verified');
});

test('of several processes that start at once one makes the first admin', async (t) => {
  const { open } = await openTestUsers(t);
  const made = await Promise.all([open(), open(), open()].map((users) => users.ensureFirstAdmin(null)));
  t.is(made.filter((each) => each !== null).length, 1);
});
