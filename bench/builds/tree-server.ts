import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { BENCH_PASSWORD, type Worked } from '../drive.js';
import type { Northbound } from '../northbound.js';
import { processorMicroseconds } from '../processor-time.js';

/** The command `ferry` of a work tree that has been built. */
export function commandOf(tree: string): string {
  return join(tree, 'dist', 'cli', 'main.js');
}

/** Of the environment what is not the user's own configuration of Ferry. */
export function neutralEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('FERRY_')));
}

const LOG_KEPT_CHARACTERS = 4_000;
/** More than a server waits for whoever it is answering. */
const STOP_MS_MAX = 15_000;

export interface TreeServerOptions {
  /** Where it may have its data. */
  readonly directory: string;
  /** Address of a database; empty: the embedded store. */
  readonly store: string;
  /** Ends it at once. */
  readonly signal: AbortSignal;
  /** A data directory that is there already, in place of an installation that holds nothing. */
  readonly dataDir?: string;
  /** Further flags of `ferry serve`. */
  readonly options?: readonly string[];
  /** A command that becomes the one given behind it, such as `taskset -c 0`. */
  readonly launcher?: readonly string[];
}

interface Ports {
  readonly cwmp: number;
  readonly nbi: number;
  readonly files: number;
}

/**
 * A server of any build, known only by what stays the same from one build to the next: the command line, what it prints when it
 * listens, HTTP and CWMP. (`ServerProcess` starts today's code and speaks to it from inside.)
 */
export class TreeServer implements Worked {
  readonly port: number;
  readonly filePort: number;
  readonly northbound: Northbound;
  readonly #child: ChildProcess;
  readonly dataDir: string;

  private constructor(child: ChildProcess, dataDir: string, ports: Ports) {
    this.#child = child;
    this.dataDir = dataDir;
    this.port = ports.cwmp;
    this.filePort = ports.files;
    this.northbound = { port: ports.nbi, user: 'admin', password: BENCH_PASSWORD };
  }

  /** Resolves once it listens. */
  static async start(
    tree: string,
    { directory, store, signal, dataDir: given, options = [], launcher = [] }: TreeServerOptions,
  ): Promise<TreeServer> {
    const dataDir = given ?? (await mkdtemp(join(directory, 'data-')));
    const [file = process.execPath, ...words] = [...launcher, process.execPath];
    const child = spawn(
      file,
      [
        ...words,
        commandOf(tree),
        'serve',
        `--data-dir=${dataDir}`,
        '--cwmp-listen=127.0.0.1:0',
        '--nbi-listen=127.0.0.1:0',
        '--file-listen=127.0.0.1:0',
        '--allow-anonymous-cpe',
        '--connection-request-subnet=127.0.0.0/8',
        '--log-level=error',
        '--log-format=json',
        ...options,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        signal,
        killSignal: 'SIGKILL',
        // Not as flags: anyone may read those, and an address may hold a password.
        env: {
          ...neutralEnvironment(),
          FERRY_ADMIN_PASSWORD: BENCH_PASSWORD,
          ...(store === '' ? {} : { FERRY_STORE: store }),
        },
      },
    );
    // Of a child that is ended by the signal; that it has ended is seen elsewhere.
    child.on('error', () => {});
    const ports = await portsOf(child);
    return new TreeServer(child, dataDir, ports);
  }

  cpuMicroseconds(): Promise<number> {
    return processorMicroseconds(this.pid);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /**
   * Resolves once the process has ended and its data is gone.
   * @param keepsData  leaves its data where it is
   */
  async stop({ keepsData = false } = {}): Promise<void> {
    if (!this.hasEnded) {
      const ended = once(this.#child, 'exit');
      // As a service is stopped, so that no lock is left in a database on which the next round is measured.
      this.#child.kill('SIGTERM');
      const impatience = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS_MAX);
      await ended;
      clearTimeout(impatience);
    }
    if (!keepsData) await rm(this.dataDir, { recursive: true, force: true });
  }
}

/** Reads where it listens from its greeting, as an operator would. */
function portsOf(child: ChildProcess): Promise<Ports> {
  let [greeting, log] = ['', ''];
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      log = (log + chunk).slice(-LOG_KEPT_CHARACTERS);
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      greeting = (greeting + chunk).slice(-LOG_KEPT_CHARACTERS);
      const cwmp = portIn(greeting, 'CPEs connect to');
      const nbi = portIn(greeting, 'Northbound interface');
      const files = portIn(greeting, 'Firmware files');
      if (cwmp !== null && nbi !== null && files !== null) resolve({ cwmp, nbi, files });
    });
    child.once('exit', (code, signal) =>
      reject(
        new Error(
          `${child.spawnargs[1]} serve ended with ${code ?? signal} before it listened:\n${greeting}${log}`,
        ),
      ),
    );
  });
}

function portIn(greeting: string, what: string): number | null {
  const port = new RegExp(`^${what} +http://[^/]*:([0-9]+)/`, 'm').exec(greeting)?.[1];
  return port === undefined ? null : Number(port);
}
