import { randomBytes, scryptSync } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { createSecrets, type LogFields, type Logger, silentLogger } from '../../common/index.js';
import { openUsers, UserError } from '../../nbi/index.js';
import {
  ATTEMPT_KEYS_MAX,
  type Attempt,
  Attempts,
  attemptLimits,
  FAILED_LOGINS_MAX,
} from '../../nbi/users/attempts.js';
import { USERS, type UserDocument } from '../../nbi/users/user.js';
import { openLmdbStore, type Store } from '../../store/index.js';

const ATTEMPT_LIMITS = attemptLimits(FAILED_LOGINS_MAX);
const {
  perUserMax: ATTEMPTS_PER_USER_MAX,
  perAddressMax: ATTEMPTS_PER_ADDRESS_MAX,
  perNameMax: ATTEMPTS_PER_NAME_MAX,
} = ATTEMPT_LIMITS;

async function openTestUsers(t: ExecutionContext) {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-users-'));
  const store = await openLmdbStore({ directory });
  t.teardown(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });
  let nowMs = 0;
  const log: { readonly event: string; readonly fields: LogFields }[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (event, fields = {}) => void log.push({ event, fields }),
  };
  const open = (usersStore = store, failedLoginsMax?: number) =>
    openUsers({
      store: usersStore,
      ...(failedLoginsMax !== undefined && { failedLoginsMax }),
      secrets: createSecrets(randomBytes(32)),
      // What is counted by the minute goes on also where the clock is set back.
      clock: () => 1_743_400_000_000 - nowMs,
      monotonic: () => nowMs,
      logger,
    });
  return { users: open(), open, store, directory, log, pass: (ms: number) => (nowMs += ms) };
}

const credentials = (name: string, password: string) => ({ name, password, address: '192.0.2.1' });

