import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import {
  type Closure,
  type ConditionCompiler,
  ConditionError,
  createConditionCompiler,
  loadGuards,
} from '../../../rules/condition/index.js';
import { byClosure } from './outcome.js';

const SUITE = new URL('../../../../test/fixtures/jsonata-test-suite/', import.meta.url);

/** One case of JSONata's own suite; what it expects is in one of the last four. */
interface SuiteCase {
  readonly name: string;
  readonly expr?: string;
  readonly data?: unknown;
  readonly dataset?: string | null;
  readonly result?: unknown;
  readonly undefinedResult?: boolean;
  readonly code?: string;
  readonly error?: { readonly code: string };
}

/** How many cases of each group go through a closure: fewer would mean that the subset has shrunk. */
const COVERED: Readonly<Record<string, number>> = {
  'array-constructor': 12,
  blocks: 3,
  'boolean-expresssions': 28,
  'coalescing-operator': 12,
  'comparison-operators': 41,
  conditionals: 3,
  context: 2,
  'default-operator': 11,
  'descendent-operator': 17,
  errors: 3,
  fields: 6,
  flattening: 6,
  'function-boolean': 20,
  'function-contains': 7,
  'function-count': 14,
  'function-exists': 21,
  'function-length': 17,
  'function-lowercase': 2,
  'function-number': 30,
  'function-string': 18,
  'function-substring': 19,
  'function-substringAfter': 5,
  'function-substringBefore': 5,
  'function-trim': 3,
  'function-uppercase': 2,
  'inclusion-operator': 8,
  literals: 14,
  'missing-paths': 5,
  null: 6,
  'numeric-operators': 18,
  parentheses: 8,
  predicates: 3,
  'quoted-selectors': 8,
  regex: 4,
  'simple-array-selectors': 17,
  'string-concat': 12,
  'token-conversion': 2,
  transform: 98,
  wildcards: 9,
};

/** `$.7a` and `$.7` are errors in JSONata, and paths in Ferry, which lets steps be numbers. */
const OTHERWISE_IN_FERRY: ReadonlySet<string> = new Set([
  'token-conversion/case002',
  'token-conversion/case003',
]);

const compiler = createConditionCompiler(await loadGuards());
const datasets = new Map<string, unknown>();

for (const file of readdirSync(new URL('groups/', SUITE))) {
  const group = file.replace('.json', '');
  test(`JSONata's suite: ${group} through closures`, (t) => {
    let covered = 0;
    const cases = read(`groups/${file}`) as readonly SuiteCase[];
    for (const one of cases) {
      const closure = closureOf(compiler, one);
      const data = dataOf(one);
      // A condition's context is an object; JSONata treats an array at the root in a way of its own.
      if (closure === null || Array.isArray(data) || OTHERWISE_IN_FERRY.has(`${group}/${one.name}`)) continue;
      covered += 1;
      t.deepEqual(outcomeOf(closure, data), expectedOf(one), `${one.name}: ${one.expr}`);
    }
    t.log(`${covered} of ${cases.length}`);
    t.true(covered >= (COVERED[group] ?? Number.POSITIVE_INFINITY), `only ${covered} are compiled`);
  });
}

test('where Ferry reads a text otherwise than JSONata, it gives what stands at the numeric step', (t) => {
  for (const one of read('groups/token-conversion.json') as readonly SuiteCase[]) {
    if (!OTHERWISE_IN_FERRY.has(`token-conversion/${one.name}`)) continue;
    const closure = closureOf(compiler, one);
    const data = dataOf(one) as Readonly<Record<string, unknown>>;
    t.true(closure !== null && isDeepStrictEqual(closure(data), data[String(one.expr).slice(2)]));
  }
});

/** Null where the case is outside the subset, or refused from the start. */
function closureOf(by: ConditionCompiler, { expr }: SuiteCase): Closure | null {
  if (expr === undefined) return null;
  try {
    return by.compile(expr).closure;
  } catch (error) {
    if (error instanceof ConditionError) return null;
    throw error;
  }
}

function dataOf({ data, dataset }: SuiteCase): object {
  if (data !== undefined) return data as object;
  // The suite's `null` is no input at all.
  if (dataset === null || dataset === undefined) return undefined as unknown as object;
  if (!datasets.has(dataset)) datasets.set(dataset, read(`datasets/${dataset}.json`));
  return datasets.get(dataset) as object;
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, SUITE), 'utf8'));
}

function outcomeOf(closure: Closure, data: object): unknown {
  const outcome = byClosure(closure, data);
  return 'code' in outcome ? { code: outcome.code } : outcome;
}

function expectedOf(one: SuiteCase): unknown {
  const code = one.code ?? one.error?.code;
  if (code !== undefined) return { code };
  return { value: one.undefinedResult === true ? undefined : one.result };
}
