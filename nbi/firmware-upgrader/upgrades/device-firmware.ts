import type { Device } from '../../../acs/index.js';
import type { CpeId } from '../../../common/index.js';
import type { UpgraderVersion } from '../../../firmware/index.js';
import {
  type Assigned,
  type DeviceFirmware,
  DeviceFirmwareError,
  type OperationImage,
  operationImageOf,
} from '../../../rollout/index.js';
import {
  type Call,
  detail,
  type Endpoint,
  type Field,
  isShown,
  noObject,
  noPermission,
  noPk,
  said,
  timeText,
  unnarrowed,
  WRITE_ANSWERS,
  wrongFields,
  wrongObject,
} from '../manners/index.js';
import type { UpgradeContext } from './context.js';
import type { ImageIds } from './image-ids.js';
import { deviceOf } from './whose.js';

type Context = UpgradeContext & { readonly imageIds: ImageIds };

const MODEL = 'DeviceFirmware';
const DEACTIVATED = 'Firmware upgrades are not allowed for deactivated devices.';
const MISMATCH = 'Device model and image model do not match';

const FIELDS = [
  { name: 'id', kind: 'id', readOnly: true },
  { name: 'image', kind: 'reference', required: true },
  { name: 'installed', kind: 'boolean', readOnly: true },
  { name: 'modified', kind: 'time', readOnly: true },
] as const satisfies readonly Field[];

/** `device/{device}/firmware/`. */
export function deviceFirmwareEndpoint(context: Context): Endpoint {
  return {
    path: 'device/{device}/firmware/',
    name: 'Device Firmware Detail',
    fields: FIELDS,
    methods: {
      GET: {
        operationId: 'getDeviceFirmware',
        summary: 'Tells which firmware a device has of builds',
        answers: { '200': 'It' },
        handle: async (call) => call.send(200, await view(context, await found(context, call))),
      },
      PUT: {
        operationId: 'replaceDeviceFirmware',
        summary: 'Gives a device an image, and upgrades it',
        description:
          'An upgrade begins where the image is another than it has, or is not installed. 201 where it had none.',
        answers: { '200': 'It, and its operation', '201': 'It is new', ...WRITE_ANSWERS },
        handle: (call) => put(context, call),
      },
      PATCH: {
        operationId: 'changeDeviceFirmware',
        summary: 'The same for a device that has one; without `image` for the one that it has',
        answers: { '200': 'It, and its operation', ...WRITE_ANSWERS },
        handle: (call) => patch(context, call),
      },
      DELETE: {
        operationId: 'deleteDeviceFirmware',
        summary: 'Forgets the firmware of a device; what is under way goes on',
        answers: { '204': 'Forgotten', '507': 'The disk, or the database, is full' },
        handle: (call) => remove(context, call),
      },
    },
    requireChangeable: async (call) => void (await found(context, call)),
  };
}

async function view({ imageIds }: Context, firmware: DeviceFirmware) {
  const { id, image, installed, modifiedAtMs } = firmware;
  return { id, image: await imageIds.idOf(image), installed, modified: timeText(modifiedAtMs) };
}

/** @throws UpgraderError 404: there is none, or no such device, or it is another's */
async function found(context: Context, { asking, parameters }: Call): Promise<DeviceFirmware> {
  const device = await deviceOf(context, asking, parameters['device'] ?? '');
  const firmware = device === null ? null : await context.deviceFirmwares.get(device.cpeid);
  if (firmware === null) throw noObject(MODEL);
  return firmware;
}

async function put(context: Context, call: Call): Promise<void> {
  const device = await deviceOf(context, call.asking, call.parameters['device'] ?? '');
  if (device === null) throw noDevice();
  requireActive(context, device.device);
  const image = await imageSaid(context, call, false);
  await give(context, call, device.cpeid, image);
}

async function patch(context: Context, call: Call): Promise<void> {
  const { cpeid } = await found(context, call);
  const device = await context.devices.get(cpeid);
  if (device === null) throw noObject(MODEL);
  requireActive(context, device);
  await give(context, call, cpeid, await imageSaid(context, call, true));
}

async function remove(context: Context, call: Call): Promise<void> {
  const { by, within } = call.asking;
  const { cpeid } = await found(context, call);
  const isGone = await worded(context, () => context.deviceFirmwares.remove(cpeid, { by, within }));
  if (!isGone) throw noObject(MODEL);
  call.send(204);
}

/** The image of the body; null where a PATCH says none. */
async function imageSaid(context: Context, call: Call, isPartial: boolean): Promise<OperationImage | null> {
  let meant: OperationImage | null = null;
  const image = async (id: string): Promise<boolean> => {
    const there = await context.imageIds.find(id);
    if (there === null || !isShown(unnarrowed(call.asking), there.organization)) return false;
    meant = there.build === undefined ? null : operationImageOf(there);
    return meant !== null;
  };
  await said(FIELDS, await call.body(), { isPartial, references: { image } });
  return meant;
}

async function give(context: Context, call: Call, cpeid: CpeId, image: OperationImage | null): Promise<void> {
  const { by, within } = call.asking;
  const acrossCategories = context.options.version === '1.2';
  // The reference gives up on a device that it does not reach.
  const how = { by, within, persistent: false, acrossCategories, through: 'firmware-upgrader' } as const;
  const given = await worded(
    context,
    () => context.deviceFirmwares.assign(cpeid, image, how),
    image === null ? null : await context.imageIds.idOf(image),
  );
  call.send(given.created ? 201 : 200, await givenView(context, given));
}

async function givenView(context: Context, { firmware, operation }: Assigned) {
  return { ...(await view(context, firmware)), upgrade_operation: { id: operation } };
}

/** Does what may be refused, and words that as the reference does. @param image  its id, as it was said */
async function worded<T>(context: Context, work: () => Promise<T>, image: string | null = null): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof DeviceFirmwareError ? wordsOf(context, error, image) : error;
  }
}

function wordsOf({ options }: Context, { code }: DeviceFirmwareError, image: string | null): Error {
  switch (code) {
    case 'deactivated':
      return deactivated(options.version);
    case 'no-device':
      return noDevice();
    case 'no-image':
      return wrongFields({ image: [noPk(image ?? '')] });
    case 'model-mismatch':
      return wrongObject(MISMATCH);
    default:
      return code satisfies never;
  }
}

/** @throws UpgraderError 403 */
function requireActive({ devices, options }: Context, device: Device): void {
  if (devices.isWaiting(device)) throw deactivated(options.version);
}

function deactivated(version: UpgraderVersion): Error {
  return version === '1.2' ? noPermission() : detail(403, DEACTIVATED);
}

function noDevice(): Error {
  return detail(404, 'device not found');
}
