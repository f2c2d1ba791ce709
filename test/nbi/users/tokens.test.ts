import test from 'ava';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../common/index.js';
import { type Actor, byCommand } from '../../../events/index.js';
import { ROLES, type Role, TokenError, type Users } from '../../../nbi/index.js';
import { FAILED_LOGINS_MAX } from '../../../nbi/users/attempts.js';
import { byToken } from '../../../nbi/users/principal.js';
import { TOKENS, TOKENS_PER_USER_MAX, type TokenDocument } from '../../../nbi/users/token.js';
import type { NewToken } from '../../../nbi/users/tokens.js';
import { mayActAs } from '../../../nbi/users/user.js';
import { StoreError } from '../../../store/index.js';
import { ADDRESS, BEGIN_MS, openTestUsers, type TestUsers } from './support.js';

const BY: Actor = byCommand('ops');

async function openWith(t: Parameters<typeof openTestUsers>[0]) {
  const opened = await openTestUsers(t);
  await opened.put('root', 'admin');
  await opened.put('ann', 'operator');
  const create = (more: Partial<NewToken> = {}) =>
    opened.users.tokens.create({ name: 'nightly job', user: 'ann', ...more }, BY);
  return { ...opened, create, tokens: opened.store.collection<TokenDocument>(TOKENS) };
}

async function outcomeOf(users: Users, text: string, address = ADDRESS): Promise<string> {
  const verified = await users.verifyToken({ text, address });
  if (verified.kind === 'verified') return byToken(verified.user, verified.token).role;
  return verified.kind === 'denied' ? verified.why : verified.kind;
}

test('a token lets in as its user, and is kept only as a hash of its secret part', async (t) => {
  const { users, create, tokens } = await openWith(t);
  const { token, text } = await create();
  t.regex(text, /^ferry_[0-9a-f]{20}_[A-Za-z0-9_-]{43}$/);
  t.is(await outcomeOf(users, text), 'operator');
  const stored = JSON.stringify((await tokens.get(token.id))?.document);
  t.false(stored.includes(text.slice(-43)));
  for (const wrong of [
    `${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`,
    text.replace(token.id, '0'.repeat(20)),
    `${text} `,
    text.toUpperCase(),
    '',
    'ferry_',
  ]) {
    t.is(await outcomeOf(users, wrong), 'wrong', wrong);
  }
  const another = await create();
  t.is(await outcomeOf(users, `ferry_${token.id}_${another.text.slice(-43)}`), 'wrong');
});

test('a token expires, in a year unless told, and never lasts longer than ten', async (t) => {
  const { users, create, time, tokens } = await openWith(t);
  const { token, text } = await create();
  t.is(token.expiresAtMs, BEGIN_MS + 365 * DAY_MS);
  time.wallMs = token.expiresAtMs - 1;
  t.is(await outcomeOf(users, text), 'operator');
  time.wallMs = token.expiresAtMs;
  t.is(await outcomeOf(users, text), 'expired');
  t.is(await outcomeOf(users, `${text.slice(0, -3)}AAA`), 'wrong', 'who has not all of it learns nothing');
  time.wallMs = BEGIN_MS;
  const longest = await create({ expiresAtMs: BEGIN_MS + 3_650 * DAY_MS });
  for (const expiresAtMs of [BEGIN_MS, BEGIN_MS - 1, BEGIN_MS + 3_650 * DAY_MS + 1, Number.NaN])
    t.is(await codeOf(create({ expiresAtMs })), 'invalid expiresAt');
  t.is(await outcomeOf(users, longest.text), 'operator');
  // Stored by a clock that was ahead.
  const stored = await tokens.get(longest.token.id);
  if (stored !== null) await tokens.put({ ...stored.document, expiresAtMs: BEGIN_MS + 9_999 * DAY_MS });
  t.is(await outcomeOf(users, longest.text), 'expired');
});

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'done';
  } catch (error) {
    return error instanceof TokenError ? `${error.code} ${error.field}` : String(error);
  }
}

