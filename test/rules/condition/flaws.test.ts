import test from 'ava';
import fc from 'fast-check';
import { scopeOf } from '../../../rules/condition/flaws/constant.js';
import { isPlain } from '../../../rules/condition/flaws/index.js';
import { LogicMaker } from '../../../rules/condition/flaws/logic.js';
import { Judge } from '../../../rules/condition/flaws/verdict.js';
import { createConditionCompiler, isSyntaxNode, loadGuards } from '../../../rules/condition/index.js';
import { parse } from '../../../rules/condition/parse.js';
import { contextOf } from '../setup.js';

const compiler = createConditionCompiler(await loadGuards());

const told = (condition: string): readonly string[] =>
  compiler.flaws(condition).map(({ code, character }) => `${code} at ${condition.slice(character)}`);

const FLAWED: readonly (readonly [condition: string, ...told: readonly string[]])[] = [
  // Constants as operands, whatever they are and wherever they stand.
  ['productClass = "HGW" and (softwareVersion = "0.1" or "0.2")', 'constant-operand at "0.2")'],
  ['productClass = "A" or "B"', 'constant-operand at "B"'],
  ['"B" or productClass = "A"', 'constant-operand at "B" or productClass = "A"'],
  ['productClass = "A" or productClass = "B" or "C"', 'constant-operand at "C"'],
  ['productClass = "A" or 1', 'constant-operand at 1'],
  ['productClass = "A" and -1', 'constant-operand at 1'],
  ['productClass = "A" and 0', 'constant-operand at 0'],
  ['true and productClass = "A"', 'constant-operand at true and productClass = "A"'],
  ['productClass = "A" or false', 'constant-operand at false'],
  ['productClass = "A" and null', 'constant-operand at null'],
  ['productClass = "A" or ["B", "C"]', 'constant-operand at ["B", "C"]'],
  ['productClass = "A" or /B/', 'constant-operand at /B/'],
  ['productClass = "A" or {"a": 1}', 'constant-operand at {"a": 1}'],
  ['productClass = "A" or $not("x")', 'constant-operand at $not("x")'],
  [
    'productClass = "A" or $compareVersions("1", "2") < 0',
    'constant-operand at $compareVersions("1", "2") < 0',
  ],
  ['productClass = "A" or "x" = "x"', 'constant-operand at "x" = "x"'],
  ['$not(productClass = "A" or "B")', 'constant-operand at "B")'],
  ['$not((productClass = "A" or ("B")))', 'constant-operand at "B")))'],
  ['productClass = "A" and ("B" or "C")', 'constant-operand at "B" or "C")'],
  ['$count(tags[$ = "a" or "b"]) > 0', 'constant-operand at "b"]) > 0'],
  ['$count($filter(tags, function($t) { $t = "a" or "b" })) > 0', 'constant-operand at "b" })) > 0'],
  ['($v := "0.2"; softwareVersion = "0.1" or $v)', 'constant-operand at $v)'],
  ['"x" ? productClass = "A" : false', 'constant-operand at "x" ? productClass = "A" : false'],
  // True for every CPE.
  [
    'softwareVersion != "A" or softwareVersion != "B"',
    'always-true at softwareVersion != "A" or softwareVersion != "B"',
  ],
  [
    'oui = "1" and (modelName != "A" or modelName != "B")',
    'always-true at modelName != "A" or modelName != "B")',
  ],
  [
    'modelName != "A" or oui = "1" or modelName != "B"',
    'always-true at modelName != "A" or oui = "1" or modelName != "B"',
  ],
  ['$not(oui = "1" and oui = "2")', 'always-true at $not(oui = "1" and oui = "2")'],
  [
    'oui in ["1", "2"] or $not($.oui in ["1", "2"])',
    'always-true at oui in ["1", "2"] or $not($.oui in ["1", "2"])',
  ],
  [
    'parameters.Device.X != 1 or parameters.Device.X != 2',
    'always-true at parameters.Device.X != 1 or parameters.Device.X != 2',
  ],
  [
    '$compareVersions(softwareVersion, "1") >= 0 or $compareVersions(softwareVersion, "2") < 0',
    'always-true at $compareVersions(softwareVersion, "1") >= 0 or $compareVersions(softwareVersion, "2") < 0',
  ],
  ['$bucket(cpeid, "s") < 200', 'always-true at $bucket(cpeid, "s") < 200'],
  ['200 > $bucket(cpeid, "s")', 'always-true at 200 > $bucket(cpeid, "s")'],
  ['$bucket(cpeid, "s") >= 0', 'always-true at $bucket(cpeid, "s") >= 0'],
  ['$bucket(cpeid, "s") != 100', 'always-true at $bucket(cpeid, "s") != 100'],
  [
    '$bucket(cpeid, "s") < 50 or $bucket(cpeid, "s") >= 50',
    'always-true at $bucket(cpeid, "s") < 50 or $bucket(cpeid, "s") >= 50',
  ],
  ['oui = "1" and tags != "vip"', 'always-true at tags != "vip"'],
  ['productClass != ["A", "B"]', 'always-true at productClass != ["A", "B"]'],
  ['softwareVersion != 2', 'always-true at softwareVersion != 2'],
  ['modelName != /^X/', 'always-true at modelName != /^X/'],
  ['1 = 1', 'always-true at 1 = 1'],
  // True for none.
  ['productClass = "A" and productClass = "B"', 'never-true at productClass = "A" and productClass = "B"'],
  ['oui = "1" or (tags = "a" and oui = "2")', 'never-true at tags = "a" and oui = "2")'],
  [
    '$compareVersions(softwareVersion, "3.0") >= 0 and $compareVersions(softwareVersion, "2.0") < 0',
    'never-true at $compareVersions(softwareVersion, "3.0") >= 0 and $compareVersions(softwareVersion, "2.0") < 0',
  ],
  ['$bucket(cpeid, "s") > 99', 'never-true at $bucket(cpeid, "s") > 99'],
  ['productClass = ["A", "B"]', 'never-true at productClass = ["A", "B"]'],
  // The last step of a canary that is widened, in each of its spellings.
  ['oui = "1" and $bucket(cpeid, "s") < 100', 'every-bucket at $bucket(cpeid, "s") < 100'],
  ['$bucket(cpeid, "s") <= 100', 'every-bucket at $bucket(cpeid, "s") <= 100'],
  ['$bucket(cpeid, "s") <= 99', 'every-bucket at $bucket(cpeid, "s") <= 99'],
  ['100 > $bucket(cpeid, "s") or oui = "1"', 'every-bucket at 100 > $bucket(cpeid, "s") or oui = "1"'],
];

