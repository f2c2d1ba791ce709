import test from 'ava';
import { createPauses, mapWithPauses } from '../../../rules/vocabulary/pause.js';
import { inputOf, openTestRules, post, ruleBody } from '../setup.js';

/** Counts the turns of the event loop from now on. */
function countTurns(): { turns: number; stop(): void } {
  const counted = { turns: 0, stop: () => clearImmediate(next) };
  let next = setImmediate(function onTurn() {
    counted.turns += 1;
    next = setImmediate(onTurn);
  });
  return counted;
}

function compute(milliseconds: number): void {
  const endMs = performance.now() + milliseconds;
  while (performance.now() < endMs);
}

test('who computes on and on lets everything else have its turn', async (t) => {
  const pauses = createPauses();
  const counted = countTurns();
  for (let n = 0; n < 20; n++) {
    const pause = pauses.due();
    if (pause !== null) await pause;
    compute(2);
  }
  counted.stop();
  t.true(counted.turns >= 4, `${counted.turns}`);
});

test('of many who compute at a time one goes on in each turn, and all of them come to their end', async (t) => {
  const pauses = createPauses();
  const turnsAt: number[] = [];
  const counted = countTurns();
  const one = async (): Promise<void> => {
    for (let n = 0; n < 3; n++) {
      const pause = pauses.due();
      if (pause !== null) await pause;
      compute(6);
      turnsAt.push(counted.turns);
    }
  };
  await Promise.all(Array.from({ length: 10 }, one));
  counted.stop();
  t.is(turnsAt.length, 30);
  t.true(new Set(turnsAt).size >= 28, JSON.stringify(turnsAt));
});

test('of many who wait for their turn as many go on in one as there is time for', async (t) => {
  const pauses = createPauses();
  t.is(pauses.due(), null);
  compute(6);
  const turnsAt: number[] = [];
  const counted = countTurns();
  const one = async (): Promise<void> => {
    const pause = pauses.due();
    t.not(pause, null);
    await pause;
    turnsAt.push(counted.turns);
  };
  await Promise.all(Array.from({ length: 50 }, one));
  counted.stop();
  t.true(new Set(turnsAt).size <= 25, JSON.stringify(turnsAt));
});

test('items that take long each are not taken together', async (t) => {
  const counted = countTurns();
  await mapWithPauses([1, 2, 3, 4, 5, 6], () => compute(6));
  counted.stop();
  t.true(counted.turns >= 4, `${counted.turns}`);
});

test('thousands of decisions in a row, or at a time, keep no timer waiting for their end', async (t) => {
  const { rules } = await openTestRules(t);
  const conditions = Array.from({ length: 20 }, (_, n) => `$contains(serialNumber, "x${n}")`);
  await post(rules, ...conditions.map((condition, n) => ruleBody({ id: `r${n}`, condition })));
  await rules.decide(inputOf());
  const inARow = countTurns();
  for (let n = 0; n < 3_000; n++) await rules.decide(inputOf());
  inARow.stop();
  t.true(inARow.turns >= 3, `${inARow.turns}`);
  const atATime = countTurns();
  await Promise.all(Array.from({ length: 3_000 }, () => rules.decide(inputOf())));
  atATime.stop();
  t.true(atATime.turns >= 3, `${atATime.turns}`);
});
