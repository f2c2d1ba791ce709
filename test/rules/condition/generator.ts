import fc from 'fast-check';

/** Names few enough that paths often lead somewhere, and sometimes into arrays, objects or nothing. */
const NAMES = ['a', 'b', 'c', 'events', 'cpeid', 'n', 'missing', '`1`'];
const STRINGS = [
  '',
  'a',
  'X',
  '1 BOOT',
  'abcabc',
  '10',
  '1.10',
  '0x1F',
  'true',
  '10.0.0.1',
  '10.0.0.0/8',
  'Ä😀',
];
const NUMBERS = [0, 1, 2, -1, 1.5, 1e300, 10, 0.1];
const PATTERNS = ['/a/', '/[a-c]+/', '/^1/', '/A/i', '/b(c)?/', '/x*/', '/(a)(b)/'];
const COMPARISONS = ['=', '!=', '<', '<=', '>', '>=', 'in'];
const ARITHMETIC = ['+', '-', '*', '/', '%', '&'];

const name = fc.constantFrom(...NAMES);
const string = fc.constantFrom(...STRINGS).map((text) => JSON.stringify(text));
const scalar = fc.oneof(
  { weight: 4, arbitrary: string },
  { weight: 3, arbitrary: fc.constantFrom(...NUMBERS).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('true', 'false', 'null') },
);
const constants = fc.array(scalar, { maxLength: 10 }).map((items) => `[${items.join(', ')}]`);
const plainPath = fc
  .tuple(
    fc.constantFrom('', '', '', '', '$.', '$$.', 'parameters.'),
    fc.array(name, { minLength: 1, maxLength: 4 }),
  )
  .map(([from, names]) => from + names.join('.'));