for (const [condition, ...expected] of FLAWED) {
  test(`${condition} is told of: ${expected.map((each) => each.split(' ')[0]).join(', ')}`, (t) => {
    t.deepEqual(told(condition), expected);
  });
}

for (const condition of [
  'true',
  'productClass = "A" or productClass = "B"',
  'modelName != "A" and modelName != "B"',
  '$exists(modelName)',
  '$exists(modelName) or productClass = "A"',
  '$exists(modelName) and $not(modelName = "A")',
  '$not("vip" in tags)',
  'events = ["1 BOOT"]',
  '$bucket(cpeid, "s") < 5 or $bucket(cpeid, "t") >= 5',
  '$bucket(cpeid, "s") >= 5 and $bucket(cpeid, "s") < 25',
  '$compareVersions(softwareVersion, "1") >= 0 and $compareVersions(softwareVersion, "2") < 0',
  'parameters.Device.X > 5 or parameters.Device.X <= 5',
  'parameters.Device.X.Enabled and oui = "1"',
  'now - lastInform > 86400000',
  'oui = "1" or $toMillis("2026-11-28T00:00:00Z") < now',
  'oui = "1" or $now() > "2026"',
  '$contains(modelName, "X") or $contains(modelName, "Y")',
  '$map(tags, $uppercase) = "BETA"',
  'oui = "1" ? $bucket(cpeid, "s") < 5 : true',
]) {
  test(`nothing is wrong with ${condition}`, (t) => {
    t.deepEqual(told(condition), []);
  });
}

test('what was meant is written out, where that can be told', (t) => {
  const [first] = compiler.flaws('productClass = "HGW" and (softwareVersion = "0.1" or "0.2")');
  t.is(
    first?.message,
    '"0.2" is always true, so this "or" holds for every CPE; write softwareVersion in ["0.1", "0.2"]',
  );
  const [second] = compiler.flaws('oui != "1" and "2"');
  t.regex(second?.message ?? '', /write \$not\(oui in \["1", "2"\]\)$/);
});

test('a condition of any size is looked at in a moment, and at most ten flaws are told', (t) => {
  const long = Array.from({ length: 300 }, (_, n) => `(oui = "${n}" or $contains(modelName, "${n}"))`).join(
    ' and ',
  );
  t.deepEqual(told(long), []);
  t.is(told(Array.from({ length: 300 }, (_, n) => `oui = "${n}" or "${n}"`).join(' or ')).length, 10);
  const deep = `${'$not('.repeat(30)}oui = "1" or "2"${')'.repeat(30)}`;
  t.is(told(deep).length, 1);
});

test('there is no object form that every CPE matches', (t) => {
  for (const condition of [
    { productClass: ['A', 'B'] },
    { modelName: 'X*' },
    { tags: 'vip' },
    { oui: [true, 1, 'x'] },
  ]) {
    t.deepEqual(compiler.flaws(condition), []);
    t.deepEqual(compiler.refusals(condition), []);
  }
});