test('what is wrong with a token is refused by its field', async (t) => {
  const { create } = await openWith(t);
  t.is(await codeOf(create({ user: 'nobody' })), 'invalid user');
  t.is(await codeOf(create({ user: 'x'.repeat(600) })), 'invalid user');
  t.is(await codeOf(create({ role: 'admin' })), 'invalid role');
  t.is(await codeOf(create({ role: 'root' as Role })), 'invalid role');
  for (const name of ['', ' ', 'x'.repeat(65), 'a\nb', '\u202eb'])
    t.is(await codeOf(create({ name })), 'invalid name', name);
  for (const subnet of ['', 'x', '192.0.2.0/33', '::/129', '192.0.2.0/24/8', '::1/0x8', '1'.repeat(100)])
    t.is(await codeOf(create({ subnets: [subnet] })), 'invalid subnets', subnet);
  const many = Array.from({ length: 33 }, (_, at) => `192.0.2.${at}`);
  t.is(await codeOf(create({ subnets: many })), 'invalid subnets');
});

test('a user has at most a hundred tokens, until one is revoked', async (t) => {
  const { users, create } = await openWith(t);
  const made = [];
  for (let at = 0; at < TOKENS_PER_USER_MAX; at++) made.push(await create());
  t.is(await codeOf(create()), 'too-many user');
  t.is(await codeOf(create({ user: 'root' })), 'done');
  await users.tokens.revoke(made[0]?.token.id ?? '', BY);
  t.is(await codeOf(create()), 'done');
});

test('a token is used from its subnets alone, and who tries it elsewhere does not learn that it is one', async (t) => {
  const { users, create, time } = await openWith(t);
  const { text, token } = await create({ subnets: ['198.51.100.0/24', '2001:db8::/32', '203.0.113.7'] });
  for (const address of ['198.51.100.9', '::ffff:198.51.100.9', '2001:db8::1', '203.0.113.7'])
    t.is(await outcomeOf(users, text, address), 'operator', address);
  for (const address of ['198.51.101.9', '2001:db9::1', '203.0.113.8', '']) {
    t.is(await outcomeOf(users, text, address), 'wrong', address);
  }
  time.wallMs = token.expiresAtMs;
  t.is(await outcomeOf(users, text, '198.51.101.9'), 'wrong');
  t.is(await outcomeOf(users, text, '198.51.100.9'), 'expired');
});

test('what becomes of a token or its user on one node holds on all at once', async (t) => {
  const { users, openOther, create } = await openWith(t);
  const other = await openOther();
  const { text, token } = await create();
  const limited = await create({ role: 'viewer' });
  const outcomes = async () => [await outcomeOf(users, text), await outcomeOf(users, limited.text)];
  t.deepEqual(await outcomes(), ['operator', 'viewer']);
  await other.change(['ann'], { role: 'viewer' }, BY);
  t.deepEqual(await outcomes(), ['viewer', 'viewer']);
  await other.change(['ann'], { role: 'admin' }, BY);
  t.deepEqual(await outcomes(), ['operator', 'viewer'], 'as it was made, however much its user may');
  await other.change(['ann'], { active: false }, BY);
  t.deepEqual(await outcomes(), ['wrong', 'wrong']);
  await other.change(['ann'], { active: true }, BY);
  t.deepEqual(await outcomes(), ['operator', 'viewer']);
  await other.tokens.revoke(token.id, BY);
  t.deepEqual(await outcomes(), ['wrong', 'viewer']);
  t.is(await codeOf(users.tokens.revoke(token.id, BY)), 'not-found id');
});

test('a user that is removed has no tokens, and who comes to have the name has none of them', async (t) => {
  const { users, create, put, tokens, time } = await openWith(t);
  const { text, token } = await create();
  const stored = (await tokens.get(token.id))?.document;
  await users.remove('ann', BY);
  t.is(await tokens.count(), 0);
  time.wallMs += 1;
  await put('ann', 'admin', { createdAtMs: time.wallMs });
  t.is(await outcomeOf(users, text), 'wrong');
  // Even one that came back, as from a backup.
  if (stored !== undefined) await tokens.put(stored);
  t.is(await outcomeOf(users, text), 'wrong');
});

