import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { progressBar } from '../../cli/progress.js';
import { dropDatabase, newDatabase } from '../database.js';
import { type Measurement, together } from '../drive.js';
import { BURSTS, type Load, type Row, Subject } from './build-rows.js';
import type { BuildComparison, RowFigures } from './builds-report.js';
import { addOrganizations, addTheirRules } from './organizations.js';
import { TreeServer } from './tree-server.js';
import { buildWorkTree, hasUncommittedChanges, ROOT, removeWorkTree, resolveCommit } from './work-tree.js';

export interface BuildOptions {
  /** Whatever git takes for a commit. */
  readonly against: string;
  readonly rounds: number;
  readonly rows: readonly Row[];
  readonly load: Load;
  /** Address of a database; empty: the embedded store. */
  readonly store: string;
  /** That today's build has beside the default, each with a rule; the other has these rules as its own. */
  readonly organizations: number;
}

type Side = 'before' | 'today';
const SIDES: readonly Side[] = ['before', 'today'];

/**
 * Builds a commit in a temporary work tree and measures it and today's build in turn, row by row. The clients are today's for both.
 *
 * Each round has two servers of its own, and one of them works at a time. Servers that are kept for all rounds would give closer
 * ratios, but ratios of these two processes: where memory lies and what V8 optimised first can make one process of a build faster than
 * the next of the same build for its whole life, and no number of rounds would tell that from a difference of the builds. With new ones
 * it is in the spread. What the machine does meanwhile is kept out of it by short bursts, in turn.
 * @param signal  ends everything, and takes away what was made
 */
export async function compareBuilds(options: BuildOptions, signal: AbortSignal): Promise<BuildComparison> {
  const hash = await resolveCommit(options.against);
  const today = await resolveCommit('HEAD');
  const isChanged = await hasUncommittedChanges();
  const directory = await mkdtemp(join(tmpdir(), 'ferry-bench-'));
  const tree = join(directory, 'tree');
  try {
    const tell = (doing: string) => process.stderr.write(`${doing}\n`);
    await buildWorkTree(hash, tree, { tell, signal });
    const measured = await roundsOf(options, { before: tree, today: ROOT }, directory, signal);
    return {
      before: { commit: hash },
      today: { commit: today, hasUncommittedChanges: isChanged },
      store: options.store === '' ? 'embedded' : 'mongodb',
      rounds: options.rounds,
      load: options.load,
      organizations: options.organizations,
      rows: measured,
    };
  } finally {
    await removeWorkTree(tree);
    await rm(directory, { recursive: true, force: true });
  }
}

async function roundsOf(
  { rounds, rows, load, store, organizations }: BuildOptions,
  trees: Readonly<Record<Side, string>>,
  directory: string,
  signal: AbortSignal,
): Promise<readonly RowFigures[]> {
  const figures = rows.map((row) => ({ row, before: [] as Measurement[], today: [] as Measurement[] }));
  const bar = progressBar(process, { title: 'Measuring', total: rounds * rows.length, unit: 'items' });
  try {
    for (let round = 0; round < rounds; round++) {
      await withSubjects({ trees, load, store, organizations, directory, signal }, async (subjects) => {
        for (const { row, ...of } of figures) {
          bar.at(round * rows.length + rows.indexOf(row), `round ${round + 1}, ${row.name}`);
          const measured = await inTurn(row, load, subjects, round % 2 === 0);
          for (const side of SIDES) of[side].push(measured[side]);
        }
      });
    }
    bar.at(rounds * rows.length, '');
  } finally {
    bar.stop();
  }
  return figures;
}

/** Measures a round of a row in bursts, as A B B A A B B A: whatever grows or tires meanwhile does so for both builds alike. */
async function inTurn(
  row: Row,
  load: Load,
  subjects: Readonly<Record<Side, Subject>>,
  isFirstBefore: boolean,
): Promise<Readonly<Record<Side, Measurement>>> {
  for (const side of SIDES) await row.prepare(subjects[side]);
  const bursts: Record<Side, Measurement[]> = { before: [], today: [] };
  const total = row.count(load);
  const burstsTotal = Math.min(BURSTS, total);
  for (let burst = 0; burst < burstsTotal; burst++) {
    const order = isFirstBefore === (burst % 2 === 0) ? SIDES : SIDES.toReversed();
    for (const side of order)
      bursts[side].push(await row.measure(subjects[side], Math.ceil(total / burstsTotal)));
  }
  for (const side of SIDES) await row.finish?.(subjects[side]);
  return { before: together(bursts.before), today: together(bursts.today) };
}

interface RoundParts {
  readonly trees: Readonly<Record<Side, string>>;
  readonly load: Load;
  readonly store: string;
  readonly organizations: number;
  readonly directory: string;
  readonly signal: AbortSignal;
}

/** A server of either build on a new store, for as long as `use` takes. */
async function withSubjects(
  { trees, load, store, organizations, directory, signal }: RoundParts,
  use: (subjects: Readonly<Record<Side, Subject>>) => Promise<void>,
): Promise<void> {
  const servers: TreeServer[] = [];
  const databases: string[] = [];
  const start = async (side: Side) => {
    signal.throwIfAborted();
    const database = store === '' ? '' : newDatabase(store, side);
    if (database !== '') databases.push(database);
    const server = await TreeServer.start(trees[side], { directory, store: database, signal });
    servers.push(server);
    const add = side === 'today' ? addOrganizations : addTheirRules;
    await add(server.northbound, organizations);
    return new Subject(trees[side], server, load);
  };
  try {
    await use({ before: await start('before'), today: await start('today') });
  } finally {
    for (const server of servers) await server.stop();
    for (const database of databases) await dropDatabase(database);
  }
}
