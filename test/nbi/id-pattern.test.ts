import test from 'ava';
import fc from 'fast-check';
import { LinearRegExp } from '../../common/index.js';
import { parseIdPattern } from '../../nbi/dyn/id-pattern.js';
import { ApiError } from '../../nbi/http/index.js';

test('.* is every id', (t) => {
  const { all, ids, prefix } = parseIdPattern('.*');
  t.deepEqual({ all, ids, prefix }, { all: true, ids: null, prefix: '' });
});

test('a literal is one id, and literals between bars are so many', (t) => {
  t.deepEqual(parseIdPattern('UPGRADE_1').ids, ['UPGRADE_1']);
  t.deepEqual(parseIdPattern('a|b|a').ids, ['a', 'b']);
});

test('a literal beginning becomes a prefix, without what a quantifier makes optional', (t) => {
  const prefixes = [
    'UPGRADE_.*',
    '^UPGRADE_.*',
    'ab*',
    'ab+c',
    'ab?',
    'ab{0,2}',
    'a\\.b.*',
    'a\\d',
    '(a|b)c',
    'a.*|b',
  ];
  t.deepEqual(
    prefixes.map((source) => parseIdPattern(source).prefix),
    ['UPGRADE_', 'UPGRADE_', 'a', 'ab', 'a', 'a', 'a.b', 'a', '', ''],
  );
});

test('what does not compile, is empty, or is too long is a 400 that names the pattern', (t) => {
  for (const source of ['(', '', '(?=a)b', 'a'.repeat(1_025)]) {
    const error = t.throws(() => parseIdPattern(source), { instanceOf: ApiError });
    t.is(error?.status, 400);
    t.is(error?.problems[0]?.field, 'pattern');
  }
});

test('whatever the pattern, its listed ids and its prefix leave out nothing that it matches', (t) => {
  const pieces = [
    'a',
    'b',
    '1',
    '-',
    '_',
    '~',
    '.',
    '*',
    '+',
    '?',
    '|',
    '(',
    ')',
    '^',
    '$',
    '\\',
    '{2}',
    '[ab]',
    'é',
    '😀',
  ];
  const source = fc
    .array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 8 })
    .map((all) => all.join(''));
  const id = fc
    .array(fc.constantFrom('a', 'b', '1', '-', '.', 'é', '😀'), { maxLength: 5 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(source, fc.array(id, { minLength: 20, maxLength: 20 }), (text, ids) => {
      let expression: LinearRegExp;
      try {
        expression = new LinearRegExp(text);
      } catch {
        return;
      }
      const pattern = parseIdPattern(text);
      for (const each of ids.filter((candidate) => expression.matchesWhole(candidate) && candidate !== '')) {
        t.true(pattern.matches(each));
        t.true(pattern.ids === null || pattern.ids.includes(each), `${text} lists ${each}`);
        t.true(each.startsWith(pattern.prefix), `${text} with prefix ${pattern.prefix} matches ${each}`);
      }
    }),
    { numRuns: 2_000 },
  );
});
