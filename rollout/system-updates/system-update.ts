import type { BatchId, CpeId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import type { CpeUpgrade } from '../cpe-upgrades/index.js';
import type { OperationImage } from '../operations/index.js';

/** Where the software update of a CPE is. */
export type SystemUpdateState =
  /** Nothing is made ready, runs, or has failed and not been put away. */
  | 'idle'
  /** An image is being made ready. */
  | 'initializing'
  /** One is ready to be started. */
  | 'initialized'
  /** It was started, or another's was sent: the CPE has it, or will have it when it comes. */
  | 'running'
  /** It came to nothing, and the CPE runs what it ran before. */
  | 'failed'
  /** The CPE was not heard of again. */
  | 'lost';

/** The upgrade that had ended last when something was written: only another is newer. */
export interface SeenEnd {
  readonly key: string;
  readonly changedAtMs: number;
}

/** What is kept of any. */
interface Kept extends Document {
  readonly id: CpeId;
  /** `registeredMs` of the CPE: what is kept of one that was removed is not of one that comes anew. */
  readonly deviceSinceMs: number;
  /** The id of the organization of the CPE then, null of none: what is kept for one is nothing to another. */
  readonly organization: string | null;
  /** Null: none had ended. */
  readonly seen: SeenEnd | null;
  /** Who had it so. */
  readonly by: Actor;
  readonly atMs: number;
}

interface Chosen {
  readonly image: OperationImage;
  /** What the CPE is to report then; null where the image does not say. */
  readonly targetVersion: string | null;
}

/** How far it has come. */
export type SystemUpdatePhase =
  | ({ readonly phase: 'initializing' | 'initialized' } & Chosen)
  /** It could not be made ready. */
  | ({ readonly phase: 'not-initialized'; readonly problem: string } & Chosen)
  | ({ readonly phase: 'started'; readonly batch: BatchId } & Chosen)
  /** What there was has been put away. */
  | { readonly phase: 'reset' };

/** What is kept of the update of a CPE. */
export type SystemUpdateRecord = Kept & SystemUpdatePhase;

export const SYSTEM_UPDATES: CollectionDefinition = { name: 'system-updates', indexes: {} };

/** The update of a CPE as it stands. */
export interface SystemUpdateStanding {
  readonly state: SystemUpdateState;
  /** When it came to be so. Epoch milliseconds. */
  readonly sinceMs: number;
  /** What the CPE is, or was, to be updated to; null where nothing is, or that is not known. */
  readonly targetVersion: string | null;
  /** Why it failed, in words; null where it has not. */
  readonly problem: string | null;
  /** What runs, whoever began it; also what this API has started and is not sent yet. Null where nothing does. */
  readonly running: CpeUpgrade | null;
  /** It was started here, and nothing of it was sent yet. */
  readonly isWaiting: boolean;
}

/** A version that the CPE has run, and since when. */
export interface InstalledVersion {
  /** Null where nobody knows it. */
  readonly version: string | null;
  readonly atMs: number;
}

/** An update with the history of its CPE. */
export interface SystemUpdate extends SystemUpdateStanding {
  /** Oldest first: what the CPE came with, then what it was updated to. */
  readonly history: readonly InstalledVersion[];
}

export type SystemUpdateErrorCode =
  /** It would have to be idle, or initialized, for that. */
  | 'not-idle'
  | 'not-initialized'
  /** There is no image that the CPE could be updated to, or the one that was made ready is gone. */
  | 'no-image'
  /** The CPE may not be upgraded yet. */
  | 'not-enrolled'
  /** It is another's: see {@link SystemUpdateError.owner}. */
  | 'not-own'
  /** There is no such CPE any more. */
  | 'no-device';

/** Why something cannot be done with the update of a CPE; each API words it. */
export class SystemUpdateError extends Error {
  override readonly name = 'SystemUpdateError';
  constructor(
    readonly code: SystemUpdateErrorCode,
    /** As it stood then. */
    readonly state: SystemUpdateState,
    /** Whose upgrade is in the way; null: nobody's. */
    readonly owner: CpeUpgrade | null = null,
  ) {
    super(`The update is ${state}: ${code}`);
  }
}
