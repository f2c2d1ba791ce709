import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { openLmdbStore } from '../../store/index.js';
import { conformance } from './conformance.js';

async function place(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-store-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

conformance('lmdb', { place, open: (directory) => openLmdbStore({ directory }) });