test('whatever roles and tokens come to be, nobody gets in with more than both his user and his token may', async (t) => {
  const { users, put, store, tokens } = await openWith(t);
  const role = fc.constantFrom(...ROLES);
  const step = fc.oneof(
    fc.record({ do: fc.constant('role' as const), role }),
    fc.record({ do: fc.constant('create' as const), role: fc.option(role, { nil: undefined }) }),
    fc.record({ do: fc.constant('revoke' as const), at: fc.nat(4) }),
    fc.record({ do: fc.constant('active' as const), active: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      for (const { id } of await allOf(users)) await users.tokens.revoke(id, BY);
      await put('ann', 'operator');
      let user = { role: 'operator' as Role, active: true };
      const made: { text: string; id: string; role: Role; isRevoked: boolean }[] = [];
      for (const each of steps) {
        if (each.do === 'role') {
          await users.change(['ann'], { role: each.role }, BY);
          user = { ...user, role: each.role };
        } else if (each.do === 'active') {
          await users.change(['ann'], { active: each.active }, BY);
          user = { ...user, active: each.active };
        } else if (each.do === 'create') {
          const wanted = { name: 'x', user: 'ann', role: each.role };
          const code = await codeOf(
            users.tokens.create(wanted, BY).then(({ token: { id, role: given }, text }) => {
              made.push({ text, id, role: given, isRevoked: false });
            }),
          );
          t.is(code === 'done', each.role === undefined || mayActAs(user.role, each.role));
        } else {
          const token = made[each.at];
          if (token !== undefined && !token.isRevoked) {
            await users.tokens.revoke(token.id, BY);
            token.isRevoked = true;
          }
        }
        for (const token of made) {
          const verified = await users.verifyToken({ text: token.text, address: freshAddress() });
          const isIn = user.active && !token.isRevoked;
          t.is(verified.kind, isIn ? 'verified' : 'denied');
          if (verified.kind !== 'verified') continue;
          const principal = byToken(verified.user, verified.token);
          for (const needed of ROLES) {
            const may = mayActAs(user.role, needed) && mayActAs(token.role, needed);
            t.is(mayActAs(principal.role, needed), may);
          }
        }
      }
    }),
    { numRuns: 40 },
  );
  t.true((await tokens.count()) >= 0 && store.damage.documents === 0);
});

let addresses = 0;
/** Where nothing has been wrong yet. */
const freshAddress = () => `10.${addresses >> 16}.${(addresses >> 8) & 255}.${addresses++ & 255}`;

async function allOf(users: Users) {
  const all = [];
  for await (const token of users.tokens.scan({})) all.push(token);
  return all;
}

test('wrong tokens are counted by address, hash nothing, and neither keep passwords nor right tokens out', async (t) => {
  const { users, create, time } = await openWith(t);
  const { text } = await create();
  const unused = await create();
  t.is(await outcomeOf(users, text), 'operator');
  const guess = (id: number) => `ferry_${String(id).padStart(20, '0')}_${'A'.repeat(43)}`;
  for (let at = 0; at < FAILED_LOGINS_MAX; at++) t.is(await outcomeOf(users, guess(1)), 'wrong');
  t.is(await outcomeOf(users, guess(1)), 'throttled');
  for (let at = 10; at < 60; at++) t.is(await outcomeOf(users, guess(at)), 'wrong');
  t.is(await outcomeOf(users, guess(99)), 'throttled');
  t.is(await outcomeOf(users, 'no token'), 'throttled');
  t.is(users.hashing + users.waitingForHash, 0);
  t.is(await outcomeOf(users, text), 'operator', 'it was right before');
  t.is(await outcomeOf(users, unused.text), 'throttled', 'nobody knows yet that it is one');
  t.is(await outcomeOf(users, unused.text, '192.0.2.2'), 'operator');
  const password = { name: 'ann', password: 'password of ann', address: ADDRESS };
  t.is((await users.verify(password)).kind, 'verified');
  time.elapsedMs += MINUTE_MS;
  t.is(await outcomeOf(users, guess(1)), 'wrong');
});

test('of many wrong tokens at once no more are looked at than of as many one after the other', async (t) => {
  const { users } = await openWith(t);
  const id = '1'.repeat(20);
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, () => outcomeOf(users, `ferry_${id}_${'A'.repeat(43)}`)),
  );
  t.is(outcomes.filter((each) => each === 'wrong').length, FAILED_LOGINS_MAX);
});

