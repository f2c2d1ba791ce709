import test from 'ava';
import { inTurns, STRETCH_MS_MAX, type Turn } from '../../common/index.js';

test('work that is done in turns takes no step but in one, and each turn is one stretch of it', async (t) => {
  let isTurn = false;
  let turns = 0;
  const turn: Turn = async (work) => {
    turns++;
    isTurn = true;
    const result = work();
    isTurn = false;
    return await result;
  };
  const stretches = 5;
  const working = function* (): Generator<void, string> {
    for (let step = 0; step < stretches; step++) {
      t.true(isTurn);
      const sinceMs = performance.now();
      while (performance.now() - sinceMs < STRETCH_MS_MAX);
      yield;
    }
    return 'done';
  };
  t.is(await inTurns(working(), turn), 'done');
  // Each of the steps is a stretch, and the last turn finds that there is no more.
  t.is(turns, stretches + 1);
});

test('what fails in a turn fails as a whole', async (t) => {
  const failing = function* (): Generator<void, void> {
    yield;
    throw new Error('no');
  };
  await t.throwsAsync(
    inTurns(failing(), (work) => work()),
    { message: 'no' },
  );
});
