import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Express } from 'express';
import { Gauge, Registry } from 'prom-client';
import { DEVICES, PARAMETERS, type ParameterDocument } from '../../../acs/device/device.js';
import type { Device, Upgrade } from '../../../acs/index.js';
import { UPGRADES } from '../../../acs/upgrade/upgrade.js';
import { loopbackConfig } from '../../../cli/config.js';
import { type Ferry, startFerry } from '../../../cli/server.js';
import {
  type BatchId,
  type CpeId,
  type OrganizationId,
  RefusedRequests,
  type ResultId,
  type RuleId,
  silentLogger,
} from '../../../common/index.js';
import { EventLog } from '../../../events/index.js';
import { imageUuidsBy } from '../../../firmware/index.js';
import { nbiApis } from '../../../nbi/apis.js';
import type { Api } from '../../../nbi/http/index.js';
import { createNbi, createNbiServer, NBI_LIMITS, type NbiLimits, type NbiParts } from '../../../nbi/index.js';
import { openDeviceSlots } from '../../../rollout/index.js';
import { BY } from '../../support/actor.js';
import { NO_FURTHER_ACCEPTORS } from '../../support/ferry.js';
import { deviceOf, upgradeOf } from '../support.js';
import { type Exchange, expand, mask } from './exchange.js';

/** What recorded requests are sent to: a whole Ferry, and the same with limits narrow enough to be met. */
export interface Subject {
  /** @param recording  the name of the file that the exchange stands in; one of `narrow` goes to the narrow one */
  answer(recording: string, exchange: Exchange): Promise<string>;
  close(): Promise<void>;
}

/** Of a Monday in March, 09:16:40 UTC. It stands still but for a second before each request. */
const BEGIN_MS = 1_743_412_600_000;

const NARROW: NbiLimits = {
  ...NBI_LIMITS,
  bodyBytesMax: 500,
  bodiesBytesMax: 5_000,
  batchBytesMax: 10_000,
  recordBytesMax: 300,
  bodyMsMax: 1_000,
  jsonDepthMax: 4,
  jsonTokensMax: 40,
  itemsMax: 3,
  reportedProblemsMax: 2,
  pageItemsMax: 5,
  storagePageItemsMax: 5,
  sortedItemsMax: 2,
  connectionRequestsMax: 1,
  explanationsAtATime: 0,
  searchesAtATime: 0,
};

/**
 * A Ferry with users, CPEs and results of upgrades, the same each time.
 * @param beside  APIs that are served beside its own
 */
