import { tableText } from '../cli/io.js';
import { dropDatabase, newDatabase } from './database.js';
import { drive, type Measurement, ServerProcess } from './drive.js';
import { firstContact, periodicSession, upgrade } from './sessions.js';
import { median } from './statistics.js';

const RULE = {
  id: 'BENCH',
  file: 'bench.bin',
  condition: { productClass: 'HGW' },
  executions: 1,
  priority: 1,
};

interface Comparison {
  readonly what: string;
  readonly budget: number;
  readonly bare: Measurement[];
  readonly ferry: Measurement[];
  readonly shared: readonly {
    readonly name: string;
    readonly budget: number | null;
    readonly all: Measurement[];
  }[];
}

/** Ferry with its sessions in the store, as several processes have them. */
interface SharedServer {
  readonly name: string;
  readonly server: ServerProcess;
  /** That it has to itself; empty: the embedded store. */
  readonly store: string;
  /** Whether the budget of periodic sessions is for it. */
  readonly isBudgeted: boolean;
}

function report(comparisons: readonly Comparison[]): string {
  const head = ['What', 'Server', 'per second', 'p50 ms', 'p99 ms', 'server µs each', 'ratio', 'budget'];
  const rows: string[][] = [];
  for (const { what, budget, bare, ferry, shared } of comparisons) {
    const ratio = (all: readonly Measurement[]) =>
      median(all.map(({ perSecond }, round) => perSecond / (bare[round]?.perSecond ?? Number.NaN))).toFixed(
        2,
      );
    const cells = (name: string, all: readonly Measurement[]) => [
      what,
      name,
      Math.round(median(all.map(({ perSecond }) => perSecond))).toString(),
      median(all.map(({ p50Ms }) => p50Ms)).toFixed(1),
      median(all.map(({ p99Ms }) => p99Ms)).toFixed(1),
      Math.round(median(all.map(({ cpuMicroseconds }) => cpuMicroseconds))).toString(),
    ];
    rows.push([...cells('bare node:http', bare), '1', '']);
    rows.push([...cells('Ferry', ferry), ratio(ferry), `≥ ${budget}`]);
    for (const { name, budget, all } of shared) {
      rows.push([...cells(name, all), ratio(all), budget === null ? '' : `≥ ${budget}`]);
    }
  }
  return tableText(head, rows, process.stdout.columns ?? 120);
}

export interface SessionOptions {
  readonly rounds: number;
  readonly sessions: number;
  readonly upgrades: number;
  readonly cpes: number;
  readonly atATime: number;
  /** Address of a database; empty: the embedded store. */
  readonly store: string;
}

/** On MongoDB at several windows of group commit, to show what grouping buys; the budget is for the one it has by itself. */
const WINDOWS_MS = [0, 2, 5, 20];
const WINDOW_MS_DEFAULT = 2;

async function startShared(url: string): Promise<SharedServer[]> {
  if (url === '') {
    const server = await ServerProcess.start('./ferry-server.js', ['--share-sessions']);
    return [{ name: 'Ferry, sessions shared', server, store: '', isBudgeted: false }];
  }
  const servers: SharedServer[] = [];
  for (const windowMs of WINDOWS_MS) {
    const store = newDatabase(url, String(windowMs));
    const words = [`--store=${store}`, `--group-commit-ms=${windowMs}`];
    const server = await ServerProcess.start('./ferry-server.js', words);
    const isBudgeted = windowMs === WINDOW_MS_DEFAULT;
    servers.push({ name: `Ferry on MongoDB, ${windowMs} ms`, server, store, isBudgeted });
  }
  return servers;
}

/** Drives a bare node:http server and Ferry with the same raw client, in turn. @returns the table */
export async function compareServers(options: SessionOptions): Promise<string> {
  const { atATime } = options;
  const bare = await ServerProcess.start('./bare-server.js');
  const bareDownload = await ServerProcess.start('./bare-server.js', ['--download']);
  const ferry = await ServerProcess.start('./ferry-server.js');
  const shared = await startShared(options.store);
  const servers = [ferry, ...shared.map(({ server }) => server)];
  const upgradesTotal = options.rounds * options.upgrades;
  // The CPEs to be upgraded come after the known ones, and each is upgraded once.
  for (const server of servers) {
    await drive(server, options.cpes + upgradesTotal + options.upgrades, atATime, (index) =>
      firstContact(server.port, index),
    );
  }
  const periodic = (server: ServerProcess) =>
    drive(server, options.sessions, atATime, (index) => periodicSession(server.port, index % options.cpes));
  const upgrades = (server: ServerProcess, first: number) =>
    drive(server, options.upgrades, atATime, (index) => upgrade(server.port, options.cpes + first + index));

  const sessions = {
    what: 'periodic session',
    budget: 0.5,
    bare: [],
    ferry: [],
    shared: shared.map(({ name, isBudgeted }) => ({ name, budget: isBudgeted ? 0.27 : null, all: [] })),
  } as Comparison;
  const whole = {
    what: 'whole upgrade',
    budget: 0.2,
    bare: [],
    ferry: [],
    shared: shared.map(({ name }) => ({ name, budget: null, all: [] })),
  } as Comparison;
  // Not counted: both servers reach their optimised code.
  await periodic(bare);
  await periodic(ferry);
  for (const { server } of shared) await periodic(server);
  for (let index = 0; index < options.rounds; index++) {
    sessions.bare.push(await periodic(bare));
    sessions.ferry.push(await periodic(ferry));
    for (const [at, { server }] of shared.entries()) sessions.shared[at]?.all.push(await periodic(server));
  }
  await upgrades(bareDownload, 0);
  for (const server of servers) {
    await server.call({ rule: RULE });
    await upgrades(server, upgradesTotal);
  }
  for (let index = 0; index < options.rounds; index++) {
    whole.bare.push(await upgrades(bareDownload, 0));
    whole.ferry.push(await upgrades(ferry, index * options.upgrades));
    for (const [at, { server }] of shared.entries())
      whole.shared[at]?.all.push(await upgrades(server, index * options.upgrades));
  }
  for (const server of [bare, bareDownload, ...servers]) await server.stop();
  for (const { store } of shared) if (store !== '') await dropDatabase(store);
  return report([sessions, whole]);
}
