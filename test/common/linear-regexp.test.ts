import test from 'ava';
import fc from 'fast-check';
import { LinearRegExp, PATTERN_CHARACTERS_MAX, PatternError } from '../../common/index.js';

test('a pattern that is exponential elsewhere is linear here', (t) => {
  const text = `${'a'.repeat(100_000)}b`;
  // With RegExp the first of these would not end before the sun does.
  for (const pattern of ['(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(.*a){12}$']) {
    t.false(new LinearRegExp(pattern).test(text), pattern);
    t.false(new LinearRegExp(pattern).matchesWhole(text), pattern);
  }
});

test('twice the text takes about twice the steps, not four times', (t) => {
  // Not by the clock: a text of a million characters would not be through in hours if it were quadratic.
  t.false(new LinearRegExp('(x+x+)+y').test('x'.repeat(1_000_000)));
});

test('matches and groups are those of RegExp', (t) => {
  const patterns = ['a(b)?c', '(a|b)+c', '^a.c$', '[ab]{2,3}', 'a*', '(?:ab)+|c', '\\d+-(\\w*)'];
  fc.assert(
    fc.property(
      fc.constantFrom(...patterns),
      fc.string({ unit: fc.constantFrom(...'abc1-') }),
      (pattern, text) => {
        const ours = new LinearRegExp(pattern).exec(text);
        const theirs = new RegExp(pattern).exec(text);
        t.deepEqual(ours === null ? null : [...ours], theirs === null ? null : [...theirs]);
        t.is(ours?.index, theirs?.index);
      },
    ),
  );
});

test('a group that took no part is undefined', (t) => {
  t.deepEqual([...(new LinearRegExp('(a)|(b)').exec('b') ?? [])], ['b', undefined, 'b']);
});

test('flags are those of RegExp', (t) => {
  t.true(new LinearRegExp('ABC', 'i').test('abc'));
  t.false(new LinearRegExp('ABC').test('abc'));
  t.true(new LinearRegExp('^b$', 'm').test('a\nb'));
  t.false(new LinearRegExp('^b$').test('a\nb'));
  t.true(new LinearRegExp('a.b', 's').test('a\nb'));
  t.false(new LinearRegExp('a.b').test('a\nb'));
  t.true(new LinearRegExp(/ABC/i).test('abc'));
});

test('with the flag g one match comes after the other, then none, then from the start again', (t) => {
  const pattern = new LinearRegExp('a.', 'g');
  const found = ['a1', 'a2', null, 'a1'].map(() => pattern.exec('a1a2')?.[0] ?? null);
  t.deepEqual(found, ['a1', 'a2', null, 'a1']);
  const once = new LinearRegExp('a.');
  t.deepEqual([once.exec('a1a2')?.[0], once.exec('a1a2')?.[0]], ['a1', 'a1']);
});

test('the whole text must match, also where the pattern has alternatives', (t) => {
  t.true(new LinearRegExp('a|ab').matchesWhole('ab'));
  t.false(new LinearRegExp('a|b').matchesWhole('ab'));
  t.false(new LinearRegExp('a').matchesWhole('a\n'));
});

test('what no linear engine has, what does not compile and what is too long is a PatternError', (t) => {
  for (const pattern of ['(a)\\1', '(?=a)', '(?!a)', '(?<=a)b', '(', '[', 'a{2,1}', 'a{1001}', '*']) {
    t.throws(() => new LinearRegExp(pattern), { instanceOf: PatternError }, pattern);
  }
  t.notThrows(() => new LinearRegExp('a'.repeat(PATTERN_CHARACTERS_MAX)));
  t.throws(() => new LinearRegExp('a'.repeat(PATTERN_CHARACTERS_MAX + 1)), {
    instanceOf: PatternError,
    message: /at most 1024 characters/,
  });
});
