import type { BatchId, Turn } from '../../../common/index.js';
import type { Build, UpgraderVersion } from '../../../firmware/index.js';
import type { Batch, Operation, OperationCounts, OperationState } from '../../../rollout/index.js';
import { LongList } from '../../http/index.js';
import { BUILD_FIELDS, buildView } from '../builds.js';
import {
  type Asking,
  type Call,
  type Endpoint,
  type Field,
  type Filter,
  type Filtered,
  filtered,
  isNewestFirst,
  isShown,
  type ListSource,
  noObject,
  type Ordering,
  timeText,
  unnarrowed,
} from '../manners/index.js';
import type { UpgradeContext } from './context.js';
import { type OperationViewParts, operationFields, operationView } from './operation-view.js';
import { batchStatus, batchStatuses, progressReport, rateOf, reportOf } from './statuses.js';
import { type Whose, whoseOf } from './whose.js';

type Context = UpgradeContext & OperationViewParts;

const MODEL = 'BatchUpgradeOperation';
const ORDERING: Ordering = { keys: ['created', 'modified'], byDefault: '-created' };

/** A batch of this API: one of a build. */
interface BuildBatch {
  readonly batch: Batch;
  readonly build: Build;
}

function filtersOf(version: UpgraderVersion): readonly Filter[] {
  return [
    { name: 'build', kind: 'reference', description: 'The id of a build.' },
    {
      name: 'status',
      kind: 'choice',
      choices: batchStatuses(version),
      description: 'What they have come to.',
    },
    ...(version === '1.2'
      ? []
      : [{ name: 'created', kind: 'time', description: 'The very time when they were made.' } as const]),
  ];
}

function fieldsOf(version: UpgraderVersion): {
  readonly list: readonly Field[];
  readonly detail: readonly Field[];
} {
  const choices = batchStatuses(version).map((value) => ({ value, label: value }));
  const first = [
    { name: 'id', kind: 'id', readOnly: true },
    { name: 'build', kind: 'nested', readOnly: true, fields: BUILD_FIELDS },
  ] as const;
  const last = [
    { name: 'created', kind: 'time', readOnly: true },
    { name: 'modified', kind: 'time', readOnly: true },
    { name: 'upgrade_options', kind: 'object', readOnly: true },
    { name: 'status', kind: 'choice', readOnly: true, choices },
    ...(version === '1.2'
      ? []
      : ([
          { name: 'group', kind: 'reference', readOnly: true, mayBeNull: true },
          { name: 'location', kind: 'reference', readOnly: true, mayBeNull: true },
        ] as const)),
  ] as const;
  const rates = ['success_rate', 'failed_rate', 'aborted_rate'];
  if (version !== '1.2') rates.push('cancelled_rate');
  const report: readonly Field[] = [
    { name: 'progress_report', kind: 'string', readOnly: true },
    ...rates.map((name) => ({ name, kind: 'integer', readOnly: true }) as const),
    { name: 'upgradeoperations', kind: 'list', readOnly: true, fields: operationFields(version) },
  ];
  return { list: [...first, ...last], detail: [...first, ...report, ...last] };
}

/** `batch-upgrade-operation/` and `batch-upgrade-operation/{id}/`. */
export function batchEndpoints(context: Context): readonly Endpoint[] {
  const { version } = context.options;
  const [fields, filters] = [fieldsOf(version), filtersOf(version)];
  return [
    {
      path: 'batch-upgrade-operation/',
      name: 'Batch Upgrade Operation List',
      fields: fields.list,
      list: { filters, ordering: ORDERING },
      methods: {
        GET: {
          operationId: 'listBatchUpgradeOperations',
          summary: 'Lists the batches of builds',
          answers: { '200': 'A page of them', '400': 'A filter is wrong: by name what is wrong with it' },
          handle: (call) => list(context, call, filters),
        },
      },
    },
    {
      path: 'batch-upgrade-operation/{id}/',
      name: 'Batch Upgrade Operation Detail',
      fields: fields.detail,
      methods: {
        GET: {
          operationId: 'getBatchUpgradeOperation',
          summary: 'Tells what a batch has come to, and what it has for each of its devices',
          answers: { '200': 'It' },
          handle: (call) => show(context, call),
        },
      },
    },
  ];
}

async function list(context: Context, call: Call, filters: readonly Filter[]): Promise<void> {
  const { asking, request } = call;
  const { images } = context;
  const said = await filtered(filters, request.originalUrl, {
    build: async (id) => (await images.builds.get(id, asking.within)) !== null,
  });
  await call.sendList(sourceOf(context, asking, said), ORDERING, async (each) => ({
    ...(await headOf(context, each)),
    ...tailOf(context, each, await context.operations.counts(each.batch.id)),
  }));
}

