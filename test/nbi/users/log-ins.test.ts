import test from 'ava';
import { HOUR_MS, MINUTE_MS } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import { LOG_INS_A_MINUTE_MAX, REFUSALS_A_MINUTE_MAX } from '../../../nbi/users/log-ins.js';
import { ADDRESS, openTestUsers } from './support.js';

const BY = byCommand('ops');

test('a log-in that was verified anew is told once an hour for the same user and address', async (t) => {
  const { users, put, time, logIns } = await openTestUsers(t);
  await put('ann', 'viewer');
  await put('bob', 'viewer');
  const logIn = async (name: string, address = ADDRESS) => {
    time.elapsedMs += MINUTE_MS;
    t.is((await users.verify({ name, password: `password of ${name}`, address })).kind, 'verified');
  };
  await logIn('ann');
  await logIn('ann');
  await logIn('bob');
  await logIn('ann', '2001:db8::1');
  await logIn('ann', '2001:db8::2');
  time.elapsedMs += HOUR_MS;
  await logIn('ann');
  const events = await logIns(4);
  t.deepEqual(
    events.map(({ action, subjectId, by }) => [action, subjectId, by?.name, by?.how, by?.address]),
    [
      ['taken', 'ann', 'ann', 'password', ADDRESS],
      ['taken', 'bob', 'bob', 'password', ADDRESS],
      ['taken', 'ann', 'ann', 'password', '2001:db8::1'],
      ['taken', 'ann', 'ann', 'password', ADDRESS],
    ],
  );
});

test('a refusal is told with its reason; what was typed as a name only where there is such a user', async (t) => {
  const { users, put, logIns } = await openTestUsers(t);
  await put('ann', 'viewer');
  await put('bob', 'viewer', { active: false });
  await put('root', 'admin');
  await users.verify({ name: 'ann', password: 'wrong', address: ADDRESS, requestId: 'r1' });
  await users.verify({ name: 'bob', password: 'password of bob', address: ADDRESS });
  await users.verify({ name: 'Tr0ub4dor&3', password: 'x', address: ADDRESS });
  await users.verifyToken({ text: 'nonsense', address: ADDRESS });
  const { text, token } = await users.tokens.create({ name: 'x', user: 'ann', subnets: ['10.0.0.0/8'] }, BY);
  await users.verifyToken({ text, address: ADDRESS });
  for (let guess = 1; guess < 11; guess++)
    await users.verify({ name: 'ann', password: `wrong ${guess}`, address: ADDRESS });
  const events = await logIns(15);
  const told = events.map(({ subjectId, by, after }) => [after?.['reason'], subjectId, by]);
  t.deepEqual(told.slice(0, 2), [
    ['wrong-password', 'ann', undefined],
    ['inactive-user', 'bob', undefined],
  ]);
  t.like(events[0]?.after, { how: 'password', address: ADDRESS, requestId: 'r1' });
  t.is(told[2]?.[0], 'unknown-user');
  t.regex(String(told[2]?.[1]), /^#[A-Za-z0-9_-]{8}$/);
  t.deepEqual(told[3], ['wrong-token', '#unknown', undefined]);
  t.deepEqual(told[4], ['wrong-token', 'ann', undefined]);
  t.like(events[4]?.after, { how: 'token', credential: token.id });
  t.deepEqual(told[14], ['throttled', 'ann', undefined]);
  t.notRegex(JSON.stringify(events), /Tr0ub4dor|wrong 1|password of/);
});

test('of refusals thirty a minute are told, and in the next how many were left out', async (t) => {
  const { users, time, eventsOf, logIns } = await openTestUsers(t);
  const guess = (at: number) =>
    users.verifyToken({ text: 'nonsense', address: `10.0.${at >> 8}.${at & 255}` });
  for (let at = 0; at < REFUSALS_A_MINUTE_MAX + 12; at++) await guess(at);
  const events = await logIns(REFUSALS_A_MINUTE_MAX);
  t.is(events.length, REFUSALS_A_MINUTE_MAX);
  time.elapsedMs += MINUTE_MS;
  // The events' ids go by the wall's clock.
  time.wallMs += MINUTE_MS;
  await guess(1_000);
  const [last] = (await logIns(REFUSALS_A_MINUTE_MAX + 1)).slice(-1);
  t.is(last?.after?.['omitted'], 12);
  t.is((await eventsOf({ subject: 'log-in' })).length, REFUSALS_A_MINUTE_MAX + 1);
});

test('of log-ins sixty a minute are told', async (t) => {
  const { users, put, logIns, eventsOf, time } = await openTestUsers(t);
  await put('ann', 'viewer');
  const logIn = (at: number) => {
    users.logIns.note({ name: 'ann', how: 'session', address: `10.0.${at >> 8}.${at & 255}` });
  };
  for (let at = 0; at < LOG_INS_A_MINUTE_MAX + 5; at++) logIn(at);
  await logIns(LOG_INS_A_MINUTE_MAX);
  time.elapsedMs += MINUTE_MS;
  time.wallMs += MINUTE_MS;
  logIn(1_000);
  const [last] = (await logIns(LOG_INS_A_MINUTE_MAX + 1)).slice(-1);
  t.is(last?.after?.['omitted'], 5);
  t.is((await eventsOf({ subject: 'log-in' })).length, LOG_INS_A_MINUTE_MAX + 1);
});
