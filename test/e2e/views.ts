import type { ExecutionContext } from 'ava';
import type { CpeId } from '../../common/index.js';
import type { BatchThrough, CpeUpgrade } from '../../rollout/index.js';
import { ask, fieldOf, idOf, PREFIX, resultsOf } from '../nbi/firmware-upgrader/support.js';
import { ADMIN, type TestFerry } from '../support/ferry.js';
import { IMAGE, NEW_VERSION, PRODUCT_CLASS, results } from './simulated.js';
import { type MomentName, NOTHING, type ViewName, WORDS } from './view-words.js';

/** An API: what it begins, and what it tells of upgrades that it or another began. */
export interface View {
  /** As the table of docs/api/README.md calls it. */
  readonly name: ViewName;
  /** How what it begins is known; null: by a rule that is its author's. */
  readonly through: BatchThrough | null;
  /** Begins an upgrade of a CPE to {@link IMAGE_OF_ALL}. */
  start(cpeid: CpeId): Promise<void>;
  /** What it tells of the CPE, in a word or two. */
  told(cpeid: CpeId): Promise<string>;
  /** What it is to tell. @param through  by what the upgrade was begun */
  words(moment: MomentName, through: BatchThrough | null): string;
}

/** The one image that all of them send. */
export const IMAGE_OF_ALL = 'hgw.bin';

/** The APIs of a Ferry that has the image. */
export async function openViews(t: ExecutionContext, ferry: TestFerry): Promise<readonly View[]> {
  const { nbi: url } = ferry.urls;
  const logIn = { json: { username: ADMIN.name, password: ADMIN.password } };
  const token = String(fieldOf((await ask(`${url}/api/v1/users/token/`, 'POST', logIn)).body, 'token'));
  const upgrader = (method: string, path: string, json?: unknown) =>
    ask(`${url}${PREFIX}${path}`, method, { token, ...(json !== undefined && { json }) });
  const category = idOf(await upgrader('POST', 'category/', { name: 'Gateways' }));
  const build = idOf(await upgrader('POST', 'build/', { category, version: '2', os: NEW_VERSION }));
  // Of a type that no list has, and so for the board that it is called by.
  const place = `softwareVersion=${NEW_VERSION}&productClass=${PRODUCT_CLASS}&build=${build}&type=${PRODUCT_CLASS}`;
  const uploaded = await ferry.nbi('PUT', `/v1/images/${IMAGE_OF_ALL}?${place}`, new Uint8Array(IMAGE));
  t.is(uploaded.status, 201, JSON.stringify(uploaded.body));
  const [image] = resultsOf(await upgrader('GET', `build/${build}/image/`));
  return [
    rulesView(t, ferry),
    batchesView(t, ferry),
    upgraderView(t, ferry, { call: upgrader, image: String(image?.['id']) }),
  ];
}

/** FirmwareStorage, and FirmwareResultStorage. */
function rulesView(t: ExecutionContext, ferry: TestFerry): View {
  return {
    name: '004 result',
    through: null,
    async start(cpeid) {
      const rule = { id: `for ${cpeid}`, file: IMAGE_OF_ALL, condition: { cpeid } };
      const { status, body } = await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule);
      t.is(status, 200, JSON.stringify(body));
    },
    async told(cpeid) {
      const [last] = await results(ferry.nbi, `cpeid=${cpeid}`);
      return last === undefined ? NOTHING : String(last.result.code);
    },
    words: (moment) => WORDS['004 result'][moment],
  };
}

/** `/v1/batches`: the operation of the newest batch that the CPE is in. */
function batchesView(t: ExecutionContext, ferry: TestFerry): View {
  return {
    name: 'batch',
    through: 'batches',
    async start(cpeid) {
      const batch = { name: cpeid, image: IMAGE_OF_ALL, cpeids: [cpeid] };
      const { status, body } = await ferry.nbi('POST', '/v1/batches', batch);
      t.is(status, 201, JSON.stringify(body));
    },
    async told(cpeid) {
      const { batch } = (await newest(ferry, cpeid)) ?? { batch: null };
      if (batch === null) return NOTHING;
      const { body } = await ferry.nbi('GET', `/v1/batches/${batch}`);
      const listed = await ferry.nbi('GET', `/v1/batches/${batch}/operations?cpeid=${cpeid}`);
      const [operation] = fieldOf(listed.body, 'details') as { state: string; reason?: string }[];
      const state = String(fieldOf(fieldOf(body, 'details'), 'state'));
      return `${state}: ${[operation?.state, operation?.reason].filter(Boolean).join(' ')}`;
    },
    words: (moment, through) => (through === null ? NOTHING : WORDS.batch[moment]),
  };
}

/** The firmware upgrader's operation: the newest of the device. */
function upgraderView(
  t: ExecutionContext,
  { acs }: TestFerry,
  {
    call,
    image,
  }: {
    readonly call: (method: string, path: string, json?: unknown) => ReturnType<typeof ask>;
    readonly image: string;
  },
): View {
  return {
    name: '002 operation',
    through: 'firmware-upgrader',
    async start(cpeid) {
      const { status, text } = await call('PUT', `device/${acs.deviceIds.idOf(cpeid)}/firmware/`, { image });
      t.is(status, 201, text);
    },
    async told(cpeid) {
      const path = `device/${acs.deviceIds.idOf(cpeid)}/upgrade-operation/`;
      const [last] = resultsOf(await call('GET', path));
      return last === undefined ? NOTHING : `${last['status']} ${last['progress']}`;
    },
    words: (moment, through) => (through === null ? NOTHING : WORDS['002 operation'][moment]),
  };
}

/** What waits for a CPE, runs or has ended: the first of these that there is. */
export async function newest({ upgrading }: TestFerry, cpeid: CpeId): Promise<CpeUpgrade | null> {
  const { waiting, running, ended } = await upgrading.cpeUpgrades.now(cpeid);
  return waiting ?? running ?? ended;
}
