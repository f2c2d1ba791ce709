import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { RuleId } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import type { Limits, RuleEngine, UpgradeEnd } from '../../../rules/index.js';
import { openLmdbStore } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { openTestRules, post, ruleBody, temporaryDirectory } from '../setup.js';
import { LimitsOracle } from './limits-oracle.js';

const RULE = 'r1' as RuleId;
const DOCUMENTS_MAX = 17;

type Step =
  | { readonly kind: 'reserve'; readonly cpe: number }
  | { readonly kind: 'end'; readonly which: number; readonly how: UpgradeEnd }
  | { readonly kind: 'limits'; readonly limits: Limits | null };

const limitsArbitrary: fc.Arbitrary<Limits | null> = fc.option(
  fc.record(
    {
      total: fc.integer({ min: 1, max: 50 }),
      concurrent: fc.integer({ min: 1, max: 40 }),
      stopAfterFailures: fc.integer({ min: 1, max: 6 }),
    },
    { requiredKeys: [] },
  ),
  { freq: 6 },
);

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('reserve' as const), cpe: fc.nat(200) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('end' as const),
      which: fc.nat(100),
      how: fc.constantFrom('verified', 'verified', 'cancelled', 'given-back', 'failed', 'timed-out' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limits' as const), limits: limitsArbitrary }) },
);

/** A rule at two processes, under the oracle's eyes. */
async function openPair(t: ExecutionContext) {
  const at = await openTestRules(t);
  const engines: readonly RuleEngine[] = [at.rules, await at.another()];
  const oracle = new LimitsOracle(at.store);
  const engine = (number: number) => engines[number % engines.length] ?? at.rules;
  const countKey = async () => at.rules.countKey(await at.stored(RULE));
  const take = async (step: Step, number: number): Promise<boolean> => {
    switch (step.kind) {
      case 'reserve':
        return (await oracle.reserve(engine(number), `cpe-${step.cpe}`)) !== null;
      case 'end': {
        const underWay = await oracle.underWay();
        const running = underWay[step.which % Math.max(1, underWay.length)];
        return running !== undefined && oracle.end(engine(number), running, step.how);
      }
      case 'limits': {
        const { limits } = step;
        await engine(number).put([ruleBody(limits === null ? {} : { limits })], {
          by: byCommand('api'),
          onlyNew: false,
        });
        return true;
      }
      default:
        return step satisfies never;
    }
  };
  /** Asked alone, the rules say yes exactly where there is room. */
  const expectExact = async (number: number): Promise<boolean> => {
    const { limits = {} } = await at.stored(RULE);
    const key = await countKey();
    const hasRoom = await oracle.hasRoom(key, limits);
    const reserved = await oracle.reserve(engine(number), `probe-${number}`);
    if ((reserved !== null) === hasRoom) return true;
    const truth = JSON.stringify(await oracle.truth(key));
    throw new Error(
      `${reserved === null ? 'refused' : 'reserved'} at ${truth} under ${JSON.stringify(limits)}`,
    );
  };
  return { ...at, oracle, take, expectExact, countKey };
}

test('one after the other: a reservation succeeds exactly where the limits leave room', async (t) => {
  const pair = await openPair(t);
  await fc.assert(
    fc.asyncProperty(
      limitsArbitrary,
      fc.array(stepArbitrary, { minLength: 60, maxLength: 120, size: 'max' }),
      async (limits, steps) => {
        await post(pair.rules, ruleBody(limits === null ? {} : { limits }));
        await pair.rules.restart([RULE], BY);
        for (const [number, step] of steps.entries()) {
          if (step.kind === 'reserve') await pair.expectExact(number);
          else await pair.take(step, number);
        }
      },
    ),
    { numRuns: 12 },
  );
  t.pass();
});

