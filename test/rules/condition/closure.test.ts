import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import {
  type CompiledCondition,
  ConditionError,
  createConditionCompiler,
  loadGuards,
  meets,
} from '../../../rules/condition/index.js';
import { conjunction, context, expression, plainContext } from './generator.js';
import { byClosure, byJsonata } from './outcome.js';

const compiler = createConditionCompiler(await loadGuards());
const numRuns = Number(process.env['FERRY_PROPERTY_CASES'] ?? 6_000);

function compiledOrNull(text: string): CompiledCondition | null {
  try {
    return compiler.compile(text);
  } catch (error) {
    if (error instanceof ConditionError) return null;
    throw error;
  }
}

test('a closure gives the value, or throws the error, that JSONata does', async (t) => {
  const seen = { compiled: 0, outside: 0, refused: 0, thrown: 0, true: 0 };
  await fc.assert(
    fc.asyncProperty(expression, fc.oneof(context, plainContext), async (text, given) => {
      const condition = compiledOrNull(text);
      if (condition === null) {
        seen.refused += 1;
        return;
      }
      if (condition.closure === null) {
        seen.outside += 1;
        return;
      }
      seen.compiled += 1;
      const expected = await byJsonata(condition, given);
      if (expected === null) return;
      const found = byClosure(condition.closure, given);
      if ('code' in expected) seen.thrown += 1;
      else if (expected.value === true) seen.true += 1;
      if (!isDeepStrictEqual(found, expected)) {
        throw new Error(`${text}: ${JSON.stringify(found)} where JSONata has ${JSON.stringify(expected)}`);
      }
    }),
    { numRuns },
  );
  t.log(JSON.stringify(seen));
  // What is generated must stay worth comparing.
  t.true(seen.compiled > 0.7 * numRuns);
  t.true(seen.thrown > 0.05 * numRuns);
  t.true(seen.true > 0.01 * numRuns);
});

test('what JSONata finds true meets every requirement, and the pin', async (t) => {
  let [withRequirements, whereTrue] = [0, 0];
  await fc.assert(
    fc.asyncProperty(conjunction, fc.oneof(context, plainContext), async (text, given) => {
      const condition = compiledOrNull(text);
      if (condition === null || condition.requirements.length === 0) return;
      withRequirements += 1;
      if (!isDeepStrictEqual(await byJsonata(condition, given), { value: true })) return;
      whereTrue += 1;
      for (const { path, values } of condition.requirements) {
        if (!meets(given, { path, values })) throw new Error(`${text}: true without ${path.join('.')}`);
      }
      if (condition.pin !== null && !meets(given, { path: ['cpeid'], values: [condition.pin] })) {
        throw new Error(`${text}: true for another CPE than ${condition.pin}`);
      }
    }),
    { numRuns },
  );
  t.log(JSON.stringify({ withRequirements, whereTrue }));
  t.true(withRequirements > 0.3 * numRuns);
  t.true(whereTrue > 0.02 * numRuns);
});
