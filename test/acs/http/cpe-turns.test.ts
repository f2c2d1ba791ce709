import { setImmediate as turn } from 'node:timers/promises';
import test from 'ava';
import { CpeTurns, WAITING_MAX } from '../../../acs/http/cpe-turns.js';
import type { CpeId } from '../../../common/index.js';

const [X, Y] = ['00A1B2-X' as CpeId, '00A1B2-Y' as CpeId];
/** A clock that stands: no turn takes long. */
const standing = () => 0;
const THERE = { destroyed: false };

test('of one CPE one request is worked on at a time, in their order; another CPE waits for none of it', async (t) => {
  const turns = new CpeTurns(standing);
  const order: number[] = [];
  t.is(turns.take(X, THERE), null);
  const waiting = [1, 2, 3].map(async (number) => {
    t.true(await turns.take(X, THERE));
    order.push(number);
  });
  t.is(turns.take(Y, THERE), null);
  for (const expected of [[1], [1, 2], [1, 2, 3]]) {
    turns.give(X);
    await turn();
    t.deepEqual(order, expected);
  }
  turns.give(X);
  await Promise.all(waiting);
  // Nobody is worked for any more.
  t.is(turns.take(X, THERE), null);
});

test('of too many that wait the newest count', async (t) => {
  const turns = new CpeTurns(standing);
  t.is(turns.take(X, THERE), null);
  const waiting = Array.from({ length: WAITING_MAX + 3 }, () => turns.take(X, THERE));
  t.deepEqual(await Promise.all(waiting.slice(0, 3)), [false, false, false]);
  for (const next of waiting.slice(3)) {
    turns.give(X);
    t.true(await next);
  }
});

test('nobody waits for a request whose connection has gone', async (t) => {
  const turns = new CpeTurns(standing);
  t.is(turns.take(X, THERE), null);
  const socket = { destroyed: false };
  const gone = turns.take(X, socket);
  const next = turns.take(X, THERE);
  socket.destroyed = true;
  turns.give(X);
  t.deepEqual([await gone, await next], [false, true]);
  turns.give(X);
  t.is(turns.take(X, THERE), null);
});

test('behind a turn that took long others have theirs before the next of the same CPE', async (t) => {
  let nowMs = 0;
  const turns = new CpeTurns(() => nowMs);
  t.is(turns.take(X, THERE), null);
  let hasCome = false;
  const next = turns.take(X, THERE)?.then((isDue) => {
    hasCome = isDue;
  });
  nowMs += 20;
  turns.give(X);
  await turn();
  t.false(hasCome);
  t.is(turns.take(Y, THERE), null);
  // Who comes during the pause waits behind.
  const last = turns.take(X, THERE);
  await next;
  t.true(hasCome);
  turns.give(X);
  t.true(await last);
});