/** Uses it until that is written: no answer waits for it, and one that comes while another is being written is not. */
async function useUntil(
  { store }: Pick<TestUsers, 'store'>,
  id: string,
  use: () => Promise<unknown>,
  isThere: (token: TokenDocument) => boolean,
) {
  const tokens = store.collection<TokenDocument>(TOKENS);
  const deadlineMs = performance.now() + MINUTE_MS;
  for (;;) {
    await use();
    const stored = await tokens.get(id);
    if (stored !== null && isThere(stored.document)) return stored;
    if (performance.now() > deadlineMs) throw new Error('The use was not written');
    // Reading takes no turn of the event loop, and writing does.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('the last use is written, and once a minute at most', async (t) => {
  const { users, create, time, store } = await openWith(t);
  const { text, token } = await create();
  const usedFrom = (address: string) => () => outcomeOf(users, text, address);
  const first = await useUntil(
    { store },
    token.id,
    usedFrom(ADDRESS),
    ({ lastUsedMs }) => lastUsedMs === BEGIN_MS,
  );
  t.is(first.document.lastUsedFrom, ADDRESS);
  time.wallMs += MINUTE_MS - 1;
  for (let use = 0; use < 20; use++) t.is(await outcomeOf(users, text, '192.0.2.2'), 'operator');
  time.wallMs += 1;
  const second = await useUntil(
    { store },
    token.id,
    () => Promise.all(Array.from({ length: 20 }, usedFrom('192.0.2.3'))),
    ({ lastUsedMs }) => lastUsedMs !== BEGIN_MS,
  );
  t.like(second.document, { lastUsedMs: BEGIN_MS + MINUTE_MS, lastUsedFrom: '192.0.2.3' });
  for (let use = 0; use < 20; use++) t.is(await outcomeOf(users, text), 'operator');
  t.is((await store.collection<TokenDocument>(TOKENS).get(token.id))?.revision, second.revision);
  // A clock that was ahead does not keep later uses from being told.
  time.wallMs = BEGIN_MS - HOUR_MS;
  await useUntil({ store }, token.id, usedFrom(ADDRESS), ({ lastUsedMs }) => lastUsedMs === time.wallMs);
});

test('a token that is revoked while it is used does not come back', async (t) => {
  const { users, create, tokens } = await openWith(t);
  for (let round = 0; round < 20; round++) {
    const { text, token } = await create();
    const used = outcomeOf(users, text);
    await users.tokens.revoke(token.id, BY);
    t.true(['operator', 'wrong'].includes(await used));
    t.is(await outcomeOf(users, text, freshAddress()), 'wrong');
  }
  t.is(await tokens.count(), 0);
});

test('while the store does not answer a token that was right within the hour does where that may be stale, and no other', async (t) => {
  const { users, create, store, time } = await openWith(t);
  const { text } = await create();
  const unused = await create();
  t.is(await outcomeOf(users, text), 'operator');
  await store.close();
  const stale = (shown: string) => users.verifyToken({ text: shown, address: ADDRESS, mayBeStale: true });
  t.is((await stale(text)).kind, 'verified');
  await t.throwsAsync(stale(unused.text), { instanceOf: StoreError });
  await t.throwsAsync(users.verifyToken({ text, address: ADDRESS }), { instanceOf: StoreError });
  time.elapsedMs += HOUR_MS;
  await t.throwsAsync(stale(text), { instanceOf: StoreError });
});

test('tokens that are made and revoked are events, without what is secret of them', async (t) => {
  const { users, create, eventsOf } = await openWith(t);
  const one = await create({ role: 'viewer', subnets: ['192.0.2.0/24'] });
  const two = await create();
  await users.tokens.revoke(one.token.id, BY);
  await users.remove('ann', BY);
  const events = await eventsOf({ subject: 'token' });
  t.deepEqual(
    events.map(({ action, subjectId, by }) => [action, subjectId, by?.name]),
    [
      ['added', one.token.id, 'ops'],
      ['added', two.token.id, 'ops'],
      ['revoked', one.token.id, 'ops'],
      ['revoked', two.token.id, 'ops'],
    ],
  );
  const shown = { name: 'nightly job', user: 'ann', role: 'viewer', subnets: ['192.0.2.0/24'] };
  t.like(events[0]?.after, shown);
  t.like(events[2]?.before, shown);
  for (const { text } of [one, two]) t.false(JSON.stringify(events).includes(text.slice(-43)));
  t.false(JSON.stringify(events).includes('"hash"'));
});
