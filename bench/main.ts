import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import yargs from 'yargs';
import { hideBin } from 'yargs/helpers';
import { tableText } from '../cli/io.js';
import { firstContact, periodicSession, upgrade } from './sessions.js';

const RULE = {
  id: 'BENCH',
  file: 'bench.bin',
  condition: { productClass: 'HGW' },
  executions: 1,
  priority: 1,
};

interface Measurement {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server for each, which the load of the machine does not change. */
  readonly cpuMicroseconds: number;
}

/** A server in a process of its own. */
class ServerProcess {
  readonly #child: ChildProcess;
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(file: string, args: readonly string[] = []): Promise<ServerProcess> {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), [...args]);
    const { port } = await answerOf<{ port: number }>(child);
    return new ServerProcess(child, port);
  }

  async call<T>(message: object): Promise<T> {
    const answer = answerOf<T>(this.#child);
    this.#child.send(message);
    return answer;
  }

  async cpuMicroseconds(): Promise<number> {
    const { cpu } = await this.call<{ cpu: NodeJS.CpuUsage }>({ cpu: true });
    return cpu.user + cpu.system;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

function answerOf<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null) => reject(new Error(`the server ended with code ${code}`));
    child.once('exit', exited);
    child.once('message', (message) => {
      child.off('exit', exited);
      resolve(message as T);
    });
  });
}

/** Runs `count` of them, `atATime` at once, each with the next number. */
async function drive(
  server: ServerProcess,
  count: number,
  atATime: number,
  act: (index: number) => Promise<void>,
): Promise<Measurement> {
  const latenciesMs: number[] = [];
  let next = 0;
  const cpuBefore = await server.cpuMicroseconds();
  const startedMs = performance.now();
  const worker = async () => {
    while (next < count) {
      const index = next++;
      const beganMs = performance.now();
      await act(index);
      latenciesMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  const seconds = (performance.now() - startedMs) / 1_000;
  const cpu = (await server.cpuMicroseconds()) - cpuBefore;
  latenciesMs.sort((a, b) => a - b);
  const quantile = (share: number) => latenciesMs[Math.floor(share * (latenciesMs.length - 1))] ?? 0;
  return {
    perSecond: count / seconds,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    cpuMicroseconds: cpu / count,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

interface Comparison {
  readonly what: string;
  readonly budget: number;
  readonly bare: readonly Measurement[];
  readonly ferry: readonly Measurement[];
}

function report(comparisons: readonly Comparison[]): string {
  const head = ['What', 'Server', 'per second', 'p50 ms', 'p99 ms', 'server µs each', 'ratio', 'budget'];
  const rows: string[][] = [];
  for (const { what, budget, bare, ferry } of comparisons) {
    const ratios = ferry.map(
      (measured, round) => measured.perSecond / (bare[round]?.perSecond ?? Number.NaN),
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
    rows.push([...cells('Ferry', ferry), median(ratios).toFixed(2), `≥ ${budget}`]);
  }
  return tableText(head, rows, process.stdout.columns ?? 120);
}

const options = await yargs(hideBin(process.argv))
  .scriptName('npm run bench --')
  .usage(
    '$0 [options]\n\nDrives a bare node:http server and Ferry with the same raw client, in turn, in one run.',
  )
  .option('rounds', { type: 'number', default: 5, describe: 'Rounds; medians over them are printed' })
  .option('sessions', { type: 'number', default: 6_000, describe: 'Periodic sessions in a round' })
  .option('upgrades', { type: 'number', default: 1_500, describe: 'Whole upgrades in a round' })
  .option('cpes', {
    type: 'number',
    default: 1_000,
    describe: 'Known CPEs that the periodic sessions are of',
  })
  .option('at-a-time', { type: 'number', default: 20, describe: 'Sessions at a time' })
  .option('json', { type: 'boolean', describe: 'Print every measurement as JSON' })
  .strict()
  .parseAsync();

const atATime = options.atATime;
const bare = await ServerProcess.start('./bare-server.js');
const bareDownload = await ServerProcess.start('./bare-server.js', ['--download']);
const ferry = await ServerProcess.start('./ferry-server.js');
const upgradesTotal = options.rounds * options.upgrades;
// The CPEs to be upgraded come after the known ones, and each is upgraded once.
await drive(ferry, options.cpes + upgradesTotal + options.upgrades, atATime, (index) =>
  firstContact(ferry.port, index),
);

const periodic = (server: ServerProcess) =>
  drive(server, options.sessions, atATime, (index) => periodicSession(server.port, index % options.cpes));
const upgrades = (server: ServerProcess, first: number) =>
  drive(server, options.upgrades, atATime, (index) => upgrade(server.port, options.cpes + first + index));

const sessions: Comparison = { what: 'periodic session', budget: 0.5, bare: [], ferry: [] };
const whole: Comparison = { what: 'whole upgrade', budget: 0.2, bare: [], ferry: [] };
async function round(
  comparison: Comparison,
  first: Promise<Measurement>,
  second: () => Promise<Measurement>,
) {
  (comparison.bare as Measurement[]).push(await first);
  (comparison.ferry as Measurement[]).push(await second());
}
// Not counted: both servers reach their optimised code.
await periodic(bare);
await periodic(ferry);
for (let index = 0; index < options.rounds; index++)
  await round(sessions, periodic(bare), () => periodic(ferry));
await ferry.call({ rule: RULE });
await upgrades(bareDownload, 0);
await upgrades(ferry, upgradesTotal);
for (let index = 0; index < options.rounds; index++) {
  await round(whole, upgrades(bareDownload, 0), () => upgrades(ferry, index * options.upgrades));
}
process.stdout.write(
  options.json ? `${JSON.stringify([sessions, whole], null, 2)}\n` : `${report([sessions, whole])}\n`,
);
for (const server of [bare, bareDownload, ferry]) server.stop();
