import test from 'ava';
import fc from 'fast-check';
import { HashPlaces } from '../../../nbi/users/hash-places.js';

const LIMITS = { atATime: 3, keptForFamiliar: 1, perOriginAtATime: 2, waitingMax: 8 };

/** Places whose work goes on until it is ended. */
function controlled(limits = LIMITS) {
  const places = new HashPlaces(limits);
  const running: { readonly name: string; end(): void }[] = [];
  const turnedAway: string[] = [];
  const ended: Promise<void>[] = [];
  const ask = (origin: string, isFamiliar: boolean, name = origin) => {
    const work = () =>
      new Promise<string>((resolve) => {
        running.push({ name, end: () => resolve(name) });
      });
    const outcome = places.run({ origin, isFamiliar }, work);
    ended.push(outcome.then((done) => void (done === null && turnedAway.push(name))));
  };
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  /** Ends what has run longest. */
  const endOne = async () => {
    running.shift()?.end();
    await settle();
  };
  return { ask, settle, endOne, running, turnedAway, names: () => running.map(({ name }) => name) };
}

test('strangers leave a place to who is familiar, who goes before them', async (t) => {
  const { ask, settle, endOne, names } = controlled();
  for (const stranger of ['a', 'b', 'c', 'd']) ask(stranger, false);
  await settle();
  t.deepEqual(names(), ['a', 'b']);
  ask('known', true);
  ask('known2', true);
  await settle();
  t.deepEqual(names(), ['a', 'b', 'known']);
  await endOne();
  t.deepEqual(names(), ['b', 'known', 'known2']);
});

test('an origin hashes at most two at a time, and among those that wait each origin has its turn', async (t) => {
  const { ask, settle, endOne, names } = controlled({ ...LIMITS, atATime: 4 });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) ask('a', false, name);
  ask('b', false, 'b1');
  await settle();
  t.deepEqual(names(), ['a1', 'a2', 'b1']);
  ask('c', false, 'c1');
  await endOne();
  t.deepEqual(names(), ['a2', 'b1', 'a3']);
  await endOne();
  t.deepEqual(names(), ['b1', 'a3', 'c1']);
});

test('where too many wait the last of the origin goes that has most of them', async (t) => {
  const { ask, settle, turnedAway } = controlled({ ...LIMITS, waitingMax: 3 });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) ask('a', false, name);
  await settle();
  t.deepEqual(turnedAway, []);
  ask('b', false, 'b1');
  await settle();
  t.deepEqual(turnedAway, ['a5']);
  ask('a', false, 'a6');
  await settle();
  t.deepEqual(turnedAway, ['a5', 'a6']);
});

test('whatever comes, bounds hold, and everything is done or turned away', async (t) => {
  const request = fc.record({ origin: fc.constantFrom('a', 'b', 'c', 'd'), isFamiliar: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 40 }), async (requests) => {
      const places = new HashPlaces(LIMITS);
      const running = new Map<string, number>();
      let strangers = 0;
      let total = 0;
      const outcomes = requests.map(({ origin, isFamiliar }) =>
        places.run({ origin, isFamiliar }, async () => {
          total++;
          if (!isFamiliar) strangers++;
          running.set(origin, (running.get(origin) ?? 0) + 1);
          t.true(total <= LIMITS.atATime);
          t.true(strangers <= LIMITS.atATime - LIMITS.keptForFamiliar);
          t.true((running.get(origin) ?? 0) <= LIMITS.perOriginAtATime);
          await new Promise((resolve) => setImmediate(resolve));
          total--;
          if (!isFamiliar) strangers--;
          running.set(origin, (running.get(origin) ?? 0) - 1);
          return 'done';
        }),
      );
      const all = await Promise.all(outcomes);
      const waiting = Math.max(0, requests.length - LIMITS.atATime - 2 * LIMITS.waitingMax);
      if (requests.length <= LIMITS.waitingMax) t.false(all.includes(null));
      t.true(
        all.filter((outcome) => outcome === 'done').length >= Math.min(requests.length, LIMITS.waitingMax),
      );
      t.true(all.filter((outcome) => outcome === null).length >= waiting);
    }),
    { numRuns: 50 },
  );
});
