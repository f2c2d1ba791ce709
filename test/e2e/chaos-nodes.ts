import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { startBalancer, startFileBalancer } from '../support/balancer.js';
import { nbiClient, type TestFerry, until } from '../support/ferry.js';
import { FerryProcess, freePorts, type Ports } from '../support/ferry-process.js';
import { startRoundRobin } from '../support/round-robin.js';
import type { TcpProxy } from '../support/tcp-proxy.js';

const NODES = 3;
const KILL_EVERY_MS = 2_000;
const CUT_MS = 5_000;
const BACK_MS_MAX = 300_000;
/** Else what a slow node holds up would hold up the CPEs of the others. */
const CONNECTIONS_PER_NODE = 100;

interface Node {
  readonly name: string;
  readonly ports: Ports;
  process: FerryProcess | null;
}

/** Several nodes on one store, and the proxies in front of them; each request of a CPE's session goes to another node. */
export class ChaosNodes {
  readonly nbi: TestFerry['nbi'];
  readonly acsUrl: string;
  readonly #all: readonly Node[];
  readonly #start: (node: Node) => Promise<FerryProcess>;

  private constructor(
    all: readonly Node[],
    start: (node: Node) => Promise<FerryProcess>,
    at: { readonly acsUrl: string; readonly nbiPort: number },
  ) {
    this.#all = all;
    this.#start = start;
    this.acsUrl = at.acsUrl;
    this.nbi = nbiClient(`http://127.0.0.1:${at.nbiPort}`);
  }

  /** @param onLog  takes every line that a node logs, also one that is killed later */
  static async start(
    t: ExecutionContext,
    store: string,
    options: readonly string[],
    onLog: (node: string, line: string) => void,
  ): Promise<ChaosNodes> {
    // All that a node has of its own: the master key, which is the same for all.
    const dataDir = await mkdtemp(join(tmpdir(), 'ferry-chaos-'));
    t.teardown(() => rm(dataDir, { recursive: true, force: true }));
    const all: Node[] = [];
    for (let node = 1; node <= NODES; node++) {
      all.push({ name: `node${node}`, ports: await freePorts(), process: null });
    }
    const portsOf = (listener: 'cwmp' | 'nbi' | 'files') => all.map(({ ports }) => ports[listener]);
    const filePort = await startFileBalancer(t, portsOf('files'));
    const targets = portsOf('cwmp').map((port) => `http://127.0.0.1:${port}`);
    const { url } = await startRoundRobin(t, targets, { connectionsMax: CONNECTIONS_PER_NODE });
    const args = [
      `--store=${store}`,
      `--public-file-url=http://127.0.0.1:${filePort}`,
      '--trusted-proxy=127.0.0.1',
      ...options,
    ];
    const start = ({ name, ports }: Node) =>
      FerryProcess.start(dataDir, ports, args, (line) => onLog(name, line));
    const at = { acsUrl: `${url}/`, nbiPort: await startBalancer(t, portsOf('nbi')) };
    const nodes = new ChaosNodes(all, start, at);
    t.teardown(() => nodes.stop());
    for (const node of all) node.process = await start(node);
    return nodes;
  }

  /** Kills one of those that run, and starts it again. @returns resolves once it is back; null where none runs */
  killOne(random: () => number, onLog: (node: string, line: string) => void): Promise<void> | null {
    const running = this.#all.filter(({ process }) => process !== null);
    const node = running[Math.floor(random() * running.length)];
    if (node === undefined) return null;
    const { process } = node;
    node.process = null;
    onLog(node.name, 'is killed');
    const comeBack = async () => {
      await process?.kill();
      // While the database is cut off a node cannot start; whoever supervises it tries again.
      await until(
        'a killed node is back',
        async () => {
          node.process = await this.#start(node).catch(() => null);
          return node.process;
        },
        BACK_MS_MAX,
      );
      onLog(node.name, 'is back');
    };
    return comeBack();
  }

  /** Kills the first, which stays away: the others have to do without it. */
  async killFirst(): Promise<void> {
    const [first] = this.#all;
    await first?.process?.kill();
  }

  /** As an operator would: who is killed may leave a transaction open, in the way of whoever drops the database. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map(({ process }) => process?.stop()));
  }
}

export interface Shaking {
  readonly nodes: ChaosNodes;
  readonly proxy: TcpProxy;
  readonly random: () => number;
  readonly durationMs: number;
  readonly onLog: (node: string, line: string) => void;
}

/**
 * Kills a random node every two seconds and starts it again, and cuts the database off for five seconds in each half of the time.
 * @returns how many were killed; once all are back
 */
export async function shake(t: ExecutionContext, shaking: Shaking): Promise<number> {
  const ended = new AbortController();
  t.teardown(() => ended.abort());
  const [killed] = await Promise.all([killNodes(shaking, ended.signal), cutTwice(shaking, ended.signal)]);
  return killed;
}

async function killNodes(
  { nodes, random, durationMs, onLog }: Shaking,
  signal: AbortSignal,
): Promise<number> {
  const back: Promise<void>[] = [];
  const endMs = performance.now() + durationMs;
  while (performance.now() < endMs && !signal.aborted) {
    const killed = nodes.killOne(random, onLog);
    if (killed !== null) back.push(killed);
    await delay(KILL_EVERY_MS);
  }
  await Promise.all(back);
  return back.length;
}

async function cutTwice({ proxy, random, durationMs, onLog }: Shaking, signal: AbortSignal): Promise<void> {
  const half = durationMs / 2;
  for (let time = 0; time < 2 && !signal.aborted; time++) {
    const beforeMs = random() * Math.max(0, half - CUT_MS);
    await delay(beforeMs);
    proxy.cut();
    onLog('database', 'is cut off');
    await delay(CUT_MS);
    proxy.heal();
    onLog('database', 'is back');
    await delay(Math.max(0, half - CUT_MS - beforeMs));
  }
}
