import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { CLOSURE_STEPS_MAX } from '../../../rules/condition/closure-values.js';
import {
  ConditionError,
  createConditionCompiler,
  errorCode,
  loadGuards,
  meets,
} from '../../../rules/condition/index.js';
import { quoteNumericSteps, tokensOf } from '../../../rules/condition/text.js';
import { bucket } from '../../../rules/index.js';
import { createRuleValidator } from '../../../rules/validation/validate.js';
import { context, plainContext } from './generator.js';
import { byClosure, byJsonata } from './outcome.js';

const compiler = createConditionCompiler(await loadGuards());

for (const [text, requirements] of [
  ['softwareVersion = "1"', 'softwareVersion: "1"'],
  ['"1" = softwareVersion', 'softwareVersion: "1"'],
  ['registered = -0', 'registered: 0'],
  ['modelName = null and organization = true', 'modelName: null; organization: true'],
  ['"1 BOOT" in events', 'events: "1 BOOT"'],
  ['productClass in ["HGW", "STB", "HGW"]', 'productClass: "HGW", "STB"'],
  ['cpeid in "X"', 'cpeid: "X"'],
  ['parameters.Device.IP.Interface.1.Status = "Up"', 'parameters.Device.IP.Interface.1.Status: "Up"'],
  ['parameters.Device.IP.Interface.`1`.Status = "Up"', 'parameters.Device.IP.Interface.1.Status: "Up"'],
  ['productClass = "A" or productClass = "B" or productClass in ["C", 4]', 'productClass: "A", "B", "C", 4'],
  ['(productClass = "A" and ip = "1") or ("B" = productClass and tags = 1)', 'productClass: "A", "B"'],
  ['(a = 1 or (a = 2 or a = 3)) and (b = 1)', 'a: 1, 2, 3; b: 1'],
  // Nothing that would hold for every CPE for which these hold.
  ['a = 1 or b = 1', ''],
  ['a = 1 or $exists(a)', ''],
  ['$not(a = 1)', ''],
  ['a != 1', ''],
  ['a[0] = 1', ''],
  ['a[] = 1', ''],
  ['a.*.b = 1', ''],
  ['a[b = 1].c = 1', ''],
  ['a = [1]', ''],
  ['a in []', ''],
  ['a in [b, "c"]', ''],
  ['a in [["b"], "c"]', ''],
  ['a = 1 ? true : false', ''],
] as const) {
  test(`condition ${text} needs ${requirements === '' ? 'nothing that an index knows' : requirements}`, (t) => {
    const found = compiler
      .compile(text)
      .requirements.map(
        ({ path, values }) => `${path.join('.')}: ${values.map((value) => JSON.stringify(value)).join(', ')}`,
      );
    t.is(found.join('; '), requirements);
  });
}

for (const [text, pieces] of [
  ['cpeid = "X"', ['1 cpeid = "X"']],
  ['  cpeid = "X"\n', ['3 cpeid = "X"']],
  ['a = 1 and b = 2', ['1 a = 1', '11 b = 2']],
  ['a.1 = 1 and b.2.c=2 and /* c.3 */ d', ['1 a.1 = 1', '13 b.2.c=2', '35 d']],
  ['(a = 1 and (b or c)) and ( d and e ) and (f)', ['2 a = 1', '12 (b or c)', '28 d', '34 e', '42 (f)']],
  ['((a = 1 and b))', ['3 a = 1', '13 b']],
  [
    'a = " and " and $match(b, / and /) and c[d and e]',
    ['1 a = " and "', '17 $match(b, / and /)', '40 c[d and e]'],
  ],
  ['a and b or c', ['1 a and b or c']],
  ['a ? b and c : d', ['1 a ? b and c : d']],
  // A field that is called "and" makes the text hard to tell apart.
  ['and = 1 and b', ['1 and = 1 and b']],
  ['(a; b) and c', ['1 (a; b)', '12 c']],
] as const) {
  test(`conjuncts of ${JSON.stringify(text)}`, (t) => {
    const found = compiler.compile(text).conjuncts.map(({ column, text: piece }) => `${column} ${piece}`);
    t.deepEqual(found, [...pieces]);
  });
}

test('a conjunct has a closure of its own where it is in the subset, and the paths it reads', (t) => {
  const given = { a: { b: 2 }, c: [{ d: 1 }] };
  const { conjuncts, closure } = compiler.compile(
    'a.b = 2 and $sum(a.b) = 2 and c[d = 1].e = $.f and a.1.x in c',
  );
  t.is(closure, null);
  t.deepEqual(
    conjuncts.map((conjunct) => conjunct.closure?.(given)),
    [true, undefined, false, false],
  );
  t.deepEqual(
    conjuncts.map(({ paths }) => paths),
    [['a.b'], ['a.b'], ['c'], ['a.1.x', 'c']],
  );
});

