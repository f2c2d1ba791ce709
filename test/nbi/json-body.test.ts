import test from 'ava';
import fc from 'fast-check';
import { ApiError, parseJson } from '../../nbi/http/index.js';
import { parsingJson } from '../../nbi/http/json.js';

const limits = { jsonDepthMax: 32, jsonTokensMax: 1_000, jsonKeysMax: 1_000 };
const parse = (text: string | Buffer) => parseJson(Buffer.from(text), limits);

test('what JSON.stringify writes is read as it was', (t) => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify(value);
      if (text.includes('__proto__')) return;
      t.deepEqual(parseJson(Buffer.from(text), { ...limits, jsonTokensMax: 100_000 }), JSON.parse(text));
    }),
  );
});

test('a syntax error tells its line and column', (t) => {
  const error = t.throws(() => parse('{\n  "a": 1,\n  "b" 2\n}'), { instanceOf: ApiError });
  t.is(error?.status, 400);
  t.deepEqual(error?.problems, [
    {
      field: '',
      expected: 'a JSON body (ColonExpected); see line 3, column 7',
      line: 3,
      column: 7,
    },
  ]);
});

for (const [what, text, place] of [
  ['a key twice', '{"a":1,"b":{"a":1},"a":2}', { field: 'a', line: 1, column: 20 }],
  ['a key twice, once escaped', '{"a":1,"\\u0061":2}', { field: 'a', line: 1, column: 8 }],
  ['__proto__ as a key', '[{"__proto__":{}}]', { field: '', line: 1, column: 3 }],
  ['half a surrogate pair', '{"a":"\\ud83d\\ude00","b":["x",{"c":"\\ude00"}]}', { field: 'b.c', column: 35 }],
  ['half a surrogate pair in an array of texts', '{"a":{"b":["x","\\ud83d"]}}', { field: 'a.b', column: 16 }],
  ['half a surrogate pair in a key', '{"a":{"b":1,"\\ud83d":2}}', { field: 'a', column: 13 }],
  ['half a surrogate pair alone', '"\\ud83dx"', { field: '', column: 1 }],
  ['comments', '{} // so', { field: '', line: 1, column: 4 }],
  ['a trailing comma', '[1,]', { field: '', line: 1, column: 4 }],
  ['no value at all', '', { field: '', line: 1, column: 1 }],
  ['two values', '{} {}', { field: '', line: 1, column: 4 }],
  ['NaN', '[NaN]', { field: '', line: 1, column: 2 }],
  ['33 levels', '['.repeat(33), { field: '', line: 1, column: 33 }],
  ['10,000 levels', '{"a":'.repeat(10_000), { field: '', line: 1, column: 161 }],
  ['more values than bounded', `[${'1,'.repeat(1_000)}1]`, { field: '', line: 1 }],
] as const) {
  test(`a body with ${what} is a 400 that tells where`, (t) => {
    const error = t.throws(() => parse(text), { instanceOf: ApiError });
    t.is(error?.status, 400);
    t.like(error?.problems[0], place);
  });
}

test('a body that is not UTF-8 is a 400', (t) => {
  const error = t.throws(() => parse(Buffer.from([0x22, 0xff, 0x22])), { instanceOf: ApiError });
  t.is(error?.status, 400);
});

test('the place of an error at the end of a large body is told in steps, as the body is read', (t) => {
  const [stepBytes, blocks] = [64 * 1024, 40];
  const steps = parsingJson(Buffer.from(`[${'\n'.repeat(stepBytes * blocks)}x]`), limits, 1);
  let count = 0;
  const error = t.throws(
    () => {
      while (steps.next().done !== true) count++;
    },
    { instanceOf: ApiError },
  );
  t.like(error?.problems[0], { line: stepBytes * blocks + 1, column: 1 });
  // To get there, and to count the lines.
  t.true(count >= 2 * blocks - 2, `${count} steps`);
});
