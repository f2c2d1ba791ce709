import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Express } from 'express';
import { Registry } from 'prom-client';
import { DEVICES } from '../../acs/device/device.js';
import {
  type AcsOptions,
  createAcs,
  DEFAULT_ACS_OPTIONS,
  type Device,
  type DeviceIds,
  type Devices,
  namesakesIn,
  type Upgrade,
} from '../../acs/index.js';
import { UPGRADES } from '../../acs/upgrade/upgrade.js';
import { type InstallationBatches, openInstallationBatches } from '../../cli/batches.js';
import {
  type Clock,
  type CommandKey,
  type CountKey,
  type CpeId,
  createSecrets,
  HOUR_MS,
  type LogFields,
  type Logger,
  MINUTE_MS,
  RefusedRequests,
  type ResultId,
  type RuleId,
  silentLogger,
  subnetList,
} from '../../common/index.js';
import { EventLog } from '../../events/index.js';
import {
  type ImageLibrary,
  ImageTypes,
  type ImageUuids,
  imageUuidsBy,
  openDiskContents,
  openImageLibrary,
  openUploads,
  type Uploads,
} from '../../firmware/index.js';
import { type ApiParts, nbiApis } from '../../nbi/apis.js';
import type { FirmwareSlotsOptions } from '../../nbi/firmware-slots/index.js';
import { UPGRADER_OPTIONS, type UpgraderOptions } from '../../nbi/firmware-upgrader/index.js';
import type { Api } from '../../nbi/http/index.js';
import {
  type ConnectionBounds,
  createNbi,
  createNbiServer,
  type Health,
  NBI_LIMITS,
  type NbiLimits,
  type NbiListenerTimes,
  openUsers,
  otherSiteLog,
  UserSessions,
  type Users,
} from '../../nbi/index.js';
import { hashPassword } from '../../nbi/users/password.js';
import { USERS, type UserDocument } from '../../nbi/users/user.js';
import type { Organizations } from '../../organizations/index.js';
import { type DeviceSlots, openDeviceSlots } from '../../rollout/index.js';
import { openRules, type Rules } from '../../rules/index.js';
import { DutyRecords, openLmdbStore, type Store } from '../../store/index.js';

export const OPERATOR = 'api:correct horse';
export const VIEWER = 'viewer:only looking';

/** Hashed once for all the tests of a file. */
const userDocuments: Promise<readonly UserDocument[]> = Promise.all(
  (
    [
      ['operator', OPERATOR],
      ['viewer', VIEWER],
    ] as const
  ).map(async ([role, credentials]) => {
    const [id = '', password = ''] = credentials.split(':');
    return { id, role, password: await hashPassword(password), createdAtMs: 0 };
  }),
);

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface RequestOptions {
  readonly method?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** `name:password`; null sends none. */
  readonly as?: string | null;
}

export interface TestNbi {
  readonly app: Express;
  readonly url: string;
  readonly server: http.Server;
  readonly store: Store;
  readonly rules: Rules;
  readonly images: ImageLibrary;
  /** Where their contents lie. */
  readonly imageDirectory: string;
  readonly devices: Devices;
  readonly uploads: Uploads;
  readonly events: EventLog;
  readonly users: Users;
  readonly organizations: Organizations;
  readonly deviceIds: DeviceIds;
  readonly imageUuids: ImageUuids;
  readonly upgrading: InstallationBatches;
  readonly deviceSlots: DeviceSlots;
  readonly sessions: UserSessions;
  readonly metrics: Registry;
  readonly log: { readonly event: string; readonly fields: LogFields }[];
  readonly call: (path: string, options?: RequestOptions) => Promise<Reply>;
  putDevice(device: Partial<Device> & { readonly serialNumber: string }): Promise<Device>;
  putUpgrade(
    upgrade: Partial<Upgrade> & { readonly campaignid: RuleId; readonly cpeid: CpeId },
  ): Promise<Upgrade>;
}

