import test from 'ava';
import fc from 'fast-check';
import {
  HashPlaces,
  type HashPlacesParts,
  hashLimits,
  REST_FACTOR,
  REST_MS_MAX,
  type Standing,
} from '../../../nbi/users/hash-places.js';

const LIMITS = { atATime: 3, keptForFamiliar: 1, perOriginAtATime: 2, guessedAtATime: 1, waitingMax: 8 };
/** Where there is one place for strangers. */
const SMALL = { ...LIMITS, atATime: 2 };

/** Places at which no time passes. */
function placesOf(limits: HashPlacesParts['limits'], parts: Partial<HashPlacesParts> = {}) {
  return new HashPlaces({ limits, wrongFrom: () => 0, monotonic: () => 0, rest() {}, ...parts });
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Places whose work goes on until it is ended, at a time that passes when it is told to. */
function controlled(limits = LIMITS, wrong: Readonly<Record<string, number>> = {}) {
  let nowMs = 0;
  const rests: { readonly untilMs: number; then(): void }[] = [];
  const places = placesOf(limits, {
    wrongFrom: (origin) => wrong[origin] ?? 0,
    monotonic: () => nowMs,
    rest: (ms, then) => void rests.push({ untilMs: nowMs + ms, then }),
  });
  const running: { readonly name: string; end(isWrong: boolean): void }[] = [];
  const turnedAway: string[] = [];
  const gone: string[] = [];
  const ask = (origin: string, standing: Standing, name = origin, over = new AbortController().signal) => {
    const work = () =>
      new Promise<boolean>((resolve) => {
        running.push({ name, end: resolve });
      });
    places
      .run({ origin, standing, over }, work, (isWrong) => isWrong)
      .then(
        (done) => void (done === null && turnedAway.push(name)),
        () => void gone.push(name),
      );
  };
  /** Ends what has run longest. */
  const endOne = async (isWrong = true) => {
    running.shift()?.end(isWrong);
    await settle();
  };
  const pass = async (ms: number) => {
    nowMs += ms;
    for (const rest of rests.filter(({ untilMs }) => untilMs <= nowMs)) {
      rests.splice(rests.indexOf(rest), 1);
      rest.then();
    }
    await settle();
  };
  const names = () => running.map(({ name }) => name);
  return { ask, settle, endOne, pass, places, running, turnedAway, gone, names };
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
      const places = placesOf(LIMITS);
      const running = new Map<string, number>();
      const over = new AbortController().signal;
      let strangers = 0;
      let guessedAt = 0;
      let total = 0;
      const outcomes = requests.map(({ origin, standing }) =>
        places.run(
          { origin, standing, over },
          async () => {
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
          },
          () => true,
        ),
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

test('after a wrong password of a stranger its place rests seven times as long, and after a right one not at all', async (t) => {
  const { ask, settle, endOne, pass, places, names } = controlled(SMALL);
  for (const name of ['a', 'b', 'c']) ask(name, 'stranger');
  await settle();
  t.deepEqual(names(), ['a']);
  await pass(100);
  await endOne();
  t.deepEqual(names(), []);
  t.is(places.taken, 0, 'what rests hashes nothing');
  await pass(100 * REST_FACTOR - 1);
  t.deepEqual(names(), []);
  await pass(1);
  t.deepEqual(names(), ['b']);
  await pass(100);
  await endOne(false);
  t.deepEqual(names(), ['c']);
});

test('who is familiar waits for no rest, and causes none', async (t) => {
  const { ask, settle, endOne, pass, names } = controlled(SMALL);
  ask('a', 'stranger');
  await settle();
  await pass(100);
  await endOne();
  for (const name of ['known1', 'known2', 'known3']) ask(name, 'familiar');
  ask('b', 'stranger');
  await settle();
  t.deepEqual(names(), ['known1', 'known2']);
  await pass(100);
  await endOne();
  t.deepEqual(names(), ['known2', 'known3']);
  await pass(100 * REST_FACTOR - 100);
  await endOne();
  t.deepEqual(names(), ['known3', 'b']);
});

test('a rest is no longer than people wait, however long a hash had to wait for a processor', async (t) => {
  const { ask, settle, endOne, pass, names } = controlled(SMALL);
  for (const name of ['a', 'b']) ask(name, 'stranger');
  await settle();
  await pass(60_000);
  await endOne();
  await pass(REST_MS_MAX - 1);
  t.deepEqual(names(), []);
  await pass(1);
  t.deepEqual(names(), ['b']);
});

test('however many strangers guess from however many addresses, each place hashes for at most an eighth of the time', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 20 }), async (hashesMs) => {
      const { ask, settle, endOne, pass, running } = controlled({ ...SMALL, waitingMax: 1_000 });
      hashesMs.forEach((_, index) => void ask(`origin${index}`, index % 2 === 0 ? 'stranger' : 'guessed-at'));
      await settle();
      let [busyMs, allMs] = [0, 0];
      for (const ms of hashesMs) {
        t.is(running.length, 1);
        await pass(ms);
        await endOne();
        await pass(REST_FACTOR * ms);
        busyMs += ms;
        allMs += ms + REST_FACTOR * ms;
        t.true(busyMs <= allMs / 8);
      }
      t.is(running.length, 0);
    }),
    { numRuns: 20 },
  );
});

