import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFile(fileURLToPath(new URL(path, ROOT)), 'utf8');

test('every row of docs/api/system-update.md that names a test names one that there is', async (t) => {
  const text = await read('docs/api/system-update.md');
  const named = [...text.matchAll(/`(test\/[\w/.-]+\.test\.ts)`: ([^|]*?) *\|/g)];
  t.true(named.length >= 38);
  for (const [, file = '', title = ''] of named) {
    const source = (await read(file)).replaceAll("\\'", "'");
    t.true(
      ["'", '`', '"'].some((quote) => source.includes(`${quote}${title}`)),
      `${file} has no test whose title begins “${title}”.`,
    );
  }
});

test('every id of an error that docs/api/system-update.md lists is one that answers have, and none is missing', async (t) => {
  const text = await read('docs/api/system-update.md');
  const listed = [...text.matchAll(/^\| `([A-Z]+_[A-Z_]+)` *\| \d{3} /gm)].map(([, id]) => id);
  const source = await read('nbi/system-update/dialect.ts');
  const made = [...source.matchAll(/'([A-Z]+_[A-Z_]+)'/g)].map(([, id]) => id);
  t.deepEqual([...new Set(listed)].sort(), [...new Set(made)].sort());
});
