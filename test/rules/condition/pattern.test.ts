import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { createConditionCompiler, errorCode, loadGuards, meets } from '../../../rules/condition/index.js';
import { type Pattern, patternOf, STARS_MAX } from '../../../rules/condition/pattern.js';
import { byClosure, byJsonata } from './outcome.js';

const compiler = createConditionCompiler(await loadGuards());

function isHeld(written: string, text: string): boolean {
  const pattern = patternOf(written);
  return typeof pattern === 'string' ? pattern === text : pattern.matches(text);
}

for (const [written, yes, no] of [
  ['AB*', ['AB', 'AB1', 'AB*'], ['A', 'ab1', 'xAB']],
  ['*', ['', 'anything', '\n'], []],
  ['**', ['', 'x'], []],
  ['*AB', ['AB', '1AB', 'ABAB'], ['AB1']],
  ['A*B', ['AB', 'A1B', 'ABAB'], ['A', 'B', 'ABA']],
  ['A*A', ['AA', 'ABA'], ['A']],
  ['*a*b*', ['ab', 'xaxbx', 'a\nb'], ['ba', 'a', 'b']],
  ['a*aab*b', ['aaabb', 'a-aab-b'], ['aaab', 'aabb']],
  ['A\\*', ['A*'], ['A', 'AB', 'A\\*']],
  ['A\\**', ['A*', 'A*B'], ['A', 'AB']],
  ['\\', ['\\'], ['']],
  ['a.b[*]', ['a.b[]', 'a.b[1]'], ['axb[1]', 'a.b']],
] as const) {
  test(`the value ${written} is the texts that it should be, and no others`, (t) => {
    t.deepEqual(
      yes.filter((text) => !isHeld(written, text)),
      [],
    );
    t.deepEqual(
      no.filter((text) => isHeld(written, text)),
      [],
    );
  });
}

/** The same by trying: character by character. */
function byHand(written: string, text: string): boolean {
  if (written === '') return text === '';
  if (written.startsWith('\\*')) return text.startsWith('*') && byHand(written.slice(2), text.slice(1));
  if (!written.startsWith('*'))
    return text.startsWith(written.charAt(0)) && byHand(written.slice(1), text.slice(1));
  return byHand(written.slice(1), text) || (text !== '' && byHand(written, text.slice(1)));
}

const letters = fc.constantFrom('a', 'b', '*', '\\', 'é', '/');
const texts = fc.array(letters, { maxLength: 10 }).map((all) => all.join(''));
const patterns = fc
  .array(fc.oneof(letters, fc.constantFrom('*', '\\*', 'ab', 'aab')), { maxLength: 6 })
  .map((all) => all.join(''));

test('a pattern matches what it matches when it is tried character by character, and passes over nothing of that', (t) => {
  let held = 0;
  fc.assert(
    fc.property(patterns, texts, (written, text) => {
      const expected = byHand(written, text);
      if (expected) held += 1;
      const pattern = patternOf(written);
      if (expected && typeof pattern !== 'string') t.true(pattern.mayMatch(text));
      return isHeld(written, text) === expected;
    }),
    { numRuns: 20_000 },
  );
  t.true(held > 500);
});

test('patterns give in JSONata what they give in a closure, and what they demand is there wherever they hold', async (t) => {
  let held = 0;
  const value = fc.oneof(patterns, texts, fc.constantFrom(1, true, null));
  const given = fc.record({
    model: fc.oneof(texts, fc.constant(1)),
    tags: fc.array(texts, { maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(
        fc.constantFrom('model', 'tags'),
        fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 12 })),
        { minKeys: 1 },
      ),
      given,
      async (condition, cpe) => {
        const compiled = compiler.compile(condition, 'patterns');
        const expected = await byJsonata(compiled, cpe);
        if (expected === null || compiled.closure === null) return expected === null;
        if (isDeepStrictEqual(expected, { value: true })) {
          held += 1;
          t.true(compiled.requirements.every((requirement) => meets(cpe, requirement)));
        }
        return isDeepStrictEqual(byClosure(compiled.closure, cpe), expected);
      },
    ),
    { numRuns: 2_000 },
  );
  t.true(held > 50);
});

test('a rule of before is equal values, whatever is in them', (t) => {
  const condition = { model: ['A*', 'B\\*'] };
  const held = (model: string, reading?: 'patterns') =>
    compiler.compile(condition, reading).closure?.({ model });
  t.deepEqual(
    ['A*', 'A1', 'B\\*', 'B*'].map((model) => held(model)),
    [true, false, true, false],
  );
  t.deepEqual(
    ['A*', 'A1', 'B\\*', 'B*'].map((model) => held(model, 'patterns')),
    [true, true, false, true],
  );
});

test('long texts and patterns that repeat themselves are compared in one pass', (t) => {
  const pattern = patternOf(`*${'a'.repeat(1_000)}b*${'a'.repeat(1_000)}b*`) as Pattern;
  let reads = 0;
  const text = new Proxy(Object('a'.repeat(50_000)) as object, {
    get(target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) reads += 1;
      const found: unknown = Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
  t.false(pattern.matches(text as unknown as string));
  t.true(reads <= 50_000);
});

test('of patterns on a long text a closure counts what they take, and leaves the rest to where it can be stopped', (t) => {
  const { closure } = compiler.compile(
    { model: Array.from({ length: 100 }, (_, i) => `*x*${i}*`) },
    'patterns',
  );
  const given = { model: 'x'.repeat(100_000) };
  const error = t.throws(() => closure?.(given, { left: 10_000 }));
  t.is(errorCode(error), 'D1012');
});

test('a value has so many stars at most, and a condition so many patterns', (t) => {
  const stars = (count: number) => ({ model: 'x*'.repeat(count) });
  t.notThrows(() => compiler.compile(stars(STARS_MAX), 'patterns'));
  t.throws(() => compiler.compile(stars(STARS_MAX + 1), 'patterns'), {
    message: /at most 8 stars in a value/,
  });
  t.notThrows(() => compiler.compile(stars(STARS_MAX + 1)));
  const many = (count: number) => ({ model: Array.from({ length: count }, (_, index) => `${index}*`) });
  t.notThrows(() => compiler.compile(many(100), 'patterns'));
  t.throws(() => compiler.compile(many(101), 'patterns'), { message: /at most 100 values with a \*/ });
});

test('what is shown of a pattern says that it is one', (t) => {
  const shown = (condition: Readonly<Record<string, string | string[]>>) =>
    compiler.compile(condition, 'patterns').conjuncts.map(({ text }) => text);
  t.deepEqual(shown({ model: 'X*' }), ['model: like "X*"']);
  t.deepEqual(shown({ model: ['A', 'X*', '\\*'] }), ['model: one of "A", like "X*", "\\\\*"']);
});
