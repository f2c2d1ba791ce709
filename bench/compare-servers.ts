import { MongoClient } from 'mongodb';
import { tableText } from '../cli/io.js';
import { drive, type Measurement, median, ServerProcess } from './drive.js';
import { firstContact, periodicSession, upgrade } from './sessions.js';

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
  readonly sharedName: string;
  readonly sharedBudget: number | null;
  readonly bare: Measurement[];
  readonly ferry: Measurement[];
  /** With its sessions in the store, as several processes have them; on MongoDB where one is given. */
  readonly shared: Measurement[];
}

function report(comparisons: readonly Comparison[]): string {
  const head = ['What', 'Server', 'per second', 'p50 ms', 'p99 ms', 'server µs each', 'ratio', 'budget'];
  const rows: string[][] = [];
  for (const { what, budget, sharedName, sharedBudget, bare, ferry, shared } of comparisons) {
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
    rows.push([
      ...cells(sharedName, shared),
      ratio(shared),
      sharedBudget === null ? '' : `≥ ${sharedBudget}`,
    ]);
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

/** The address with a database in it that is not there yet: what another run left would be measured too. */
function newDatabase(url: string): string {
  const [, server = '', parameters = ''] = /^([a-z+]+:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/.exec(url) ?? [];
  return `${server}/ferry-bench-${Date.now()}${parameters}`;
}

async function dropDatabase(url: string): Promise<void> {
  const client = new MongoClient(url);
  await client.db().dropDatabase();
  await client.close();
}

/** Drives a bare node:http server and Ferry with the same raw client, in turn. @returns the table */
export async function compareServers(options: SessionOptions): Promise<string> {
  const { atATime } = options;
  const store = options.store === '' ? '' : newDatabase(options.store);
  const bare = await ServerProcess.start('./bare-server.js');
  const bareDownload = await ServerProcess.start('./bare-server.js', ['--download']);
  const ferry = await ServerProcess.start('./ferry-server.js');
  const shared = await ServerProcess.start('./ferry-server.js', [
    store === '' ? '--share-sessions' : `--store=${store}`,
  ]);
  const upgradesTotal = options.rounds * options.upgrades;
  // The CPEs to be upgraded come after the known ones, and each is upgraded once.
  for (const server of [ferry, shared]) {
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
    sharedName: store === '' ? 'Ferry, sessions shared' : 'Ferry on MongoDB',
    sharedBudget: store === '' ? null : 0.27,
    bare: [],
    ferry: [],
    shared: [],
  } as Comparison;
  const whole = {
    ...sessions,
    what: 'whole upgrade',
    budget: 0.2,
    sharedBudget: null,
    bare: [],
    ferry: [],
    shared: [],
  } as Comparison;
  // Not counted: both servers reach their optimised code.
  await periodic(bare);
  await periodic(ferry);
  await periodic(shared);
  for (let index = 0; index < options.rounds; index++) {
    sessions.bare.push(await periodic(bare));
    sessions.ferry.push(await periodic(ferry));
    sessions.shared.push(await periodic(shared));
  }
  await upgrades(bareDownload, 0);
  for (const server of [ferry, shared]) {
    await server.call({ rule: RULE });
    await upgrades(server, upgradesTotal);
  }
  for (let index = 0; index < options.rounds; index++) {
    whole.bare.push(await upgrades(bareDownload, 0));
    whole.ferry.push(await upgrades(ferry, index * options.upgrades));
    whole.shared.push(await upgrades(shared, index * options.upgrades));
  }
  for (const server of [bare, bareDownload, ferry, shared]) await server.stop();
  if (store !== '') await dropDatabase(store);
  return report([sessions, whole]);
}
