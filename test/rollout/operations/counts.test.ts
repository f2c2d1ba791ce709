import test from 'ava';
import fc from 'fast-check';
import { OPERATIONS } from '../../../rollout/index.js';
import { isOfCpe, PLAY_CPES, Play, STEPS, type Step } from './play.js';
import { newBatch, openTestOperations } from './support.js';

const numRuns = Number(process.env['FERRY_PROPERTY_CASES'] ?? 60);

test('whatever CPEs and people do, on whichever node, the counts of a batch are those of its operations, and none runs without its upgrade', async (t) => {
  const own = await openTestOperations(t);
  const moves = fc.record({
    step: fc.constantFrom<Step>('begin', 'begin', 'add', ...STEPS),
    index: fc.nat(PLAY_CPES - 1),
    late: fc.boolean(),
    // What another node plans at the same time for the same CPE. (An upgrade is written at its revision, and not so in this play: so no
    // two of these learn of one at the same time.)
    beside: fc.option(fc.constantFrom(...STEPS.filter((step) => !isOfCpe(step) && step !== 'lose')), {
      nil: null,
    }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(moves, { minLength: 20, maxLength: 40 }), async (all) => {
      const play = new Play(own, newBatch());
      for (const { step, index, late, beside } of all) {
        const plans = [await play.planned(step, index, late)];
        if (beside !== null) plans.push(await play.planned(beside, index, late));
        let moved = 0;
        for (const plan of plans) {
          if (plan === null || !(await own.commit(plan.changes)).committed) continue;
          if (plan.changes.some(({ collection }) => collection === OPERATIONS.name)) moved++;
          plan.done();
        }
        t.true(moved <= 1, `${step} and ${beside} both`);
        t.deepEqual(await own.operations.counts(play.batch), await own.counted(play.batch));
        t.true(await play.runsTruly(index), `${step} beside ${beside}`);
      }
    }),
    { numRuns },
  );
});
