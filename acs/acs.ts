import type { BlockList } from 'node:net';
import cron from 'node-cron';
import type { Registry } from 'prom-client';
import { type Clock, type Logger, SECOND_MS, type Secrets, subnetList } from '../common/index.js';
import type { Rules, Waking } from '../rules/index.js';
import { Duty, type Store } from '../store/index.js';
import { AddressPolicy } from './connection-request/address-policy.js';
import type { ConnectionRequests } from './connection-request/connection-requests.js';
import { type ConnectionRequestOptions, HttpConnectionRequests } from './connection-request/sender.js';
import type { Devices } from './device/device.js';
import { DeviceStore } from './device/device-store.js';
import type { Trace } from './http/answer.js';
import { type CpeAuthentication, CpeAuthenticator } from './http/cpe-auth.js';
import { CwmpServer } from './http/cwmp-server.js';
import { createAcsMetrics } from './metrics/acs-metrics.js';
import type { LocateFile } from './session/file-location.js';
import type { Provisioning } from './session/provisioning.js';
import { SessionTable } from './session/session-table.js';
import { SharedSessions } from './session/shared/shared-sessions.js';
import { SessionWork } from './session/work.js';
import type { Upgrades } from './upgrade/upgrade.js';
import { UpgradeStore } from './upgrade/upgrade-store.js';
import { Caller } from './wake/caller.js';
import { Waker } from './wake/waker.js';

export interface AcsOptions {
  readonly cpeAuthentication: CpeAuthentication;
  readonly provisioning: Provisioning;
  readonly connectionRequests: ConnectionRequestOptions;
  /** Where connection requests may go besides the address a CPE informed from; CIDR notation. */
  readonly connectionRequestSubnets: readonly string[];
  /** Proxies in front of the listener; CIDR notation. */
  readonly trustedProxies: readonly string[];
  readonly bodyBytesMax: number;
  /** CPEs' connections at a time; further ones are closed at once. */
  readonly connectionsMax: number;
  /** CPEs' requests being worked on at a time: further ones are told to come again. */
  readonly requestsMax: number;
  readonly sessionIdleMsMax: number;
  /** Open sessions are kept in the store, so that any process that shares it can go on with them. */
  readonly shareSessions: boolean;
  /** How long stopping may wait for what is under way. */
  readonly stopGraceMs: number;
  /** How long results of ended upgrades are kept. */
  readonly resultDays: number;
  /** How often deadlines are looked at, in cron's six fields. */
  readonly sweepCron: string;
  /** How often CPEs are looked for that a rule's window wakes; null: only when {@link Acs.wake} is called. */
  readonly wakeIntervalMs: number | null;
}

export const DEFAULT_ACS_OPTIONS: Omit<AcsOptions, 'cpeAuthentication'> = {
  provisioning: { periodicInformSeconds: 3_600, setCredentials: true },
  connectionRequests: {
    attemptMsMax: 5_000,
    totalMsMax: 20_000,
    comingMsMax: 2_000,
    sharedCredentials: null,
  },
  connectionRequestSubnets: [],
  trustedProxies: [],
  bodyBytesMax: 1024 * 1024,
  connectionsMax: 50_000,
  // As many as one process answers in a second; more only come together where the store is slow, and each keeps its socket, what
  // it said and what was read for it.
  requestsMax: 4_000,
  sessionIdleMsMax: 30_000,
  shareSessions: false,
  stopGraceMs: 5_000,
  resultDays: 400,
  sweepCron: '*/5 * * * * *',
  wakeIntervalMs: SECOND_MS,
};

const PURGE_CRON = '17 3 * * *';
/** So long after the process that sweeps died another sweeps in its place; deadlines are minutes at least. */
const SWEEP_LEASE_MS = 20 * SECOND_MS;

export interface AcsParts {
  readonly store: Store;
  readonly rules: Rules & { readonly waking: Waking };
  readonly secrets: Secrets;
  readonly locateFile: LocateFile;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly options: AcsOptions;
  readonly trace?: Trace;
}

/** The southbound side, put together. */
export interface Acs {
  /** Not listening yet: the composition says where. */
  readonly cwmp: CwmpServer;
  readonly devices: Devices;
  readonly upgrades: Upgrades;
  readonly connectionRequests: ConnectionRequests;
  /** Looks at deadlines now, instead of at the next tick. */
  sweep(): Promise<number>;
  /** Calls CPEs that are due to be woken now, instead of at the next tick. */
  wake(): Promise<void>;
  /** Stops listening, writes what waits; the store stays open. */
  close(): Promise<void>;
}

