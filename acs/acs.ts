import type { BlockList } from 'node:net';
import type { Registry } from 'prom-client';
import {
  type Clock,
  type Logger,
  type MonotonicClock,
  SECOND_MS,
  type Secrets,
  subnetList,
} from '../common/index.js';
import {
  type Belonging,
  OrganizationDirectory,
  Organizations,
  type OrganizationUsers,
} from '../organizations/index.js';
import type { Rules, StandingConditions, Waking } from '../rules/index.js';
import { DUTY_AGE_MS_MAX, type DutyRecords, type Store } from '../store/index.js';
import { AddressPolicy } from './connection-request/address-policy.js';
import type { ConnectionRequests } from './connection-request/connection-requests.js';
import { type ConnectionRequestOptions, HttpConnectionRequests } from './connection-request/sender.js';
import { CpeCredentials } from './credentials/cpe-credentials.js';
import { type AfterReset, Identities } from './credentials/identities.js';
import type { CpeIdentity } from './device/cpeid.js';
import type { Devices } from './device/device.js';
import { type DeviceIds, deviceIdsBy, StoredDeviceIds } from './device/device-ids.js';
import { DeviceStore } from './device/device-store.js';
import type { FleetAddresses } from './device/fleet-addresses.js';
import { Retention } from './device/retention.js';
import { SecretPurge } from './device/secret-purge.js';
import { Approvals } from './enrolment/approvals.js';
import { Enrolment, type EnrolPolicy } from './enrolment/enrolment.js';
import { type NewCpeBounds, NewCpes } from './enrolment/new-cpes.js';
import type { Trace } from './http/answer.js';
import { type CpeAuthentication, CpeAuthenticator } from './http/cpe-auth.js';
import { CwmpServer } from './http/cwmp-server.js';
import { StoredNonceClaims } from './http/nonce-claims.js';
import { belongingsIn } from './membership/belongings.js';
import { Membership, membershipConditionCheck } from './membership/membership.js';
import { Placements } from './membership/placements.js';
import { createAcsMetrics } from './metrics/acs-metrics.js';
import type { LocateFile } from './session/file-location.js';
import type { Provisioning } from './session/provisioning.js';
import { SessionTable } from './session/session-table.js';
import { SharedSessions } from './session/shared/shared-sessions.js';
import { SessionWork } from './session/work.js';
import type { OwnedUpgrades } from './upgrade/owned-upgrades.js';
import { Sweeper } from './upgrade/sweeper.js';
import type { Upgrades } from './upgrade/upgrade.js';
import { UpgradeStore } from './upgrade/upgrade-store.js';
import { Caller, type CpeCaller } from './wake/caller.js';
import { Waker } from './wake/waker.js';

export interface AcsOptions {
  readonly cpeAuthentication: CpeAuthentication;
  readonly provisioning: Provisioning;
  readonly afterReset: AfterReset;
  readonly enrol: EnrolPolicy;
  readonly newCpes: NewCpeBounds;
  /** By what CPEs are told apart: the same for ever. */
  readonly cpeIdentity: CpeIdentity;
  readonly connectionRequests: ConnectionRequestOptions;
  /** Where connection requests may go besides the address a CPE informed from; CIDR notation. */
  readonly connectionRequestSubnets: readonly string[];
  /** Proxies in front of the listener; CIDR notation. */
  readonly trustedProxies: readonly string[];
  readonly bodyBytesMax: number;
  /** Of all bodies under way together, until they are answered. */
  readonly bodiesBytesMax: number;
  /** CPEs' requests being worked on at a time: further ones are told to come again. */
  readonly requestsMax: number;
  readonly sessionIdleMsMax: number;
  /** Open sessions are kept in the store, so that any process that shares it can go on with them. */
  readonly shareSessions: boolean;
  /** A session's cookie counts from whatever address, also where no proxy is trusted. */
  readonly cookieFromAnyAddress: boolean;
  /** How long stopping may wait for what is under way. */
  readonly stopGraceMs: number;
  /** How long results of ended upgrades are kept. */
  readonly resultDays: number;
  /** CPEs not heard of for so many days are forgotten; 0: none is. */
  readonly deviceDays: number;
  /** How often deadlines are looked at. */
  readonly sweepIntervalMs: number;
  /** How often CPEs are looked for that a rule's window wakes; null: only when {@link Acs.wake} is called. */
  readonly wakeIntervalMs: number | null;
}

