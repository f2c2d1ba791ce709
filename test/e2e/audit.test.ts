import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device, UPGRADES, type Upgrade } from '../../acs/index.js';
import type { RuleId } from '../../common/index.js';
import { type EventDocument, EventLog } from '../../events/index.js';
import { isObject, type Route } from '../../nbi/http/index.js';
import { PUBLISHED } from '../firmware/signatures/signer.js';
import { APIS } from '../nbi/declared.js';
import { ruleBody, startCpe } from '../nbi/support.js';
import { BY } from '../support/actor.js';
import { ADMIN, startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { cpeidOf, deviceOf, upgradeOf } from '../support/installation.js';

/** Sent wherever something secret may be, and never to be found in an event. */
const SECRET = 'hidden-7c1f';

const logOf = ({ installation: { store } }: TestFerry) => new EventLog({ store, clock: Date.now });

/** But for log-ins, and what nobody has done: the first admin is there. */
async function eventsOf(ferry: TestFerry): Promise<readonly EventDocument[]> {
  const found: EventDocument[] = [];
  for await (const event of logOf(ferry).scan({ order: 'ascending' }))
    if (event.by !== undefined && event.subject !== 'log-in') found.push(event);
  return found;
}

/** A change by HTTP: what it takes, what is sent, and what is to be said of it. */
interface Case {
  prepare?(ferry: TestFerry, t: ExecutionContext): Promise<unknown>;
  readonly method: string;
  /** `<prepared>` in it is what `prepare` gave. */
  readonly path: string;
  /** Likewise. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly events: readonly Partial<EventDocument>[];
}

const CPE = cpeidOf(1);
const BUILD = '00000000-0000-4000-8000-0000000000b1';
const FILE = `http://files.example.net/a.bin?token=${SECRET}`;
const SHOWN_FILE = 'http://files.example.net/a.bin?token=********';

const putDevice = async ({ installation: { store } }: TestFerry, more: Partial<Device> = {}) =>
  store.collection<Device>(DEVICES).put({ ...deviceOf(CPE, null), ...more });
const putRule = ({ rules }: TestFerry, id: string, more: object = {}) =>
  rules.put([ruleBody(id, { file: FILE, ...more })], { by: BY, onlyNew: false });
const putOrganization = async ({ nbi }: TestFerry, slug: string) => {
  const { body } = await nbi('POST', '/v1/dyn/OrganizationStorage/.*', { name: slug, slug });
  return (body as { readonly details: readonly { readonly id: string }[] }).details[0]?.id;
};
const putToken = async ({ nbi }: TestFerry, name: string) => {
  const { body } = await nbi('POST', '/v1/dyn/TokenStorage/.*', { name, role: 'viewer' });
  return (body as { readonly details: { readonly id: string } }).details.id;
};
const login = { cpeid: CPE, username: 'one', password: SECRET };

const BATCH = { name: 'a batch', image: 'batch.bin', cpeids: [CPE], wakePerSecond: 0 };

async function putBatchImage(ferry: TestFerry): Promise<void> {
  await putDevice(ferry);
  await ferry.nbi('PUT', '/v1/images/batch.bin?softwareVersion=2.0.0', new TextEncoder().encode('batch'));
}

/** @returns its id */
async function makeBatch(ferry: TestFerry): Promise<string> {
  await putBatchImage(ferry);
  const { body } = await ferry.nbi('POST', '/v1/batches', BATCH);
  return (body as { readonly details: { readonly id: string } }).details.id;
}

/** Something that is made to be deleted, and what is said of that. */
interface Deleted {
  readonly storage: string;
  /** @returns its id */
  make(ferry: TestFerry): Promise<unknown>;
  readonly events: readonly Partial<EventDocument>[];
}

const RESULT = upgradeOf(CPE, 11).id;

/** Of every storage that deletes what a POST names. */
const DELETED: readonly Deleted[] = [
  {
    storage: 'FirmwareStorage',
    async make(ferry) {
      await putRule(ferry, 'NAMED');
      return 'NAMED';
    },
    events: [{ action: 'removed', subject: 'rule', subjectId: 'NAMED' }],
  },
  {
    storage: 'FirmwareResultStorage',
    async make({ installation: { store } }) {
      await store.collection<Upgrade>(UPGRADES).put({ ...upgradeOf(CPE, 11), status: true });
      return RESULT;
    },
    events: [{ action: 'removed', subject: 'result', subjectId: RESULT }],
  },
  ...['DeviceStorage', 'CpeDbService'].map((storage) => ({
    storage,
    async make(ferry: TestFerry) {
      await putDevice(ferry);
      return CPE;
    },
    events: [{ action: 'removed', subject: 'device', subjectId: CPE } as const],
  })),
  {
    storage: 'CpeAuthStorage',
    async make({ acs }) {
      await acs.credentials.put([{ ...login, username: 'named' }], BY);
      return 'named';
    },
    events: [{ action: 'removed', subject: 'cpe-credentials', subjectId: 'named' }],
  },
  {
    storage: 'CategoryStorage',
    make: async ({ installation: { images } }) =>
      (await images.builds.categories.add({ name: 'Named' }, BY, null)).id,
    events: [{ action: 'removed', subject: 'image-category', before: { name: 'Named' } }],
  },
  {
    storage: 'BuildStorage',
    make: async ({ installation: { images } }) =>
      (await images.builds.add({ category: 'Built', version: '7' }, BY, null)).id,
    events: [{ action: 'removed', subject: 'image-build', before: { version: '7' } }],
  },
  {
    storage: 'OrganizationStorage',
    make: (ferry) => putOrganization(ferry, 'named'),
    events: [
      { action: 'changed', subject: 'organization', after: { active: false } },
      { action: 'removed', subject: 'organization' },
    ],
  },
  {
    storage: 'TokenStorage',
    make: (ferry) => putToken(ferry, 'named'),
    events: [{ action: 'revoked', subject: 'token' }],
  },
  ...['UserStorage', 'AuthStorage'].map((storage) => ({
    storage,
    async make({ nbi }: TestFerry) {
      const json = { name: 'named', role: 'viewer', password: SECRET };
      await nbi('POST', `/v1/dyn/${storage}/.*`, json);
      return 'named';
    },
    events: [{ action: 'removed', subject: 'user', subjectId: 'named' } as const],
  })),
];

function deletionCases({ storage, make, events }: Deleted): Readonly<Record<string, Case>> {
  const ways = { delete_objects: { id: '<prepared>' }, delete_objects_by_id: ['<prepared>'] };
  return Object.fromEntries(
    Object.entries(ways).map(([way, body]) => {
      const path = `/v1/dyn/${storage}/${way}`;
      return [`POST ${path}`, { prepare: make, method: 'POST', path, body, events }];
    }),
  );
}

/** Of every route that changes something, by its method and path. */
const CASES: Readonly<Record<string, Case>> = {
  'POST /v1/dyn/FirmwareStorage/{pattern}': {
    prepare: (ferry) => putRule(ferry, 'POSTED', { priority: 3, username: 'u', password: `${SECRET}1` }),
    method: 'POST',
    path: '/v1/dyn/FirmwareStorage/.*',
    body: [
      ruleBody('NEW', { file: FILE, username: 'u', password: SECRET }),
      ruleBody('POSTED', { file: `${FILE}2`, username: 'u', password: `${SECRET}2` }),
    ],
    events: [
      { action: 'added', subject: 'rule', subjectId: 'NEW' },
      {
        action: 'changed',
        subject: 'rule',
        subjectId: 'POSTED',
        before: { file: SHOWN_FILE, password: '***', priority: 3 },
        after: { file: `${SHOWN_FILE} (other values)`, password: '***', priority: 1 },
      },
    ],
  },
  'PUT /v1/dyn/FirmwareStorage/{pattern}': {
    prepare: (ferry) => putRule(ferry, 'MERGED'),
    method: 'PUT',
    path: '/v1/dyn/FirmwareStorage/MERGED',
    body: { enabled: false, description: 'no more' },
    events: [
      {
        action: 'changed',
        subject: 'rule',
        subjectId: 'MERGED',
        before: { enabled: true, description: '' },
        after: { enabled: false, description: 'no more' },
      },
    ],
  },
  'DELETE /v1/dyn/FirmwareStorage/{pattern}': {
    prepare: (ferry) => putRule(ferry, 'REMOVED'),
    method: 'DELETE',
    path: '/v1/dyn/FirmwareStorage/REMOVED',
    events: [{ action: 'removed', subject: 'rule', subjectId: 'REMOVED' }],
  },
  'DELETE /v1/dyn/FirmwareResultStorage/{pattern}': {
    prepare: ({ installation: { store } }) =>
      store.collection<Upgrade>(UPGRADES).put({ ...upgradeOf(CPE, 10), status: true }),
    method: 'DELETE',
    path: `/v1/dyn/FirmwareResultStorage/${upgradeOf(CPE, 10).id}`,
    events: [{ action: 'removed', subject: 'result', subjectId: upgradeOf(CPE, 10).id }],
  },
  'DELETE /v1/dyn/DeviceStorage/{pattern}': {
    prepare: (ferry) => putDevice(ferry, { connectionRequestUrl: `http://192.0.2.1/?key=${SECRET}` }),
    method: 'DELETE',
    path: `/v1/dyn/DeviceStorage/${CPE}`,
    events: [{ action: 'removed', subject: 'device', subjectId: CPE }],
  },
  'POST /v1/dyn/CpeAuthStorage/{pattern}': {
    method: 'POST',
    path: '/v1/dyn/CpeAuthStorage/.*',
    body: login,
    events: [{ action: 'added', subject: 'cpe-credentials', subjectId: 'one' }],
  },
  'DELETE /v1/dyn/CpeAuthStorage/{pattern}': {
    prepare: ({ acs }) => acs.credentials.put([{ ...login, username: 'two' }], BY),
    method: 'DELETE',
    path: '/v1/dyn/CpeAuthStorage/two',
    events: [{ action: 'removed', subject: 'cpe-credentials', subjectId: 'two' }],
  },
  'POST /v1/method/SendCNR': {
    prepare: async (ferry, t) => putDevice(ferry, { connectionRequestUrl: await startCpe(t, 200) }),
    method: 'POST',
    path: '/v1/method/SendCNR',
    body: { search_options: { cpe_id: CPE } },
    events: [{ action: 'called', subject: 'device', subjectId: CPE }],
  },
  'POST /v1/method/RestartRule': {
    prepare: (ferry) => putRule(ferry, 'RESTARTED'),
    method: 'POST',
    path: '/v1/method/RestartRule',
    body: { id: 'RESTARTED' },
    events: [
      { action: 'restarted', subject: 'rule', subjectId: 'RESTARTED', before: {}, after: { restarts: 1 } },
    ],
  },
  'POST /v1/method/ApproveDevices': {
    prepare: (ferry) => putDevice(ferry, { enrolment: 'waiting' }),
    method: 'POST',
    path: '/v1/method/ApproveDevices',
    body: { cpe_id: [CPE, cpeidOf(2)] },
    events: [
      { action: 'enrolled', subject: 'device', subjectId: CPE, before: { enrolment: 'waiting' }, after: {} },
      { action: 'named', subject: 'device', subjectId: cpeidOf(2) },
    ],
  },
  'POST /v1/method/FreezeUpgrades': {
    method: 'POST',
    path: '/v1/method/FreezeUpgrades',
    body: { frozen: true, reason: 'it is late' },
    events: [{ action: 'frozen', subject: 'freeze', subjectId: 'upgrades', before: { frozen: false } }],
  },
  'POST /v1/method/ReadmitDevice': {
    async prepare({ acs }) {
      await acs.credentials.put([{ ...login, username: 'three' }], BY);
      await acs.credentials.used('three', SECRET);
    },
    method: 'POST',
    path: '/v1/method/ReadmitDevice',
    body: { cpe_id: CPE },
    events: [{ action: 'readmitted', subject: 'device', subjectId: CPE }],
  },
  'PUT /v1/images/{name}': {
    method: 'PUT',
    path: '/v1/images/up.bin?softwareVersion=2.0.0',
    body: Buffer.from(SECRET),
    events: [{ action: 'added', subject: 'image', subjectId: 'up.bin' }],
  },
  'DELETE /v1/images/{name}': {
    prepare: ({ nbi }) => nbi('PUT', '/v1/images/down.bin', Buffer.from(SECRET)),
    method: 'DELETE',
    path: '/v1/images/down.bin',
    events: [{ action: 'removed', subject: 'image', subjectId: 'down.bin' }],
  },
  'PATCH /v1/images/{name}': {
    async prepare({ nbi, installation: { images } }) {
      await images.builds.categories.add({ name: 'Moving' }, BY, null);
      await images.builds.add({ id: BUILD, category: 'Moving', version: '1' }, BY, null);
      await nbi('PUT', '/v1/images/moved.bin', Buffer.from(SECRET));
    },
    method: 'PATCH',
    path: '/v1/images/moved.bin',
    body: { build: BUILD, type: 'HGW' },
    events: [
      {
        action: 'changed',
        subject: 'image',
        subjectId: 'moved.bin',
        before: {},
        after: { build: BUILD, type: 'HGW' },
      },
    ],
  },
  'POST /v1/dyn/CategoryStorage/{pattern}': {
    method: 'POST',
    path: '/v1/dyn/CategoryStorage/.*',
    body: { name: 'Added' },
    events: [{ action: 'added', subject: 'image-category' }],
  },
  'PUT /v1/dyn/CategoryStorage/{pattern}': {
    prepare: ({ installation: { images } }) => images.builds.categories.add({ name: 'Changed' }, BY, null),
    method: 'PUT',
    path: '/v1/dyn/CategoryStorage/.*?name=Changed',
    body: { description: 'more' },
    events: [
      {
        action: 'changed',
        subject: 'image-category',
        before: { description: '' },
        after: { description: 'more' },
      },
    ],
  },
  'DELETE /v1/dyn/CategoryStorage/{pattern}': {
    prepare: ({ installation: { images } }) => images.builds.categories.add({ name: 'Removed' }, BY, null),
    method: 'DELETE',
    path: '/v1/dyn/CategoryStorage/.*?name=Removed',
    events: [{ action: 'removed', subject: 'image-category', before: { name: 'Removed' } }],
  },
  'POST /v1/dyn/BuildStorage/{pattern}': {
    prepare: ({ installation: { images } }) => images.builds.categories.add({ name: 'Built' }, BY, null),
    method: 'POST',
    path: '/v1/dyn/BuildStorage/.*',
    body: { category: 'Built', version: '1' },
    events: [{ action: 'added', subject: 'image-build', after: { version: '1' } }],
  },
  'PUT /v1/dyn/BuildStorage/{pattern}': {
    prepare: ({ installation: { images } }) =>
      images.builds.add({ category: 'Built', version: '2' }, BY, null),
    method: 'PUT',
    path: '/v1/dyn/BuildStorage/.*?version=2',
    body: { os: 'HGW 2' },
    events: [{ action: 'changed', subject: 'image-build', before: { os: null }, after: { os: 'HGW 2' } }],
  },
  'DELETE /v1/dyn/BuildStorage/{pattern}': {
    prepare: ({ installation: { images } }) =>
      images.builds.add({ category: 'Built', version: '3' }, BY, null),
    method: 'DELETE',
    path: '/v1/dyn/BuildStorage/.*?version=3',
    events: [{ action: 'removed', subject: 'image-build', before: { version: '3' } }],
  },
  'POST /v1/uploads': {
    method: 'POST',
    path: '/v1/uploads',
    body: { name: 'parts.bin' },
    events: [{ action: 'added', subject: 'upload' }],
  },
  'POST /v1/method/CollectImages': {
    method: 'POST',
    path: '/v1/method/CollectImages',
    body: { unusedForDays: 0 },
    events: [
      { action: 'removed', subject: 'image', subjectId: 'up.bin' },
      { action: 'removed', subject: 'image', subjectId: 'moved.bin' },
      { action: 'removed', subject: 'image-build', subjectId: BUILD },
    ],
  },
  'POST /v1/images': {
    method: 'POST',
    path: '/v1/images',
    headers: { 'Content-Type': 'multipart/form-data; boundary=end' },
    body: Buffer.from(
      `--end\r\nContent-Disposition: form-data; name="file"; filename="form.bin"\r\n\r\n${SECRET}\r\n--end--\r\n`,
    ),
    events: [{ action: 'added', subject: 'image', subjectId: 'form.bin' }],
  },
  'PUT /v1/image-keys/{name}': {
    method: 'PUT',
    path: '/v1/image-keys/release',
    body: { publicKey: PUBLISHED.publicKey },
    events: [
      { action: 'added', subject: 'image-key', subjectId: 'release', after: { keyId: PUBLISHED.keyId } },
    ],
  },
  'PUT /v1/images/{name}/signature': {
    prepare: ({ nbi }) => nbi('PUT', '/v1/images/signed.bin', PUBLISHED.content),
    method: 'PUT',
    path: '/v1/images/signed.bin/signature',
    body: PUBLISHED.prehashed,
    events: [
      {
        action: 'signed',
        subject: 'image',
        subjectId: 'signed.bin',
        before: {},
        after: { signature: { keyName: 'release' } },
      },
    ],
  },
  'DELETE /v1/images/{name}/signature': {
    method: 'DELETE',
    path: '/v1/images/signed.bin/signature',
    events: [{ action: 'unsigned', subject: 'image', subjectId: 'signed.bin', after: {} }],
  },
  'DELETE /v1/image-keys/{name}': {
    method: 'DELETE',
    path: '/v1/image-keys/release',
    events: [{ action: 'removed', subject: 'image-key', subjectId: 'release' }],
  },
  'PUT /v1/dyn/CpeDbService/{pattern}': {
    async prepare(ferry) {
      await putDevice(ferry);
      await putOrganization(ferry, 'northwest');
    },
    method: 'PUT',
    path: `/v1/dyn/CpeDbService/${CPE}`,
    body: { organization: 'northwest' },
    events: [
      { action: 'left', subject: 'device', subjectId: CPE },
      { action: 'joined', subject: 'device', subjectId: CPE },
    ],
  },
  'DELETE /v1/dyn/CpeDbService/{pattern}': {
    prepare: (ferry) => putDevice(ferry),
    method: 'DELETE',
    path: `/v1/dyn/CpeDbService/${CPE}`,
    events: [{ action: 'removed', subject: 'device', subjectId: CPE }],
  },
  'PUT /v1/dyn/DeviceStorage/{pattern}': {
    async prepare(ferry) {
      await putDevice(ferry);
      await putOrganization(ferry, 'west');
    },
    method: 'PUT',
    path: `/v1/dyn/DeviceStorage/${CPE}`,
    body: { organization: 'west' },
    events: [
      { action: 'left', subject: 'device', subjectId: CPE },
      { action: 'joined', subject: 'device', subjectId: CPE },
    ],
  },
  'POST /v1/dyn/OrganizationStorage/{pattern}': {
    method: 'POST',
    path: '/v1/dyn/OrganizationStorage/.*',
    body: { name: 'North', slug: 'north' },
    events: [{ action: 'added', subject: 'organization' }],
  },
  'PUT /v1/dyn/OrganizationStorage/{pattern}': {
    prepare: (ferry) => putOrganization(ferry, 'south'),
    method: 'PUT',
    path: '/v1/dyn/OrganizationStorage/.*?slug=south',
    body: { name: 'Far south' },
    events: [{ action: 'changed', subject: 'organization', after: { name: 'Far south' } }],
  },
  'DELETE /v1/dyn/OrganizationStorage/{pattern}': {
    prepare: (ferry) => putOrganization(ferry, 'east'),
    method: 'DELETE',
    path: '/v1/dyn/OrganizationStorage/.*?slug=east',
    events: [
      { action: 'changed', subject: 'organization', after: { active: false } },
      { action: 'removed', subject: 'organization' },
    ],
  },
  'POST /v1/batches': {
    prepare: putBatchImage,
    method: 'POST',
    path: '/v1/batches',
    body: BATCH,
    events: [{ action: 'added', subject: 'batch' }],
  },
  'POST /v1/batches/{id}/operations/{cpeid}/cancel': {
    prepare: makeBatch,
    method: 'POST',
    path: `/v1/batches/<prepared>/operations/${CPE}/cancel`,
    events: [{ action: 'operation-cancelled', subject: 'batch' }],
  },
  'POST /v1/batches/{id}/cancel': {
    prepare: makeBatch,
    method: 'POST',
    path: '/v1/batches/<prepared>/cancel',
    events: [
      { action: 'cancelled', subject: 'batch', before: { cancelled: false }, after: { cancelled: true } },
    ],
  },
  'POST /v1/batches/{id}/retry': {
    async prepare(ferry) {
      const id = await makeBatch(ferry);
      await ferry.nbi('POST', `/v1/batches/${id}/operations/${CPE}/cancel`);
      return id;
    },
    method: 'POST',
    path: '/v1/batches/<prepared>/retry',
    body: { cpeid: CPE },
    events: [{ action: 'retried', subject: 'batch' }],
  },
  'DELETE /v1/batches/{id}': {
    prepare: makeBatch,
    method: 'DELETE',
    path: '/v1/batches/<prepared>',
    events: [{ action: 'removed', subject: 'batch' }],
  },
  ...Object.assign({}, ...['UserStorage', 'AuthStorage'].map(userCases)),
  'POST /v1/dyn/TokenStorage/{pattern}': {
    method: 'POST',
    path: '/v1/dyn/TokenStorage/.*',
    body: { name: 'nightly', role: 'viewer' },
    events: [{ action: 'added', subject: 'token' }],
  },
  'DELETE /v1/dyn/TokenStorage/{pattern}': {
    prepare: ({ nbi }) => nbi('POST', '/v1/dyn/TokenStorage/.*', { name: 'weekly', role: 'viewer' }),
    method: 'DELETE',
    path: '/v1/dyn/TokenStorage/.*?name=weekly',
    events: [{ action: 'revoked', subject: 'token' }],
  },
  ...Object.assign({}, ...DELETED.map(deletionCases)),
  // The last, as the others are asked for with the old one.
  'POST /v1/method/ChangePassword': {
    method: 'POST',
    path: '/v1/method/ChangePassword',
    body: { oldPassword: ADMIN.password, newPassword: `${SECRET} 2` },
    events: [{ action: 'changed', subject: 'user', subjectId: 'admin' }],
  },
};

/** Of each of the two names of what is the same. */
function userCases(storage: string): Readonly<Record<string, Case>> {
  const path = `/v1/dyn/${storage}`;
  const name = storage.slice(0, 4).toLowerCase();
  return {
    [`POST ${path}/{pattern}`]: {
      method: 'POST',
      path: `${path}/.*`,
      body: { name, role: 'viewer', password: SECRET },
      events: [{ action: 'added', subject: 'user', subjectId: name }],
    },
    [`PUT ${path}/{pattern}`]: {
      method: 'PUT',
      path: `${path}/${name}`,
      body: { role: 'operator' },
      events: [{ action: 'changed', subject: 'user', subjectId: name, after: { role: 'operator' } }],
    },
    [`DELETE ${path}/{pattern}`]: {
      method: 'DELETE',
      path: `${path}/${name}`,
      events: [{ action: 'removed', subject: 'user', subjectId: name }],
    },
  };
}

/** By tokens alone, and ids of chance: test/nbi/firmware-upgrader/events.test.ts shows what each leaves. */
const OF_UPGRADER: readonly string[] = [
  'POST /api/v1/firmware-upgrader/category/',
  'PUT /api/v1/firmware-upgrader/category/{id}/',
  'PATCH /api/v1/firmware-upgrader/category/{id}/',
  'DELETE /api/v1/firmware-upgrader/category/{id}/',
  'POST /api/v1/firmware-upgrader/build/',
  'PUT /api/v1/firmware-upgrader/build/{id}/',
  'PATCH /api/v1/firmware-upgrader/build/{id}/',
  'DELETE /api/v1/firmware-upgrader/build/{id}/',
  'POST /api/v1/firmware-upgrader/build/{build}/image/',
  'DELETE /api/v1/firmware-upgrader/build/{build}/image/{id}/',
];

/** Routes that change nothing, whatever their method. */
const CHANGE_NOTHING: Readonly<Record<string, string>> = {
  'PUT /v1/uploads/{id}':
    'brings bytes, and with the last of them an image: test/nbi/uploads shows its event',
  'DELETE /v1/uploads/{id}': 'cancels an upload: test/nbi/uploads shows its event',
  'DELETE /v1/session': 'ends the session of whoever asks: test/nbi/sessions shows its event',
  'DELETE /v1/sessions/{id}': 'ends a session: test/nbi/sessions shows its event',
  'POST /api/v1/firmware-upgrader/build/{build}/upgrade/':
    'begins a batch: test/nbi/firmware-upgrader/upgrade-events shows its event',
  'POST /api/v1/firmware-upgrader/upgrade-operation/{id}/cancel/':
    'cancels the upgrade of a device: test/nbi/firmware-upgrader/upgrade-events shows its event',
  'PUT /api/v1/firmware-upgrader/device/{device}/firmware/':
    'gives a device firmware: test/nbi/firmware-upgrader/upgrade-events shows its event',
  'PATCH /api/v1/firmware-upgrader/device/{device}/firmware/':
    'gives a device firmware again: test/nbi/firmware-upgrader/upgrade-events shows its event',
  'DELETE /api/v1/firmware-upgrader/device/{device}/firmware/':
    'takes the firmware of a device: test/nbi/firmware-upgrader/upgrade-events shows its event',
  'POST /sc_cloud/logout': 'ends the session of whoever asks: test/nbi/sessions shows its event',
  'POST /sc_cloud/uploadFirmware': 'brings an image: test/nbi/sc-cloud/firmware shows its event',
  'POST /sc_cloud/firmware/add': 'has an image listed: test/nbi/sc-cloud/firmware shows its event',
  'POST /sc_cloud/upgrade/start': 'begins a batch: test/nbi/sc-cloud/start shows its event',
  'DELETE /devices/{device}/api/authentication':
    'ends the session of whoever asks: test/nbi/firmware-slots/events shows its event',
  'DELETE /devices/{device}/api/firmware/slots/{id}':
    'empties a slot: test/nbi/firmware-slots/events shows its event',
  'POST /devices/{device}/api/firmware/test': 'tests an upgrade that it does not begin',
  'POST /devices/{device}/api/firmware/upgrade':
    'begins a batch of one CPE: test/nbi/firmware-slots/events shows its event',
  'POST /devices/{device}/api/upload/firmware':
    'fills a slot: test/nbi/firmware-slots/events shows its event',
  'POST /devices/{device}/api/firmware/fetch':
    'begins a fetch: test/nbi/firmware-slots/events shows its event',
  'DELETE /devices/{device}/api/firmware/fetch/{key}':
    'cancels a fetch, or forgets one: test/nbi/firmware-slots/events shows its event',
  'POST /devices/{device}/api/common/1.0/logout':
    'ends the session of whoever asks: test/nbi/system-update/events shows its event',
  'DELETE /devices/{device}/api/npm.system_update/2.0/images/items/{id}':
    'deletes an image, or cancels an upload: test/nbi/system-update/events shows its event',
  'POST /devices/{device}/api/npm.system_update/2.0/images/upload':
    'brings an image: test/nbi/system-update/events shows its event',
  'POST /devices/{device}/api/npm.system_update/2.0/images/fetch':
    'begins a fetch: test/nbi/system-update/events shows its event',
  'POST /devices/{device}/api/npm.system_update/2.0/update/init':
    'has an image made ready: test/nbi/system-update/events shows its event',
  'POST /devices/{device}/api/npm.system_update/2.0/update/start':
    'begins a batch of one CPE: test/nbi/system-update/events shows its event',
  'POST /devices/{device}/api/npm.system_update/2.0/update/reset':
    'puts away what there was: test/nbi/system-update/events shows its event',
  'POST /v1/method/ExplainRules': 'explains what would be decided',
  'POST /v1/method/MatchDevices': 'finds whom a rule would upgrade',
};

const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`;

test('every route that may change something leaves an event, or is said to change nothing', (t) => {
  const changing = APIS.flatMap(({ routes }) => routes)
    .filter(({ method, role }) => method !== 'GET' && role !== null)
    .map(nameOf);
  const covered = [...Object.keys(CASES), ...Object.keys(CHANGE_NOTHING), ...OF_UPGRADER];
  t.deepEqual([...new Set(changing)].sort(), covered.sort());
});

test('each says who, how and from where, what there was and is, and no secret', async (t) => {
  const ferry = await startTestFerry(t);
  for (const [name, { prepare, method, path, body, headers, events }] of Object.entries(CASES)) {
    const prepared = await prepare?.(ferry, t);
    const before = new Set((await eventsOf(ferry)).map(({ id }) => id));
    const withPrepared = (text: string) => text.replace('<prepared>', String(prepared));
    const sent =
      Array.isArray(body) || (isObject(body) && !ArrayBuffer.isView(body))
        ? JSON.parse(withPrepared(JSON.stringify(body)))
        : body;
    const answer = await ferry.nbi(method, withPrepared(path), sent, headers);
    t.true(answer.status < 300, `${name} ${answer.status} ${JSON.stringify(answer.body)}`);
    const added = (await eventsOf(ferry)).filter(({ id }) => !before.has(id));
    const by = {
      name: 'admin',
      how: 'password',
      address: '127.0.0.1',
      requestId: answer.headers.get('X-Request-Id'),
    };
    t.is(added.length, events.length, `${name} ${JSON.stringify(added)}`);
    for (const expected of events) {
      // Some have ids of chance.
      const told = added.find(
        ({ subject, action, subjectId }) =>
          subject === expected.subject &&
          action === expected.action &&
          subjectId === (expected.subjectId ?? subjectId),
      );
      t.like(told, expected, name);
      t.deepEqual<unknown, unknown>(told?.by, by, name);
    }
    t.false(JSON.stringify(await eventsOf(ferry)).includes(SECRET), name);
  }
});

test('what is dry, refused or the same again leaves no event', async (t) => {
  const ferry = await startTestFerry(t);
  await putDevice(ferry);
  await putRule(ferry, 'R');
  await ferry.nbi('PUT', '/v1/images/a.bin', Buffer.from('a'));
  const before = await eventsOf(ferry);
  await ferry.nbi('DELETE', `/v1/dyn/DeviceStorage/${CPE}?dryRun=true`);
  await ferry.nbi('PUT', '/v1/images/a.bin', Buffer.from('a'));
  await ferry.nbi('PUT', '/v1/images/a.bin', Buffer.from('b'));
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', [ruleBody('S'), ruleBody('R', { file: '' })]);
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', ruleBody('R', { file: FILE }));
  await ferry.nbi('POST', '/v1/method/FreezeUpgrades', { frozen: false });
  await ferry.nbi('PUT', '/v1/dyn/FirmwareStorage/R', { enabled: true });
  t.deepEqual(await eventsOf(ferry), before);
});

test('of many who add the same rule at once one has, and one event says so', async (t) => {
  const ferry = await startTestFerry(t);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, () => ferry.rules.put([ruleBody('ONE')], { by: BY, onlyNew: true })),
  );
  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  t.deepEqual(
    (await eventsOf(ferry)).map(({ action, subjectId }) => [action, subjectId]),
    [['added', 'ONE']],
  );
});

test('many rules are many events, of a commit each can take', async (t) => {
  const ferry = await startTestFerry(t);
  const bodies = Array.from({ length: 3_500 }, (_, n) =>
    ruleBody(`R${n}`, { condition: 'productClass = "HGW"' }),
  );
  await ferry.rules.put(bodies, { by: BY, onlyNew: true });
  await ferry.rules.put(
    bodies.map((body) => ({ ...body, priority: 7 })),
    { by: BY, onlyNew: false },
  );
  await ferry.rules.remove(
    bodies.map(({ id }) => id as RuleId),
    BY,
  );
  const counts: Record<string, number> = {};
  for (const { action } of await eventsOf(ferry)) counts[action] = (counts[action] ?? 0) + 1;
  t.deepEqual(counts, { added: 3_500, changed: 3_500, removed: 3_500 });
});

test('of a rule file the file is named: what it brings, changes and takes away', async (t) => {
  const ferry = await startTestFerry(t);
  const rulesDir = join(ferry.dataDir, 'rules');
  await mkdir(rulesDir);
  const file = join(rulesDir, 'fleet.json');
  const write = (priority: number) =>
    writeFile(file, JSON.stringify([ruleBody('F', { file: FILE, priority })]));
  await write(1);
  const watched = await startTestFerry(t, { config: { rulesDir } });
  const told = (count: number) =>
    until(`there are ${count} events`, async () => {
      const events = await eventsOf(watched);
      return events.length >= count && events;
    });
  await told(1);
  await write(2);
  await told(2);
  await writeFile(join(rulesDir, 'other.json'), '[]');
  await rm(file);
  const events = await told(3);
  const by = { name: 'fleet.json', how: 'rule-file' };
  t.like(events[0], { action: 'added', subjectId: 'F', by });
  t.like(events[1], { action: 'changed', by, before: { priority: 1 }, after: { priority: 2 } });
  t.like(events[2], { by, before: { enabled: true }, after: { enabled: false, sourceMissing: true } });
  t.false(JSON.stringify(events).includes(SECRET));
});
