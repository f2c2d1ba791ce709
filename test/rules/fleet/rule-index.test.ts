import test from 'ava';
import fc from 'fast-check';
import type { RuleId } from '../../../common/index.js';
import {
  type ConditionCompiler,
  createConditionCompiler,
  loadGuards,
  meets,
} from '../../../rules/condition/index.js';
import { type Candidate, candidateOf, inOrder } from '../../../rules/fleet/candidate.js';
import { Demand, Entry, Slot } from '../../../rules/fleet/rule-index/entry.js';
import { RuleIndex } from '../../../rules/fleet/rule-index/index.js';
import { Node } from '../../../rules/fleet/rule-index/node.js';
import type { Condition, StoredRule } from '../../../rules/index.js';
import type { Revision } from '../../../store/index.js';
import { anyCondition, anyCpe, anyPatterns, propertyRuns } from '../random-rules.js';
import { contextOf } from '../setup.js';

const compiler: ConditionCompiler = createConditionCompiler(await loadGuards());

function candidate(id: string, condition: Condition, over: Partial<StoredRule> = {}): Candidate {
  const rule: StoredRule = {
    id: id as RuleId,
    enabled: true,
    automatic: true,
    file: 'x.bin',
    condition,
    executions: 1,
    priority: 1,
    author: 'api',
    description: '',
    createdAtMs: 0,
    updatedAtMs: 0,
    restarts: 0,
    ...over,
  };
  return candidateOf(rule, 1 as Revision, compiler);
}

function idsOf(candidates: readonly Candidate[] | null): readonly string[] | null {
  return candidates === null ? null : candidates.map(({ rule }) => rule.id);
}

/** What the index must select, found by looking at every rule. */
function selectedByHand(rules: Iterable<Candidate>, context: object, open: boolean): readonly string[] {
  const holding = [...rules].filter(
    ({ rule, condition }) =>
      rule.enabled &&
      typeof condition !== 'string' &&
      condition.requirements.every(
        (requirement) => (open && requirement.path[0] === 'parameters') || meets(context, requirement),
      ),
  );
  return holding.sort(inOrder).map(({ rule }) => rule.id);
}

function parameterPathsByHand(rules: Iterable<Candidate>): readonly string[] {
  const enabled = [...rules].filter(({ rule }) => rule.enabled);
  const paths = enabled.flatMap(({ condition }) =>
    typeof condition === 'string' ? [] : condition.parameterPaths,
  );
  return [...new Set(paths)].sort();
}

const withPatterns = fc.record({
  id: fc.integer({ min: 0, max: 59 }).map((number) => `r${number}`),
  condition: fc.option(fc.oneof(anyPatterns, anyCondition), { freq: 4 }),
});

test('an index selects exactly the rules of which what they demand may be, patterns among them, whatever was added and removed', (t) => {
  let held = 0;
  fc.assert(
    fc.property(
      fc.array(withPatterns, { maxLength: 120, size: 'max' }),
      fc.array(anyCpe, { minLength: 8, maxLength: 8 }),
      (edits, cpes) => {
        const index = new RuleIndex();
        const model = new Map<string, Candidate>();
        for (const { id, condition } of edits) {
          if (condition === null) {
            index.delete(id as RuleId);
            model.delete(id);
            continue;
          }
          const added = candidate(id, condition, { patterns: true });
          index.set(added);
          model.set(id, added);
        }
        for (const { context, parameters } of cpes) {
          const seen = { ...context, parameters };
          const selected = idsOf(index.select(context, parameters)) ?? [];
          t.deepEqual(selected, selectedByHand(model.values(), seen, false));
          // So none whose condition is true is passed over.
          for (const { rule, condition } of model.values()) {
            if (typeof condition === 'string' || typeof rule.condition === 'string') continue;
            if (condition.closure?.(seen) !== true) continue;
            held += 1;
            t.true(selected.includes(rule.id));
          }
        }
        for (const id of model.keys()) index.delete(id as RuleId);
        t.is(index.select({}, {})?.length, 0);
      },
    ),
    { numRuns: propertyRuns(100) },
  );
  t.true(held > 100);
});

