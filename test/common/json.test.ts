import { isDeepStrictEqual } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { type ParseErrorCode, printParseErrorCode, visit } from 'jsonc-parser';
import { BlankRuns } from '../../common/blank-runs.js';
import {
  atOnce,
  JSON_NUMBER_CHARACTERS_MAX,
  JSON_TEXT_BYTES_MAX,
  type JsonBounds,
  JsonFault,
  jsonBegin,
  readingJson,
  TextPlaces,
} from '../../common/index.js';
import { JsonPieces } from '../../common/json-pieces.js';
import { JsonScan } from '../../common/json-scan.js';

const BOUNDS: JsonBounds = { depthMax: 32, tokensMax: 4_000_000, keysMax: 20_000 };
/** So much may be done in one step, and in a piece of a value: both are bounds of the module. */
const STEP_BYTES = 64 * 1024;
const STEP_TOKENS = 4_096;

function read(text: string | Buffer, bounds: Partial<JsonBounds> = {}) {
  return atOnce(readingJson(Buffer.from(text), { ...BOUNDS, ...bounds })).value;
}

/** How many steps it takes: after each everything else may have its turn. */
function stepsOf(text: string | Buffer, bounds: Partial<JsonBounds> = {}) {
  const steps = readingJson(Buffer.from(text), { ...BOUNDS, ...bounds });
  let count = 0;
  try {
    while (steps.next().done !== true) count++;
    return { count, fault: null };
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    return { count, fault: error };
  }
}

/** What is told first of a text that is no JSON, by the parser that editors have. */
function firstError(text: string): string | null {
  let found: string | null = null;
  const onError = (code: ParseErrorCode, offset: number) => {
    found ??= `${printParseErrorCode(code)} at ${offset}`;
  };
  visit(text, { onError }, { disallowComments: true, allowTrailingComma: false });
  return found;
}

function firstFault(text: string): string | null {
  try {
    read(text);
    return null;
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const bytes = Buffer.from(text);
    const characters = bytes.subarray(jsonBegin(bytes), error.offset).toString().length;
    return error.what.kind === 'syntax' ? `${error.what.syntax} at ${characters}` : null;
  }
}

/** JSON with blanks of any length between its tokens. */
function withBlanks(value: unknown, blanks: readonly string[]): string {
  let next = 0;
  const blank = () => blanks[next++ % blanks.length] ?? '';
  const write = (each: unknown): string => {
    if (Array.isArray(each))
      return `[${blank()}${each.map((item) => write(item) + blank()).join(`,${blank()}`)}]`;
    if (typeof each !== 'object' || each === null) return JSON.stringify(each);
    const members = Object.entries(each).map(
      ([key, inside]) => `${JSON.stringify(key)}${blank()}:${blank()}${write(inside)}${blank()}`,
    );
    return `{${blank()}${members.join(`,${blank()}`)}}`;
  };
  return blank() + write(value) + blank();
}

const blanks = fc.array(
  fc.oneof(
    fc.constantFrom('', ' ', '\n', '\r\n', '\t'),
    fc.integer({ min: 200, max: 2_000 }).map((length) => ' '.repeat(length)),
    fc.constant(' \n'.repeat(4_000)),
  ),
  { minLength: 1, maxLength: 5 },
);

test('a value is the one that JSON.parse makes, whatever blanks there are and however large it is', (t) => {
  const leaf = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary', maxLength: 50 }));
  const large = fc
    .tuple(leaf, fc.integer({ min: 1, max: 1_500 }))
    .map(([value, times]) =>
      Array.from({ length: times }, (_, index) => ({ [`k${index}`]: value, index, text: 'é"\\'.repeat(9) })),
    );
  const wide = fc
    .tuple(leaf, fc.integer({ min: 1, max: 1_500 }))
    .map(([value, times]) =>
      Object.fromEntries(Array.from({ length: times }, (_, index) => [`${index}`, [value, 'x'.repeat(40)]])),
    );
  fc.assert(
    fc.property(fc.oneof(leaf, large, wide, fc.tuple(large, wide, large)), blanks, (value, between) => {
      const text = JSON.stringify(value);
      if (text.includes('__proto__') || /\p{Surrogate}/u.test(JSON.stringify(JSON.parse(text)))) return;
      if (/\\ud[89a-f]/i.test(text)) return;
      const spaced = text.length > 10_000 ? `\n${' '.repeat(3_000)}${text}` : withBlanks(value, between);
      t.true(isDeepStrictEqual(read(spaced), JSON.parse(spaced)));
    }),
    { numRuns: 15 },
  );
});

test('what is no JSON for JSON.parse is none, and what is told first is what editors tell, at the same place', (t) => {
  const token = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      ' ',
      '\n',
      '"a"',
      '"b"',
      '"ü"',
      '"\\n"',
      '"\\u00e9"',
      '1',
      '-2.5e+3',
      '0',
    ],
    ...[
      'true',
      'null',
      '-',
      '01',
      '1.',
      '1e',
      'tru',
      'é',
      '/',
      '//',
      '/*',
      '"',
      '\\',
      '"\\x"',
      '"\\u12"',
      '"\t"',
    ],
  );
  const soup = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(''));
  const mutated = fc.tuple(fc.jsonValue({ maxDepth: 3 }), fc.nat(), token).map(([value, at, put]) => {
    const text = JSON.stringify(value);
    return text.slice(0, at % text.length) + put + text.slice((at % text.length) + 1);
  });
  fc.assert(
    fc.property(fc.oneof(soup, mutated), (text) => {
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      if (/\p{Surrogate}/u.test(text) || /\\ud[89a-f]|__proto__/i.test(text)) return;
      const fault = stepsOf(text).fault;
      // What editors pass over, and is told before they come to what they do not.
      if (fault !== null && fault.what.kind !== 'syntax') return;
      t.is(firstFault(text), firstError(text), text);
      t.is(fault === null, valid, text);
    }),
    { numRuns: 400 },
  );
});

