import { type BatchId, SECOND_MS } from '../../common/index.js';
import {
  BATCH_STATES,
  BATCH_THROUGHS,
  type Batch,
  type Batches,
  type BatchState,
  OPERATION_STATES,
  type OperationCounts,
  type Operations,
  reasonsOf,
} from '../../rollout/index.js';
import {
  type Answer,
  ApiError,
  dynDialect,
  type JsonObject,
  jsonAnswer,
  ownerShown,
  type Parameter,
  type Places,
  type Reading,
  ref,
  type Scope,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';

export interface BatchParts {
  readonly batches: Batches;
  readonly operations: Operations;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

/** With the places of requests that make batches. */
export interface MakingParts extends BatchParts {
  readonly places: Places;
}

export const dialect = dynDialect('batches');

export const LIST_PATH = '/v1/batches';
export const BATCH_PATH = '/v1/batches/{id}';

/** As `crypto.randomUUID` writes it. */
export const UUID_PATTERN = '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

export const ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: UUID_PATTERN },
} as const satisfies Parameter;

/** An answer about one batch. */
export function batchAnswer(description: string): Answer {
  return jsonAnswer(description, { allOf: [ref('Answer'), { properties: { details: ref('Batch') } }] });
}

/** The batch that a path names, as far as whoever asks sees it. @throws ApiError 404, the same for one that there is not and for another's */
export async function findBatch(
  batches: Pick<Batches, 'get'>,
  id: string,
  { organization }: Pick<Scope, 'organization'>,
): Promise<Batch> {
  const batch = await batches.get(id as BatchId);
  if (batch === null || (organization !== null && batch.organization !== organization.id))
    throw new ApiError(404);
  return batch;
}

export function secondsOf(atMs: number): number {
  return Math.floor(atMs / SECOND_MS);
}

/** A batch as lists show it. Times are in epoch seconds, but for those that were said: they stand as they were. */
export function batchView(
  batch: Batch,
  { state, counts }: { readonly state: BatchState; readonly counts: OperationCounts },
  scope: Scope,
): JsonObject {
  const { id, name, what, whom, notBefore, notAfter, persistent, limits, priority, endsAtMs } = batch;
  return {
    id,
    name,
    ...what,
    devices: whom.kind,
    ...(whom.kind === 'condition' && { condition: whom.condition }),
    ...(whom.kind === 'build' && { firmwareless: whom.firmwareless }),
    notBefore,
    notAfter,
    persistent,
    limits,
    priority,
    wakePerSecond: batch.wakePerSecond,
    options: batch.options,
    state,
    progress: { total: counts.total, ...counts.byState },
    through: batch.through,
    note: batch.note,
    by: batch.by,
    created: secondsOf(batch.createdAtMs),
    modified: secondsOf(batch.updatedAtMs),
    ...(endsAtMs !== undefined && { ends: secondsOf(endsAtMs) }),
    ...ownerShown(scope, batch),
  };
}

/** The batch that a path names with all that is known of how far it has come. */
export async function detailedView(
  { batches, operations }: Pick<BatchParts, 'batches' | 'operations'>,
  batch: Batch,
  scope: Scope,
): Promise<JsonObject> {
  // One that was deleted meanwhile has come to nothing.
  const progress = await batches.progress(batch.id);
  if (progress === null) {
    const counts = await operations.counts(batch.id);
    return { ...batchView(batch, { state: 'cancelled', counts }, scope), reasons: [] };
  }
  const { state, examples, ...counts } = progress;
  return {
    ...batchView(batch, { state, counts }, scope),
    reasons: reasonsOf(progress),
  };
}

const TIME = { type: 'integer', description: 'In epoch seconds.' } as const;
const COUNT = { type: 'integer' } as const;
const TEXT = { type: 'string' } as const;