export const DEFAULT_ACS_OPTIONS: Omit<AcsOptions, 'cpeAuthentication'> = {
  provisioning: { periodicInformSeconds: 3_600, setCredentials: true, giveLogins: false },
  afterReset: 'hold',
  enrol: 'open',
  cpeIdentity: 'oui',
  // As many as begin a session in a minute where a whole fleet comes at once; and more than one installation is made for.
  newCpes: { perMinuteMax: 30_000, inAllMax: 10_000_000, exempt: [] },
  connectionRequests: {
    attemptMsMax: 5_000,
    totalMsMax: 20_000,
    comingMsMax: 2_000,
    sharedCredentials: null,
    basic: false,
  },
  connectionRequestSubnets: [],
  trustedProxies: [],
  bodyBytesMax: 1024 * 1024,
  // Many small Informs, or some large ones.
  bodiesBytesMax: 64 * 1024 * 1024,
  // As many as one process answers in a second; more only come together where the store is slow, and each keeps its socket, what
  // it said and what was read for it.
  requestsMax: 4_000,
  sessionIdleMsMax: 30_000,
  shareSessions: false,
  cookieFromAnyAddress: false,
  stopGraceMs: 5_000,
  resultDays: 400,
  deviceDays: 0,
  sweepIntervalMs: 5 * SECOND_MS,
  wakeIntervalMs: SECOND_MS,
};

export interface AcsParts {
  readonly store: Store;
  readonly rules: Rules & { readonly waking: Waking; readonly standing: StandingConditions };
  readonly organizationUsers: OrganizationUsers;
  /** What whoever owns rules keeps of their upgrades; without it nobody owns any. */
  readonly owned?: OwnedUpgrades;
  /** What belongs to organizations in the rooms above. */
  readonly belongings?: readonly Belonging[];
  readonly secrets: Secrets;
  readonly locateFile: LocateFile;
  /** Is told where sessions come from; without it nobody wants to know. */
  readonly fleetAddresses?: FleetAddresses;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  /** Where it says what it has done for all processes, and when. */
  readonly duties: DutyRecords;
  readonly logger: Logger;
  readonly options: AcsOptions;
  readonly trace?: Trace;
}

/** The southbound side, put together. */
export interface Acs {
  /** Not listening yet: the composition says where. */
  readonly cwmp: CwmpServer;
  readonly devices: Devices;
  readonly deviceIds: DeviceIds;
  readonly upgrades: Upgrades;
  readonly connectionRequests: ConnectionRequests;
  /** Calls many CPEs, and waits for none of them. */
  readonly caller: CpeCaller;
  readonly approvals: Approvals;
  /** To be told how many CPEs there are whenever they have been counted. */
  counted(known: number): void;
  readonly credentials: CpeCredentials;
  readonly organizations: Organizations;
  readonly placements: Placements;
  /** Looks at deadlines now, instead of at the next tick. */
  sweep(): Promise<number>;
  /** Calls CPEs that are due to be woken now, instead of at the next tick. */
  wake(): Promise<void>;
  /** Stops listening, writes what waits; the store stays open. */
  close(): Promise<void>;
}

