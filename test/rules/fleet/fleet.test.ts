import test from 'ava';
import fc from 'fast-check';
import type { RuleId } from '../../../common/index.js';
import { systemClock } from '../../../common/index.js';
import { createConditionCompiler, errorCode, loadGuards } from '../../../rules/condition/index.js';
import { createJsonata } from '../../../rules/condition/jsonata.js';
import { candidateOf, inOrder } from '../../../rules/fleet/candidate.js';
import { openFleet } from '../../../rules/fleet/fleet.js';
import type { Condition, Decision, StoredRule } from '../../../rules/index.js';
import { FLEET_GENERATION_ID, openTables, type Tables } from '../../../rules/storage/tables.js';
import { GONE_GENERATIONS_KEPT, writeInPortions } from '../../../rules/storage/writes.js';
import type { Collection, Document, Revision } from '../../../store/index.js';
import { BY } from '../../support/actor.js';
import { anyCondition, anyCpe, type DescribedCpe, propertyRuns } from '../random-rules.js';
import { CPE, inputOf, openTestRules, post, ruleBody, verdictsOf } from '../setup.js';

const guards = await loadGuards();
const compiler = createConditionCompiler(guards);
const jsonata = createJsonata(guards);

/** A rule that is true says so in every decision, and upgrades nobody. */
const VISIBLE = { executions: 0 };

/** @param evaluable  rules that have no error: where one is shown, the machine had no time to evaluate the rule it found */
function trueIn(decision: Decision, evaluable: readonly string[] = []): readonly string[] {
  return Object.entries(verdictsOf(decision)).flatMap(([id, verdict]) =>
    verdict === 'executions-used-up' || (verdict === 'condition-error' && evaluable.includes(id)) ? [id] : [],
  );
}

/** What JSONata itself says, once for each condition and CPE: it is a hundred times as slow as the rest. */
class ByHand {
  readonly #known = new Map<string, boolean>();

  async trueFor(rules: readonly StoredRule[], cpe: DescribedCpe): Promise<readonly string[]> {
    const found: StoredRule[] = [];
    for (const rule of rules) {
      if (rule.enabled && (await this.#isTrue(rule.condition, cpe))) found.push(rule);
    }
    return found
      .map((rule) => candidateOf(rule, 1 as Revision, compiler))
      .sort(inOrder)
      .map(({ rule }) => rule.id);
  }

  async #isTrue(condition: Condition, { context, parameters }: DescribedCpe): Promise<boolean> {
    const seen = { ...context, parameters };
    const key = JSON.stringify([condition, seen]);
    const known = this.#known.get(key) ?? (await evaluatesToTrue(condition, seen));
    this.#known.set(key, known);
    return known;
  }
}

async function evaluatesToTrue(condition: Condition, context: object): Promise<boolean> {
  for (;;) {
    const bare = Object.assign(Object.create(null), context);
    try {
      return (await jsonata(compiler.compile(condition).source)(bare)) === true;
    } catch (error) {
      // JSONata looks at the wall's clock: it was the machine that stood still.
      if (errorCode(error) !== 'D1012') return false;
    }
  }
}

const edits = fc.array(
  fc.record({
    id: fc.integer({ min: 0, max: 29 }).map((number) => `r${number}`),
    condition: anyCondition,
    priority: fc.integer({ min: 1, max: 3 }),
    enabled: fc.integer({ min: 0, max: 9 }).map((number) => number > 0),
  }),
  { maxLength: 12, size: 'max' },
);
const step = fc.record({
  by: fc.integer({ min: 0, max: 1 }),
  edits,
  removed: fc.array(
    fc.integer({ min: 0, max: 29 }).map((number) => `r${number}`),
    { maxLength: 6 },
  ),
});

test('index and pins give what looking at every rule gives, in every process, whoever edits', async (t) => {
  const { rules, another } = await openTestRules(t);
  const engines = [rules, await another()];
  let cases = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 3 }),
      fc.array(anyCpe, { minLength: 10, maxLength: 10 }),
      async (steps, cpes) => {
        const byHand = new ByHand();
        await rules.remove(
          Array.from({ length: 30 }, (_, number) => `r${number}` as RuleId),
          BY,
        );
        for (const { by, edits: edited, removed } of steps) {
          const editor = engines[by] ?? rules;
          const bodies = new Map(edited.map((edit) => [edit.id, ruleBody({ ...VISIBLE, ...edit })]));
          await post(editor, ...bodies.values());
          await editor.remove(removed as RuleId[], BY);
          const stored: StoredRule[] = [];
          for await (const rule of rules.scan({})) stored.push(rule);
          for (const cpe of cpes) {
            const wanted = await byHand.trueFor(stored, cpe);
            for (const engine of engines) {
              cases += 1;
              const readParameters = async () => cpe.parameters;
              const decision = await engine.decide({ ...inputOf(), context: cpe.context, readParameters });
              t.deepEqual(trueIn(decision, wanted), wanted);
            }
          }
        }
      },
    ),
    { numRuns: propertyRuns(170) },
  );
  t.true(cases >= 10_000, `${cases} cases`);
});

