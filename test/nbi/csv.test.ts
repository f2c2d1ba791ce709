import test from 'ava';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { csvRow } from '../../nbi/dyn/csv.js';

/** What a spreadsheet takes for the beginning of a formula; in full width too, as East Asian ones do. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;

test('a cell that would be a formula has an apostrophe before it, others stay as they are', (t) => {
  for (const [cell, row] of [
    ['=1+1', "'=1+1,x\r\n"],
    ['+43', "'+43,x\r\n"],
    ['-1', "'-1,x\r\n"],
    ['@SUM(A1)', "'@SUM(A1),x\r\n"],
    ['\t=1', "'\t=1,x\r\n"],
    ['\r=1', `"'\r=1",x\r\n`],
    ['=HYPERLINK("http://a","b")', `"'=HYPERLINK(""http://a"",""b"")",x\r\n`],
    ['1=1', '1=1,x\r\n'],
    ['a, "b"', '"a, ""b""",x\r\n'],
    ['a\nb', '"a\nb",x\r\n'],
    ['a\rb', '"a\rb",x\r\n'],
    [undefined, ',x\r\n'],
  ] as const)
    t.is(csvRow([cell, 'x']), row, JSON.stringify(cell));
});

test('whatever stands in cells is read back by any reader of RFC 4180, with an apostrophe before formulas', (t) => {
  const cell = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom('"', ',', '\r', '\n', "'", '=', '+', '-', '@', '\t', ' ', ';', 'a', '＝'),
    }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(cell, { minLength: 2, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
      (rows) => {
        const text = rows.map((row) => csvRow(row)).join('');
        const read = parse(text, { relax_column_count: true, record_delimiter: '\r\n' });
        const expected = rows.map((row) => row.map((each) => (FORMULA.test(each) ? `'${each}` : each)));
        t.deepEqual(read, expected);
      },
    ),
  );
});
