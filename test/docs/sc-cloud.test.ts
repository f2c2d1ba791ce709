import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { CODES } from '../../nbi/sc-cloud/codes.js';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFile(fileURLToPath(new URL(path, ROOT)), 'utf8');

test('every row of docs/api/sc-cloud.md that names a test names one that there is', async (t) => {
  const text = await read('docs/api/sc-cloud.md');
  const named = [...text.matchAll(/`(test\/[\w/.-]+\.test\.ts)`: ([^|]*?) *\|/g)];
  t.true(named.length >= 40);
  for (const [, file = '', title = ''] of named) {
    const source = (await read(file)).replaceAll("\\'", "'");
    t.true(
      ["'", '`', '"'].some((quote) => source.includes(`${quote}${title}`)),
      `${file} has no test whose title begins “${title}”.`,
    );
  }
});

test('every result has its row there', async (t) => {
  const text = await read('docs/api/sc-cloud.md');
  const rows = new Set([...text.matchAll(/^\| (-?\d+) +\|/gm)].map(([, code]) => Number(code)));
  t.deepEqual(
    [...rows].sort((a, b) => b - a),
    [...Object.values(CODES), -14].sort((a, b) => b - a),
  );
});
