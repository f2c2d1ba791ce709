import type { Device, OwnedUpgrades, UnfitDecision, Upgrade } from '../../acs/index.js';
import type { BatchId, Clock } from '../../common/index.js';
import type { ImageLibrary } from '../../firmware/index.js';
import type { RuleOwner, StoredRule, UpgradeEnd } from '../../rules/index.js';
import type { Change, Collection, Store, Stored } from '../../store/index.js';
import { CountTally, shareIdsOf } from './counting.js';
import { OPERATION_SHARES, OPERATIONS, type Operation, type OperationShare } from './operation.js';
import { imageMeant, whyNotMeant } from './operation-image.js';
import {
  afterEnd,
  begun,
  failedFor,
  foundAtTarget,
  mayBegin,
  operationIdOf,
  pendingOperation,
  skipped,
  skippedOperation,
} from './operation-life.js';

/** An operation as it was read, and as it is to be. */
export interface OperationMove {
  readonly stored: Stored<Operation>;
  readonly after: Operation;
}

export interface OperationLedgerParts {
  readonly store: Store;
  readonly clock: Clock;
  /** Where the image is found that an operation is of, where only the rule of its batch tells. */
  readonly images: Pick<ImageLibrary, 'get'>;
}

/**
 * Writes the operations of batches and what they are counted as: whatever moves one moves its counts in the same commit, so that the sum of a
 * batch's counts is the number of its operations at every moment, on any number of nodes. It commits nothing itself: it makes the changes
 * of whoever does.
 */
export class OperationLedger implements OwnedUpgrades {
  readonly #operations: Collection<Operation>;
  readonly #shares: Collection<OperationShare>;
  readonly #clock: Clock;
  readonly #images: OperationLedgerParts['images'];

  constructor({ store, clock, images }: OperationLedgerParts) {
    this.#operations = store.collection<Operation>(OPERATIONS);
    this.#shares = store.collection<OperationShare>(OPERATION_SHARES);
    this.#clock = clock;
    this.#images = images;
  }

