import type { Build } from '../../../firmware/index.js';
import { BatchError } from '../../../rollout/index.js';
import { jsonAnswer, LongList, queryParameter } from '../../http/index.js';
import { findBuild } from '../builds.js';
import {
  type Call,
  type Endpoint,
  type Field,
  type Filter,
  filtered,
  noObject,
  noPk,
  requireOwn,
  said,
  UpgraderError,
  WRITE_ANSWERS,
  wrongFields,
} from '../manners/index.js';
import type { UpgradeContext } from './context.js';

const MODEL = 'Build';
const NOBODY =
  'No devices found matching the specified filters. Please adjust your group and/or location filters.';

/** Ferry knows no groups and no locations: whatever is named is none. */
const FIELDS = [
  { name: 'upgrade_all', kind: 'boolean', help: 'Also devices without firmware that fit one of the images.' },
  { name: 'group', kind: 'reference', mayBeNull: true },
  { name: 'location', kind: 'reference', mayBeNull: true },
] as const satisfies readonly Field[];
const PLACE_FILTERS: readonly Filter[] = [
  { name: 'group', kind: 'id', description: 'There are none: any is refused.' },
  { name: 'location', kind: 'id', description: 'There are none: any is refused.' },
];

const IDS = { type: 'array', items: { type: 'string', format: 'uuid' } };
const DRY_RUN = {
  type: 'object',
  required: ['device_firmwares', 'devices'],
  properties: { device_firmwares: IDS, devices: IDS },
};
const STARTED = {
  type: 'object',
  required: ['batch'],
  properties: { batch: { type: 'string', format: 'uuid' } },
};

/** `build/{build}/upgrade/`: whom a build would upgrade, and the upgrade. */
export function buildUpgradeEndpoint(context: UpgradeContext): Endpoint {
  const is12 = context.options.version === '1.2';
  return {
    path: 'build/{build}/upgrade/',
    name: 'Batch Upgrade',
    fields: is12 ? [] : FIELDS,
    ...(!is12 && { query: PLACE_FILTERS.map(({ name, description }) => queryParameter(name, description)) }),
    methods: {
      GET: {
        operationId: 'previewBuildUpgrade',
        summary: 'Tells whom POST would upgrade: firmware of devices, and devices without',
        description: 'Both newest first. Nothing is changed.',
        answers: {
          '200': jsonAnswer('The ids of the firmware of devices, and of devices without', DRY_RUN),
          '400': 'A parameter is wrong: by name what is wrong with it',
        },
        handle: (call) => preview(context, call),
      },
      POST: {
        operationId: 'startBuildUpgrade',
        summary: 'Upgrades the devices of a build',
        description:
          'A batch of all devices that have firmware of its category and do not run this build, and where `upgrade_all` says so of those without that one of its images fits.',
        answers: { '201': jsonAnswer('The id of the batch', STARTED), ...WRITE_ANSWERS },
        handle: (call) => start(context, call),
      },
    },
    requireChangeable: async (call) => requireOwn(call.asking, (await found(context, call)).organization),
  };
}

/** @throws UpgraderError 404 */
async function found({ images }: UpgradeContext, { asking, parameters }: Call): Promise<Build> {
  const build = await findBuild(images, parameters['build'] ?? '', asking);
  if (build === null) throw noObject(MODEL);
  return build;
}

async function preview(context: UpgradeContext, call: Call): Promise<void> {
  const { buildUpgrades, deviceIds, options } = context;
  const build = await found(context, call);
  if (options.version !== '1.2') await refusePlaces(call);
  await call.sendStreamed(async (turn) => {
    const { firmwares, devices } = buildUpgrades.plan(build, call.asking.within, turn);
    return {
      device_firmwares: new LongList(mapped(firmwares, ({ id }) => id)),
      devices: new LongList(mapped(devices, (cpeid) => deviceIds.idOf(cpeid))),
    };
  });
}

/** @throws UpgraderError 400 */
async function refusePlaces({ request }: Call): Promise<void> {
  const named = Object.entries(await filtered(PLACE_FILTERS, request.originalUrl, {}));
  if (named.length > 0) throw wrongFields(Object.fromEntries(named.map(([name, id]) => [name, [noPk(id)]])));
}

async function* mapped<T, R>(items: AsyncIterable<T>, map: (item: T) => R): AsyncGenerator<R, void> {
  for await (const item of items) yield map(item);
}

async function start(context: UpgradeContext, call: Call): Promise<void> {
  const { buildUpgrades, options } = context;
  const { by, within } = call.asking;
  const build = await found(context, call);
  requireOwn(call.asking, build.organization);
  const firmwareless = await wantsAll(context, call);
  const evenEmpty = options.version === '1.2';
  // The reference gives up on devices that it does not reach; a batch that waits for them would keep scripts waiting that ask for its end.
  const asked = {
    firmwareless,
    by,
    within,
    persistent: false,
    evenEmpty,
    through: 'firmware-upgrader',
  } as const;
  try {
    const batch = await call.long((turn) => buildUpgrades.start(build, asked, turn));
    if (batch === null) throw new UpgraderError(400, { error: NOBODY });
    call.send(201, { batch: batch.id });
  } catch (error) {
    throw error instanceof BatchError && error.code === 'no-build' ? noObject(MODEL) : error;
  }
}

/** Whether devices without firmware are meant as well. */
async function wantsAll({ options }: UpgradeContext, call: Call): Promise<boolean> {
  const body = await call.body();
  // That version looks whether a form has the field, and at nothing else.
  if (options.version === '1.2') return body.isForm && Object.hasOwn(body.values, 'upgrade_all');
  return (await said(FIELDS, body, { isPartial: false })).upgrade_all ?? false;
}
