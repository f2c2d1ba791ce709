import test from 'ava';
import fc from 'fast-check';
import { ArraySplitter, LineSplitter, RecordError, type RecordSplitter } from '../../nbi/http/index.js';

const BYTES_MAX = 1_000;

/** The records of a body that comes in pieces of these sizes, over and over; null for one that is too long. */
function recordsOf(
  splitter: RecordSplitter,
  body: Buffer | string,
  sizes: readonly number[] = [7],
): [number, string | null][] {
  const bytes = Buffer.from(body);
  const records: [number, string | null][] = [];
  const note = (from: ReturnType<RecordSplitter['push']>) => {
    for (const record of from) records.push([record.number, record.bytes?.toString() ?? null]);
  };
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[piece % sizes.length] ?? 1;
    note(splitter.push(bytes.subarray(at, at + size)));
    at += size;
  }
  note(splitter.end());
  return records;
}

const lines = (body: Buffer | string, sizes?: readonly number[]) =>
  recordsOf(new LineSplitter(BYTES_MAX), body, sizes);
const items = (body: Buffer | string, sizes?: readonly number[]) =>
  recordsOf(new ArraySplitter(BYTES_MAX), body, sizes);

const pieces = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });

test('lines are those between line feeds, in whatever pieces they come; blank ones only count', (t) => {
  t.deepEqual(lines('a\n\n \t\r\nb\r\n"c'), [
    [1, 'a'],
    [4, 'b\r'],
    [5, '"c'],
  ]);
  t.deepEqual(lines('a\n'), [[1, 'a']]);
  for (const blank of ['', '\n', '\r\n \n']) t.deepEqual(lines(blank), []);
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme', maxLength: 40 })), pieces, (texts, sizes) => {
      const body = texts.map((text) => text.replaceAll('\n', '')).join('\n');
      const expected = body
        .split('\n')
        .map((line, index): [number, string] => [index + 1, line])
        .filter(([, line]) => /[^ \t\r]/.test(line));
      t.deepEqual(lines(body, sizes), expected);
    }),
  );
});

test('the items of any array are found, in whatever pieces it comes and however it is spaced', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue({ stringUnit: 'grapheme' }), { maxLength: 12 }),
      fc.constantFrom(undefined, 1, '\t'),
      pieces,
      (values, space, sizes) => {
        const body = `\ufeff \n${JSON.stringify(values, null, space)}\r\n`;
        t.deepEqual(
          recordsOf(new ArraySplitter(1_000_000), body, sizes).map(([, text]): unknown =>
            JSON.parse(text ?? ''),
          ),
          JSON.parse(JSON.stringify(values)),
        );
      },
    ),
  );
});

test('brackets, commas and quotes inside strings end no item', (t) => {
  const tricky = [{ 'a]},"': '\\' }, '\\",]', '[', ['}', { b: '\\\\"' }], ']'];
  for (let size = 1; size < 20; size++) {
    t.deepEqual(
      items(JSON.stringify(tricky), [size]).map(([, text]): unknown => JSON.parse(text ?? '')),
      tricky,
    );
  }
});

test('what is no item is left to the parser, and what is no array is refused', (t) => {
  t.deepEqual(items('[]'), []);
  t.deepEqual(items(' [ ] '), []);
  t.deepEqual(items('[1,,2,]'), [
    [0, '1'],
    [1, ''],
    [2, '2'],
    [3, ''],
  ]);
  t.deepEqual(items('[1 2}, 3]'), [
    [0, '1 2}'],
    [1, ' 3'],
  ]);
  for (const body of ['', ' ', '{}', '5', '[1', '["]', '[[1]', '[1]]', '[1] x', '\ufeff\ufeff5']) {
    t.throws(() => items(body), { instanceOf: RecordError }, body);
  }
  t.throws(() => items(Buffer.from([0xef, 0xbb, 0x5b, 0x5d])), { instanceOf: RecordError });
});

test('a record that is too long is counted and left out, and those after it are found', (t) => {
  const long = 'x'.repeat(BYTES_MAX + 1);
  const fits = 'y'.repeat(BYTES_MAX);
  for (const size of [1, 64, 100_000]) {
    t.deepEqual(lines(`a\n${long}\n${fits}\n${long}`, [size]), [
      [1, 'a'],
      [2, null],
      [3, fits],
      [4, null],
    ]);
    t.deepEqual(items(`[1,"${long}",{}]`, [size]), [
      [0, '1'],
      [1, null],
      [2, '{}'],
    ]);
  }
});