export interface TestNbiOptions {
  readonly limits?: Partial<NbiLimits>;
  readonly clock?: Clock;
  readonly strictImages?: boolean;
  /** Whether nothing is sent that is not signed; false unless told. */
  readonly requireSignature?: boolean;
  /** Where images may be fetched from; nowhere unless told. A fetch is tried again at once. */
  readonly imageSources?: readonly string[];
  readonly trustedProxies?: readonly string[];
  /** By which log-ins are counted and remembered. */
  readonly monotonic?: () => number;
  readonly connectionRequestMsMax?: number;
  readonly health?: () => Promise<Health>;
  readonly connections?: Partial<ConnectionBounds>;
  /** A mebibyte unless told. */
  readonly imageBytesMax?: number;
  readonly organizationImageBytesMax?: number;
  readonly times?: Partial<NbiListenerTimes>;
  readonly ready?: () => Promise<Health>;
  readonly sessionLimits?: { readonly inAllMax: number; readonly perUserMax: number };
  /** APIs beside Ferry's own. */
  readonly beside?: readonly Api[] | ((parts: ApiParts) => readonly Api[]);
  readonly deviceDomain?: string;
  readonly firmwareUpgrader?: Partial<UpgraderOptions>;
  readonly firmwareSlots?: FirmwareSlotsOptions;
  /** Which new CPEs are enrolled; all unless told. */
  readonly enrol?: AcsOptions['enrol'];
}

/** What tests put there is of any date. */
const RESULT_DAYS = 100_000;

