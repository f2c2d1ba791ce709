import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openDiskContents } from '../../../firmware/index.js';
import { openTestStore } from '../../support/store.js';
import { uploadsConform } from './uploads-conformance.js';

uploadsConform(test, async (t) => {
  const { store, directory } = await openTestStore();
  const images = await mkdtemp(join(tmpdir(), 'ferry-images-'));
  t.teardown(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
    await rm(images, { recursive: true, force: true });
  });
  return { store, contents: await openDiskContents(images), child: [directory, images] };
});
