import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFile(fileURLToPath(new URL(path, ROOT)), 'utf8');

test('every row of docs/compatibility.md names a test that there is', async (t) => {
  const rows = [...(await read('docs/compatibility.md')).matchAll(/^\|.*\| *([^|]*?) *\|$/gm)]
    .map(([, cell = '']) => cell)
    .filter((cell) => cell !== 'test' && !/^-+$/.test(cell));
  t.true(rows.length >= 6);
  for (const cell of rows) {
    const [, file, title] = /^`(test\/[\w/.-]+\.test\.ts)`: (.+)$/.exec(cell) ?? [];
    if (file === undefined || title === undefined) {
      t.fail(`“${cell}” should be a test file in backticks, a colon, and the beginning of a test's title.`);
      continue;
    }
    const source = (await read(file)).replaceAll("\\'", "'");
    t.true(
      ["'", '`', '"'].some((quote) => source.includes(`${quote}${title}`)),
      `${file} has no test whose title begins “${title}”.`,
    );
  }
});