/** The real northbound side on a real store, listening on a port of its own; all of it goes with the test. */
export async function startNbi(t: ExecutionContext, options: TestNbiOptions = {}): Promise<TestNbi> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-nbi-'));
  const clock = options.clock ?? Date.now;
  const secrets = createSecrets(randomBytes(32));
  const metrics = new Registry();
  const store = await openLmdbStore({ directory: join(directory, 'store') });
  const stored = {
    contents: await openDiskContents(join(directory, 'images')),
    store,
    limits: {
      imageBytesMax: options.imageBytesMax ?? 1024 * 1024,
      ...(options.organizationImageBytesMax !== undefined && {
        organizationImageBytesMax: options.organizationImageBytesMax,
      }),
    },
    strictImages: options.strictImages === true,
    clock,
    logger: silentLogger,
  };
  const images = openImageLibrary(stored);
  const imageUuids = imageUuidsBy(secrets);
  const uploads = openUploads({
    ...stored,
    library: images,
    sources: options.imageSources ?? [],
    fetchPauseMs: 1,
  });
  const rules = await openRules({
    store,
    clock,
    logger: silentLogger,
    secrets,
    resolveFile: async (file, organization) => (file.includes('://') ? {} : images.get(file, organization)),
    keepingFiles: (files) => images.going.keeping(files),
    requireSignature: options.requireSignature ?? false,
    namesakesOf: namesakesIn(store),
  });
  const duties = new DutyRecords({ store, clock, logger: silentLogger, by: 'test' });
  const { log, logger } = recordingLogger();
  const users = openUsers({
    store,
    secrets,
    clock,
    logger,
    ...(options.monotonic && { monotonic: options.monotonic }),
  });
  const acs = createAcs({
    store,
    rules,
    organizationUsers: users.ofOrganizations,
    secrets,
    locateFile: async () => Promise.reject(new Error('No Download leaves these tests')),
    registry: metrics,
    clock,
    monotonic: clock,
    duties,
    logger: silentLogger,
    options: {
      ...DEFAULT_ACS_OPTIONS,
      resultDays: RESULT_DAYS,
      ...(options.enrol !== undefined && { enrol: options.enrol }),
      cpeAuthentication: { kind: 'anonymous' },
      connectionRequests: {
        attemptMsMax: 5_000,
        totalMsMax: options.connectionRequestMsMax ?? 10_000,
        comingMsMax: 100,
        sharedCredentials: null,
        basic: false,
      },
      connectionRequestSubnets: ['127.0.0.0/8'],
    },
  });
  for (const document of await userDocuments) await store.collection<UserDocument>(USERS).put(document);
  const events = new EventLog({ store, clock });
  const sessions = new UserSessions({
    store,
    users,
    clock,
    logger,
    life: { idleMs: 60 * MINUTE_MS, totalMs: 12 * HOUR_MS },
    ...(options.sessionLimits && { limits: options.sessionLimits }),
    ...(options.monotonic && { monotonic: options.monotonic }),
  });
  const upgrading = openInstallationBatches({
    config: {
      resultDays: RESULT_DAYS,
      requireSignature: options.requireSignature ?? false,
      firmwareUpgraderVersion: options.firmwareUpgrader?.version ?? UPGRADER_OPTIONS.version,
      firmwareUpgraderType: [],
      firmwareUpgraderModelParameter: '',
    },
    installation: { store, secrets, images },
    rules,
    devices: acs.devices,
    clock,
    monotonic: clock,
    logger: silentLogger,
    turn: (work) => work(),
    calling: null,
    // Nobody is called: what is asked waits for the CPE to come.
    underWay: { withdraw: (id) => acs.upgrades.withdraw(id), call: () => {} },
  });
  const deviceSlots = openDeviceSlots({
    store,
    clock,
    devices: acs.devices,
    connectionRequests: acs.connectionRequests,
    rules,
    library: images,
    uploads,
    upgrades: upgrading.cpeUpgrades,
    operations: upgrading.operations,
  });
  const parts = {
    rules,
    devices: acs.devices,
    deviceIds: acs.deviceIds,
    upgrades: acs.upgrades,
    connectionRequests: acs.connectionRequests,
    approvals: acs.approvals,
    credentials: acs.credentials,
    organizations: acs.organizations,
    placements: acs.placements,
    images,
    imageUuids,
    uploads,
    ...upgrading,
    deviceSlots,
    ...(options.firmwareSlots !== undefined && { firmwareSlots: options.firmwareSlots }),
    events,
    users,
    sessions,
    noteOtherSite: otherSiteLog({
      events: new EventLog({ store, clock }),
      logger,
      ...(options.monotonic && { monotonic: options.monotonic }),
    }),
    metrics,
    version: 'under test',
    ready: options.ready ?? (async (): Promise<Health> => ({ status: 'ok', parts: { process: 'ok' } })),
    health: options.health ?? (async (): Promise<Health> => ({ status: 'ok', parts: { store: 'ok' } })),
    clock,
    monotonic: options.monotonic ?? clock,
    logger,
    trustedProxies: options.trustedProxies === undefined ? null : subnetList(options.trustedProxies),
    deviceDomain: options.deviceDomain ?? null,
    limits: { ...NBI_LIMITS, ...options.limits },
    firmwareUpgrader: {
      ...UPGRADER_OPTIONS,
      types: new ImageTypes(options.firmwareUpgrader?.version ?? UPGRADER_OPTIONS.version),
      ...options.firmwareUpgrader,
    },
  };
  const { beside = [] } = options;
  const app = createNbi(parts, [
    ...nbiApis(parts),
    ...(typeof beside === 'function' ? beside(parts) : beside),
  ]);
  const refused = new RefusedRequests({ listener: 'nbi', logger });
  const server = createNbiServer({
    ...(options.monotonic !== undefined && { monotonic: options.monotonic }),
    app,
    refused,
    connections: { inAllMax: 1_000, perAddressMax: 500, isShared: () => false, ...options.connections },
    ...(options.times !== undefined && { times: options.times }),
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await upgrading.systemUpdates.close();
    await upgrading.batches.close();
    await uploads.close();
    await acs.close();
    await duties.close();
    await rules.close();
    await store.close();
    await rm(directory, { recursive: true });
  });
  const devices = store.collection<Device>(DEVICES);
  const upgrades = store.collection<Upgrade>(UPGRADES);
  return {
    app,
    url,
    server,
    store,
    rules,
    images,
    imageDirectory: join(directory, 'images'),
    devices: acs.devices,
    uploads,
    events,
    users,
    organizations: acs.organizations,
    deviceIds: acs.deviceIds,
    imageUuids,
    upgrading,
    deviceSlots,
    sessions,
    metrics,
    log,
    call: (path, request) => call(url + path, request),
    async putDevice(device) {
      const document = deviceOf(device);
      await devices.put(document);
      return document;
    },
    async putUpgrade(upgrade) {
      const document = upgradeOf(upgrade);
      await upgrades.put(document);
      return document;
    },
  };
}

