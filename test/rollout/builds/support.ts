import type { ExecutionContext } from 'ava';
import { DEVICES, type Device, PARAMETERS, type ParameterDocument } from '../../../acs/device/device.js';
import { DeviceStore } from '../../../acs/device/device-store.js';
import { type CpeId, type OrganizationId, silentLogger, uuidV5 } from '../../../common/index.js';
import { type Build, SHARED } from '../../../firmware/index.js';
import {
  ORGANIZATION_STATE,
  ORGANIZATIONS,
  type OrganizationDocument,
  STATE_ID,
  type StateDocument,
} from '../../../organizations/organization.js';
import { openBatches } from '../../../rollout/batches/index.js';
import { DEVICE_FIRMWARES, type FirmwareRecord } from '../../../rollout/builds/firmware-record.js';
import { type BoardTypes, openBuildFirmware } from '../../../rollout/builds/index.js';
import {
  OPERATIONS,
  type Operation,
  type OperationImage,
  OperationLedger,
  OperationStore,
} from '../../../rollout/operations/index.js';
import { openRules } from '../../../rules/index.js';
import { NORTH, openTestLibrary, SOUTH, uploadOf } from '../../firmware/support.js';
import { BY } from '../../support/actor.js';
import { deviceOf } from '../../support/installation.js';
import { testSecrets } from '../../support/secrets.js';

export { NORTH, SOUTH };
/** The default organization. */
export const HOME = '33333333-3333-4333-8333-333333333333';
const NAMESPACE = '44444444-4444-4444-8444-444444444444';

/** `a` lists two boards, of which `b` lists one as well, and so is its only type. */
export const TYPES: BoardTypes = (() => {
  const all = [
    { type: 'a', boards: ['A', 'B'] },
    { type: 'b', boards: ['B'] },
  ];
  return {
    get: (type) => all.find((each) => each.type === type) ?? null,
    ofBoard: (model) => all.filter(({ boards }) => boards.includes(model)).at(-1) ?? null,
  };
})();

/** Builds, CPEs and operations as they are stored, and what is said of them. */
export async function openBuilds(t: ExecutionContext, options: { readonly modelParameter?: string } = {}) {
  const clock = { nowMs: Date.UTC(2026, 0, 1) };
  const { library, store } = await openTestLibrary(t, { clock: () => clock.nowMs });
  await haveDirectory(store);
  const devices = new DeviceStore({ store, clock: () => clock.nowMs, logger: silentLogger });
  t.teardown(() => devices.close());
  const operations = new OperationStore(store);
  const opened = openBuildFirmware({
    store,
    clock: () => clock.nowMs,
    devices,
    deviceIds: { idOf: (cpeid) => uuidV5(NAMESPACE, cpeid) },
    library,
    operations,
    types: TYPES,
    ...options,
  });
  const tick = () => {
    clock.nowMs += 1_000;
    return clock.nowMs;
  };
  return {
    ...opened,
    /** The same with batches that are made, as a server has them. */
    async upgrading() {
      const clockNow = () => clock.nowMs;
      const rules = await openRules({
        store,
        clock: clockNow,
        logger: silentLogger,
        secrets: testSecrets,
        resolveFile: (file, organization) => library.get(file, organization),
      });
      const batches = openBatches({
        store,
        rules,
        devices,
        images: library,
        operations,
        ledger: new OperationLedger({ store, clock: clockNow, images: library }),
        buildTargets: opened.targets,
        clock: clockNow,
        monotonic: clockNow,
        logger: silentLogger,
        turn: (work) => work(),
        calling: null,
        underWay: null,
        resultDays: 400,
      });
      t.teardown(async () => {
        await batches.close();
        await rules.close();
      });
      return { batches, ...opened.with(batches) };
    },
    store,
    library,
    devices,
    operations,
    tick,
    /** A CPE that comes for the first time now. */
    async device(name: string, said: Partial<Device> = {}): Promise<CpeId> {
      const id = `00A1B2-HGW-${name}` as CpeId;
      const atMs = tick();
      const { softwareVersion: _, ...device } = deviceOf(id, null);
      await store.collection<Device>(DEVICES).put({
        ...device,
        registeredMs: atMs,
        lastInformMs: atMs,
        ...said,
      });
      return id;
    },
    /** What a CPE has told of its parameters. */
    async tell(cpeid: CpeId, values: ParameterDocument['values']): Promise<void> {
      await store
        .collection<ParameterDocument>(PARAMETERS)
        .put({ id: `${cpeid}/Device.DeviceInfo.`, values });
    },
    /** A build of a category with an image of each of some types. */
    async build(
      category: string,
      version: string,
      types: readonly string[],
      { os, organization = null }: { readonly os?: string; readonly organization?: string | null } = {},
    ): Promise<Build> {
      const { categories } = library.builds;
      const within = organization ?? SHARED;
      const found =
        (await categories.find(category, within)) ?? (await categories.add({ name: category }, BY, within));
      const { id } = await library.builds.add({ category: found.id, version, os: os ?? null }, BY, within);
      for (const type of types) {
        const content = Buffer.from(`${id} ${type}`);
        const place = { build: id, type };
        const owner = organization === null ? {} : { organization };
        await library.upload(uploadOf(`${category}-${version}-${type}`, content, { place, ...owner }));
      }
      return present(await library.builds.get(id, null));
    },
    /** The image of a build. */
    async imageOf(build: Build, type: string): Promise<OperationImage> {
      const placed = present(build.images.find((each) => each.type === type));
      const { name, number, organization } = present(await library.get(placed.name, build.organization));
      return { name, number: present(number), ...(organization !== undefined && { organization }) };
    },
    /** Keeps that a CPE was given an image, by an operation of that state. */
    async given(
      cpeid: CpeId,
      image: OperationImage,
      state: Operation['state'] | null,
      reason?: NonNullable<Operation['reason']>,
    ): Promise<void> {
      const atMs = tick();
      const id = uuidV5(NAMESPACE, `${cpeid} ${atMs}`) as Operation['id'];
      const times = { createdAtMs: atMs, updatedAtMs: atMs };
      const batch = uuidV5(NAMESPACE, id) as Operation['batch'];
      const operation = { id, batch, cpeid, image, attempts: 1, log: [], ...times };
      const how = { ...(reason !== undefined && { reason }) };
      if (state !== null) await store.collection<Operation>(OPERATIONS).put({ ...operation, ...how, state });
      const record = { id: cpeid, image, operation: state === null ? null : id };
      const firmwares = store.collection<FirmwareRecord>(DEVICE_FIRMWARES);
      await firmwares.put({ ...record, createdAtMs: atMs, modifiedAtMs: atMs });
    },
  };
}

export type OpenedBuilds = Awaited<ReturnType<typeof openBuilds>>;

async function haveDirectory(store: OpenedBuilds['store']): Promise<void> {
  const organizations = store.collection<OrganizationDocument>(ORGANIZATIONS);
  for (const [order, id] of [HOME, NORTH, SOUTH].entries())
    await organizations.put({
      id: id as OrganizationId,
      name: id,
      slug: id.slice(0, 8),
      active: true,
      isDefault: id === HOME,
      order,
      rules: [],
      createdAtMs: 0,
    });
  await store.collection<StateDocument>(ORGANIZATION_STATE).put({
    id: STATE_ID,
    generation: 1,
    defaultId: HOME as OrganizationId,
    organizations: 3,
    rules: 0,
    rulesBytes: 0,
  });
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const each of items) found.push(each);
  return found;
}

export function present<T>(value: T | null | undefined): T {
  if (value == null) throw new Error('It is not there');
  return value;
}
