import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ADMIN } from './ferry.js';

const MAIN = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

export interface Ports {
  /** Where it listens: 127.0.0.1 unless told. */
  readonly host?: string;
  readonly cwmp: number;
  readonly nbi: number;
  readonly files: number;
}

/** Below those that systems hand out for connections and for port 0: a port that is free here is not taken by chance. */
const PORT_MIN = 10_000;
const PORT_MAX = 32_000;
const PORTS_TRIED_MAX = 100;

/** Ports that are free now, for a server that must come back at the same ones. */
export async function freePorts(): Promise<Ports> {
  const held: net.Server[] = [];
  for (let tried = 0; held.length < 3 && tried < PORTS_TRIED_MAX; tried++) {
    const server = net.createServer().listen(randomInt(PORT_MIN, PORT_MAX), '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (isFree) held.push(server);
  }
  const ports = held.map((server) => {
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  });
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  const [cwmp, nbi, files] = ports;
  if (cwmp === undefined || nbi === undefined || files === undefined)
    throw new Error(`of ${PORTS_TRIED_MAX} ports not three are free`);
  return { cwmp, nbi, files };
}

/** `ferry serve` as a process of its own, which can be killed. */
export class FerryProcess {
  readonly #child: ChildProcess;
  /** How often each event was logged, by its name. */
  readonly logged = new Map<string, number>();
  #log = '';

  private constructor(child: ChildProcess, onLine: ((line: string) => void) | undefined) {
    this.#child = child;
    let rest = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-20_000);
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const event = line.split(/ +/)[2] ?? '';
        this.logged.set(event, (this.logged.get(event) ?? 0) + 1);
      }
    });
    if (child.stderr !== null && onLine !== undefined) createInterface(child.stderr).on('line', onLine);
  }

  /**
   * Resolves once it listens.
   * @param onLine  takes every line of its log
   * @param environment  variables besides its own
   */
  static async start(
    dataDir: string,
    ports: Ports,
    args: readonly string[] = [],
    onLine?: (line: string) => void,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<FerryProcess> {
    const { host = '127.0.0.1' } = ports;
    const child = spawn(
      process.execPath,
      [
        MAIN,
        'serve',
        `--data-dir=${dataDir}`,
        `--cwmp-listen=${host}:${ports.cwmp}`,
        `--nbi-listen=${host}:${ports.nbi}`,
        `--file-listen=${host}:${ports.files}`,
        '--allow-anonymous-cpe',
        '--connection-request-subnet=127.0.0.0/8',
        ...args,
      ],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
        // The tests' own switch is no option of the server's.
        env: {
          ...process.env,
          FERRY_TEST_LOG: undefined,
          FERRY_ADMIN_PASSWORD: ADMIN.password,
          ...environment,
        },
      },
    );
    const ferry = new FerryProcess(child, onLine);
    const ended = once(child, 'exit').then(() => {
      throw new Error(`ferry serve ended before it listened: ${ferry.#log}`);
    });
    await Promise.race([once(child.stdout ?? child, 'data'), ended]);
    ended.catch(() => {});
    return ferry;
  }

  get log(): string {
    return this.#log;
  }

  /** Memory of its own: without the pages of files that it has mapped. Linux only. */
  async anonymousBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^RssAnon:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }
}