test('a comparison names the calls that it compares, where their text is told apart with certainty', (t) => {
  const calls = (text: string) =>
    compiler
      .compile(text)
      .conjuncts.map((conjunct) =>
        (conjunct.calls ?? []).map((call) => [call.text, call.closure({ a: 'xyz' })]),
      );
  t.deepEqual(calls('$length(a) >= 2 and $bucket("1", "(<=)") < 5'), [
    [['$length(a)', 3]],
    [['$bucket("1", "(<=)")', bucket('1', '(<=)')]],
  ]);
  t.deepEqual(calls('$uppercase(a) /* = */ != $lowercase(a)'), [
    [
      ['$uppercase(a)', 'XYZ'],
      ['$lowercase(a)', 'xyz'],
    ],
  ]);
  for (const text of [
    'a = 1',
    '$exists(a)',
    '$length(a) + 1 = 4',
    '$sum(a) = 1',
    '$length(a) in [1]',
    '($length(a) = 3) = true',
    'a[$length($) = 3] = "xyz"',
  ]) {
    t.deepEqual(calls(text), [[]], text);
  }
});

test('in object form each key is a conjunct', (t) => {
  const { conjuncts } = compiler.compile({ softwareVersion: '1', tags: ['a', 'b', 'c', 'd', 'e', 'f'] });
  t.deepEqual(
    conjuncts.map(({ text, column, paths }) => ({ text, column, paths })),
    [
      { text: 'softwareVersion: "1"', column: null, paths: ['softwareVersion'] },
      { text: 'tags: one of "a", "b", "c", "d", "e" … (6 values)', column: null, paths: ['tags'] },
    ],
  );
  t.deepEqual(
    conjuncts.map(({ closure }) => closure?.({ softwareVersion: '1', tags: ['g'] })),
    [true, false],
  );
});

const keys = fc.constantFrom(
  'cpeid',
  'events',
  'a',
  'b.c',
  'a.b',
  'n',
  'parameters.a.1',
  'parameters.b.1.a',
  'x',
);
const wanted = fc.constantFrom('X', 'a', '1 BOOT', 1, 2, true, null);
const many = Array.from({ length: 20 }, (_, index) => index - 3);

test('object form gives what JSONata gives for the expression it stands for', async (t) => {
  let held = 0;
  const values = fc.oneof(wanted, fc.array(wanted, { minLength: 1, maxLength: 4 }), fc.constant(many));
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(keys, values, { minKeys: 1, maxKeys: 2 }),
      fc.oneof(context, plainContext),
      async (condition, given) => {
        const compiled = compiler.compile(condition);
        const expected = await byJsonata(compiled, given);
        if (expected === null || compiled.closure === null) return expected === null;
        if (isDeepStrictEqual(expected, { value: true })) {
          held += 1;
          t.true(compiled.requirements.every((requirement) => meets(given, requirement)));
          t.true(compiled.pin === null || meets(given, { path: ['cpeid'], values: [compiled.pin] }));
        }
        return isDeepStrictEqual(byClosure(compiled.closure, given), expected);
      },
    ),
    { numRuns: 2_000 },
  );
  t.true(held > 100);
});

for (const [text, given] of [
  // Marks by which JSONata tells its own things apart: a CPE may call its parameters so.
  ['a.b', { a: { _jsonata_function: true, b: 1 } }],
  ['$exists(a)', { a: { _jsonata_lambda: true } }],
  ['$not(a)', { a: { _jsonata_lambda: true } }],
  ['$boolean(a) or $string(a) = ""', { a: { _jsonata_function: true } }],
  ['$count(a.*)', { a: { _jsonata_function: true } }],
  ['$string(x)', { x: { a: { _jsonata_function: true } } }],
  ['a[$.b = 1]', { a: { outerWrapper: true, b: 1 } }],
  ['a.$', { a: { outerWrapper: 1, '0': 'zero' } }],
  ['a = b', { a: [], b: { length: 0 } }],
  ['a.b = c', { a: [{ b: 1 }, { b: 2 }], c: { '0': 1, '1': 2, length: 2 } }],
  ['a.toString', { a: {} }],
  // A predicate is not asked of an empty sequence, but once of a missing value.
  ['a[*[0 / ""]]', { a: ['X'] }],
  ['$match("b", /a/)[0 / ""]', {}],
  ['b[0 / ""]', {}],
  ['$count(a[**[0 / ""]])', { a: [[]] }],
  ['a.length', { a: 'text' }],
  ['$count(a.b)', { a: Array.from({ length: 10_001 }, () => ({ b: 1 })) }],
  ['$count(a)', { a: Array.from({ length: 10_001 }, () => 1) }],
  ['[a, a]', { a: Array.from({ length: 6_000 }, () => 1) }],
  ['$length(a)', { a: 'x'.repeat(65_537) }],
  ['$contains(a, "x")', { a: 'x'.repeat(65_537) }],
  ['$contains(a, /x/)', { a: 'x'.repeat(65_537) }],
  ['$match(a, /x/)', { a: 'x'.repeat(65_537) }],
  ['$string(a, true)', { a: { b: [1] } }],
  ['$count($match(a, /x/))', { a: 'x'.repeat(200) }],
] as const) {
  test(`closure and JSONata agree on ${text} of ${JSON.stringify(given).slice(0, 60)}`, async (t) => {
    const condition = compiler.compile(text);
    const { closure } = condition;
    if (closure === null) return t.fail('it is not compiled');
    t.deepEqual(byClosure(closure, given), (await byJsonata(condition, given)) ?? byClosure(closure, given));
  });
}