export async function openSubject(beside: readonly Api[] = []): Promise<Subject> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-recorded-'));
  let nowMs = BEGIN_MS;
  const clock = () => nowMs;
  const ferry = await startFerry(loopbackConfig(dataDir, { adminPassword: 'an admin' }), {
    clock,
    monotonic: clock,
    logger: silentLogger,
    furtherAcceptors: NO_FURTHER_ACCEPTORS,
    acsOptions: {
      stopGraceMs: 1_000,
      connectionRequests: {
        attemptMsMax: 5_000,
        totalMsMax: 200,
        comingMsMax: 100,
        sharedCredentials: null,
        basic: false,
      },
    },
  });
  const cpe = await listen(http.createServer((_request, response) => response.writeHead(200).end()));
  await seed(ferry, cpe.port);
  const parts = partsOf(ferry, clock);
  const narrow = await serve(
    createNbi({ ...parts, metrics: failingMetrics(), health: failingHealth, limits: NARROW }),
  );
  const wide =
    beside.length === 0
      ? { port: Number(new URL(ferry.urls.nbi).port), close() {} }
      : await serve(createNbi({ ...parts, metrics: new Registry() }, [...nbiApis(parts), ...beside]));
  let given = '';
  let begun = '';
  const ofUpgrader = new OfUpgrader();
  const ofCloud = new OfCloud();
  const batches: string[] = [];
  const told = new Map<string, string>();
  const seeded = new Set<string>();
  let hasUpdated = false;
  let hasBox = false;
  let slotsSession = '';
  return {
    async answer(recording, { request }) {
      nowMs += 1_000;
      for (const [beginning, seedIn] of SEEDED_LATE) {
        if (!recording.startsWith(beginning) || seeded.has(beginning)) continue;
        seeded.add(beginning);
        await seedIn(ferry);
      }
      if (recording.startsWith(SLOTS) && !hasBox) {
        hasBox = true;
        await seedBox(ferry);
      }
      const { port } = recording.includes('narrow') ? narrow : wide;
      if (recording.includes('system-update') && !hasUpdated) {
        hasUpdated = true;
        await ferry.installation.store.collection<Device>(DEVICES).put(deviceOf(UPDATED));
      }
      const named = ofCloud.told(withToldOf(told, withBatchOf(batches, ofUpgrader.told(request))));
      const sent = withSessionOf(given, withUploadOf(begun, named));
      const answer = await send(port, expand(sent.replaceAll('<<slots session>>', slotsSession)));
      slotsSession = /^Set-Cookie: session_id=([0-9a-f]{40})/m.exec(answer)?.[1] ?? slotsSession;
      // What is made ready in the background is ready before the clock goes on.
      await ferry.upgrading.systemUpdates.settled();
      noteOfSystemUpdate(answer, told);
      for (const [, name = '', value = ''] of answer.matchAll(TOLD)) told.set(name, value);
      ofUpgrader.note(answer);
      ofCloud.note(answer);
      if (SESSION_COOKIE.test(answer)) given = answer;
      if (BEGUN_UPLOAD.test(answer)) begun = answer;
      const [, batch] = MADE_BATCH.exec(answer) ?? [];
      if (batch !== undefined) {
        batches.push(batch);
        // What is made in the background is made before the clock goes on.
        await ferry.upgrading.batches.made(batch as BatchId);
      }
      return batches.reduce((text, id) => text.replaceAll(id, BATCH_ID), mask(answer));
    },
    async close() {
      narrow.close();
      wide.close();
      cpe.close();
      await ferry.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const SESSION_COOKIE = /ferry-session=([\w-]{43})/;

/** A request that names what the answer to the last log-in told, which is another each time. */
function withSessionOf(answer: string, request: string): string {
  const told = (pattern: RegExp) => pattern.exec(answer)?.[1] ?? '';
  return request
    .replaceAll('<<session cookie>>', told(SESSION_COOKIE))
    .replaceAll('<<csrf token>>', told(/"csrfToken":"([\w-]+)"/))
    .replaceAll('<<session id>>', told(/"session":"(\w+)"/));
}

const BEGUN_UPLOAD = /^Location: \/v1\/uploads\/(\S+)/m;

/** A request that names the upload that was begun last. */
function withUploadOf(answer: string, request: string): string {
  return request.replaceAll('<<upload id>>', BEGUN_UPLOAD.exec(answer)?.[1] ?? '');
}

/** UUIDs by the field that they stand in, or that lists them. */
const TOLD = /"(\w+)":\[?"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"/g;

/** A request that names what an answer told last in a field, such as `<<last-device>>`. */
function withToldOf(told: ReadonlyMap<string, string>, request: string): string {
  return request.replace(/<<last-(\w+)>>/g, (_all, name: string) => told.get(name) ?? '');
}

/** What answers about software updates, and about tokens, have told last, for requests that name it. */
function noteOfSystemUpdate(answer: string, told: Map<string, string>): void {
  for (const [name, pattern] of OF_SYSTEM_UPDATE) {
    const [, value] = pattern.exec(answer) ?? [];
    if (value !== undefined) told.set(name, value);
  }
}

const OF_SYSTEM_UPDATE = [
  ['updatesession', /system_update_session=([\w-]{43})/],
  ['updateimage', /"id":(\d{9}),"state":"VALID"/],
  ['updateimagename', /"The image ([\w.~-]+)"/],
  ['accesscode', /"token":"(ferry_[\w-]+)"/],
] as const;

const MADE_BATCH = /(?:^Location: \/v1\/batches\/|\{"batch":")([0-9a-f-]{36})/m;
const BATCH_ID = '<<batch-id>>';

/** A request that names the batch that was made last. */
function withBatchOf(batches: readonly string[], request: string): string {
  return request.replaceAll(BATCH_ID, batches.at(-1) ?? '');
}

/** What answers of the firmware upgrader have told last, for requests that name it. */
class OfUpgrader {
  #token = '';
  #image = '';

  note(answer: string): void {
    this.#token = /"token":"([0-9a-f]{40})"/.exec(answer)?.[1] ?? this.#token;
    this.#image =
      /\{"id":"([0-9a-f-]{36})","created":"[^"]*","modified":"[^"]*","file":/.exec(answer)?.[1] ??
      this.#image;
  }

  told(request: string): string {
    return request.replaceAll('<<permanent token>>', this.#token).replaceAll('<<image-id>>', this.#image);
  }
}

/** What answers of `/sc_cloud` have told last, for requests that name it. */
class OfCloud {
  #sid = '';
  #firmware = '';
  #sn = '';

  note(answer: string): void {
    this.#sid = /mwcloud-sid=([A-Z]{32})/.exec(answer)?.[1] ?? this.#sid;
    this.#firmware = /\{"id":(\d+),"file-path"/.exec(answer)?.[1] ?? this.#firmware;
    this.#sn = /"sn":"([^"]+)","cpeid"/.exec(answer)?.[1] ?? this.#sn;
  }

  told(request: string): string {
    return request
      .replaceAll('<<sc-cloud sid>>', this.#sid)
      .replaceAll('<<sc-cloud firmware>>', this.#firmware)
      .replaceAll('<<sc-cloud sn>>', this.#sn);
  }
}

function serve(app: Express) {
  const connections = { inAllMax: 100, perAddressMax: 100, isShared: () => false };
  const refused = new RefusedRequests({ listener: 'nbi', logger: silentLogger });
  return listen(createNbiServer({ app, refused, connections }));
}

async function listen(server: http.Server): Promise<{ readonly port: number; close(): void }> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * Sends bytes as they are; of several requests each once the answer to the last is there, as a connection has one at a time.
 * @returns what came back until the server ended the connection
 */
async function send(port: number, request: Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const requests = request.toString('latin1').split(NEXT_REQUEST);
  let received = '';
  const sendNext = () => {
    const next = requests.shift();
    if (next !== undefined) socket.write(next, 'latin1');
  };
  let answered = 0;
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    const answers = wholeAnswers(received);
    for (; answered < answers; answered++) sendNext();
  });
  // A server that refuses a header has not read all of it, and the rest resets the connection.
  socket.on('error', () => {});
  socket.setTimeout(20_000, () => socket.destroy());
  sendNext();
  await new Promise((resolve) => socket.once('close', resolve));
  return received;
}

const NEXT_REQUEST = /(?<=\r\n\r\n)(?=GET \S+ HTTP\/1\.1\r\n)/;

/** How many answers there are in full, of those that say how long they are. */
function wholeAnswers(received: string): number {
  let count = 0;
  for (let at = 0; ; count++) {
    const bodyAt = received.indexOf('\r\n\r\n', at) + 4;
    const bytes = /^Content-Length: (\d+)\r$/m.exec(received.slice(at, bodyAt))?.[1];
    if (bodyAt < 4 || bytes === undefined || received.length < bodyAt + Number(bytes)) return count;
    at = bodyAt + Number(bytes);
  }
}

function failingHealth(): Promise<never> {
  return Promise.reject(new Error('secret cause'));
}

function failingMetrics(): Registry {
  const metrics = new Registry();
  new Gauge({
    name: 'broken',
    help: 'fails when it is read',
    registers: [metrics],
    collect: () => {
      throw new Error('secret cause');
    },
  });
  return metrics;
}

/** As a whole Ferry says them on the embedded store, without workers and rule files. */
const HEALTHY: Readonly<Record<string, 'ok'>> = Object.fromEntries(
  [
    'store',
    'rules',
    'ruleFiles',
    'process',
    'disk',
    'auditRetention',
    'imageCleaning',
    'waking',
    'sweep',
    'purge',
    'batches',
  ].map((part) => [part, 'ok']),
);

function partsOf({ acs, rules, upgrading, installation }: Ferry, clock: () => number): NbiParts {
  return {
    rules,
    devices: acs.devices,
    deviceIds: acs.deviceIds,
    upgrades: acs.upgrades,
    connectionRequests: acs.connectionRequests,
    approvals: acs.approvals,
    credentials: acs.credentials,
    organizations: acs.organizations,
    placements: acs.placements,
    images: installation.images,
    imageUuids: imageUuidsBy(installation.secrets),
    uploads: installation.uploads,
    ...upgrading,
    deviceSlots: openDeviceSlots({
      store: installation.store,
      clock,
      devices: acs.devices,
      connectionRequests: acs.connectionRequests,
      rules,
      library: installation.images,
      uploads: installation.uploads,
      upgrades: upgrading.cpeUpgrades,
      operations: upgrading.operations,
    }),
    events: new EventLog({ store: installation.store, clock }),
    users: installation.users,
    sessions: installation.sessions,
    metrics: new Registry(),
    version: 'recorded',
    ready: async () => ({ status: 'ok', parts: { process: 'ok', store: 'ok', ruleFiles: 'ok' } }),
    health: async () => ({ status: 'ok', parts: HEALTHY }),
    clock,
    logger: silentLogger,
    trustedProxies: null,
    limits: NBI_LIMITS,
  };
}

async function seed({ acs, installation: { store, users } }: Ferry, cpePort: number): Promise<void> {
  await users.add({ name: 'api', password: 'correct horse', role: 'operator' });
  await users.add({ name: 'viewer', password: 'only looking', role: 'viewer' });
  await acs.credentials.put([{ cpeid: cpeId('2'), username: 'two', password: 'a secret' }], BY);
  await acs.credentials.used('two', 'a secret');
  const devices = store.collection<Device>(DEVICES);
  for (const device of DEVICES_SEEDED) {
    const document = deviceOf(device);
    await devices.put({ ...document, uuid: acs.deviceIds.idOf(document.id) });
  }
  const connectionRequestUrl = `http://127.0.0.1:${cpePort}/cr`;
  await devices.put(deviceOf({ serialNumber: '1', connectionRequestUrl, tags: ['lab', 'north'] }));
  await store.collection<ParameterDocument>(PARAMETERS).put({
    id: `${deviceOf({ serialNumber: '1' }).id}/Device.DeviceInfo.`,
    values: { 'Device.DeviceInfo.UpTime': 4_711, 'Device.DeviceInfo.SoftwareVersion': '1.0.0' },
  });
  const upgrades = store.collection<Upgrade>(UPGRADES);
  for (const upgrade of UPGRADES_SEEDED) await upgrades.put(upgradeOf(upgrade));
}

/** By the time of this recording what was there from the beginning has been deleted. */
const SEEDED_LATE: readonly (readonly [recording: string, seed: (ferry: Ferry) => Promise<void>])[] = [
  ['9l-', seedLate],
  ['9q-', seedNamesakes],
];

/** CPEs of one serial number, and one that alone has its own. */
async function seedNamesakes({ acs, installation: { store } }: Ferry): Promise<void> {
  for (const [productClass, serialNumber] of [
    ['RST', 'SHARED'],
    ['STB', 'SHARED'],
    ['STB', 'ALONE'],
  ] as const) {
    const id = `00A1B2-${productClass}-${serialNumber}` as CpeId;
    const document = deviceOf({ id, serialNumber, productClass });
    await store.collection<Device>(DEVICES).put({ ...document, uuid: acs.deviceIds.idOf(id) });
  }
}

async function seedLate({ acs, installation: { store } }: Ferry): Promise<void> {
  const upgrades = store.collection<Upgrade>(UPGRADES);
  for (const number of [6, 7, 8, 9]) {
    const document = deviceOf({
      id: `00A1B2-RST-${number}` as CpeId,
      serialNumber: `9${number}`,
      productClass: 'RST',
      // Which is there by then: the id of the default is drawn by lot.
      organization: { id: '00000000-0000-4000-8000-000000000001' as OrganizationId, by: 'hand' },
    });
    await store.collection<Device>(DEVICES).put({ ...document, uuid: acs.deviceIds.idOf(document.id) });
    const startedAtMs = 1_743_412_500_000 + number;
    await upgrades.put(
      upgradeOf({ id: resultId(number), campaignid: 'REST' as RuleId, cpeid: document.id, startedAtMs }),
    );
  }
}

/** Of a CPE with firmware slots. */
const SLOTS = '9m-';

async function seedBox({ acs, installation: { store } }: Ferry): Promise<void> {
  const document = deviceOf({ id: '00A1B2-BOX-77' as CpeId, serialNumber: '77', productClass: 'BOX' });
  const devices = store.collection<Device>(DEVICES);
  await devices.put({ ...document, uuid: acs.deviceIds.idOf(document.id) });
  // Two of one serial number.
  for (const id of ['00A1B2-BOX-78', '0A1B2C-BOX-78'] as CpeId[])
    await devices.put(deviceOf({ id, serialNumber: '78', serialLabel: '78', productClass: 'BOX' }));
}

const resultId = (number: number) => `00000000-0000-4000-8000-00000000000${number}` as ResultId;
const cpeId = (serial: string) => `00A1B2-HGW-${serial}` as CpeId;

const DEVICES_SEEDED: readonly Parameters<typeof deviceOf>[0][] = [
  // Nothing listens on the discard port of a machine that runs tests.
  { serialNumber: '2', connectionRequestUrl: 'http://127.0.0.1:9/cr', tags: ['lab'], modelName: 'HGW 2' },
  { serialNumber: '3', softwareVersion: '2.0.0', hardwareVersion: 'B' },
  { serialNumber: '4', provisioning: 'due', inFlight: resultId(4), lastEvents: ['1 BOOT', '4 VALUE CHANGE'] },
  { id: '00A1B2-STB-Caf%C3%A9' as CpeId, serialNumber: 'Café', productClass: 'STB', manufacturer: 'Ünïcode' },
];

/** One of its own, which its recording deletes: nearly all others are gone by then. */
const UPDATED: Parameters<typeof deviceOf>[0] = { serialNumber: '9', softwareVersion: '2.0.0' };

const UPGRADES_SEEDED: readonly Parameters<typeof upgradeOf>[0][] = [
  { id: resultId(1), campaignid: 'GONE' as RuleId, cpeid: cpeId('1') },
  {
    id: resultId(2),
    campaignid: 'GONE' as RuleId,
    cpeid: cpeId('2'),
    state: 'failed',
    result: {
      code: 500,
      message: 'Upgrade has failed with FaultCode 9010. FaultString: Download failure. File not found.',
    },
    startedAtMs: 1_743_412_100_000,
  },
  {
    id: resultId(3),
    campaignid: 'UPGRADE_00A1B2-HGW-1' as RuleId,
    cpeid: cpeId('1'),
    ruleDescription: 'an earlier file of a rule that is there',
    startedAtMs: 1_743_412_200_000,
  },
  {
    id: resultId(4),
    campaignid: 'RUNNING' as RuleId,
    cpeid: cpeId('4'),
    state: 'accepted',
    status: false,
    result: { code: 202, message: 'Upgrade is running: the device is downloading the file' },
    startedAtMs: 1_743_412_300_000,
    // So that no sweep ends it.
    stateMsMax: { sent: 1e12, accepted: 1e12, transferred: 1e12 },
  },
  { id: resultId(5), campaignid: 'OLD' as RuleId, cpeid: cpeId('3'), startedAtMs: 1_743_411_000_000 },
];