  /** Stores operations that are not there yet: an insert of each, and a change of each share that counts them. */
  adding(operations: readonly Operation[]): readonly Change[] {
    const tally = new CountTally();
    for (const operation of operations) tally.add(operation);
    const inserts = operations.map((operation) => this.#operations.inserting(operation));
    return [...inserts, ...tally.changes(this.#shares)];
  }

  /** One operation as it is afterwards; refused where something has moved it since it was read. Nothing where it stays as it is. */
  moved(stored: Stored<Operation>, after: Operation): readonly Change[] {
    return this.moving([{ stored, after }]);
  }

  /** The same of many: no more changes of counts than there are shares. */
  moving(moves: readonly OperationMove[]): readonly Change[] {
    const tally = new CountTally();
    const real = moves.filter(({ stored, after }) => after !== stored.document);
    for (const { stored, after } of real) {
      tally.remove(stored.document);
      tally.add(after);
    }
    const replaced = real.map(({ stored, after }) => this.#operations.replacing(after, stored.revision));
    return [...replaced, ...tally.changes(this.#shares)];
  }

  /** Deletes operations as they were read, and what they are counted as. */
  removing(stored: readonly Stored<Operation>[]): readonly Change[] {
    const tally = new CountTally();
    for (const { document } of stored) tally.remove(document);
    const deletes = stored.map(({ document, revision }) => this.#operations.deleting(document.id, revision));
    return [...deletes, ...tally.changes(this.#shares)];
  }

  /** Deletes the counts of a batch that has no operations any more; refused where one is counted meanwhile. */
  async droppingCounts(batch: BatchId): Promise<readonly Change[]> {
    const found = await this.#shares.getMany(shareIdsOf(batch));
    return found
      .filter((stored) => stored !== null)
      .map(({ document, revision }) => this.#shares.deleting(document.id, revision));
  }

  async beginning(upgrade: Upgrade, rule: StoredRule, device: Device): Promise<readonly Change[] | null> {
    const batch = batchOf(rule.owner);
    if (batch === null) return [];
    const stored = await this.#operations.get(operationIdOf(batch, upgrade.cpeid));
    const isPinned = rule.pin !== undefined;
    if (stored !== null) {
      if (!mayBegin(stored.document, upgrade, isPinned)) return null;
      if ((await this.#whyNot(stored.document, rule)) !== null) return null;
      return this.moved(stored, begun(stored.document, upgrade));
    }
    if (isPinned) return null;
    const image = await imageMeant(this.#images, rule);
    const organization = device.organization?.id;
    const made = pendingOperation(
      {
        batch,
        cpeid: upgrade.cpeid,
        ...(organization !== undefined && { organization }),
        ruleId: rule.id,
        image,
      },
      upgrade.startedAtMs,
    );
    return this.adding([begun(made, upgrade)]);
  }

  async atTarget(upgrade: Upgrade, rule: StoredRule): Promise<readonly Change[] | null> {
    const waiting = await this.#waiting(rule, upgrade.cpeid);
    // Whose target that is is another image's.
    if (waiting === null || (await this.#whyNot(waiting.document, rule)) !== null) return null;
    return this.moved(waiting, foundAtTarget(waiting.document, upgrade));
  }

  async unfit(
    rule: StoredRule,
    device: Device,
    { verdict, detail }: Pick<UnfitDecision, 'verdict' | 'detail'>,
  ): Promise<readonly Change[] | null> {
    const nowMs = this.#clock();
    if (verdict === 'ambiguous-serial') return this.#ambiguous(rule, device, detail, nowMs);
    const waiting = await this.#waiting(rule, device.id);
    if (waiting === null) return null;
    if (verdict === 'image-missing')
      return this.moved(waiting, skipped(waiting.document, 'image-missing', nowMs, detail));
    // What does not fit is another image.
    const why = await this.#whyNot(waiting.document, rule);
    if (why !== null) return this.moved(waiting, skipped(waiting.document, why, nowMs));
    return this.moved(waiting, skipped(waiting.document, 'does-not-fit', nowMs, detail));
  }

  async misnamed(rule: StoredRule, device: Device): Promise<readonly Change[] | null> {
    const waiting = await this.#waiting(rule, device.id);
    const why = waiting === null ? null : await this.#whyNot(waiting.document, rule);
    if (waiting === null || why === null) return null;
    return this.moved(waiting, skipped(waiting.document, why, this.#clock()));
  }

  async ending(after: Upgrade, end: UpgradeEnd, previously?: UpgradeEnd): Promise<readonly Change[]> {
    const stored = await this.#ofUpgrade(after);
    return stored === null ? [] : this.moved(stored, afterEnd(stored.document, after, end, previously));
  }

  async lost(upgrade: Upgrade): Promise<readonly Change[]> {
    const stored = await this.#ofUpgrade(upgrade);
    if (stored === null) return [];
    const { state, resultId } = stored.document;
    if (state !== 'running' || resultId !== upgrade.id) return [];
    return this.moved(stored, failedFor(stored.document, 'device-gone', this.#clock()));
  }

  /** One that a condition would have begun with by now is there for the first time: as skipped, so that it is counted. */
  async #ambiguous(
    rule: StoredRule,
    device: Device,
    detail: string,
    nowMs: number,
  ): Promise<readonly Change[] | null> {
    const batch = batchOf(rule.owner);
    if (batch === null) return null;
    const stored = await this.#operations.get(operationIdOf(batch, device.id));
    if (stored !== null)
      return stored.document.state === 'pending'
        ? this.moved(stored, skipped(stored.document, 'ambiguous-serial', nowMs, detail))
        : null;
    const image = await imageMeant(this.#images, rule);
    const organization = device.organization?.id;
    const of = { batch, cpeid: device.id, ...(organization !== undefined && { organization }), image };
    return this.adding([skippedOperation(of, 'ambiguous-serial', nowMs, detail)]);
  }

  /** Why the rule would not send the image that an operation is of; null: it would, or which that is was never known. */
  async #whyNot({ image }: Operation, rule: StoredRule) {
    return image === null ? null : whyNotMeant(this.#images, image, rule);
  }

  async #ofUpgrade({ owner, cpeid }: Upgrade): Promise<Stored<Operation> | null> {
    const batch = batchOf(owner);
    return batch === null ? null : this.#operations.get(operationIdOf(batch, cpeid));
  }

  /** What a rule's batch has for a CPE, where that waits. */
  async #waiting(rule: StoredRule, cpeid: Upgrade['cpeid']): Promise<Stored<Operation> | null> {
    const batch = batchOf(rule.owner);
    const stored = batch === null ? null : await this.#operations.get(operationIdOf(batch, cpeid));
    return stored?.document.state === 'pending' ? stored : null;
  }
}

function batchOf(owner: RuleOwner | undefined): BatchId | null {
  return owner === undefined ? null : (owner.id as BatchId);
}
