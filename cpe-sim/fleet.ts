import { ConnectionRequestListener, type ConnectionRequestListenerOptions } from './connection-requests.js';
import { SimulatedCpe } from './cpe.js';
import { createEmitter, type SimulatorEmitter } from './events.js';
import type { Fault } from './fault.js';
import type { CpeBehaviour } from './options.js';
import type { EnvelopeStyle } from './soap/index.js';
import { Gate } from './timers.js';

export const FLEET_CPES_MAX = 1_000_000;
/** Sessions that run at once, so that a fleet does not run out of sockets when its ACS comes back. */
const SESSIONS_MAX = 1_000;
/** How often the ramp starts the CPEs that are due. */
const RAMP_TICK_MS = 20;

export interface FleetOptions
  extends Omit<CpeBehaviour, 'listener' | 'gate' | 'events' | 'style' | 'softwareVersion'> {
  readonly count: number;
  readonly manufacturer?: string;
  readonly oui: string;
  readonly productClass: string;
  /** Serial numbers are this and a number. */
  readonly serialPrefix: string;
  /** Number of the first; default 1. */
  readonly firstSerial?: number;
  /** The number is padded with zeros to so many digits; default 6. */
  readonly serialDigits?: number;
  readonly softwareVersion: string;
  /** The faults of the CPE of this index, from 1. */
  readonly faults?: (index: number) => readonly Fault[];
  /** Given to the CPEs in turn. */
  readonly styles?: readonly EnvelopeStyle[];
  /** Where connection requests come in; default 127.0.0.1, any port. */
  readonly listen?: ConnectionRequestListenerOptions;
  /** The first contacts are spread over so long; default 0. */
  readonly rampMs?: number;
  readonly sessionsMax?: number;
}

/** What a fleet has done so far. */
export interface FleetSummary {
  readonly cpes: number;
  readonly started: number;
  readonly sessions: { readonly ended: number; readonly failed: number };
  readonly connectionRequests: { readonly accepted: number; readonly busy: number };
  readonly downloads: number;
  /** Downloads whose CommandKey that CPE had already been given. */
  readonly downloadsRepeated: number;
  readonly transfers: { readonly ok: number; readonly failed: number };
  readonly transferCompletes: { readonly ok: number; readonly failed: number };
  readonly reboots: number;
  readonly gone: number;
  /** How many CPEs run which version. */
  readonly versions: Readonly<Record<string, number>>;
}

class Counters {
  started = 0;
  readonly sessions = { ended: 0, failed: 0 };
  readonly connectionRequests = { accepted: 0, busy: 0 };
  downloads = 0;
  downloadsRepeated = 0;
  readonly transfers = { ok: 0, failed: 0 };
  readonly transferCompletes = { ok: 0, failed: 0 };
  reboots = 0;
  gone = 0;

  constructor(events: SimulatorEmitter) {
    events.on('session', ({ outcome }) => {
      this.sessions[outcome]++;
    });
    events.on('connection-request', ({ outcome }) => {
      if (outcome !== 'off') this.connectionRequests[outcome]++;
    });
    events.on('download', ({ repeat }) => {
      this.downloads++;
      if (repeat > 0) this.downloadsRepeated++;
    });
    events.on('transfer', ({ fault }) => {
      this.transfers[fault === null ? 'ok' : 'failed']++;
    });
    events.on('transfer-complete-sent', ({ fault }) => {
      this.transferCompletes[fault === null ? 'ok' : 'failed']++;
    });
    events.on('reboot', () => {
      this.reboots++;
    });
    events.on('gone', () => {
      this.gone++;
    });
  }
}

/**
 * Many CPEs in one process: one data model, one listener for connection requests, one emitter of events.
 * @example
 * const fleet = new Fleet({ acsUrl, count: 20, oui: '00A1B2', productClass: 'HGW-1', serialPrefix: 'SIM',
 *   softwareVersion: '1.0.0', dataModel: builtInModel('tr181') });
 * await fleet.start();
 */
export class Fleet {
  /** The events of all CPEs. */
  readonly events: SimulatorEmitter = createEmitter();
  readonly cpes: readonly SimulatedCpe[];
  readonly #listener: ConnectionRequestListener;
  readonly #counters = new Counters(this.events);
  readonly #rampMs: number;
  #ramp: NodeJS.Timeout | null = null;

  /** @throws RangeError where an option is out of range */
  constructor(options: FleetOptions) {
    const { count, listen, rampMs, sessionsMax, styles, faults, firstSerial = 1, serialDigits = 6 } = options;
    if (!Number.isInteger(count) || count < 1 || count > FLEET_CPES_MAX)
      throw new RangeError(`count: must be a whole number from 1 to ${FLEET_CPES_MAX}`);
    if (!Number.isSafeInteger(firstSerial) || firstSerial < 0)
      throw new RangeError('firstSerial: must be a whole number from 0');
    this.#rampMs = rampMs ?? 0;
    this.#listener = new ConnectionRequestListener(listen ?? { host: '127.0.0.1', port: 0 });
    const gate = new Gate(sessionsMax ?? SESSIONS_MAX);
    this.cpes = Array.from({ length: count }, (_, offset) => {
      const style = styles?.[offset % styles.length];
      const own = faults?.(offset + 1) ?? [];
      return new SimulatedCpe({
        ...options,
        identity: {
          manufacturer: options.manufacturer ?? 'Ferry Simulator',
          oui: options.oui,
          productClass: options.productClass,
          serialNumber: `${options.serialPrefix}${`${firstSerial + offset}`.padStart(serialDigits, '0')}`,
        },
        faults: own,
        ...(style === undefined ? {} : { style }),
        listener: this.#listener,
        events: this.events,
        gate,
      });
    });
  }

  /**
   * Starts to listen and then the CPEs, spread over the ramp.
   * @returns once the listener is up; the ramp goes on
   * @throws where the address of the connection requests cannot be listened on
   */
  async start(): Promise<void> {
    await this.#listener.start();
    const begunMs = performance.now();
    const startDue = (): void => {
      const share = this.#rampMs <= 0 ? 1 : (performance.now() - begunMs) / this.#rampMs;
      const due = Math.min(this.cpes.length, Math.max(1, Math.floor(share * this.cpes.length)));
      while (this.#counters.started < due) this.cpes[this.#counters.started++]?.start();
      if (this.#counters.started < this.cpes.length) this.#ramp = setTimeout(startDue, RAMP_TICK_MS);
    };
    startDue();
  }

  /** Switches all off and stops to listen. */
  async stop(): Promise<void> {
    if (this.#ramp !== null) clearTimeout(this.#ramp);
    await Promise.all(this.cpes.map((cpe) => cpe.stop()));
    await this.#listener.stop();
  }

  summary(): FleetSummary {
    const versions: Record<string, number> = {};
    for (const cpe of this.cpes) versions[cpe.softwareVersion] = (versions[cpe.softwareVersion] ?? 0) + 1;
    const { started, sessions, connectionRequests, downloads, downloadsRepeated } = this.#counters;
    const { transfers, transferCompletes, reboots, gone } = this.#counters;
    return {
      cpes: this.cpes.length,
      started,
      sessions: { ...sessions },
      connectionRequests: { ...connectionRequests },
      downloads,
      downloadsRepeated,
      transfers: { ...transfers },
      transferCompletes: { ...transferCompletes },
      reboots,
      gone,
      versions,
    };
  }
}
