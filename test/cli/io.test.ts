import test from 'ava';
import fc from 'fast-check';
import { durationText, printable, sizeText, tableText, timeText } from '../../cli/io.js';

/** Cells of a printed table by row: lines of one cell put together again. */
function cellsOf(table: string): string[][] {
  const rows: string[][] = [];
  for (const line of table.split('\n')) {
    if (!line.startsWith('│')) {
      rows.push([]);
      continue;
    }
    const cells = line.slice(1, -1).split('│');
    const row = rows.at(-1) ?? [];
    for (const [column, cell] of cells.entries()) row[column] = (row[column] ?? '') + cell;
  }
  return rows.filter((row) => row.length > 0).map((row) => row.map((cell) => cell.replace(/\s/g, '')));
}

const head = ['Name', 'Meaning', 'Value'];

test('a table is as wide as its longest cells where there is room', (t) => {
  t.is(
    tableText(
      ['Name', 'Role'],
      [
        ['admin', 'admin'],
        ['a', 'viewer'],
      ],
      80,
    ),
    [
      '┌───────┬────────┐',
      '│ Name  │ Role   │',
      '├───────┼────────┤',
      '│ admin │ admin  │',
      '│ a     │ viewer │',
      '└───────┴────────┘',
    ].join('\n'),
  );
});

test('a table fits the terminal, and no cell loses a character to it', (t) => {
  const word = fc.string({ unit: fc.constantFrom(...'abcXYZ09-_.:/é'), maxLength: 60 });
  const cell = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 40, max: 160 }),
      (rows, columnsMax) => {
        const table = tableText(head, rows, columnsMax);
        for (const line of table.split('\n'))
          t.true(line.length <= columnsMax, `${line.length} > ${columnsMax}`);
        // All rows stand in one block behind the head; a row's cells follow each other in it.
        const [, body = []] = cellsOf(table);
        for (const column of head.keys()) {
          t.is(body[column], rows.map((row) => (row[column] ?? '').replace(/\s/g, '')).join(''));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('characters of two columns are wrapped too, not cut', (t) => {
  const wide = '固件版本'.repeat(20);
  const table = tableText(head, [[wide, '', '']], 60);
  t.false(table.includes('…'));
  t.is(cellsOf(table)[1]?.[0], wide);
});

test('any text at all can be a cell, and nothing of it is cut', (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.integer({ min: 40, max: 100 }),
      (cell, columnsMax) => {
        const table = tableText(head, [[cell, '', '']], columnsMax);
        const found = cellsOf(table.replaceAll(/^│(.*)$/gmu, '│$1')).at(1)?.[0] ?? '';
        if (!cell.includes('│')) t.is(found, printable(cell).replace(/\s/g, ''));
      },
    ),
    { numRuns: 200 },
  );
});

test('a text from elsewhere neither steers the terminal nor poses as another', (t) => {
  t.is(
    printable('a\u001b[2Jb\u009bc\u202ed\u200be\ud800f\ng'),
    'a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\u{200b}e\\u{d800}f\ng',
  );
  t.is(printable('Grüße 固件 ✓'), 'Grüße 固件 ✓');
});

test('a duration is said the way people say it', (t) => {
  t.deepEqual([0, 850, 999.6, 12_345, 59_949, 59_960, 119_700, 245_000].map(durationText), [
    '0 ms',
    '850 ms',
    '1.0 s',
    '12.3 s',
    '59.9 s',
    '1 min 0 s',
    '2 min 0 s',
    '4 min 5 s',
  ]);
});

test('a size is said in the largest unit of which there is one', (t) => {
  t.deepEqual([0, 1_023, 1_024, 1_536, 1_048_575, 64 * 1_048_576, 5 * 1_024 ** 4].map(sizeText), [
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '1.0 MiB',
    '64.0 MiB',
    '5120.0 GiB',
  ]);
});

test('a time is said in UTC to the second', (t) => {
  t.is(timeText(Date.UTC(2025, 0, 2, 3, 4, 5, 678)), '2025-01-02T03:04:05Z');
});