const ids = (...names: readonly string[]) => names as readonly RuleId[];

async function generationOf(tables: Tables): Promise<number> {
  return (await tables.generations.get(FLEET_GENERATION_ID))?.document.generation ?? 0;
}

/** The collection, but with another method in the place of one of its own. */
function replacing<T extends Document, Name extends 'get' | 'scan'>(
  collection: Collection<T>,
  replaced: Name,
  by: (original: Collection<T>[Name]) => Collection<T>[Name],
): Collection<T> {
  return new Proxy(collection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      const method = typeof value === 'function' ? value.bind(target) : value;
      return name === replaced ? by(method) : method;
    },
  });
}

test('every way out of the fleet and into it holds in the next decision of another process', async (t) => {
  const { rules, another } = await openTestRules(t);
  const other = await another();
  const seenByOther = async () => trueIn(await other.decide(inputOf()));
  await post(rules, ruleBody(VISIBLE), ruleBody({ id: 'r2', ...VISIBLE }));
  t.deepEqual(await seenByOther(), ['r1', 'r2']);
  await rules.merge(ids('r1'), { condition: { productClass: 'STB' } }, BY);
  t.deepEqual(await seenByOther(), ['r2']);
  await rules.merge(ids('r1'), { condition: 'productClass = "HGW"', priority: 0 }, BY);
  t.deepEqual(await seenByOther(), ['r2', 'r1']);
  await rules.merge(ids('r2'), { condition: { cpeid: 'elsewhere' } }, BY);
  t.deepEqual(await seenByOther(), ['r1']);
  await rules.merge(ids('r2'), { condition: { cpeid: CPE } }, BY);
  t.deepEqual(await seenByOther(), ['r2', 'r1']);
  await rules.remove(ids('r1'), BY);
  t.deepEqual(await seenByOther(), ['r2']);
  await rules.remove(ids('r2'), BY);
  await post(rules, ruleBody({ id: 'r2', ...VISIBLE }));
  t.deepEqual(await seenByOther(), ['r2']);
  // Removed and added again between two decisions.
  await rules.remove(ids('r2'), BY);
  await post(rules, ruleBody({ id: 'r2', ...VISIBLE, description: 'anew' }));
  t.deepEqual(await seenByOther(), ['r2']);
});

test('only what touches fleet rules moves their generation, and posting them again does not', async (t) => {
  const { rules, store } = await openTestRules(t);
  const tables = openTables(store, systemClock);
  await post(rules, ruleBody(), ruleBody({ id: 'r2', condition: { cpeid: CPE } }));
  t.is(await generationOf(tables), 1);
  await post(rules, ruleBody(), ruleBody({ id: 'r3', condition: { cpeid: CPE } }));
  await rules.merge(ids('r2'), { enabled: false }, BY);
  await rules.remove(ids('r2', 'nope'), BY);
  t.is(await generationOf(tables), 1);
  await rules.restart(ids('r1'), BY);
  t.is(await generationOf(tables), 2);
});

test('what writes a rule internally is seen by other processes like an edit', async (t) => {
  const { rules, store, another } = await openTestRules(t);
  const tables = openTables(store, systemClock);
  const other = await another();
  await post(rules, ruleBody());
  t.is((await other.decide(inputOf())).kind, 'upgrade');
  await writeInPortions(tables, [{ id: ids('r1')[0] as RuleId }], async ([item]) => {
    const before = await tables.rules.get(item?.id ?? '');
    if (before === null) return [];
    return [
      { before, after: { ...before.document, suspended: { atMs: 1, message: 'it tripped' } }, by: null },
    ];
  });
  t.deepEqual(verdictsOf(await other.decide(inputOf())), { r1: 'suspended' });
});

test('rules added one by one are read one by one', async (t) => {
  const { rules, store } = await openTestRules(t);
  const tables = openTables(store, systemClock);
  let read = 0;
  const counted: Tables = {
    ...tables,
    rules: replacing(
      tables.rules,
      'scan',
      (scan) =>
        async function* (query) {
          for await (const stored of scan(query)) {
            read += 1;
            yield stored;
          }
        },
    ),
  };
  const fleet = openFleet(counted, compiler);
  for (let number = 0; number < 500; number++) {
    await post(rules, ruleBody({ id: `r${number}` }));
    t.is((await fleet.current()).of(undefined).size, number + 1);
  }
  t.is(read, 500);
  await rules.remove(ids('r5', 'r6'), BY);
  t.is((await fleet.current()).of(undefined).size, 498);
  t.is(read, 500);
});

