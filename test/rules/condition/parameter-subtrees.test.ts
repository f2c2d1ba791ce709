import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { ConditionError, createConditionCompiler, loadGuards } from '../../../rules/condition/index.js';
import type { Condition, Subtrees } from '../../../rules/index.js';
import { expression, plainContext } from './generator.js';
import { byJsonata } from './outcome.js';

const compiler = createConditionCompiler(await loadGuards());
const numRuns = Number(process.env['FERRY_PROPERTY_CASES'] ?? 800);

function subtreesOf(condition: Condition): Subtrees {
  const { parameterSubtrees } = compiler.compile(condition);
  return parameterSubtrees === null ? null : [...parameterSubtrees].sort();
}

const TOLD: readonly (readonly [Condition, readonly string[]])[] = [
  ['cpeid = "x" and $exists(modelName)', []],
  ['parameters.Device.WiFi.Radio.1.Channel > 6', ['Device.WiFi']],
  [
    'parameters.Device.WiFi.Radio.1.Channel > 6 and parameters.Device.IP.Interface.1.Status = "Up"',
    ['Device.IP', 'Device.WiFi'],
  ],
  ['$exists(parameters.Device.IP.Interface[Status = "Up" and $.MTU > 1].Stats)', ['Device.IP']],
  ['$count(parameters.Device.IP.Interface.*[Enable]) > 1', ['Device.IP']],
  ['"Up" in parameters.Device.IP.**.Status', ['Device.IP']],
  ['$keys(parameters.Device.WiFi) = "SSID"', ['Device.WiFi']],
  ['$contains(parameters.Device.X.Y, /z/) and tags[$ = "a"] = "a"', ['Device.X']],
  [
    { 'parameters.Device.WiFi.SSID.1.Name': ['a', 'b'], 'parameters.Device.X.Y': 1 },
    ['Device.WiFi', 'Device.X'],
  ],
  [{ productClass: 'HGW' }, []],
];
for (const [condition, subtrees] of TOLD) {
  test(`a condition looks at no subtree but those that its paths name: ${JSON.stringify(condition)}`, (t) => {
    t.deepEqual(subtreesOf(condition), subtrees);
  });
}

const NOT_TOLD: readonly Condition[] = [
  '$exists(parameters.Device)',
  'parameters.*.WiFi.Enable',
  'parameters.Device.*.Enable',
  '$lookup($, "parameters").Device.X.Y = 1',
  'parameters.Device.X.Y = 1 and $lookup($$, "para" & "meters").Device.Z.Y = 1',
  'parameters.Device.X.Y = 1 and $contains($string(), "z")',
  'parameters.Device.X.Y = 1 and $count($keys()) > 1',
  '$string($) = "" and parameters.Device.X.Y = 1',
  '**.SSID = "x"',
  '*.Device.X = 1',
  'parameters.Device.X.%.Z = 1',
  'parameters.Device.X@$x.Z = 1',
  '(parameters).Device.X.Y = 1',
  'parameters[0].Device.X.Y = 1',
  '($p := parameters; $p.Device.X.Y = 1)',
  { 'parameters.Device': 1 },
];
for (const condition of NOT_TOLD) {
  test(`a condition that may look anywhere is given everything: ${JSON.stringify(condition)}`, (t) => {
    t.is(subtreesOf(condition), null);
  });
}

const NAMES = ['a', 'b', 'c', 'events', 'n', '1'];
const leaf = fc.constantFrom<string | number>('a', 'X', '10', 1, 2);
const branch = <T>(inner: fc.Arbitrary<T>) => fc.dictionary(fc.constantFrom(...NAMES), inner, { maxKeys: 4 });
const dataModel = branch(branch(fc.oneof(leaf, branch(fc.oneof(leaf, branch(leaf))))));

/** What reading these alone gives of a data model. */
function only(
  subtrees: readonly string[],
  model: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
) {
  const read: Record<string, Record<string, unknown>> = Object.create(null);
  for (const [root, below] of Object.entries(model)) {
    for (const [second, values] of Object.entries(below)) {
      if (!subtrees.includes(`${root}.${second}`)) continue;
      read[root] ??= Object.create(null) as Record<string, unknown>;
      Object.assign(read[root] ?? {}, { [second]: values });
    }
  }
  return read;
}

test('a condition comes to the same with the subtrees that it looks at as with the whole data model', async (t) => {
  const seen = { narrowed: 0, whole: 0 };
  const names = fc.constantFrom('a', 'b', 'c', 'n', '*', '`1`', 'b[$ = "a"]', 'c[$exists(a)]');
  const path = fc
    .array(names, { minLength: 2, maxLength: 5 })
    .map((steps) => `parameters.${steps.join('.')}`);
  // Beside a path into the data model anything may stand.
  const text = fc
    .tuple(path, fc.constantFrom(' = ', ' in ', ' & ', ' and '), fc.oneof(path, expression))
    .map(([left, operator, right]) => left + operator + right);
  await fc.assert(
    fc.asyncProperty(text, plainContext, dataModel, async (condition, given, model) => {
      let compiled: ReturnType<typeof compiler.compile>;
      try {
        compiled = compiler.compile(condition);
      } catch (error) {
        if (error instanceof ConditionError) return;
        throw error;
      }
      const { parameterSubtrees } = compiled;
      if (parameterSubtrees === null) {
        seen.whole += 1;
        return;
      }
      seen.narrowed += 1;
      const whole = await byJsonata(compiled, { ...given, parameters: model });
      const narrow = await byJsonata(compiled, { ...given, parameters: only(parameterSubtrees, model) });
      if (whole !== null && narrow !== null && !isDeepStrictEqual(whole, narrow))
        throw new Error(
          `${condition}: ${JSON.stringify(narrow)}, and with everything ${JSON.stringify(whole)}`,
        );
    }),
    { numRuns },
  );
  t.log(JSON.stringify(seen));
  t.true(seen.narrowed > 0.2 * numRuns);
});