test('rules that differ in what their values begin with are told apart by that', (t) => {
  const index = new RuleIndex();
  let evaluated = 0;
  for (let number = 0; number < 10_000; number++) {
    const { condition, ...rest } = candidate(
      `r${number}`,
      { serialNumber: `S${number}-*` },
      { patterns: true },
    );
    if (typeof condition === 'string') return t.fail(condition);
    const counted = condition.requirements.map((requirement) => ({
      ...requirement,
      patterns: (requirement.patterns ?? []).map((pattern) => ({
        ...pattern,
        mayMatch(text: string) {
          evaluated += 1;
          return pattern.mayMatch(text);
        },
      })),
    }));
    index.set({ ...rest, condition: { ...condition, requirements: counted } });
  }
  t.deepEqual(idsOf(index.select({ serialNumber: 'S123-7' }, null)), ['r123']);
  t.true(evaluated < 50, `${evaluated}`);
});

const edit = fc.record({
  id: fc.integer({ min: 0, max: 59 }).map((number) => `r${number}`),
  condition: fc.option(anyCondition, { freq: 4 }),
  priority: fc.integer({ min: 1, max: 3 }),
  enabled: fc.integer({ min: 0, max: 9 }).map((number) => number > 0),
});

test('an index selects exactly the rules whose demands hold, in order, whatever was added, replaced and removed', (t) => {
  let cases = 0;
  fc.assert(
    fc.property(
      fc.array(edit, { maxLength: 120, size: 'max' }),
      fc.array(anyCpe, { minLength: 8, maxLength: 8 }),
      (edits, cpes) => {
        const index = new RuleIndex();
        const model = new Map<string, Candidate>();
        const check = (): void => {
          for (const { context, parameters } of cpes) {
            cases += 1;
            const seen = { ...context, parameters };
            const whole = selectedByHand(model.values(), seen, false);
            t.deepEqual(idsOf(index.select(context, parameters)), whole);
            // Without the data model it leaves open what needs it, or says that it needs it.
            const without = idsOf(index.select(context, null));
            if (without !== null) t.deepEqual(without, selectedByHand(model.values(), context, true));
          }
        };
        for (const [number, { id, condition, priority, enabled }] of edits.entries()) {
          if (condition === null) {
            index.delete(id as RuleId);
            model.delete(id);
          } else {
            const added = candidate(id, condition, { priority, enabled, createdAtMs: number % 7 });
            index.set(added);
            model.set(id, added);
          }
          if (number % 40 === 39) check();
        }
        check();
        t.deepEqual([...index.parameterPaths()].sort(), parameterPathsByHand(model.values()));
        t.deepEqual(idsOf(index.all()), idsOf([...model.values()].sort(inOrder)));
        for (const id of model.keys()) index.delete(id as RuleId);
        model.clear();
        check();
        t.deepEqual(index.parameterPaths(), []);
      },
    ),
    { numRuns: propertyRuns(1_000) },
  );
  t.true(cases >= 10_000, `${cases} cases`);
});

/** Values that count how often a rule is tested by them. */
class Counted extends Array<string> {
  static tests = 0;

  override includes(value: string): boolean {
    Counted.tests += 1;
    return super.includes(value);
  }
}

function fieldsOf(number: number) {
  return {
    productClass: `P${number % 10}`,
    softwareVersion: `V${Math.floor(number / 10) % 50}`,
    hardwareVersion: `H${Math.floor(number / 500)}`,
  };
}

