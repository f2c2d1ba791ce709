import type { BatchId, CpeId, OrganizationId } from '../../common/index.js';
import type { Condition, Limits } from '../../rules/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import type { OperationCounts } from '../operations/index.js';

/** What CPEs are to get: one image of the library, or of a build the image that is for them. */
export type BatchWhat = { readonly image: string } | { readonly build: string };

/** Who is to get it. */
export type BatchWhom =
  /** Those that were named when it was made: each has an operation. */
  | { readonly kind: 'list' }
  /** Every CPE that is known when it is made (and of its organization). */
  | { readonly kind: 'all' }
  /** Whoever meets a condition, whenever it comes: an operation is made when an upgrade begins. One fleet rule. */
  | { readonly kind: 'condition'; readonly condition: Condition }
  /** The devices of a build: those with a firmware of its category, and with `firmwareless` those without that fit one of its images. */
  | { readonly kind: 'build'; readonly firmwareless: boolean };

/**
 * What is stored of where it is, and by which it is found that something is left to do; {@link BatchState} is what that comes to.
 * `preparing`: its operations and rules are being written, and its gate is closed. `made`: its gate is open. `cancelled`: its gate is closed,
 * and what waits is being withdrawn. `ended`: nothing of it waits or runs, its gate is closed; trying again opens it. `removing`: nobody
 * sees it any more, what is left of it is being deleted.
 */
export type BatchPhase = 'preparing' | 'made' | 'cancelled' | 'ended' | 'removing';

/** Whether it is for whoever may come, and so has no end by itself. */
export function isForWhoeverComes({
  whom,
  isOfThoseTriedAgain,
}: Pick<Batch, 'whom' | 'isOfThoseTriedAgain'>): boolean {
  return whom.kind === 'condition' && isOfThoseTriedAgain !== true;
}

export type BatchState =
  | 'preparing'
  | 'scheduled'
  | 'idle'
  | 'in-progress'
  | 'success'
  | 'failed'
  | 'cancelled';
export const BATCH_STATES: readonly BatchState[] = [
  'preparing',
  'scheduled',
  'idle',
  'in-progress',
  'success',
  'failed',
  'cancelled',
];

export interface Batch extends Document {
  readonly id: BatchId;
  /** Whose it is; absent: the installation's, of CPEs of all organizations. */
  readonly organization?: OrganizationId;
  readonly name: string;
  readonly what: BatchWhat;
  readonly whom: BatchWhom;
  /** RFC 3339, as it was said. */
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** CPEs that are away stay pending until they come; else what was not sent within an hour fails (`not-reached`). */
  readonly persistent: boolean;
  readonly limits?: Limits;
  readonly priority: number;
  /** How many waiting CPEs a second are called; 0: none is. */
  readonly wakePerSecond: number;
  /** Free words for whoever made it, such as `{ c: true }`; nothing goes by them. */
  readonly options: Readonly<Record<string, boolean>>;
  readonly phase: BatchPhase;
  /** Somebody has cancelled it, and nobody has tried it again since. */
  readonly isCancelled?: true;
  /**
   * Of one by condition: it was cancelled, or has ended, and so its fleet rule was taken back for good. Where it is tried again it is for
   * those alone that are.
   */
  readonly isOfThoseTriedAgain?: true;
  /** What ran when it was cancelled has been asked to be given up, wherever it could be. */
  readonly hasAskedRunning?: true;
  /** `createdAtMs` of those that lists of batches show; absent: it is a single CPE's, made by the API of devices. */
  readonly listedAtMs?: number;
  /** When what is not persistent is given up; absent: never. */
  readonly endsAtMs?: number;
  /** Absent: what an earlier version made. */
  readonly through?: BatchThrough;
  /** What whoever made it said of it. */
  readonly note?: string;
  readonly by: string;
  readonly createdAtMs: number;
  /** Moves with whatever becomes of it as a whole: made, cancelled, retried, ended. */
  readonly updatedAtMs: number;
}

export const BATCHES: CollectionDefinition = {
  name: 'batches',
  indexes: {
    list: ['listedAtMs'],
    owner: ['organization', 'createdAtMs'],
    organization: ['organization', 'listedAtMs'],
    build: ['what.build', 'listedAtMs'],
    phase: ['phase', 'updatedAtMs'],
  },
};

/** Through which API a batch was made; the command line makes them as `batches` does. */
export const BATCH_THROUGHS = [
  'batches',
  'firmware-upgrader',
  'system-update',
  'firmware-slots',
  'sc-cloud',
] as const;
export type BatchThrough = (typeof BATCH_THROUGHS)[number];

/** How far a batch has come. */
export interface Progress extends OperationCounts {
  readonly state: BatchState;
  /** Up to three CPEs for each reason. */
  readonly examples: Readonly<Record<string, readonly CpeId[]>>;
}