/** @throws Error where an option cannot be understood (a subnet, a cron expression) */
export function createAcs(parts: AcsParts): Acs {
  const { store, rules, secrets, clock, logger, options } = parts;
  const metrics = createAcsMetrics(parts.registry, () => cwmp.openSessions);
  const devices = new DeviceStore({ store, logger });
  const upgrades = new UpgradeStore({ store, devices, rules, clock, logger, metrics });
  const work = new SessionWork({
    devices,
    upgrades,
    rules,
    secrets,
    clock,
    logger,
    metrics,
    locateFile: parts.locateFile,
    provisioning: options.provisioning,
  });
  const trustedProxies = proxyList(options.trustedProxies);
  const carriage = {
    clock,
    sharedConnections: trustedProxies !== null,
    idleMsMax: options.sessionIdleMsMax,
  };
  const cwmp = new CwmpServer({
    work,
    sessions: options.shareSessions
      ? new SharedSessions({ ...carriage, store, logger })
      : new SessionTable(carriage),
    logger,
    metrics,
    authenticator: new CpeAuthenticator(options.cpeAuthentication),
    trustedProxies,
    bodyBytesMax: options.bodyBytesMax,
    connectionsMax: options.connectionsMax,
    requestsMax: options.requestsMax,
    sessionIdleMsMax: options.sessionIdleMsMax,
    stopGraceMs: options.stopGraceMs,
    ...(parts.trace !== undefined && { trace: parts.trace }),
  });
  const connectionRequests = new HttpConnectionRequests({
    devices,
    secrets,
    clock,
    logger,
    metrics,
    policy: new AddressPolicy(options.connectionRequestSubnets),
    options: options.connectionRequests,
  });
  const caller = new Caller({ requests: connectionRequests, metrics, logger });
  const waker = new Waker({ store, devices, rules, waking: rules.waking, caller, clock, logger });
  const { wakeIntervalMs } = options;
  const waking = wakeIntervalMs === null ? null : setInterval(() => void waker.tick(), wakeIntervalMs);
  waking?.unref();
  // A round that is still running when the next is due is not joined by a second one.
  const quietly = { noOverlap: true, suppressMissedWarning: true, logger: cronLogger(logger) };
  // One process sweeps for all; in the others it would be the same work again.
  const sweeping = new Duty({ store, clock, id: 'upgrades', leaseMs: SWEEP_LEASE_MS });
  const ifOurs = (run: () => Promise<number>) => async () => ((await sweeping.isOurs()) ? run() : 0);
  const sweep = ifOurs(() => upgrades.sweep());
  const purge = ifOurs(() => upgrades.purge(options.resultDays));
  const sweeps = [
    cron.schedule(options.sweepCron, () => logged('sweep', sweep), quietly),
    cron.schedule(PURGE_CRON, () => logged('purge', purge), quietly),
  ];
  const rounds = new Set<Promise<void>>();
  const logged = (what: string, run: () => Promise<number>) => {
    const round = counted(what, run).finally(() => rounds.delete(round));
    rounds.add(round);
    return round;
  };
  const counted = async (what: string, run: () => Promise<number>): Promise<void> => {
    try {
      const count = await run();
      if (count > 0) logger.info(`upgrades.${what}`, { count });
    } catch (error) {
      logger.error(`upgrades.${what}-failed`, { error });
    }
  };
  return {
    cwmp,
    devices,
    upgrades,
    connectionRequests,
    sweep: () => upgrades.sweep(),
    wake: () => waker.tick(),
    async close() {
      if (waking !== null) clearInterval(waking);
      await waker.close();
      await cwmp.close();
      for (const task of sweeps) await task.destroy();
      await Promise.all(rounds);
      // Where the store fails the lease runs out by itself.
      await sweeping
        .release()
        .catch((error: unknown) => logger.warn('upgrades.lease-not-released', { error }));
      await devices.close();
    },
  };
}

/** node-cron speaks in sentences, to standard output unless told; here they are fields of an event. */
function cronLogger(logger: Logger) {
  const say = (level: 'debug' | 'warn') => (message: string | Error) =>
    logger[level]('upgrades.schedule', { message: message instanceof Error ? message.message : message });
  return { info: say('debug'), debug: say('debug'), warn: say('debug'), error: say('warn') };
}

function proxyList(subnets: readonly string[]): BlockList | null {
  return subnets.length === 0 ? null : subnetList(subnets);
}