test('notes of rules that are gone are kept for so many generations; who slept longer reads everything anew', async (t) => {
  const { rules, store, another } = await openTestRules(t);
  const tables = openTables(store, systemClock);
  const [sleeper, late] = [await another(), await another()];
  await post(rules, ...['r1', 'r2', 'r3', 'r4'].map((id) => ruleBody({ id, ...VISIBLE })));
  t.is(trueIn(await sleeper.decide(inputOf())).length, 4);
  await rules.remove(ids('r1'), BY);
  t.is(trueIn(await late.decide(inputOf())).length, 3);
  // As if others had written so many times.
  await tables.generations.put({
    id: FLEET_GENERATION_ID,
    generation: GONE_GENERATIONS_KEPT + 2,
    goneFrom: 0,
  });
  await rules.remove(ids('r2'), BY);
  t.is(await tables.gone.count(), 1);
  t.deepEqual(trueIn(await sleeper.decide(inputOf())), ['r3', 'r4']);
  t.deepEqual(trueIn(await late.decide(inputOf())), ['r3', 'r4']);
});

test('notes that are pruned while they are read are not missed', async (t) => {
  const { rules, store } = await openTestRules(t);
  const tables = openTables(store, systemClock);
  const pruning: Tables = {
    ...tables,
    gone: replacing(
      tables.gone,
      'scan',
      (scan) =>
        async function* (query) {
          const generation = await generationOf(tables);
          for await (const { document } of scan({})) await tables.gone.delete(document.id);
          await tables.generations.put({
            id: FLEET_GENERATION_ID,
            generation,
            goneFrom: generation + 1,
          });
          yield* scan(query);
        },
    ),
  };
  await post(rules, ruleBody(), ruleBody({ id: 'r2' }));
  const fleet = openFleet(pruning, compiler);
  t.is((await fleet.current()).of(undefined).size, 2);
  await rules.remove(ids('r1'), BY);
  t.is((await fleet.current()).of(undefined).size, 1);
});

test('a failed reading is made up for by the next decision', async (t) => {
  const { rules, store } = await openTestRules(t);
  const tables = openTables(store, systemClock);
  let broken = true;
  const failing: Tables = {
    ...tables,
    rules: replacing(tables.rules, 'scan', (scan) => (query) => {
      if (broken) throw new Error('the disk is gone');
      return scan(query);
    }),
  };
  await post(rules, ruleBody());
  const fleet = openFleet(failing, compiler);
  await t.throwsAsync(fleet.current(), { message: 'the disk is gone' });
  broken = false;
  t.is((await fleet.current()).of(undefined).size, 1);
});

test('processes that write fleet rules at once all succeed, and everyone sees everything', async (t) => {
  const { rules, store, another } = await openTestRules(t);
  const engines = [rules, ...(await Promise.all(Array.from({ length: 9 }, another)))];
  const reader = await another();
  const bulk = (name: string) =>
    Array.from({ length: 1_000 }, (_, number) => ruleBody({ id: `${name}-${number}`, enabled: false }));
  const posts = engines.flatMap((engine, at) => [
    ...(at < 2 ? [post(engine, ...bulk(`bulk${at}`))] : []),
    ...Array.from({ length: 9 }, (_, number) => post(engine, ruleBody({ id: `one${at}-${number}` }))),
    ...Array.from({ length: 5 }, () => reader.decide(inputOf())),
  ]);
  await Promise.all(posts);
  const fleet = openFleet(openTables(store, systemClock), compiler);
  t.is((await fleet.all(undefined)).length, 2_090);
  t.is(await generationOf(openTables(store, systemClock)), 92);
  const decision = await reader.decide(inputOf({ softwareVersion: '1.0.0' }));
  t.is(Object.keys(verdictsOf(decision)).length, 90);
});

test('losing a generation to others costs a writer no new plan, however often', async (t) => {
  const { rules, store, another } = await openTestRules(t);
  const other = await another();
  const tables = openTables(store, systemClock);
  await post(rules, ruleBody());
  let lost = 0;
  const unlucky: Tables = {
    ...tables,
    generations: replacing(tables.generations, 'get', (get) => async (id) => {
      const found = await get(id);
      if (lost < 30) {
        lost += 1;
        await post(other, ruleBody({ id: 'r2', priority: lost }));
      }
      return found;
    }),
  };
  let plans = 0;
  await writeInPortions(unlucky, [{ id: ids('r1')[0] as RuleId }], async () => {
    plans += 1;
    const before = await tables.rules.get('r1');
    return before === null ? [] : [{ before, after: null, by: BY }];
  });
  t.is(plans, 1);
  t.is(await rules.get(ids('r1')[0] as RuleId), null);
  t.is(await generationOf(tables), 32);
});
