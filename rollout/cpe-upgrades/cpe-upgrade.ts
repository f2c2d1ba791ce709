import type { BatchId, CpeId, OperationId, ResultId, RuleId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { Change } from '../../store/index.js';
import type { Batch, BatchThrough } from '../batches/index.js';
import type { OperationImage } from '../operations/index.js';

/**
 * Where an upgrade of one CPE is, in the words of the engine; each API has words of its own for them (docs/api/README.md).
 * `waiting`: a rule exists by which the CPE would be upgraded, and nothing was sent. `sent`: a Download was sent, or accepted.
 * `not-heard-of`: it was not heard of again. `refused`: nothing was sent, and nothing will be: the image does not fit, or the CPE was busy.
 */
export type CpeUpgradeStage =
  | 'waiting'
  | 'sent'
  | 'transferred'
  | 'verified'
  | 'failed'
  | 'not-heard-of'
  | 'cancelled'
  | 'refused';

/** One upgrade of one CPE, whoever began it and by whichever API. */
export interface CpeUpgrade {
  readonly cpeid: CpeId;
  readonly stage: CpeUpgradeStage;
  /** What is sent; null where it is a URL elsewhere, or an image that is gone. */
  readonly image: OperationImage | null;
  /** As its rule names it; empty where its rule is gone and nothing was sent. */
  readonly file: string;
  readonly targetVersion: string | null;
  /** By which rule; null where it was skipped from the first. */
  readonly ruleId: RuleId | null;
  /** What of a batch it is; null where an author wrote its rule. */
  readonly batch: BatchId | null;
  readonly operation: OperationId | null;
  /** Through which API it was begun; null where an author wrote its rule. */
  readonly through: BatchThrough | null;
  /** Its result, once something was sent. */
  readonly resultId: ResultId | null;
  /** When that was begun which is told here: the operation made, or the Download sent. Epoch milliseconds. */
  readonly sinceMs: number;
  /** When it came to this stage. Epoch milliseconds. */
  readonly changedAtMs: number;
  /** Why it ended as it did; null where it has not ended, or was verified. `code` is the CPE's FaultCode (TR-069 A.5.1), where it told one. */
  readonly failure: { readonly code: number | null; readonly reason: string; readonly text: string } | null;
}

/** What there is of a CPE's upgrades now. */
export interface CpeUpgradesNow {
  /** The next one: nothing of it was sent. Null where none waits. */
  readonly waiting: CpeUpgrade | null;
  /** The one that runs; null where none does. */
  readonly running: CpeUpgrade | null;
  /** The one that ended last; null where there was none. */
  readonly ended: CpeUpgrade | null;
}

/** What of a CPE's upgrades somebody has begun and is not over. */
export type CpeUpgradesUnderWay = Pick<CpeUpgradesNow, 'running' | 'waiting'>;

/** An upgrade that was verified. */
export interface VerifiedUpgrade {
  /** Null where that is not known. */
  readonly version: string | null;
  /** What the CPE reported that verified it; null where that was not kept. */
  readonly reported: string | null;
  /** What the CPE ran before; null where that was not known. */
  readonly fromVersion: string | null;
  readonly atMs: number;
}

/** What an API asks for that upgrades single CPEs. */
export interface CpeUpgradeOrder {
  readonly cpeids: readonly CpeId[];
  /** The name of the image, as it is stored. */
  readonly image: string;
  /** Of one with `along`: the number of the image that this name has to mean; where it means another nothing begins (`no-image`). */
  readonly imageNumber?: number;
  readonly through: BatchThrough;
  /** What whoever asked said of it. */
  readonly note?: string;
  /** The id of the organization whose thing it becomes; absent: the installation's. */
  readonly organization?: string;
  /** Of one for a single CPE: goes into the commit by which its operation comes to be. Where it is refused nothing is left of the batch (`moved`). */
  readonly along?: (batch: BatchId) => readonly Change[];
  /**
   * Those of which something is under way as their operation comes to be are skipped (`already-under-way`), and so are others that are
   * not known or not enrolled any more. `moved` where another begins one of them between that look and the commit: try again.
   */
  readonly unlessUnderWay?: boolean;
}

/** The upgrades of single CPEs as all APIs see them: begun through any, by rules or batches. */
export interface CpeUpgrades {
  now(cpeid: CpeId): Promise<CpeUpgradesNow>;
  /** The one that runs, and the newest that a batch has waiting for it; what rules would send it some time is not looked for. */
  underWay(cpeid: CpeId): Promise<CpeUpgradesUnderWay>;
  /** Verified ones, newest first. @param limit  at most so many */
  verified(cpeid: CpeId, limit: number): Promise<readonly VerifiedUpgrade[]>;
  /** What the CPE reported when an upgrade to an image was verified last, by the number of the image; of those that it has run, as far back as is looked. */
  reported(cpeid: CpeId, images: ReadonlySet<number>): Promise<ReadonlyMap<number, string>>;
  /**
   * Makes a batch of these CPEs that lists of batches do not show, and calls them. Durable when it resolves.
   * @throws BatchError
   */
  start(order: CpeUpgradeOrder, by: Actor): Promise<Batch>;
  /**
   * Withdraws what this API began and has not been sent.
   * @returns whether it was withdrawn: false where it has been sent, or has ended
   */
  withdraw(upgrade: Pick<CpeUpgrade, 'batch' | 'operation' | 'through'>, by: Actor): Promise<boolean>;
}
