import test from 'ava';
import fc from 'fast-check';
import { HashPlaces, type Standing } from '../../../nbi/users/hash-places.js';

const LIMITS = { atATime: 3, keptForFamiliar: 1, perOriginAtATime: 2, guessedAtATime: 1, waitingMax: 8 };

/** Places whose work goes on until it is ended. */
function controlled(limits = LIMITS) {
  const places = new HashPlaces(limits);
  const running: { readonly name: string; end(): void }[] = [];
  const turnedAway: string[] = [];
  const ended: Promise<void>[] = [];
  const ask = (origin: string, standing: Standing, name = origin) => {
    const work = () =>
      new Promise<string>((resolve) => {
        running.push({ name, end: () => resolve(name) });
      });
    const outcome = places.run({ origin, standing }, work);
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
  for (const stranger of ['a', 'b', 'c', 'd']) ask(stranger, 'stranger');
  await settle();
  t.deepEqual(names(), ['a', 'b']);
  ask('known', 'familiar');
  ask('known2', 'familiar');
  await settle();
  t.deepEqual(names(), ['a', 'b', 'known']);
  await endOne();
  t.deepEqual(names(), ['b', 'known', 'known2']);
});

test('those with a name at which too many guess go one at a time beside other strangers, and neither waits for all of the others', async (t) => {
  const { ask, settle, endOne, names } = controlled();
  for (const name of ['g1', 'g2', 'g3']) ask(name, 'guessed-at');
  for (const name of ['s1', 's2', 's3']) ask(name, 'stranger');
  await settle();
  t.deepEqual(names(), ['g1', 's1']);
  await endOne();
  t.deepEqual(names(), ['s1', 'g2']);
  await endOne();
  t.deepEqual(names(), ['g2', 's2']);
});

test('an origin hashes at most two at a time, and among those that wait each origin has its turn', async (t) => {
  const { ask, settle, endOne, names } = controlled({ ...LIMITS, atATime: 4 });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) ask('a', 'stranger', name);
  ask('b', 'stranger', 'b1');
  await settle();
  t.deepEqual(names(), ['a1', 'a2', 'b1']);
  ask('c', 'stranger', 'c1');
  await endOne();
  t.deepEqual(names(), ['a2', 'b1', 'a3']);
  await endOne();
  t.deepEqual(names(), ['b1', 'a3', 'c1']);
});

test('where too many wait the last of the origin goes that has most of them', async (t) => {
  const { ask, settle, turnedAway } = controlled({ ...LIMITS, waitingMax: 3 });
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) ask('a', 'stranger', name);
  await settle();
  t.deepEqual(turnedAway, []);
  ask('b', 'stranger', 'b1');
  await settle();
  t.deepEqual(turnedAway, ['a5']);
  ask('a', 'stranger', 'a6');
  await settle();
  t.deepEqual(turnedAway, ['a5', 'a6']);
});

test('whatever comes, bounds hold, and everything is done or turned away', async (t) => {
  const request = fc.record({
    origin: fc.constantFrom('a', 'b', 'c', 'd'),
    standing: fc.constantFrom<Standing>('familiar', 'stranger', 'guessed-at'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(request, { maxLength: 40 }), async (requests) => {
      const places = new HashPlaces(LIMITS);
      const running = new Map<string, number>();
      let strangers = 0;
      let guessedAt = 0;
      let total = 0;
      const outcomes = requests.map(({ origin, standing }) =>
        places.run({ origin, standing }, async () => {
          total++;
          if (standing !== 'familiar') strangers++;
          if (standing === 'guessed-at') guessedAt++;
          running.set(origin, (running.get(origin) ?? 0) + 1);
          t.true(total <= LIMITS.atATime);
          t.true(strangers <= LIMITS.atATime - LIMITS.keptForFamiliar);
          t.true(guessedAt <= LIMITS.guessedAtATime);
          t.true((running.get(origin) ?? 0) <= LIMITS.perOriginAtATime);
          await new Promise((resolve) => setImmediate(resolve));
          total--;
          if (standing !== 'familiar') strangers--;
          if (standing === 'guessed-at') guessedAt--;
          running.set(origin, (running.get(origin) ?? 0) - 1);
          return 'done';
        }),
      );
      const all = await Promise.all(outcomes);
      const waiting = Math.max(0, requests.length - LIMITS.atATime - 3 * LIMITS.waitingMax);
      if (requests.length <= LIMITS.waitingMax) t.false(all.includes(null));
      t.true(
        all.filter((outcome) => outcome === 'done').length >= Math.min(requests.length, LIMITS.waitingMax),
      );
      t.true(all.filter((outcome) => outcome === null).length >= waiting);
    }),
    { numRuns: 50 },
  );
});
