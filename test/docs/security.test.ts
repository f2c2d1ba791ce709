import { readFile } from 'node:fs/promises';
import test from 'ava';
import { CONFIG_NAMES, flagOf, OPTIONS } from '../../cli/options.js';

const text = await readFile(new URL('../../../docs/security.md', import.meta.url), 'utf8');
const bounds = text.slice(text.indexOf('\n## Bounds\n'));

/** The cells of each row, without those that head a table. */
const rows = bounds
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  .filter(([what]) => what !== 'what' && !what?.startsWith('---'));

test('every bound is one row, with its default, its option or none, and the reason', (t) => {
  t.true(rows.length > 40);
  const whats = rows.map(([what]) => what);
  t.deepEqual(
    whats.filter((what, at) => whats.indexOf(what) !== at),
    [],
    'no row twice',
  );
  for (const cells of rows) {
    t.is(cells.length, 4, cells[0]);
    t.true(
      cells.every((cell) => cell !== ''),
      cells[0],
    );
  }
});

test('every option that is a bound is in the table, and every option in the table is one', (t) => {
  const flags = CONFIG_NAMES.map((name) => `--${flagOf(name)}`);
  const named = new Set(rows.flatMap((cells) => cells.join(' ').match(/--[a-z][a-z-]+/g) ?? []));
  const COMMANDS = ['--deep'];
  t.deepEqual(
    [...named].filter((flag) => !flags.includes(flag) && !COMMANDS.includes(flag)),
    [],
  );
  for (const name of CONFIG_NAMES.filter((each) => each.endsWith('Max'))) {
    const flag = `\`--${flagOf(name)}\``;
    const value = OPTIONS[name].default;
    t.true(typeof value === 'number');
    t.true(
      rows.some(([, bound, option]) => option?.includes(flag) && saysSo(bound ?? '', name, Number(value))),
      `${flag} with its default of ${String(value)}`,
    );
  }
});

/** Whether a cell has the number, as it is or, of KiB, in MiB. */
function saysSo(cell: string, name: string, value: number): boolean {
  const numbers = [value.toLocaleString('en-US')];
  if (name.endsWith('KibMax')) numbers.push(`${value / 1_024} MiB`);
  return numbers.some((number) => new RegExp(`(^|[^\\d,])${number}(?!\\d|,\\d)`).test(cell));
}