test('all at once, at two processes, while limits are edited: never above a limit, and never stuck below it', async (t) => {
  const pair = await openPair(t);
  await fc.assert(
    fc.asyncProperty(
      limitsArbitrary,
      fc.array(fc.array(stepArbitrary, { minLength: 2, maxLength: 30 }), { maxLength: 5 }),
      async (limits, waves) => {
        await post(pair.rules, ruleBody(limits === null ? {} : { limits }));
        await pair.rules.restart([RULE], BY);
        const before = await pair.oracle.documents();
        for (const wave of waves) {
          // Edits of one rule at the same time may conflict, which is for their authors to hear.
          let edited = false;
          const steps = wave.filter(({ kind }) => {
            if (kind !== 'limits') return true;
            const first = !edited;
            edited = true;
            return first;
          });
          await Promise.all(steps.map((step, number) => pair.take(step, number)));
          await pair.expectExact(waves.length);
        }
        if ((await pair.oracle.documents()) - before > DOCUMENTS_MAX) throw new Error('too many documents');
      },
    ),
    { numRuns: 25 },
  );
  t.pass();
});

test('a limit that is lowered below what is used stops at once, and nothing restarts what has run', async (t) => {
  const pair = await openPair(t);
  const reserve = (cpes: number) =>
    Promise.all(Array.from({ length: cpes }, (_, cpe) => pair.take({ kind: 'reserve', cpe }, cpe)));
  const reserved = async (cpes: number) => (await reserve(cpes)).filter((done) => done).length;
  await post(pair.rules, ruleBody());
  t.is(await reserved(20), 20, 'without limits');
  await post(pair.rules, ruleBody({ limits: { concurrent: 30, total: 100 } }));
  t.is(await reserved(20), 10, 'what ran before there were limits counts');
  await post(pair.rules, ruleBody({ limits: { concurrent: 4, total: 100 } }));
  for (const running of (await pair.oracle.underWay()).slice(0, 26)) {
    t.is(await reserved(1), 0);
    await pair.oracle.end(pair.rules, running, 'verified');
  }
  t.is(await reserved(5), 0, 'four are still under way');
  for (const running of (await pair.oracle.underWay()).slice(0, 2)) {
    await pair.oracle.end(pair.rules, running, 'verified');
  }
  t.is(await reserved(5), 2);
  await post(pair.rules, ruleBody({ limits: { total: 33 } }));
  t.is(await reserved(20), 1, '32 had been started');
  t.like(await pair.oracle.truth(await pair.countKey()), { started: 33 });
});

test('processes of their own, one of them killed, start exactly limits.total and never exceed limits.concurrent', async (t) => {
  const directory = await temporaryDirectory(t);
  const children: ChildProcess[] = [];
  t.teardown(() => children.forEach((child) => void child.kill('SIGKILL')));
  const store = await openLmdbStore({ directory });
  t.teardown(() => store.close());
  const at = await openTestRules(t, store);
  await post(at.rules, ruleBody({ limits: { total: 100, concurrent: 7 } }));
  const start = (name: string): ChildProcess => {
    const child = fork(new URL('limits-child.js', import.meta.url), [directory, name]);
    children.push(child);
    return child;
  };
  const [first, second, victim] = [start('first'), start('second'), start('victim')];
  // Listened for at once: it may have come before anyone waits for it.
  const ends = [first, second].map((child) => once(child, 'exit'));
  const begun = once(victim, 'message');
  const oracle = new LimitsOracle(store);
  const key = at.rules.countKey(await at.stored(RULE));
  await begun;
  const isEarly = async () => ((await oracle.truth(key)).started ?? 0) < 30;
  while (first.exitCode === null && (await isEarly())) await new Promise((resolve) => setImmediate(resolve));
  victim.kill('SIGKILL');
  const codes = (await Promise.all(ends)).map(([code]) => code);
  t.deepEqual(codes, [0, 0]);
  t.like(await oracle.truth(key), { started: 100, running: 0 });
  t.true((await oracle.documents()) <= DOCUMENTS_MAX);
});