function recordingLogger(): { readonly log: TestNbi['log']; readonly logger: Logger } {
  const log: { event: string; fields: LogFields }[] = [];
  const record = (event: string, fields: LogFields = {}) => void log.push({ event, fields });
  return { log, logger: { error: record, warn: record, info: record, debug: record } };
}

/** One request, and its answer with JSON read. */
export async function call(url: string, options: RequestOptions = {}): Promise<Reply> {
  const { json, as = OPERATOR } = options;
  const headers = new Headers(options.headers);
  if (as !== null) headers.set('Authorization', `Basic ${Buffer.from(as).toString('base64')}`);
  if (json !== undefined && !headers.has('Content-Type')) headers.set('Content-Type', 'application/json');
  const body = json === undefined ? options.body : JSON.stringify(json);
  const response = await fetch(url, {
    method: options.method ?? 'GET',
    headers,
    ...(body === undefined ? {} : { body }),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const isJson = response.headers.get('Content-Type')?.startsWith('application/json') ?? false;
  const content: unknown = isJson && bytes.length > 0 ? JSON.parse(bytes.toString()) : bytes;
  return { status: response.status, headers: response.headers, body: content };
}

export function deviceOf(device: Partial<Device> & { readonly serialNumber: string }): Device {
  return {
    id: `00A1B2-HGW-${device.serialNumber}` as CpeId,
    manufacturer: 'Example',
    oui: '00A1B2',
    productClass: 'HGW',
    softwareVersion: '1.0.0',
    root: 'Device',
    namespace: 'urn:dslforum-org:cwmp-1-2',
    ip: '127.0.0.1',
    provisioning: 'done',
    registeredMs: 1_743_400_000_123,
    lastInformMs: 1_743_412_508_999,
    lastEvents: ['2 PERIODIC'],
    tags: [],
    counts: {},
    informDigest: '',
    ...device,
  };
}

export function upgradeOf(
  upgrade: Partial<Upgrade> & { readonly campaignid: RuleId; readonly cpeid: CpeId },
): Upgrade {
  const id = upgrade.id ?? (randomUUID() as ResultId);
  return {
    id,
    commandKey: id.replaceAll('-', '') as CommandKey,
    countKey: 'none' as CountKey,
    ruleDescription: '',
    state: 'verified',
    status: true,
    result: { code: 200, message: 'Upgrade verified' },
    file: 'hgw.bin',
    targetVersion: '2.0.0',
    fromVersion: '1.0.0',
    startedAtMs: 1_743_412_000_000,
    updatedAtMs: 1_743_412_508_000,
    stateMsMax: { sent: 1, accepted: 1, transferred: 1 },
    ...upgrade,
  };
}

const UNTIL_MS_MAX = 60_000;

/** Waits for something that happens after an answer is out. @throws Error where it does not within ten seconds */
export async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + UNTIL_MS_MAX;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`It did not happen: ${condition}`);
    await delay(5);
  }
}

/** A CPE's connection-request listener that answers every request alike. @returns its URL */
export async function startCpe(t: ExecutionContext, status: number): Promise<string> {
  const server = http
    .createServer((_request, response) => response.writeHead(status).end())
    .listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/cr`;
}

/** A rule as a script would post it. */
export function ruleBody(id: string, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const name = id.replace('UPGRADE_', '');
  return {
    id,
    enabled: true,
    automatic: true,
    file: 'http://files.example.net/hgw-2.0.0.bin',
    condition: { cpeid: name.includes('-') ? name : `00A1B2-HGW-${name}` },
    executions: 1,
    priority: 1,
    author: 'api',
    ...more,
  };
}
