import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFile(fileURLToPath(new URL(path, ROOT)), 'utf8');

test('every row of docs/api/firmware-slots.md that names a test names one that there is', async (t) => {
  const text = await read('docs/api/firmware-slots.md');
  const named = [...text.matchAll(/`(test\/[\w/.-]+\.test\.ts)`: ([^|]*?) *\|/g)];
  t.true(named.length >= 45);
  for (const [, file = '', title = ''] of named) {
    const source = (await read(file)).replaceAll("\\'", "'");
    t.true(
      ["'", '`', '"'].some((quote) => source.includes(`${quote}${title}`)),
      `${file} has no test whose title begins “${title}”.`,
    );
  }
});

test('every type of error that docs/api/firmware-slots.md lists is one that answers have, and none is missing', async (t) => {
  const text = await read('docs/api/firmware-slots.md');
  const sources = await Promise.all(
    ['dialect.ts', 'slots-error.ts', 'slots.ts', 'endpoint.ts'].map((name) =>
      read(`nbi/firmware-slots/${name}`),
    ),
  );
  const made = [...sources.join('\n').matchAll(/(?:type: '|\d{3}, '|noRoom\(')([A-Z]\w+)'/g)];
  const types = new Set(made.map(([, type = '']) => type));
  t.true(types.size >= 20, [...types].join(' '));
  for (const type of types) t.true(text.includes(`\`${type}\``), type);
});