test('on few processors one stranger hashes at a time, and one with a name at which too many guess by turns with the others', async (t) => {
  t.like(hashLimits(2), { atATime: 2, keptForFamiliar: 1 });
  t.like(hashLimits(4), { atATime: 3, keptForFamiliar: 1 });
  const { ask, settle, endOne, running } = controlled(SMALL);
  for (const name of ['g1', 'g2']) ask(name, 'guessed-at');
  for (const name of ['s1', 's2']) ask(name, 'stranger');
  await settle();
  const turns: (string | undefined)[] = [];
  for (let turn = 0; turn < 4; turn++) {
    turns.push(running[0]?.name.slice(0, 1));
    await endOne();
  }
  t.deepEqual(turns, ['g', 's', 'g', 's']);
});

test('on one processor one password is hashed at a time, and who is familiar goes next, also while the place of strangers rests', async (t) => {
  const { ask, settle, endOne, pass, names } = controlled(hashLimits(1));
  for (const name of ['a', 'b']) ask(name, 'stranger');
  for (const name of ['known1', 'known2']) ask(name, 'familiar');
  await settle();
  t.deepEqual(names(), ['a']);
  await pass(100);
  await endOne();
  t.deepEqual(names(), ['known1']);
  await endOne();
  t.deepEqual(names(), ['known2']);
  await pass(100 * REST_FACTOR);
  t.deepEqual(names(), ['known2']);
  await endOne();
  t.deepEqual(names(), ['b']);
});

test('strangers from where least was wrong lately go first; of as many the last to come every second time', async (t) => {
  const { ask, settle, endOne, running } = controlled(SMALL, { often: 9, once: 1 });
  for (const name of ['often', 'once', 'a', 'b', 'c', 'd']) ask(name, 'stranger');
  await settle();
  const turns: (string | undefined)[] = [];
  for (let turn = 0; turn < 6; turn++) {
    turns.push(running[0]?.name);
    if (turn === 2) ask('newcomer', 'stranger');
    await endOne();
  }
  // The first to come found a place free.
  t.deepEqual(turns, ['often', 'a', 'd', 'b', 'newcomer', 'c']);
  t.is(running[0]?.name, 'once');
});

test('who waits as a stranger goes as familiar once somebody was right from there', async (t) => {
  const { ask, settle, places, names } = controlled(SMALL);
  for (const name of ['a', 'b', 'c1']) ask(name.slice(0, 1), 'stranger', name);
  await settle();
  t.deepEqual(names(), ['a']);
  places.becameFamiliar('c');
  await settle();
  t.deepEqual(names(), ['a', 'c1']);
});

test('who has gone leaves the line at once, and what was begun for it is done', async (t) => {
  const { ask, settle, endOne, places, names, gone, turnedAway } = controlled(SMALL);
  const leaving = new AbortController();
  ask('a', 'stranger', 'a1', leaving.signal);
  for (const name of ['a2', 'a3']) ask('a', 'stranger', name, leaving.signal);
  for (const standing of ['familiar', 'guessed-at'] as const) ask('a', standing, standing, leaving.signal);
  ask('b', 'stranger');
  await settle();
  places.becameFamiliar('a');
  leaving.abort();
  t.is(places.waiting, 1);
  await settle();
  t.deepEqual(gone.sort(), ['a2', 'a3', 'guessed-at']);
  t.deepEqual(names(), ['a1', 'familiar']);
  await endOne(false);
  t.deepEqual(names(), ['familiar', 'b']);
  ask('c', 'familiar', 'too late', leaving.signal);
  await settle();
  t.deepEqual([places.waiting, gone.at(-1), turnedAway], [0, 'too late', []]);
});

test('where too many wait and all lines are as long, one goes from where most was wrong', async (t) => {
  const { ask, settle, turnedAway } = controlled({ ...SMALL, waitingMax: 3 }, { b: 2, c: 1 });
  for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name, 'stranger');
  await settle();
  t.deepEqual(turnedAway, ['b']);
  ask('f', 'stranger');
  await settle();
  t.deepEqual(turnedAway, ['b', 'c']);
});
