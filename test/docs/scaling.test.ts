import { readFile } from 'node:fs/promises';
import test from 'ava';
import { ALL_COLLECTIONS } from '../../cli/collections.js';

test('a shard key is chosen, or said to be none, for every collection', async (t) => {
  const text = await readFile('docs/scaling.md', 'utf8');
  const table = text.split('\n').filter((line) => line.startsWith('| `'));
  const named = new Set(table.flatMap((row) => [...row.matchAll(/`([\w.-]+)`/g)].map(([, name]) => name)));
  for (const { name } of ALL_COLLECTIONS) t.true(named.has(name), name);
});
