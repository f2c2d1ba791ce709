import { readFile } from 'node:fs/promises';
import test from 'ava';
import { BATCH_THROUGHS } from '../../rollout/index.js';
import { MOMENTS, NOTHING, type ViewName, WORDS } from '../e2e/view-words.js';

const text = await readFile(new URL('../../../docs/api/README.md', import.meta.url), 'utf8');
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
const names = Object.keys(WORDS) as ViewName[];

test('the table of docs/api/README.md has every moment, in the words that APIs are held to', (t) => {
  const head = rows.findIndex(([first]) => first === 'engine');
  t.deepEqual(rows[head], ['engine', ...names]);
  const told = rows.slice(head + 2).map(([moment = '', ...cells]) => [moment, ...cells.map(wordIn)]);
  t.deepEqual(
    told,
    MOMENTS.map((moment) => [moment, ...names.map((name) => WORDS[name][moment])]),
  );
});

test('it says of each API what upgrades are known as that it began', (t) => {
  const known = rows.flatMap((cells) => (names.includes(cells[0] as ViewName) ? [cells.at(-1)] : []));
  t.deepEqual(
    [...known].sort(),
    ["its author's rule", ...BATCH_THROUGHS.map((name) => `\`${name}\``)].sort(),
  );
});

/** A note may stand behind it. */
function wordIn(cell: string): string {
  return cell === '–' ? NOTHING : (/^`([^`]+)`/.exec(cell)?.[1] ?? cell);
}