/** The shapes of batches and operations, under `#/components/schemas`. */
export const batchSchemas = {
  Batch: {
    type: 'object',
    required: [
      'id',
      'name',
      'devices',
      'persistent',
      'priority',
      'wakePerSecond',
      'options',
      'state',
      'progress',
      'by',
      'created',
      'modified',
    ],
    properties: {
      id: TEXT,
      name: TEXT,
      image: { type: 'string', description: 'The image that its CPEs are to get; or it has a build.' },
      build: {
        type: 'string',
        description: 'The id of the build of which each CPE is to get the image that is for it.',
      },
      devices: {
        enum: ['list', 'all', 'condition', 'build'],
        description:
          'Who is to get it: those that were named; all that were known when it was made; whoever meets its condition, whenever it comes; the devices of its build.',
      },
      condition: { type: ['string', 'object'] },
      firmwareless: {
        type: 'boolean',
        description: 'Of a build: also the CPEs without a firmware that fit one of its images.',
      },
      notBefore: { type: 'string', format: 'date-time', description: 'Nothing is sent before.' },
      notAfter: {
        type: 'string',
        format: 'date-time',
        description: 'Nothing is sent from then on; what was sent goes on, what waits fails as `too-late`.',
      },
      persistent: {
        type: 'boolean',
        description:
          'CPEs that are away are upgraded when they come; else what was not sent within an hour fails as `not-reached`.',
      },
      limits: {
        type: 'object',
        description: 'As those of a rule; of one of condition for all of its CPEs together.',
      },
      priority: { type: 'integer', description: 'As that of a rule.' },
      wakePerSecond: {
        type: 'number',
        description: 'How many waiting CPEs a second are called by connection request; 0: none is.',
      },
      options: { type: 'object', description: 'Whatever its maker wants to remember; nothing goes by it.' },
      state: { enum: BATCH_STATES, description: 'What it has come to as a whole.' },
      progress: {
        type: 'object',
        description: 'How many CPEs are in which state, counted in the commits that move them.',
        required: ['total', ...OPERATION_STATES],
        properties: {
          total: COUNT,
          ...Object.fromEntries(OPERATION_STATES.map((state) => [state, COUNT])),
        },
      },
      reasons: {
        type: 'array',
        description:
          'Of one batch: why CPEs were not upgraded, the most frequent first, with up to three CPEs each.',
        items: {
          type: 'object',
          required: ['reason', 'count', 'words', 'examples'],
          properties: {
            reason: TEXT,
            count: COUNT,
            words: { type: 'string', description: 'The same for people.' },
            examples: { type: 'array', items: TEXT },
          },
        },
      },
      through: {
        enum: BATCH_THROUGHS,
        description: 'Through which API it was made; left out of one that an earlier version made.',
      },
      note: { type: 'string', description: 'What whoever made it said of it.' },
      by: { type: 'string', description: 'Who made it.' },
      created: TIME,
      modified: { type: 'integer', description: 'When its state as a whole last changed.' },
      ends: { type: 'integer', description: 'When what waits is given up, where it is not persistent.' },
      organization: {
        type: 'string',
        description:
          'The slug of the organization that it belongs to, where it does; told to users of the installation.',
      },
    },
  },
  BatchOperation: {
    type: 'object',
    required: ['id', 'cpeid', 'image', 'state', 'attempts', 'log', 'created', 'modified'],
    properties: {
      id: TEXT,
      cpeid: TEXT,
      image: { type: ['string', 'null'], description: 'What is to be sent; null once that image is gone.' },
      state: {
        enum: OPERATION_STATES,
        description:
          'pending: nothing was sent yet; running; verified: the CPE reports the version; skipped: nothing will be sent, and reason says why.',
      },
      reason: { type: 'string', description: 'Of an end that is no success.' },
      detail: { type: 'string', description: 'The same for people, with what the CPE said.' },
      result: {
        type: 'string',
        description: 'The id of the upgrade that runs, or ran last, in FirmwareResultStorage.',
      },
      attempts: { type: 'integer', description: 'How often it was begun.' },
      log: {
        type: 'array',
        description: 'What has happened, oldest first; the last 50.',
        items: { type: 'object', required: ['time', 'text'], properties: { time: TIME, text: TEXT } },
      },
      cancelAsked: {
        type: 'integer',
        description: 'When somebody wanted it ended although it ran: the CPE is asked in its next session.',
      },
      created: TIME,
      modified: TIME,
      organization: {
        type: 'string',
        description: 'The slug of the organization of its CPE, where it is told.',
      },
    },
  },
} as const;