/** @throws Error where an option cannot be understood (a subnet) */
export function createAcs(parts: AcsParts): Acs {
  const { store, rules, secrets, clock, monotonic, duties, logger, options } = parts;
  const metrics = createAcsMetrics(parts.registry, () => cwmp.openSessions);
  const directory = new OrganizationDirectory({ store, monotonic });
  const uuidOf = deviceIdsBy(secrets);
  const devices = new DeviceStore({
    store,
    clock,
    logger,
    directory,
    onRemoved: (why) => metrics.removed.inc(why),
    enrolsAll: options.enrol === 'open',
    cpeIdentity: options.cpeIdentity,
    uuidOf,
  });
  const upgrades = new UpgradeStore({
    store,
    devices,
    rules,
    ...(parts.owned !== undefined && { owned: parts.owned }),
    clock,
    logger,
    metrics,
  });
  const credentials = new CpeCredentials({
    store,
    secrets,
    clock,
    directory,
    logger,
    cpeIdentity: options.cpeIdentity,
  });
  const newCpes = new NewCpes({ bounds: options.newCpes, monotonic, logger, metrics });
  const organizations = new Organizations({
    store,
    directory,
    clock,
    logger,
    checkCondition: membershipConditionCheck(rules.standing),
    belongings: [...belongingsIn({ store, clock, devices, rules }), ...(parts.belongings ?? [])],
    users: parts.organizationUsers,
  });
  const work = new SessionWork({
    cpeIdentity: options.cpeIdentity,
    enrolment: new Enrolment({ store, policy: options.enrol, credentials }),
    newCpes,
    membership: new Membership({ organizations, conditions: rules.standing, logger, monotonic }),
    sharedUsername: options.cpeAuthentication.kind === 'shared' ? options.cpeAuthentication.username : null,
    identities: new Identities({ credentials, devices, logger, afterReset: options.afterReset }),
    credentials,
    devices,
    ...(parts.fleetAddresses !== undefined && { fleetAddresses: parts.fleetAddresses }),
    upgrades,
    rules,
    secrets,
    clock,
    monotonic,
    logger,
    metrics,
    locateFile: parts.locateFile,
    provisioning: options.provisioning,
  });
  const trustedProxies = proxyList(options.trustedProxies);
  const carriage = {
    sharedConnections: trustedProxies !== null,
    idleMsMax: options.sessionIdleMsMax,
    cookieFromAnyAddress: options.cookieFromAnyAddress,
  };
  // Without credentials there is nothing that could be said again.
  const claims =
    options.shareSessions && options.cpeAuthentication.kind !== 'anonymous'
      ? new StoredNonceClaims({ store, clock, monotonic, logger })
      : null;
  const cwmp = new CwmpServer({
    work,
    cpeIdentity: options.cpeIdentity,
    sessions: options.shareSessions
      ? new SharedSessions({
          ...carriage,
          store,
          clock,
          monotonic,
          logger,
          onExpiryDone: duties.expect({ id: 'sessionExpiry', ageMsMax: DUTY_AGE_MS_MAX }),
        })
      : new SessionTable({ ...carriage, monotonic }),
    logger,
    metrics,
    authenticator: new CpeAuthenticator({
      authentication: options.cpeAuthentication,
      credentials,
      secrets,
      claims,
      trustedProxies,
      clock,
      monotonic,
      logger,
      metrics,
    }),
    trustedProxies,
    bodyBytesMax: options.bodyBytesMax,
    bodiesBytesMax: options.bodiesBytesMax,
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
  const { wakeIntervalMs } = options;
  const waker = new Waker({
    store,
    devices,
    rules,
    waking: rules.waking,
    caller,
    clock,
    monotonic,
    logger,
    onDone: wakeIntervalMs === null ? () => {} : duties.expect({ id: 'waking', ageMsMax: DUTY_AGE_MS_MAX }),
  });
  const waking = wakeIntervalMs === null ? null : setInterval(() => void waker.tick(), wakeIntervalMs);
  waking?.unref();
  const sweeper = new Sweeper({
    store,
    upgrades,
    duties,
    clock,
    monotonic,
    logger,
    sweepIntervalMs: options.sweepIntervalMs,
    resultDays: options.resultDays,
  });
  const { deviceDays } = options;
  const retention =
    deviceDays === 0 ? null : new Retention({ store, devices, duties, clock, monotonic, logger, deviceDays });
  const deviceIds = new StoredDeviceIds({ store, devices, idOf: uuidOf, clock, monotonic, logger });
  const secretPurge = new SecretPurge({ store, devices, clock, monotonic, logger });
  return {
    cwmp,
    devices,
    deviceIds,
    upgrades,
    connectionRequests,
    caller,
    approvals: new Approvals({ store, clock, devices, logger }),
    counted: (known) => newCpes.counted(known),
    credentials,
    organizations,
    placements: new Placements({ store, devices, organizations, clock }),
    sweep: () => upgrades.sweep(),
    wake: () => waker.tick(),
    async close() {
      if (waking !== null) clearInterval(waking);
      await waker.close();
      await cwmp.close();
      await claims?.close();
      await sweeper.close();
      await retention?.close();
      await secretPurge.close();
      await deviceIds.close();
      await devices.close();
    },
  };
}

function proxyList(subnets: readonly string[]): BlockList | null {
  return subnets.length === 0 ? null : subnetList(subnets);
}
