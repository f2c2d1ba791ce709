import type { OperationId, Turn } from '../../../common/index.js';
import { BatchError, type Operation, type OperationFilter } from '../../../rollout/index.js';
import {
  type Asking,
  type Call,
  detail,
  type Endpoint,
  type Filter,
  type Filtered,
  filtered,
  isNewestFirst,
  type ListSource,
  noObject,
  type Ordering,
  UpgraderError,
  unnarrowed,
} from '../manners/index.js';
import type { UpgradeContext } from './context.js';
import { type OperationViewParts, operationFields, operationView, progress } from './operation-view.js';
import { FLASHING, operationStatus, operationStatuses, statesOf } from './statuses.js';
import { deviceOf, whoseOf } from './whose.js';

type Context = UpgradeContext & OperationViewParts;

const MODEL = 'UpgradeOperation';
const ORDERING: Ordering = { keys: ['device_id', 'created', 'modified'], byDefault: '-created' };
const ORDERING_OF_DEVICE: Ordering = { keys: [], byDefault: '-created' };

function statusFilter({ options: { version } }: Context): Filter {
  const choices = operationStatuses(version);
  return { name: 'status', description: 'What they have come to.', kind: 'choice', choices };
}

function filtersOf(context: Context): readonly Filter[] {
  return [
    { name: 'device', description: 'The id of a device.', kind: 'id' },
    { name: 'image', description: 'The id of an image.', kind: 'id' },
    statusFilter(context),
    {
      name: 'device__organization',
      description: "The id of an organization: its devices' operations.",
      kind: 'reference',
    },
    {
      name: 'device__organization__slug',
      description: "The slug of an organization: its devices' operations.",
      kind: 'text',
    },
    {
      name: 'device__organization_slug',
      description: 'The same, as the documentation of the reference also spells it.',
      kind: 'text',
    },
  ];
}

/** `upgrade-operation/`, `upgrade-operation/{id}/` with and without its last slash, and what cancels one. */
export function operationEndpoints(context: Context): readonly Endpoint[] {
  const { version } = context.options;
  const fields = operationFields(version);
  const filters = filtersOf(context);
  const detailed = (path: string, operationId: string): Endpoint => ({
    path,
    name: 'Upgrade Operation Detail',
    fields,
    methods: {
      GET: {
        operationId,
        summary: 'Tells what has become of the upgrade of a device',
        answers: { '200': 'It' },
        handle: async (call) => {
          const operation = await found(context, call);
          if (operation === null) throw noObject(MODEL);
          call.send(200, await operationView(context, operation));
        },
      },
    },
  });
  return [
    {
      path: 'upgrade-operation/',
      name: 'Upgrade Operation List',
      fields,
      list: { filters, ordering: ORDERING },
      methods: {
        GET: {
          operationId: 'listUpgradeOperations',
          summary: 'Lists what batches have for devices: who gets what, and what has become of it',
          answers: { '200': 'A page of them', '400': 'A filter is wrong: by name what is wrong with it' },
          handle: (call) => list(context, call, filters),
        },
      },
    },
    // As the documentation of the reference has it, beside how the reference does.
    detailed('upgrade-operation/{id}', 'getUpgradeOperationWithoutSlash'),
    detailed('upgrade-operation/{id}/', 'getUpgradeOperation'),
    ...(version === '1.2' ? [] : [cancelEndpoint(context)]),
    ofDeviceEndpoint(context),
  ];
}

function ofDeviceEndpoint(context: Context): Endpoint {
  const filters = [statusFilter(context)];
  return {
    path: 'device/{device}/upgrade-operation/',
    name: 'Device Upgrade Operation List',
    fields: operationFields(context.options.version, true),
    list: { filters, ordering: ORDERING_OF_DEVICE },
    methods: {
      GET: {
        operationId: 'listDeviceUpgradeOperations',
        summary: 'Lists what batches have had for a device',
        answers: { '200': 'A page of them', '400': 'A filter is wrong: by name what is wrong with it' },
        handle: async (call) => {
          const { asking, parameters, request } = call;
          // Which organization is wanted narrows the list, and not which devices there are.
          const device = await deviceOf(context, unnarrowed(asking), parameters['device'] ?? '');
          if (device === null) throw detail(404, 'device not found');
          const { status } = await filtered(filters, request.originalUrl, {});
          const { cpeid } = device;
          const source = await sourceOf(context, asking, { ...statesFilter(context, status), cpeid });
          await call.sendList(source, ORDERING_OF_DEVICE, (each) => operationView(context, each, true));
        },
      },
    },
  };
}

async function list(context: Context, call: Call, filters: readonly Filter[]): Promise<void> {
  const { asking, request } = call;
  const said = await filtered(filters, request.originalUrl, {
    device__organization: async (id) => asking.organizationOf(id) !== null,
  });
  const wanted = await call.long(() => filterOf(context, said));
  const narrowed = narrowedTo(asking, said);
  const source = wanted === null || narrowed === null ? NOTHING : await sourceOf(context, narrowed, wanted);
  await call.sendList(source, ORDERING, (each) => operationView(context, each));
}

