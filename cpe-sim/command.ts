import type { Logger } from '../common/index.js';
import { fleetOptionsOf, type SimulatorCommandOptions, SimulatorOptionError } from './command-options.js';
import { SIMULATOR_EVENT_NAMES } from './events.js';
import { Fleet, type FleetSummary } from './fleet.js';

/** How often the progress line is renewed; a terminal's is written over, another's only where it changed. */
const PROGRESS_MS = 500;
const PROGRESS_QUIET_MS = 5_000;

export interface SimulatorIo {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  /** Whether stdout is a terminal, where a line can be written over. */
  readonly isTerminal?: boolean;
  /** Ends the run; SIGINT and SIGTERM do where it is absent. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
  /** Called once the CPEs are being started. */
  readonly onStarted?: (fleet: Fleet) => void;
}

/**
 * `ferry sim`: runs a fleet until it is told to end, then prints what it did.
 * @returns the exit code: 0, 1 where it cannot listen, 2 where an option is wrong
 */
export async function runSimulator(options: SimulatorCommandOptions, io: SimulatorIo): Promise<number> {
  let fleet: Fleet;
  try {
    const fleetOptions = await fleetOptionsOf(options);
    fleet = new Fleet(io.logger === undefined ? fleetOptions : { ...fleetOptions, logger: io.logger });
  } catch (error) {
    if (!(error instanceof SimulatorOptionError || error instanceof RangeError)) throw error;
    io.stderr.write(`${error.message}\n`);
    return 2;
  }
  const ending = io.signal === undefined ? endOnSignals() : { signal: io.signal, release: () => undefined };
  const report = options.json === true ? reportJson(fleet, io) : reportProgress(fleet, io);
  try {
    await fleet.start();
    io.onStarted?.(fleet);
    await aborted(ending.signal);
  } catch (error) {
    io.stderr.write(`--listen: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    ending.release();
    await fleet.stop();
    report.end();
  }
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function endOnSignals(): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  const release = (): void => {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  };
  return { signal: controller.signal, release };
}

/** One JSON object a line: the name of the event, when, whose, and its fields; at the end `summary`. */
function reportJson(fleet: Fleet, io: SimulatorIo): { end(): void } {
  const write = (event: string, fields: object): void => {
    io.stdout.write(`${JSON.stringify({ event, ts: new Date().toISOString(), ...fields })}\n`);
  };
  for (const name of SIMULATOR_EVENT_NAMES) {
    fleet.events.on(
      name,
      ({ identity, ...fields }: { readonly identity: { readonly serialNumber: string } }) => {
        write(name, { serialNumber: identity.serialNumber, ...fields });
      },
    );
  }
  return { end: () => write('summary', fleet.summary()) };
}

/** The summary in one line. */
export function summaryLine(summary: FleetSummary): string {
  const { sessions, transferCompletes } = summary;
  const versions = Object.entries(summary.versions)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 4)
    .map(([version, count]) => `${count} on ${version}`);
  return [
    `${summary.started}/${summary.cpes} CPEs started`,
    `${sessions.ended} sessions (${sessions.failed} failed)`,
    `${summary.downloads} downloads`,
    `${transferCompletes.ok} completed, ${transferCompletes.failed} failed`,
    versions.join(', '),
  ].join(' · ');
}

function reportProgress(fleet: Fleet, io: SimulatorIo): { end(): void } {
  let last = '';
  const show = (): void => {
    const line = summaryLine(fleet.summary());
    if (line === last) return;
    last = line;
    io.stdout.write(io.isTerminal === true ? `\r\u001b[K${line}` : `${line}\n`);
  };
  const timer = setInterval(show, io.isTerminal === true ? PROGRESS_MS : PROGRESS_QUIET_MS);
  return {
    end: () => {
      clearInterval(timer);
      show();
      if (io.isTerminal === true) io.stdout.write('\n');
    },
  };
}
