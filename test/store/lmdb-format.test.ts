import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { open } from 'lmdb';
import { StoreError } from '../../store/index.js';
import { bringFormat, type Migration } from '../../store/lmdb/format.js';
import { metaKey, type Trees } from '../../store/lmdb/layout.js';

async function openTrees(t: ExecutionContext): Promise<Trees> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-format-'));
  const root = open<string, Buffer>({ path: directory, encoding: 'string', keyEncoding: 'binary' });
  t.teardown(async () => {
    await root.close();
    await rm(directory, { recursive: true, force: true });
  });
  const tree = (name: string) =>
    root.openDB<string, Buffer>(name, { encoding: 'string', keyEncoding: 'binary' });
  return { root, documents: tree('documents'), indexes: tree('indexes'), meta: tree('meta') };
}

const ran = metaKey('ran');
const step = (from: number): Migration => ({
  from,
  run: ({ meta }) => meta.put(ran, `${meta.get(ran) ?? ''}${from}`) as unknown as undefined,
});

test('an older store is brought forward step by step, each step once', async (t) => {
  const trees = await openTrees(t);
  const write = async <R>(change: (within: Trees) => R) => trees.root.transaction(() => change(trees));
  const migrations = [step(2), step(1)];
  t.is(await bringFormat(trees, write, 1, []), 1);
  t.is(await bringFormat(trees, write, 3, migrations), 1);
  t.is(await bringFormat(trees, write, 3, migrations), 3);
  t.is(trees.meta.get(metaKey('format')), '3');
  t.is(trees.meta.get(ran), '12');
  await t.throwsAsync(bringFormat(trees, write, 2, migrations), {
    instanceOf: StoreError,
    message: /format 3, this version of Ferry knows 2/,
  });
  await t.throwsAsync(bringFormat(trees, write, 5, [step(4)]), { instanceOf: StoreError });
});
