import test from 'ava';
import fc from 'fast-check';
import { LinearRegExp, PATTERN_SIZE_MAX, PatternError } from '../../common/linear-regexp.js';
import { patternSizeOf } from '../../common/pattern-size.js';

const atom = fc.constantFrom(
  'a',
  'ab',
  '\\d',
  '.',
  '[a-c]',
  '[]a(]',
  '[^](]',
  '[[:alpha:]{]',
  '\\(',
  '\\Q(\\E',
  '\\pL',
  '^',
  '😀',
);
const repeat = fc.constantFrom('', '', '*', '+', '?', '{3}', '{0}', '{0,4}', '{2,}', '{2,5}', '{7}?', '{');
const pattern = fc.letrec<{ pattern: string; piece: string }>((tie) => ({
  piece: fc
    .tuple(
      fc.oneof(
        { maxDepth: 4 },
        { weight: 2, arbitrary: atom },
        { weight: 1, arbitrary: tie('pattern').map((inner) => `(${inner})`) },
        { weight: 1, arbitrary: tie('pattern').map((inner) => `(?:${inner})`) },
      ),
      repeat,
    )
    .map(([piece, times]) => piece + times),
  pattern: fc
    .array(tie('piece'), { maxLength: 4 })
    .chain((pieces) => fc.constantFrom('', '|').map((between) => pieces.join(between))),
})).pattern;

test('the size of a pattern is told from its text, never less than half of what it is', (t) => {
  let compiled = 0;
  fc.assert(
    fc.property(pattern, (source) => {
      let size: number;
      try {
        size = new LinearRegExp(source).programSize;
      } catch {
        return;
      }
      compiled += 1;
      // A program has an instruction or two of its own.
      if (patternSizeOf(source) < size / 2 - 2)
        throw new Error(`${patternSizeOf(source)}, but it is ${size}`);
    }),
    { numRuns: 5_000 },
  );
  t.true(compiled > 1_000);
});

test('a pattern that would take a second to compile is not compiled', (t) => {
  for (const source of [
    `(?:${'a'.repeat(1_000)}){1000}`,
    'a{1000}'.repeat(146),
    '(?:(?:a{10}){10}){10}'.repeat(40),
  ]) {
    t.true(patternSizeOf(source) > PATTERN_SIZE_MAX);
    t.throws(() => new LinearRegExp(source), { instanceOf: PatternError, message: /repeat less/ });
  }
  t.notThrows(() => new LinearRegExp('(a?){1000}'));
});