/** Pieces of conditions whose fields, constants and buckets meet one another. */
const atom: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('productClass', 'softwareVersion', 'modelName'),
      fc.constantFrom('=', '!='),
      fc.constantFrom('"1.0"', '"2"', '"HGW"', '""', '5'),
    )
    .map((parts) => parts.join(' ')),
  fc
    .tuple(
      fc.constantFrom('productClass', 'softwareVersion'),
      fc.constantFrom('<', '<=', '>', '>='),
      fc.constantFrom('"1.0"', '"2"'),
    )
    .map((parts) => parts.join(' ')),
  fc
    .tuple(fc.constantFrom('softwareVersion', 'modelName'), fc.constantFrom('["1.0", "2"]', '[]', '"HGW"'))
    .map(([field, list]) => `${field} in ${list}`),
  fc
    .tuple(
      fc.constantFrom('1', '1.0', '2'),
      fc.constantFrom('<', '<=', '>', '>=', '=', '!='),
      fc.constantFrom(0, 1, -1),
    )
    .map(([version, order, n]) => `$compareVersions(softwareVersion, "${version}") ${order} ${n}`),
  fc
    .tuple(fc.constantFrom('<', '<=', '>', '>=', '=', '!='), fc.constantFrom(0, 40, 99, 100, 101))
    .map(([order, n]) => `$bucket(cpeid, "s") ${order} ${n}`),
  fc
    .tuple(fc.constantFrom('=', '!='), fc.constantFrom('"a"', '["a"]'))
    .map(([equal, value]) => `tags ${equal} ${value}`),
  fc.constantFrom(
    '"a" in tags',
    '$exists(modelName)',
    '$exists(softwareVersion)',
    '$contains(modelName, "G")',
  ),
);
const logic: fc.Arbitrary<string> = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    atom,
    fc.tuple(tie('any'), fc.constantFrom('and', 'or'), tie('any')).map((parts) => `(${parts.join(' ')})`),
    tie('any').map((inner) => `$not(${inner})`),
  ),
})).any;

const cpe = fc
  .record({
    productClass: fc.constantFrom('HGW', '1.0', '', '15', '2', 'zz'),
    softwareVersion: fc.constantFrom(undefined, '1.0', '1', '2', '0.9', '1.5', '3', '', 'HGW'),
    modelName: fc.constantFrom(undefined, 'HGW', '1.0', 'x'),
    tags: fc.subarray(['a', 'b']),
    cpeid: fc.integer({ min: 1, max: 400 }).map((serial) => `00A1B2-HGW-${serial}`),
  })
  .map((fields) => {
    const { softwareVersion: _, ...context } = contextOf();
    const given = Object.entries(fields).filter(([, value]) => value !== undefined);
    return { ...context, ...Object.fromEntries(given) };
  });

test('what is called always true is true for every CPE of which all is known, and what is never true for none', (t) => {
  const seen = { always: 0, never: 0 };
  fc.assert(
    fc.property(logic, fc.array(cpe, { minLength: 20, maxLength: 40 }), (text, cpes) => {
      const { tree } = parse(text);
      if (!isSyntaxNode(tree)) return true;
      const verdict = new Judge().verdictOf(new LogicMaker(scopeOf(tree)).make(tree));
      if (verdict === null) return true;
      seen[verdict] += 1;
      const { closure } = compiler.compile(text);
      return cpes.every((context) => {
        const isKnown = 'softwareVersion' in context && 'modelName' in context;
        if (verdict === 'always' && !isKnown) return true;
        return (resultOf(closure, context) === true) === (verdict === 'always');
      });
    }),
    { numRuns: 3_000 },
  );
  t.true(seen.always > 20 && seen.never > 20, JSON.stringify(seen));
});

/** Undefined where it fails: then it is no match. */
function resultOf(closure: ReturnType<typeof compiler.compile>['closure'], context: object): unknown {
  try {
    return closure?.(context);
  } catch {
    return undefined;
  }
}

test('what is passed over as plain holds nothing that is refused', (t) => {
  const plain = fc.array(fc.oneof(atom, fc.constantFrom('true = "x"', 'oui="1"', "'a' in events")), {
    minLength: 1,
    maxLength: 3,
  });
  let passed = 0;
  fc.assert(
    fc.property(plain, fc.constantFrom(' and ', '  and\n'), (atoms, and) => {
      const text = atoms.join(and);
      if (!isPlain(text)) return true;
      passed += 1;
      return !compiler.flaws(text).some(({ code }) => code === 'always-true' || code === 'constant-operand');
    }),
    { numRuns: 3_000 },
  );
  t.true(passed > 100, String(passed));
});