const MIB = 1024 * 1024;
const TOKENS = 256 * 1024;

for (const [what, text, refused] of [
  ['blanks', ' '.repeat(MIB), 'ValueExpected'],
  ['blanks around a value', `${' '.repeat(MIB)}1${'\n'.repeat(MIB)}`, null],
  ['blanks within a value', `{"a":[1,${'\t'.repeat(MIB)}2]}`, null],
  ['small numbers', `[${'1,'.repeat(TOKENS)}1]`, null],
  ['small objects', `[${'{},'.repeat(TOKENS)}{}]`, null],
  ['long texts', `[${`"${'x'.repeat(MIB - 2)}",`.repeat(4)}1]`, null],
  ['escapes', `["${'\\u0041'.repeat(MIB / 8)}","${'\\n'.repeat(MIB / 4)}"]`, null],
] as const) {
  test(`a body of ${what} is read in steps of at most ${STEP_BYTES} bytes or ${STEP_TOKENS} tokens`, (t) => {
    const { count, fault } = stepsOf(text);
    t.is(fault?.message ?? null, refused);
    // A text is looked at as a whole, so that a step may be longer by one.
    const bytesAStep =
      text.includes('x') || text.includes('\\') ? STEP_BYTES + JSON_TEXT_BYTES_MAX : STEP_BYTES;
    // The last step is the end.
    t.true(count + 1 >= Math.floor(text.length / bytesAStep), String(count));
    const tokens = /^\[[1{]/.test(text) ? TOKENS : 0;
    t.true(count >= tokens / STEP_TOKENS, String(count));
  });
}

test('what is beyond a bound is refused where it is met, and nothing behind it is looked at', (t) => {
  const numbers = stepsOf(`[${'1,'.repeat(MIB)}1]`, { tokensMax: 10 });
  t.like(numbers, { count: 0, fault: { offset: 10, what: { kind: 'too-many', what: 'tokens', max: 10 } } });
  const keys = Array.from({ length: 490_000 }, (_, index) => `"k${index}":1`).join(',');
  const many = stepsOf(`{${keys}}`);
  t.like(many.fault?.what, { kind: 'too-many', what: 'keys', max: 20_000 });
  t.true(many.count <= Math.ceil((4 * 20_001) / STEP_TOKENS));
  const nested = stepsOf('['.repeat(MIB));
  t.like(nested, { count: 0, fault: { offset: 32, what: { kind: 'too-many', what: 'levels', max: 32 } } });
  const text = stepsOf(`["${'x'.repeat(2 * MIB)}"]`);
  t.like(text, { count: 0, fault: { offset: 1, what: { what: 'text', max: JSON_TEXT_BYTES_MAX } } });
  const number = stepsOf(`[1${'0'.repeat(MIB)}]`);
  t.like(number, {
    count: 0,
    fault: { offset: 1, what: { what: 'number', max: JSON_NUMBER_CHARACTERS_MAX } },
  });
});

test('a large value is made of pieces, of which none is larger than twice the bound of a step', (t) => {
  const sizes: number[] = [];
  const parse = JSON.parse;
  const items = Array.from({ length: 20_000 }, (_, index) => ({ id: `r${index}`, text: 'x'.repeat(60) }));
  const text = Buffer.from(JSON.stringify({ rules: items, deeper: { rules: items } }));
  const steps = readingJson(text, BOUNDS);
  JSON.parse = (piece: string, ...rest) => {
    sizes.push(piece.length);
    return parse(piece, ...rest);
  };
  try {
    t.true(isDeepStrictEqual(atOnce(steps).value, parse(text.toString())));
  } finally {
    JSON.parse = parse;
  }
  t.true(Math.max(...sizes) <= 2 * STEP_BYTES, String(Math.max(...sizes)));
  t.true(sizes.length >= text.length / (2 * STEP_BYTES));
});

test('line and column are told of any byte, behind a byte order mark and characters of any length', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'é', '€', '😀', '\n', '\r\n', 'x'.repeat(70_000)), { maxLength: 30 }),
      fc.boolean(),
      (parts, marked) => {
        const text = parts.join('');
        const bytes = Buffer.from(`${marked ? '\ufeff' : ''}${text}`);
        const places = new TextPlaces(bytes, jsonBegin(bytes));
        let before = '';
        for (const part of [...parts, '']) {
          const lines = before.split('\n');
          const expected = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
          t.deepEqual(places.at(jsonBegin(bytes) + Buffer.byteLength(before)), expected);
          before += part;
        }
      },
    ),
    { numRuns: 20 },
  );
});

test('however many runs of blanks a text has, each is looked for among a few and taken once', (t) => {
  let looks = 0;
  const edges = new Proxy<number[]>([], {
    get(target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) looks++;
      return Reflect.get(target, name);
    },
  });
  const blanks = ' '.repeat(300);
  const runs = 20_000;
  // Arrays in arrays, each larger than a piece.
  const level = Array.from({ length: runs / 20 }, (_, index) => `${blanks}${index}`).join(',');
  let text = '0';
  for (let depth = 0; depth < 20; depth++) text = `[${level},${text},1]`;
  const bytes = Buffer.from(text);
  const pieces = new JsonPieces(bytes, new BlankRuns(edges));
  const scan = new JsonScan(bytes, BOUNDS, pieces, 0);
  while (scan.step());
  t.deepEqual(pieces.value(), JSON.parse(text));
  t.true(looks <= 4 * runs, `${looks} looks at ${runs} runs of blanks`);
});