test('of ten thousand rules a selection tests a few, and looks at each field once', (t) => {
  const index = new RuleIndex();
  for (let number = 0; number < 10_000; number++) {
    const compiled = candidate(`r${number}`, {
      productClass: 'x',
      softwareVersion: 'x',
      hardwareVersion: 'x',
    });
    if (typeof compiled.condition === 'string') throw new Error(compiled.condition);
    const requirements = Object.entries(fieldsOf(number)).map(([name, value]) => ({
      path: [name],
      values: Counted.of(value),
    }));
    index.set({ ...compiled, condition: { ...compiled.condition, requirements } });
  }
  let reads = 0;
  const described = contextOf(fieldsOf(1_521));
  const context = new Proxy(described, {
    get(target, name) {
      if (name in fieldsOf(1_521)) reads += 1;
      return Reflect.get(target, name);
    },
  });
  Counted.tests = 0;
  t.deepEqual(idsOf(index.select(context, null)), ['r1521']);
  t.true(reads <= 3, `${reads} fields read`);
  t.true(Counted.tests <= 100, `${Counted.tests} tests`);
  for (let number = 0; number < 10_000; number += 3) index.delete(`r${number}` as RuleId);
  for (let number = 0; number < 10_000; number += 7) {
    const left = number % 3 === 0 ? [] : [`r${number}`];
    t.deepEqual(idsOf(index.select(contextOf(fieldsOf(number)), null)), left);
  }
  t.is(index.size, 6_666);
});

test('the data model is asked for only where rules are told apart by it and nothing else', (t) => {
  const index = new RuleIndex();
  const add = (from: number, condition: (number: number) => Condition) => {
    for (let number = from; number < from + 20; number++)
      index.set(candidate(`r${number}`, condition(number)));
  };
  add(0, (number) => ({ 'parameters.Device.X.Y': number, softwareVersion: `${number}` }));
  t.deepEqual(index.select(contextOf({ softwareVersion: '3' }), null)?.length, 1);
  add(100, (number) => ({ 'parameters.Device.X.Y': number }));
  t.is(index.select(contextOf(), null), null);
  t.deepEqual(idsOf(index.select(contextOf(), { Device: { X: { Y: 105 } } })), ['r105']);
});

test('a rule takes memory in proportion to its size, however its lists could be combined', (t) => {
  const slots = ['a', 'b', 'c'].map((name) => new Slot(name, { path: [name] }));
  const values = Array.from({ length: 200 }, (_, number) => number);
  const root = new Node(null, null, null);
  const entries = Array.from({ length: 50 }, (_, number) => {
    const demands = slots.map((slot) => new Demand(slot, values));
    return new Entry(candidate(`r${number}`, 'true'), { demands, further: [], partly: [] });
  });
  for (const entry of entries) root.add(entry);
  for (const { places, placesMax } of entries) t.true(places <= placesMax && placesMax === 600);
  for (const entry of entries) root.remove(entry, entry.route);
  t.is(root.size, 0);
  t.is(root.branches, null);
});

test('many rules with the same thousand demands are indexed all the same', (t) => {
  const index = new RuleIndex();
  const condition = Object.fromEntries(Array.from({ length: 1_000 }, (_, number) => [`f${number}`, 'x']));
  for (let number = 0; number < 50; number++) index.set(candidate(`r${number}`, condition));
  t.is(index.select(condition, null)?.length, 50);
  t.is(index.select({ ...condition, f999: 'y' }, null)?.length, 0);
});

test('many rules for the same ten thousand CPEs cost what their values do, not those times themselves', (t) => {
  for (const keys of [1, 2, 4]) {
    let read = 0;
    const values = new Proxy(
      Array.from({ length: 10_000 }, (_, n) => n),
      {
        get(list, name, receiver) {
          if (typeof name === 'string' && /^[0-9]/.test(name)) read += 1;
          return Reflect.get(list, name, receiver);
        },
      },
    );
    const index = new RuleIndex();
    const rules = 30;
    for (let n = 0; n < rules; n++) {
      const condition = Object.fromEntries(Array.from({ length: keys }, (_, key) => [`f${key}`, 1]));
      const made = candidate(`r${n}`, condition);
      if (typeof made.condition === 'string') return t.fail();
      const requirements = made.condition.requirements.map(({ path }) => ({ path, values }));
      index.set({ ...made, condition: { ...made.condition, requirements } });
    }
    t.true(read <= 20 * keys * rules * values.length, `${read}`);
  }
});
