import type { ChildProcess } from 'node:child_process';
import { forked } from './children.js';
import { anonymousBytes } from './memory.js';
import type { Northbound } from './northbound.js';
import { median } from './statistics.js';

export interface Measurement {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the server for each, which the load of the machine does not change. */
  readonly cpuMicroseconds: number;
}

/** Of the user `admin` of a server that is measured. */
export const BENCH_PASSWORD = 'bench password';

/** Where the northbound interface of a server is, and as whom it is spoken to. */
export function northboundOf({ nbiPort }: { readonly nbiPort: number }): Northbound {
  return { port: nbiPort, user: 'admin', password: BENCH_PASSWORD };
}

/** Whoever does the work that is measured. */
export interface Worked {
  /** Processor time that it has taken so far. */
  cpuMicroseconds(): Promise<number>;
}

/** A server in a process of its own. */
export class ServerProcess implements Worked {
  readonly #child: ChildProcess;
  readonly port: number;
  /** 0 for a server that has no northbound interface. */
  readonly nbiPort: number;

  private constructor(child: ChildProcess, ports: { readonly port: number; readonly nbiPort?: number }) {
    this.#child = child;
    this.port = ports.port;
    this.nbiPort = ports.nbiPort ?? 0;
  }

  static async start(file: string, args: readonly string[] = []): Promise<ServerProcess> {
    const child = forked(file, args);
    return new ServerProcess(child, await answerOf(child));
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

  rssAnonBytes(): Promise<number> {
    return anonymousBytes(this.#child.pid ?? 0);
  }

  /** Resolves once the process has ended. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.disconnect();
    await ended;
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
export async function drive(
  server: Worked,
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

/** Several measurements of equally many as one. */
export function together(all: readonly Measurement[]): Measurement {
  const mean = (of: (measured: Measurement) => number) =>
    all.reduce((sum, measured) => sum + of(measured), 0) / all.length;
  return {
    // Times add up, not speeds.
    perSecond: 1 / mean(({ perSecond }) => 1 / perSecond),
    p50Ms: median(all.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(all.map(({ p99Ms }) => p99Ms)),
    cpuMicroseconds: mean(({ cpuMicroseconds }) => cpuMicroseconds),
  };
}
