import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { progressBar } from '../../cli/progress.js';
import { TreeServer } from '../builds/tree-server.js';
import { buildWorkTree, ROOT, removeWorkTree, resolveCommit, shortHash } from '../builds/work-tree.js';
import { postRules } from '../bulk-client.js';
import { anonymousBytes } from '../memory.js';
import { call } from '../northbound.js';
import { pinnedRule } from '../rule-bodies.js';
import { upgrade } from '../sessions.js';
import { type Answer, answersOf } from './scripts.js';

export interface MigrationOptions {
  /** Whose store it is; whatever git takes for a commit. */
  readonly from: string;
  readonly cpes: number;
  readonly rules: number;
  readonly upgrades: number;
}

/** One build on a copy of the store. */
export interface BuildFigures {
  readonly commit: string;
  /** Until it listened, from nothing. */
  readonly startMs: number;
  readonly rssAnonBytes: number;
  /** After everything was asked. */
  readonly rssAnonBytesAfter: number;
  readonly askingMs: number;
}

export interface Migration {
  readonly options: MigrationOptions;
  readonly before: BuildFigures;
  readonly today: BuildFigures;
  readonly answers: number;
  readonly different: readonly { readonly before: Answer; readonly today: Answer | undefined }[];
}

/**
 * Has another build fill a store, and both builds start on a copy of it and answer the same scripts.
 * @param signal  ends everything, and takes away what was made
 */
export async function migrate(options: MigrationOptions, signal: AbortSignal): Promise<Migration> {
  const hash = await resolveCommit(options.from);
  const directory = await mkdtemp(join(tmpdir(), 'ferry-migration-'));
  const tree = join(directory, 'tree');
  const tell = (doing: string) => process.stderr.write(`${doing}\n`);
  try {
    await buildWorkTree(hash, tree, { tell, signal });
    const filled = join(directory, 'filled');
    await fill(tree, filled, { ...options, directory, signal });
    const figuresOf = async (of: string, commit: string) => {
      const dataDir = join(directory, `copy-${commit}`);
      await cp(filled, dataDir, { recursive: true });
      tell(`Asking ${commit}`);
      return asked(of, { dataDir, directory, signal, commit });
    };
    const before = await figuresOf(tree, shortHash(hash));
    const today = await figuresOf(ROOT, 'today');
    const different = before.answers.flatMap((answer, index) => {
      const other = today.answers[index];
      return isDeepStrictEqual(answer, other) ? [] : [{ before: answer, today: other }];
    });
    return {
      options,
      before: before.figures,
      today: today.figures,
      answers: before.answers.length,
      different,
    };
  } finally {
    await removeWorkTree(tree);
    await rm(directory, { recursive: true, force: true });
  }
}

interface FillOptions extends MigrationOptions {
  readonly directory: string;
  readonly signal: AbortSignal;
}

async function fill(tree: string, dataDir: string, options: FillOptions): Promise<void> {
  const { cpes, rules, upgrades, directory, signal } = options;
  const bar = progressBar(process, { title: 'Filling the store', total: cpes + rules, unit: 'items' });
  try {
    const loader = fork(join(tree, 'dist', 'bench', 'cpe-loader.js'), [dataDir, String(cpes)], { signal });
    loader.on('message', (done: number) => bar.at(done));
    const [code] = await once(loader, 'exit');
    if (code !== 0) throw new Error(`The loader of CPEs ended with code ${code}`);
    const server = await TreeServer.start(tree, { directory, store: '', signal, dataDir });
    const { northbound } = server;
    const image = { type: 'application/octet-stream', content: 'bench' };
    await call(northbound, 'PUT', '/v1/images/bench.bin?softwareVersion=2.0.0', image);
    const fleet = { id: 'BENCH', file: 'bench.bin', condition: { productClass: 'HGW' }, priority: 1 };
    await postRules(northbound, [fleet], () => {});
    for (let cpe = 0; cpe < upgrades; cpe++) await upgrade(server.port, cpe);
    const bodies = Array.from({ length: rules }, (_, index) => pinnedRule(index, '1.0.0'));
    await postRules(northbound, bodies, (stored) => bar.at(cpes + stored));
    await server.stop({ keepsData: true });
  } finally {
    bar.stop();
  }
}

interface AskOptions {
  readonly dataDir: string;
  readonly directory: string;
  readonly signal: AbortSignal;
  readonly commit: string;
}

async function asked(
  tree: string,
  { commit, dataDir, directory, signal }: AskOptions,
): Promise<{ readonly figures: BuildFigures; readonly answers: readonly Answer[] }> {
  const startedMs = performance.now();
  const server = await TreeServer.start(tree, { directory, store: '', signal, dataDir });
  const startMs = performance.now() - startedMs;
  const rssAnonBytes = await anonymousBytes(server.pid);
  const askedMs = performance.now();
  const answers = await answersOf(server.northbound, () => {});
  const askingMs = performance.now() - askedMs;
  const rssAnonBytesAfter = await anonymousBytes(server.pid);
  await server.stop();
  return { figures: { commit, startMs, rssAnonBytes, rssAnonBytesAfter, askingMs }, answers };
}
