import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDERS = [
  'acs',
  'cli',
  'common',
  'events',
  'firmware',
  'nbi',
  'organizations',
  'rollout',
  'rules',
  'store',
];

async function sources(): Promise<string> {
  const texts: string[] = [];
  for (const folder of FOLDERS) {
    for (const entry of await readdir(join(ROOT, folder), { recursive: true })) {
      if (entry.endsWith('.ts')) texts.push(await readFile(join(ROOT, folder, entry), 'utf8'));
    }
  }
  return texts.join('\n');
}

/** The rows of the table under a heading, cell by cell. */
function tableUnder(heading: string, text: string): readonly (readonly string[])[] {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const wordsIn = (cell: string | undefined): readonly string[] =>
  [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

test('every condition that needs somebody has an event, a figure, and a part of the health that there are', async (t) => {
  const [text, code] = await Promise.all([readFile(join(ROOT, 'docs/operating.md'), 'utf8'), sources()]);
  const rows = tableUnder('What needs somebody', text);
  t.true(rows.length >= 9);
  for (const [what, events, figures, , part, remedy = ''] of rows) {
    t.true(wordsIn(events).length > 0 && wordsIn(figures).length > 0 && remedy !== '', what);
    for (const event of wordsIn(events))
      t.true(code.includes(`'${event}'`) || code.includes(`\`${event}\``), event);
    for (const figure of wordsIn(figures)) {
      const [, name = '', why] = /^(\w+)(?:\{why="([a-z-]+)"\})?$/.exec(figure) ?? [];
      t.true(code.includes(`'${name}'`), figure);
      if (why !== undefined) t.true(code.includes(`'${why}'`), figure);
    }
    for (const each of wordsIn(part)) t.regex(code, new RegExp(`^ +${each}: `, 'm'), each);
  }
});

test('the document tells of every figure of what is amiss', async (t) => {
  const text = await readFile(join(ROOT, 'docs/operating.md'), 'utf8');
  const shown = await readFile(join(ROOT, 'cli/attention.ts'), 'utf8');
  const figures = [...shown.matchAll(/'(ferry_\w+)'/g)].map(([, name = '']) => name);
  t.true(figures.length >= 4);
  for (const figure of figures) t.true(text.includes(`\`${figure}`), figure);
});
