import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFile(fileURLToPath(new URL(path, ROOT)), 'utf8');

test('every row of docs/api/firmware-upgrader.md that names a test names one that there is', async (t) => {
  const text = await read('docs/api/firmware-upgrader.md');
  const named = [...text.matchAll(/`(test\/[\w/.-]+\.test\.ts)`: ([^|]*?) *\|/g)];
  t.true(named.length >= 70);
  for (const [, file = '', title = ''] of named) {
    const source = (await read(file)).replaceAll("\\'", "'");
    t.true(
      ["'", '`', '"'].some((quote) => source.includes(`${quote}${title}`)),
      `${file} has no test whose title begins “${title}”.`,
    );
  }
});