for (const [text, given] of [
  [
    Array.from({ length: 1_000 }, () => '$string($)').join(' & '),
    { a: Array.from({ length: 3_000 }, () => 'abc') },
  ],
  [Array.from({ length: 500 }, () => 'a').join(' & '), { a: 'x'.repeat(60_000) }],
  ['a[$$.a[$$.a[$$.a[$ = 1]]]]', { a: Array.from({ length: 60 }, () => 1) }],
  ['$contains(a, /(x{1,30}){1,30}y/)', { a: 'x'.repeat(60_000) }],
  ['$count($match(a, /x.*y|x/)) = 0', { a: 'x'.repeat(9_000) }],
] as const) {
  test(`a closure takes no more than ${CLOSURE_STEPS_MAX} steps: ${text.slice(0, 40)}`, (t) => {
    const { closure } = compiler.compile(text);
    const error: unknown = t.throws(() => closure?.(given));
    t.is(errorCode(error), 'D1012');
  });
}

for (const [text, column, message] of [
  ['cpeid = ', 9, /Unexpected end of expression/],
  ['a.1.b = 1 and b ! = 2', 17, /there is no operator !/],
  ['a.1.b = "x', 9, /String literal must be terminated/],
  ['a = "x\\q"', 8, /escape sequence/],
  ['(a = 1 and (b = 2)', 19, /Expected "\)" before end/],
  ['a = 1 and b = 2)', 16, /"\)"/],
  ['a = 1 b', 7, /an operator is missing before b/],
  ['a = 1 and $eval("x")', 11, /\$eval/],
  ['a.1.`constructor` = 1', 5, /constructor/],
  ['a.10.b = 1 and $match(c, /a(?=b)/)', 26, /linear time/],
  ['a = 1 /* never closed', 7, /Comment has no closing tag/],
] as const) {
  test(`condition ${text} is wrong at column ${column}`, (t) => {
    const error = t.throws(() => compiler.compile(text), { name: 'ConditionError', message });
    t.is((error as { column?: unknown } | undefined)?.column, column);
  });
}

test('a problem with a condition tells the column', (t) => {
  const validation = createRuleValidator(compiler).validate({
    id: 'r',
    file: 'f.bin',
    condition: 'a.1 = 1 b',
  });
  t.false(validation.valid);
  t.regex(
    validation.valid ? '' : (validation.problems[0]?.expected ?? ''),
    /an operator is missing before .* \(column 9\)$/,
  );
});

for (const [condition, message] of [
  [`a = "${'x'.repeat(16_384)}"`, /16384 characters/],
  [`${'['.repeat(65)}1${']'.repeat(65)} = a`, /at most 64 deep/],
  [{ 'a.__proto__.b': 1 }, /__proto__/],
  [{ 'a.constructor': 1 }, /constructor/],
  [{ 'a`.b': 1 }, /back-quotes/],
  [{}, /at least one field/],
  ['cpeid = "constructor"', /constructor/],
  ['"\\u005f_proto__" in a', /__proto__/],
] as const) {
  test(`condition ${JSON.stringify(condition).slice(0, 40)} is refused, with the limit or name`, (t) => {
    t.throws(() => compiler.compile(condition), { name: 'ConditionError', message });
  });
}

test('the short way for one cpeid gives what the parser gives', async (t) => {
  const texts = [
    'cpeid="X"',
    " cpeid\t=\n'X' ",
    'cpeid = ""',
    'cpeid = "a b"',
    'cpeid = "X\\n"',
    'cpeid = "\\u0058"',
  ];
  for (const text of texts) {
    const short = compiler.compile(text);
    // Parentheses take the long way.
    const long = compiler.compile(`(${text})`);
    t.deepEqual([short.pin, short.requirements], [long.pin, long.requirements], text);
    for (const cpeid of ['X', '', 'a b', 'X\n', ['X'], undefined]) {
      const given = cpeid === undefined ? {} : { cpeid };
      t.is(short.closure?.(given), long.closure?.(given) as boolean);
      const value = short.closure?.(given);
      t.deepEqual({ value }, (await byJsonata(short, given)) ?? { value });
    }
  }
  t.is(quoteNumericSteps('cpeid = "a.1"'), 'cpeid = "a.1"');
});

test('patterns together are bounded, and a comment that is not closed is looked at once', (t) => {
  const patterns = (count: number, pattern: string): string =>
    Array.from({ length: count }, () => `$contains(a, ${pattern})`).join(' or ');
  t.notThrows(() => compiler.compile(patterns(100, '/^R[0-9]+/')));
  for (const text of [patterns(8, '/(a?){999}/'), patterns(300, '/a/')]) {
    t.throws(() => compiler.compile(text), { instanceOf: ConditionError, message: /patterns .* too large/ });
  }
  t.true([...tokensOf(`a ${'/*a '.repeat(4_000)}`)].length <= 3);
});