/** Expressions of the compiled subset, and some just outside of it: mostly well typed, often enough not. */
export const expression: fc.Arbitrary<string> = fc.letrec<{
  any: string;
  filter: string;
  step: string;
  path: string;
  call: string;
  operation: string;
  logic: string;
}>((tie) => ({
  filter: fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom('[0]', '[-1]', '[1]', '[$]', '[true]', '[[0, 1]]', '[b]', '[]') },
    { weight: 1, arbitrary: tie('any').map((inner) => `[${inner}]`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('=', 'in', '<', '!='), scalar)
        .map(([op, value]) => `[$ ${op} ${value}]`),
    },
  ),
  step: fc
    .tuple(fc.oneof(name, fc.constantFrom('*', '**')), fc.array(tie('filter'), { maxLength: 2 }))
    .map(([head, filters]) => head + filters.join('')),
  path: fc.oneof(
    { weight: 4, arbitrary: plainPath },
    {
      weight: 2,
      arbitrary: fc.array(tie('step'), { minLength: 1, maxLength: 4 }).map((steps) => steps.join('.')),
    },
    { weight: 1, arbitrary: fc.tuple(tie('any'), tie('step')).map(([from, step]) => `(${from}).${step}`) },
    {
      weight: 1,
      arbitrary: fc.tuple(tie('any'), tie('filter')).map(([from, filter]) => `(${from})${filter}`),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.oneof(tie('call'), fc.constantFrom('*', '**', '$match("b", /a/)', '$match("aa", /a/)')),
          tie('filter'),
        )
        .map(([from, filter]) => from + filter),
    },
    { weight: 1, arbitrary: fc.constantFrom('$', '$$', '$[0]', '$.$', '$$.*', '()') },
  ),
  call: fc.oneof(
    fc
      .tuple(
        fc.constantFrom(
          'not',
          'exists',
          'count',
          'boolean',
          'lowercase',
          'uppercase',
          'length',
          'number',
          'string',
          'trim',
        ),
        tie('any'),
      )
      .map(([called, argument]) => `$${called}(${argument})`),
    fc
      .tuple(
        fc.constantFrom(
          'contains',
          'substring',
          'substringBefore',
          'substringAfter',
          'compareVersions',
          'inSubnet',
          'bucket',
          'string',
        ),
        tie('any'),
        tie('any'),
      )
      .map(([called, left, right]) => `$${called}(${left}, ${right})`),
    fc
      .tuple(tie('any'), scalar, scalar)
      .map(([text, from, length]) => `$substring(${text}, ${from}, ${length})`),
    fc
      .tuple(fc.constantFrom('match', 'contains'), fc.oneof(plainPath, string), fc.constantFrom(...PATTERNS))
      .map(([called, text, pattern]) => `$${called}(${text}, ${pattern})`),
    fc
      .tuple(string, fc.constantFrom(...PATTERNS), fc.constantFrom(', 0', ', 1', ', 2', ', -1', ', null', ''))
      .map(([text, pattern, limit]) => `$match(${text}, ${pattern}${limit}).groups`),
    fc.constantFrom(
      '$lowercase()',
      '$count()',
      '$string()',
      '$number()',
      '$boolean()',
      '$not()',
      '$length(1, 2)',
      '$match(/a/)',
    ),
  ),
  operation: fc
    .tuple(tie('any'), fc.constantFrom(...COMPARISONS, ...COMPARISONS, ...ARITHMETIC), tie('any'))
    .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
  logic: fc.oneof(
    fc
      .tuple(tie('any'), fc.constantFrom('and', 'or'), tie('any'))
      .map(([left, op, right]) => `(${left} ${op} ${right})`),
    fc
      .tuple(tie('any'), tie('any'), tie('any'))
      .map(([condition, yes, no]) => `(${condition} ? ${yes} : ${no})`),
    fc.tuple(tie('any'), tie('any')).map(([condition, yes]) => `(${condition} ? ${yes})`),
    fc
      .tuple(tie('any'), fc.constantFrom('??', '?:'), tie('any'))
      .map(([left, op, right]) => `(${left} ${op} ${right})`),
    fc.tuple(tie('any'), tie('any')).map(([first, last]) => `(${first}; ${last})`),
  ),
  any: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    { weight: 3, arbitrary: scalar },
    { weight: 4, arbitrary: plainPath },
    { weight: 4, arbitrary: tie('path') },
    { weight: 4, arbitrary: tie('operation') },
    { weight: 3, arbitrary: tie('call') },
    { weight: 2, arbitrary: tie('logic') },
    { weight: 1, arbitrary: constants },
    { weight: 1, arbitrary: fc.array(tie('any'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`) },
    { weight: 1, arbitrary: tie('any').map((operand) => `-${operand}`) },
  ),
})).any;

const FEW = ['X', 'a', '1 BOOT', 1, 2, true, null] as const;
const fewConstant = fc.constantFrom(...FEW).map((constant) => JSON.stringify(constant));
const fewPath = fc.constantFrom(
  'cpeid',
  'events',
  'a',
  'n',
  'a.b',
  '`b`.c',
  'parameters.a.1',
  'parameters.b.`1`.a',
);

/** What rules are indexed by: equalities and memberships, alternatives of them, and a few other conjuncts between. */
export const conjunction: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.tuple(fewPath, fc.constantFrom('=', 'in'), fewConstant).map((parts) => parts.join(' ')),
      },
      {
        weight: 4,
        arbitrary: fc.tuple(fewConstant, fc.constantFrom('=', 'in'), fewPath).map((parts) => parts.join(' ')),
      },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fewPath, fc.array(fewConstant, { minLength: 1, maxLength: 5 }))
          .map(([path, items]) => `${path} in [${items.join(', ')}]`),
      },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fewPath, fc.array(fewConstant, { minLength: 2, maxLength: 5 }))
          .map(([path, values]) => `(${values.map((wanted) => `${path} = ${wanted}`).join(' or ')})`),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fewPath, fewPath, fewConstant, fewConstant)
          .map(([path, other, one, two]) => `(${path} = ${one} and ${other} = ${two} or ${two} in ${path})`),
      },
      { weight: 2, arbitrary: expression },
    ),
    { minLength: 1, maxLength: 2 },
  )
  .map((conjuncts) => conjuncts.join(' and '));

const leaf = fc.oneof(
  fc.constantFrom<unknown>(...STRINGS),
  fc.constantFrom<unknown>(...NUMBERS, -0),
  fc.constantFrom<unknown>(true, false, null),
);
const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
  object: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'n', '1', 'events'), tie('value'), { maxKeys: 4 }),
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 3, arbitrary: leaf },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 3 }) },
    { weight: 2, arbitrary: tie('object') },
  ),
})).value;

/** Contexts with every shape a field may have, also shapes that Ferry itself never gives one. */
export const context: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc.record(
  {
    cpeid: fc.oneof(fc.constantFrom<unknown>('X', 'a'), value),
    events: fc.oneof(fc.array(fc.constantFrom<unknown>('1 BOOT', 'a', 'X')), value),
    a: value,
    b: value,
    c: value,
    n: fc.oneof(fc.constantFrom<unknown>(...NUMBERS, Number.POSITIVE_INFINITY, Number.NaN), value),
    '1': value,
    parameters: fc.dictionary(fc.constantFrom('a', 'b', '1'), value, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);

const few = fc.constantFrom<unknown>(...FEW);
const fewOrList = fc.oneof({ weight: 3, arbitrary: few }, fc.array(few, { maxLength: 4 }));

/** Contexts more like Ferry's, in which comparisons often hold. */
export const plainContext: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc.record({
  cpeid: fc.constantFrom('X', 'a'),
  events: fc.array(fc.constantFrom('1 BOOT', 'X', 'a'), { maxLength: 3 }),
  a: fc.oneof(
    fewOrList,
    fc.record({ b: fewOrList }),
    fc.array(fc.record({ b: fewOrList }), { maxLength: 3 }),
  ),
  b: fc.oneof(
    few,
    fc.record({ c: fewOrList }),
    fc.array(fc.array(fc.record({ c: fewOrList })), { maxLength: 2 }),
  ),
  n: few,
  parameters: fc.record({ a: fc.record({ '1': few }), b: fc.record({ '1': fc.record({ a: few }) }) }),
});