function sourceOf(context: Context, asking: Asking, said: Filtered): ListSource<BuildBatch> {
  const { batches } = context;
  const { build, created, status } = said;
  async function* scan(turn: Turn) {
    if (asking.wanted === null) return;
    for await (const batch of batches.scan(build === undefined ? {} : { build }, turn)) {
      if (created !== undefined && batch.createdAtMs !== Number(created)) continue;
      const found = await shownBatch(context, asking, batch);
      if (found !== null && (status === undefined || (await statusOf(context, batch)) === status))
        yield found;
    }
  }
  return {
    idOf: ({ batch }) => batch.id,
    sortedBy: ({ batch }, key) => (key === 'modified' ? batch.updatedAtMs : batch.createdAtMs),
    scan,
    async read(ids) {
      const found: BuildBatch[] = [];
      for (const id of ids) {
        const batch = await batches.get(id as BatchId);
        const shown = batch === null ? null : await shownBatch(context, asking, batch);
        if (shown !== null) found.push(shown);
      }
      return found;
    },
    inOrder: (order, turn) => (isNewestFirst(order) ? scan(turn) : null),
  };
}

/** A batch where it is of a build, and whoever asks sees it and wants it; null elsewhere. */
async function shownBatch({ images }: Context, asking: Asking, batch: Batch): Promise<BuildBatch | null> {
  if (batch.listedAtMs === undefined || !('build' in batch.what)) return null;
  const build = await images.builds.get(batch.what.build, null);
  // One of an organization may send a build of all.
  const isSeen = build !== null && isShown(asking, batch.organization ?? build.organization);
  return isSeen ? { batch, build } : null;
}

async function statusOf({ batches, operations, options }: Context, batch: Batch): Promise<string> {
  const counts = await operations.counts(batch.id);
  return batchStatus(batches.stateOf(batch, counts), counts, options.version);
}

async function headOf({ images }: Context, { batch, build }: BuildBatch) {
  return { id: batch.id, build: await buildView(images, build) };
}

function tailOf({ batches, options: { version } }: Context, { batch }: BuildBatch, counts: OperationCounts) {
  return {
    created: timeText(batch.createdAtMs),
    modified: timeText(batch.updatedAtMs),
    upgrade_options: batch.options,
    status: batchStatus(batches.stateOf(batch, counts), counts, version),
    // There are none in Ferry.
    ...(version !== '1.2' && { group: null, location: null }),
  };
}

async function show(context: Context, call: Call): Promise<void> {
  const { asking, parameters } = call;
  const { batches, operations, devices, options } = context;
  const batch = await batches.get((parameters['id'] ?? '') as BatchId);
  const shown = batch === null ? null : await shownBatch(context, asking, batch);
  const whose = await whoseOf(unnarrowed(asking), devices);
  if (shown === null || whose === null) throw noObject(MODEL);
  const { id } = shown.batch;
  const { version } = options;
  await call.sendStreamed(async (turn) => {
    const counts = await operations.counts(id);
    // Of what all have together whoever asks is told of his own.
    const isAll = whose.organization === null || shown.batch.organization === whose.organization;
    const byState = isAll ? counts.byState : await countedOf(operationsOf(context, id, whose, turn));
    const report = reportOf(byState, version);
    return {
      ...(await headOf(context, shown)),
      progress_report: progressReport(report),
      success_rate: rateOf(report, 'success'),
      failed_rate: rateOf(report, 'failed'),
      aborted_rate: rateOf(report, 'aborted'),
      ...(version !== '1.2' && { cancelled_rate: rateOf(report, 'cancelled') }),
      upgradeoperations: new LongList(viewsOf(context, operationsOf(context, id, whose, turn))),
      ...tailOf(context, shown, counts),
    };
  });
}

async function* operationsOf(
  { operations }: Context,
  batch: BatchId,
  whose: Whose,
  turn: Turn,
): AsyncGenerator<Operation, void> {
  for await (const each of operations.scan({ batch }, turn)) if (whose.isOf(each)) yield each;
}

async function* viewsOf(context: Context, operations: AsyncIterable<Operation>) {
  for await (const each of operations) yield await operationView(context, each);
}

async function countedOf(
  operations: AsyncIterable<Operation>,
): Promise<Readonly<Record<OperationState, number>>> {
  const counts = { pending: 0, running: 0, verified: 0, failed: 0, 'timed-out': 0, cancelled: 0, skipped: 0 };
  for await (const { state } of operations) counts[state]++;
  return counts;
}
