import test from 'ava';
import { Reading } from '../../../nbi/http/reading.js';
import { NBI_LIMITS } from '../../../nbi/index.js';

const user = { name: 'ann', role: 'viewer', how: 'password' } as const;

test('a list whose client has gone is read no further, though it has found nothing, and gives its place back', async (t) => {
  const reading = new Reading(NBI_LIMITS);
  const gone = new AbortController();
  let pages = 0;
  const read = reading.long({ user, over: gone.signal }, async (turn) => {
    for (let page = 0; page < 1_000; page++) {
      await turn(async () => {
        pages++;
        if (pages === 10) gone.abort();
      });
    }
  });
  const outcome = await read.catch((error: unknown) => error);
  t.is(outcome, gone.signal.reason);
  t.is(pages, 10);
  t.is(reading.underWay, 0);
});

test('a change that has begun goes on to its end, and keeps its place so long', async (t) => {
  const reading = new Reading({ ...NBI_LIMITS, listsPerUserMax: 1 });
  const gone = new AbortController();
  let pages = 0;
  const change = reading.change({ user, over: gone.signal }, async (turn) => {
    gone.abort();
    for (let page = 0; page < 10; page++) {
      t.is(reading.underWay, 1);
      await turn(async () => pages++);
    }
  });
  await change;
  t.is(pages, 10);
  t.is(reading.underWay, 0);
});