/** Null where nothing can be there. */
async function filterOf(
  context: Context,
  { device, image, status }: Filtered,
): Promise<OperationFilter | null> {
  const cpeid = device === undefined ? undefined : await context.deviceIds.cpeidOf(device);
  const number = image === undefined ? undefined : (await context.imageIds.find(image))?.number;
  if (cpeid === null || (image !== undefined && number === undefined)) return null;
  return {
    ...statesFilter(context, status),
    ...(cpeid !== undefined && { cpeid }),
    ...(number !== undefined && { imageNumber: number }),
  };
}

function statesFilter({ options }: Context, status: string | undefined): OperationFilter {
  return status === undefined ? {} : { states: statesOf(status, options.version) };
}

/** What the filters by organization leave of what whoever asks wants; null: nothing. */
function narrowedTo(asking: Asking, said: Filtered): Asking | null {
  const {
    device__organization: id,
    device__organization__slug: slug,
    device__organization_slug: same,
  } = said;
  const byId = id === undefined ? undefined : asking.organizationOf(id);
  let wanted = asking.wanted;
  for (const named of [byId, slugged(asking, slug), slugged(asking, same)]) {
    if (named === undefined) continue;
    if (named === null || (wanted !== undefined && wanted?.id !== named.id)) return null;
    wanted = named;
  }
  return { ...asking, wanted };
}

function slugged(asking: Asking, slug: string | undefined) {
  return slug === undefined ? undefined : asking.organizationNamed(slug);
}

const NOTHING: ListSource<Operation> = {
  idOf: ({ id }) => id,
  sortedBy: () => 0,
  async *scan() {},
  read: async () => [],
};

async function sourceOf(
  { operations, devices, deviceIds }: Context,
  asking: Asking,
  filter: OperationFilter,
): Promise<ListSource<Operation>> {
  const whose = await whoseOf(asking, devices);
  if (whose === null) return NOTHING;
  const { indexed: organization } = whose;
  const narrowed = { ...filter, ...(organization !== undefined && { organization }) };
  // Of the default not all are in an index.
  const isIndexed = whose.organization === null || organization !== undefined;
  const count = isIndexed ? operations.counting(narrowed) : null;
  async function* scan(turn: Turn) {
    for await (const each of operations.scan(narrowed, turn)) if (whose?.isOf(each)) yield each;
  }
  return {
    idOf: ({ id }) => id,
    sortedBy: ({ cpeid, createdAtMs, updatedAtMs }, key) =>
      key === 'device_id' ? deviceIds.idOf(cpeid) : key === 'modified' ? updatedAtMs : createdAtMs,
    scan,
    ...(count !== null && { count }),
    async read(ids) {
      const found = await Promise.all(ids.map((id) => operations.get(id as OperationId)));
      return found.filter((each) => each !== null);
    },
    inOrder: (order, turn) => (isNewestFirst(order) ? scan(turn) : null),
  };
}

/** Null where whoever asks sees none. */
async function found(
  { operations, devices }: Context,
  { asking, parameters: { id = '' } }: Call,
): Promise<Operation | null> {
  const operation = await operations.get(id as OperationId);
  const whose = operation === null ? null : await whoseOf(asking, devices);
  return operation !== null && whose?.isOf(operation) === true ? operation : null;
}

function cancelEndpoint(context: Context): Endpoint {
  return {
    path: 'upgrade-operation/{id}/cancel/',
    name: 'Upgrade Operation Cancel',
    fields: [],
    methods: {
      POST: {
        operationId: 'cancelUpgradeOperation',
        summary: 'Takes back an upgrade that its device has not begun to carry out',
        description:
          'What was not sent is not sent any more. Where the Download was sent the device is asked to give it up, in its next session, and until it has answered the operation is in progress still.',
        body: null,
        answers: {
          '200': 'It is, or its device is asked',
          '409': 'It has ended, or the device has the file already',
          '507': 'The disk, or the database, is full',
        },
        handle: (call) => cancel(context, call),
      },
    },
  };
}

async function cancel(context: Context, call: Call): Promise<void> {
  const operation = await found(context, call);
  if (operation === null) throw noOperation();
  if ((await progress(context.upgrades, operation)) >= FLASHING && operation.state === 'running')
    throw isFlashing();
  try {
    await context.batches.cancelOne(operation.id, call.asking.by);
  } catch (error) {
    throw error instanceof BatchError ? await worded(context, call, error) : error;
  }
  call.send(200, { message: 'Upgrade operation cancelled successfully' });
}

async function worded(context: Context, call: Call, error: BatchError): Promise<Error> {
  switch (error.code) {
    case 'not-found':
      return noOperation();
    case 'under-way':
      return isFlashing();
    case 'state': {
      const operation = await found(context, call);
      if (operation === null) return noOperation();
      const status = operationStatus(operation.state, context.options.version);
      return new UpgraderError(409, { error: `Cannot cancel operation with status: ${status}` });
    }
    case 'invalid':
    case 'no-image':
    case 'no-build':
    case 'moved':
      return error;
    default:
      return error.code satisfies never;
  }
}

function noOperation(): Error {
  return new UpgraderError(404, { error: 'Upgrade operation not found' });
}

function isFlashing(): Error {
  return new UpgraderError(409, { error: 'Cannot cancel upgrade: firmware reflashing has already started' });
}