test('a password is kept as a salted scrypt hash with its parameters', async (t) => {
  const { users, store } = await openTestUsers(t);
  await users.add({ name: 'a', password: 'correct horse', role: 'viewer' });
  await users.add({ name: 'b', password: 'correct horse', role: 'viewer' });
  const collection = store.collection<{ id: string; password: Record<string, unknown> }>(USERS);
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

/** Users whose passwords cost nothing to check. */
async function putUsers(store: Store, names: readonly string[]): Promise<void> {
  const salt = randomBytes(16);
  const costs = { cost: 2, blockSize: 8, parallelization: 1 } as const;
  for (const id of names) {
    const key = scryptSync(`password of ${id}`, salt, 32, { N: 2, r: 8, p: 1 }).toString('base64');
    const password = { algorithm: 'scrypt', ...costs, salt: salt.toString('base64'), key } as const;
    await store.collection<UserDocument>(USERS).put({ id, role: 'viewer', password, createdAtMs: 0 });
  }
}

const right = (name: string, address: string) => ({ name, password: `password of ${name}`, address });
const block = (index: number) => `127.0.${index}.1`;

test('guesses from 64 blocks at once keep nobody with a right password out, also who was never here', async (t) => {
  const { users, store } = await openTestUsers(t);
  const names = Array.from({ length: 6 }, (_, index) => `user${index}`);
  await putUsers(store, names);
  const guesses = Array.from({ length: 64 * 30 }, (_, index) =>
    users.verify({ name: names[index % 6] ?? '', password: `guess ${index}`, address: block(index % 64) }),
  );
  const answers = await Promise.all(
    names.map((name, index) => users.verify(right(name, `192.0.2.${index}`))),
  );
  t.deepEqual([...new Set(answers.map(({ kind }) => kind))], ['verified']);
  t.false((await Promise.all(guesses)).some(({ kind }) => kind === 'verified'));
});

test('however many guess at a name from elsewhere, who knows its password logs in, also from where it never has', async (t) => {
  const { users, store, pass } = await openTestUsers(t);
  await putUsers(store, ['ann', 'bob']);
  t.is((await users.verify(right('ann', '192.0.2.1'))).kind, 'verified');
  pass(60_000);
  const kinds: string[] = [];
  for (let guess = 0; guess < ATTEMPTS_PER_NAME_MAX; guess++) {
    kinds.push((await users.verify({ name: 'ann', password: `guess ${guess}`, address: block(guess) })).kind);
  }
  t.deepEqual([...new Set(kinds)], ['denied']);
  // So many wait for their turns, one at a time.
  const guesses = Array.from({ length: 30 }, (_, guess) =>
    users.verify({ name: 'ann', password: `late guess ${guess}`, address: block(guess) }),
  );
  t.is((await users.verify(right('ann', '192.0.2.2'))).kind, 'verified');
  t.deepEqual([...new Set((await Promise.all(guesses)).map(({ kind }) => kind))], ['denied']);
  t.is((await users.verify(right('ann', '192.0.2.1'))).kind, 'verified');
  t.is((await users.verify(right('bob', '192.0.2.2'))).kind, 'verified');
});

test('so many wrong passwords a minute as the option says, and six times as many for all users of an address', async (t) => {
  const { open, store } = await openTestUsers(t);
  await putUsers(store, ['ann', 'bob', 'eve']);
  const users = open(store, 1);
  const guess = async (name: string, password = 'a guess') =>
    (await users.verify({ name, password, address: '192.0.2.1' })).kind;
  t.is(await guess('ann'), 'denied');
  t.is(await guess('ann', 'another guess'), 'throttled');
  for (const name of ['b', 'c', 'd', 'e', 'f']) t.is(await guess(name), 'denied');
  t.is(await guess('bob'), 'throttled');
});

test('who has gone waits for no hash and uses up no attempt; who has sent the same still waits', async (t) => {
  const { users, store } = await openTestUsers(t);
  await putUsers(store, ['ann']);
  const gone = new AbortController();
  setMaxListeners(0, gone.signal);
  const ask = (password: string, over?: AbortSignal) =>
    users.verify({ name: 'ann', password, address: '192.0.2.1', ...(over && { over }) });
  const guesses = Array.from({ length: 60 }, (_, number) => ask(`guess ${number}`, gone.signal));
  const same = ask('guess 59');
  const right = ask('password of ann', gone.signal);
  const outcomes = Promise.allSettled([...guesses, right]);
  while (users.waitingForHash < 50) await new Promise((resolve) => setImmediate(resolve));
  const reason = new Error('gone');
  gone.abort(reason);
  // What was begun goes on; of all others only one is still wanted.
  t.true(users.waitingForHash <= 1);
  t.is((await same).kind, 'denied');
  t.true((await outcomes).every((outcome) => outcome.status === 'rejected' && outcome.reason === reason));
  t.is((await ask('one more guess')).kind, 'denied');
  await t.throwsAsync(ask('too late', gone.signal), { is: reason });
});

test('a hundred users at once behind one address log in', async (t) => {
  const { users, store } = await openTestUsers(t);
  const names = Array.from({ length: 100 }, (_, index) => `user${index}`);
  await putUsers(store, names);
  const answers = await Promise.all(names.map((name) => users.verify(right(name, '192.0.2.1'))));
  t.deepEqual([...new Set(answers.map(({ kind }) => kind))], ['verified']);
});

test('what was right before is not asked of again however the clock is set, and attempts come back with the minute', async (t) => {
  const { users, store, pass } = await openTestUsers(t);
  await putUsers(store, ['ann']);
  const guess = (number: number) =>
    users.verify({ ...right('ann', '192.0.2.1'), password: `guess ${number}` });
  for (let number = 0; number < ATTEMPTS_PER_USER_MAX; number++) t.is((await guess(number)).kind, 'denied');
  t.is((await guess(-1)).kind, 'throttled');
  pass(60_000);
  t.is((await guess(-2)).kind, 'denied');
});

test('of guesses the log tells one in ten seconds with how many were left out, and what was typed as a name only where there is such a user', async (t) => {
  const { users, store, log, pass } = await openTestUsers(t);
  await putUsers(store, ['ann']);
  const guess = async (name: string, address = '192.0.2.1') =>
    users.verify({ name, password: `guess ${Math.random()}`, address });
  await guess('Tr0ub4dor&3');
  await guess('ann');
  await guess('ann', '2001:db8::1');
  pass(10_000);
  await guess('ann', '2001:db8::1');
  pass(10_000);
  await guess('Tr0ub4dor&3');
  for (let number = 0; number < ATTEMPTS_PER_USER_MAX; number++) await guess('ann', '192.0.2.9');
  await guess('ann', '192.0.2.9');
  const [first, second, third, throttled, ...more] = log;
  t.like(first, { event: 'users.denied', fields: { ip: '192.0.2.1' } });
  t.like(second, { event: 'users.denied', fields: { user: 'ann', ip: '2001:db8::1', omitted: 2 } });
  t.is(third?.fields['unknownName'], first?.fields['unknownName']);
  t.like(throttled, { event: 'users.throttled', fields: { user: 'ann', ip: '192.0.2.9' } });
  t.deepEqual(more, []);
  t.false(JSON.stringify(log).includes('Tr0ub4dor'));
});

test('a password holds no control characters, and one with NULs behind it is another', async (t) => {
  const { users } = await openTestUsers(t);
  await users.add({ name: 'ann', password: 'correct horse', role: 'viewer' });
  for (const control of ['\0', '\t', '\n', '\r', '\u001b', '\u007f', '\u0085', '\u009b']) {
    for (const password of [`correct horse${control}`, `${control}correct horse`, `correct${control}horse`]) {
      for (const attempt of [
        users.setPassword('ann', password),
        users.add({ name: 'bob', password, role: 'viewer' }),
        users.ensureFirstAdmin(password),
      ]) {
        const error = await t.throwsAsync(attempt, { instanceOf: UserError });
        t.is(error?.field, 'password');
        t.regex(error?.message ?? '', /control characters/);
      }
    }
  }
  t.is((await users.verify(credentials('ann', 'correct horse\0'))).kind, 'denied');
  t.is((await users.verify(credentials('ann', 'correct horse'))).kind, 'verified');
  await users.setPassword('ann', 'correct  \u00a0horse\u200d \u{1f40e}');
  t.is((await users.verify(credentials('ann', 'correct  \u00a0horse\u200d \u{1f40e}'))).kind, 'verified');
});

function from(address: string, user: string): Attempt {
  return { address, user, isFamiliar: false };
}

test('an address has so many attempts a minute for one user, and so many in all', (t) => {
  const attempts = new Attempts(ATTEMPT_LIMITS);
  const take = (user: string, nowMs: number, address = 'a') => attempts.take(from(address, user), nowMs);
  for (let attempt = 0; attempt < ATTEMPTS_PER_USER_MAX; attempt++) t.is(take('u', 1_000), 0);
  t.is(take('u', 31_000), 30);
  t.is(take('u', 31_000, 'b'), 0);
  t.is(attempts.wait(from('a', 'u'), 31_000), 30);
  t.is(attempts.wait(from('b', 'u'), 31_000), 0);
  attempts.giveBack(from('a', 'u'), 31_000);
  t.is(attempts.wait(from('a', 'u'), 31_000), 0);
  t.is(take('u', 31_000), 0);
  for (let user = ATTEMPTS_PER_USER_MAX; user < ATTEMPTS_PER_ADDRESS_MAX; user++)
    t.is(take(`u${user}`, 31_000), 0);
  t.is(take('another', 31_000), 30);
  t.is(take('u', 61_000), 0);
});

test('an address that makes up a new user for every guess has no more attempts a minute than any other', (t) => {
  const attempts = new Attempts(ATTEMPT_LIMITS);
  const minutes = 3;
  const guessesPerMinute = 120_000;
  let allowed = 0;
  for (let guess = 0; guess < minutes * guessesPerMinute; guess++) {
    const nowMs = Math.floor((guess * 60_000) / guessesPerMinute);
    if (attempts.take(from('a', `user${guess}`), nowMs) === 0) allowed++;
  }
  t.is(allowed, minutes * ATTEMPTS_PER_ADDRESS_MAX);
});

test('who has logged in from an address has attempts there, however many others are guessed at from it', (t) => {
  const attempts = new Attempts(ATTEMPT_LIMITS);
  for (let user = 0; user < ATTEMPTS_PER_ADDRESS_MAX; user++) attempts.take(from('a', `u${user}`), 0);
  const familiar: Attempt = { address: 'a', user: 'admin', isFamiliar: true };
  t.is(attempts.wait(from('a', 'admin'), 0), 60);
  t.is(attempts.wait(familiar, 0), 0);
  for (let attempt = 0; attempt < ATTEMPTS_PER_USER_MAX; attempt++) t.is(attempts.take(familiar, 0), 0);
  t.is(attempts.take(familiar, 0), 60, 'at its own name no more than anywhere');
});

test('what others guess at does not bring an address its attempts back', (t) => {
  const attempts = new Attempts(ATTEMPT_LIMITS);
  const exhaust = (address: string) => {
    for (let user = 0; user < ATTEMPTS_PER_ADDRESS_MAX; user++) attempts.take(from(address, `u${user}`), 0);
  };
  exhaust('a');
  const others = Math.ceil((2 * ATTEMPT_KEYS_MAX) / ATTEMPTS_PER_ADDRESS_MAX);
  for (let other = 0; other < others; other++) exhaust(`other${other}`);
  t.is(attempts.take(from('a', 'another'), 1_000), 59);
});

test('attempts are counted in bounded memory, which is free again once the minute is over', (t) => {
  const attempts = new Attempts(ATTEMPT_LIMITS);
  for (let guess = 0; guess < 3 * ATTEMPT_KEYS_MAX; guess++) attempts.take(from(`a${guess}`, 'u'), 0);
  t.is(attempts.size, 2 * ATTEMPT_KEYS_MAX);
  attempts.giveBack(from('long forgotten', 'u'), 0);
  t.is(attempts.size, 2 * ATTEMPT_KEYS_MAX);
  t.is(attempts.take(from('b', 'u'), 60_000), 0);
  t.is(attempts.size, 2);
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
