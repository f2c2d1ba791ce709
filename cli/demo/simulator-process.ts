import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../command.js';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const ERROR_CHARACTERS_KEPT = 2_000;

export interface FleetProcess {
  readonly pid: number | undefined;
  /** Rejects when the process ends by itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** Starts `ferry sim` as a process of its own: server and CPEs share nothing but sockets. */
export function startFleet(options: {
  readonly acs: string;
  readonly count: number;
  readonly productClass: string;
  readonly softwareVersion: string;
  readonly faults: readonly string[];
}): FleetProcess {
  const child = spawn(
    process.execPath,
    [
      MAIN,
      'sim',
      `--acs=${options.acs}`,
      `--count=${options.count}`,
      `--product-class=${options.productClass}`,
      `--software-version=${options.softwareVersion}`,
      '--ramp=1',
      ...options.faults.map((fault) => `--fault=${fault}`),
    ],
    // The channel says nothing; it closes when this process dies, however that may be, and the CPEs with it.
    { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-ERROR_CHARACTERS_KEPT);
  });
  let stopping = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const failed = ended.then((): never => {
    const reason = errors.trim();
    throw new CommandError(
      `the simulated CPEs ended${stopping ? '' : ' by themselves'}${reason === '' ? '' : `: ${reason}`}`,
    );
  });
  // Whoever waits for something else at that moment is told by the race, not by an unhandled rejection.
  failed.catch(() => {});
  return {
    pid: child.pid,
    failed,
    async stop() {
      stopping = true;
      child.kill('SIGTERM');
      await ended;
    },
  };
}
