import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

const ROOT = new URL('../../../', import.meta.url);
const read = (path: string) => readFile(fileURLToPath(new URL(path, ROOT)), 'utf8');

/** Holds every row of a document's table that names a test (its file, and how its title begins) to one that there is. */
export async function requireNamedTests(
  t: ExecutionContext,
  document: string,
  atLeast: number,
): Promise<void> {
  const text = await read(document);
  const named = [...text.matchAll(/`(test\/[\w/.-]+\.test\.ts)`: ([^|]*?) *\|/g)];
  t.true(named.length >= atLeast);
  for (const [, file = '', title = ''] of named) {
    const source = (await read(file)).replaceAll("\\'", "'");
    t.true(
      ["'", '`', '"'].some((quote) => source.includes(`${quote}${title}`)),
      `${file} has no test whose title begins “${title}”.`,
    );
  }
}
