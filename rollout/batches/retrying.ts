import type { BatchId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { ImageLibrary } from '../../firmware/index.js';
import type { OwnedOutcome, OwnedRules, RuleGate, Rules } from '../../rules/index.js';
import { type Change, type Stored, untilCommitted } from '../../store/index.js';
import {
  failedFor,
  type Operation,
  type OperationLedger,
  type OperationState,
  waitingAgain,
} from '../operations/index.js';
import { buildOf } from './aims.js';
import type { Batch } from './batch.js';
import { MeantImages, pinnedRule, pinnedRuleId, sentOf, type UnmeantReason } from './batch-rules.js';
import { type BatchStore, type OperationPortions, ownedBy } from './batch-store.js';
import { BatchError, busy, notFound, type RetryFilter } from './batches.js';
import { endOfWaiting, whyOver } from './state.js';
import { type Portioning, stillIn } from './withdrawing.js';

const ENDED: readonly OperationState[] = ['failed', 'timed-out', 'cancelled'];

export interface RetryingParts {
  readonly kept: BatchStore;
  readonly ledger: Pick<OperationLedger, 'moving'>;
  readonly rules: Pick<Rules, 'scan'> & { readonly owned: Pick<OwnedRules, 'put' | 'again'> };
  readonly images: Pick<ImageLibrary, 'get' | 'builds'>;
}

interface Retry extends Portioning {
  readonly batch: Batch;
  readonly gate: Stored<RuleGate>;
  readonly filter: RetryFilter;
  readonly by: Actor;
}

/** Starts again what has ended without bringing its CPE the target. */
export class Retrying {
  readonly #parts: RetryingParts;
  readonly #images: MeantImages;

  constructor(parts: RetryingParts) {
    this.#parts = parts;
    this.#images = new MeantImages(parts.images);
  }

  /** @throws BatchError as `Batches.retry` */
  async check(id: BatchId): Promise<Stored<Batch>> {
    const stored = await this.#parts.kept.seen(id);
    if (stored === null) throw notFound();
    const { document } = stored;
    if (document.phase === 'preparing')
      throw new BatchError('state', null, 'one that is made: this one is being prepared');
    if (whyOver({ ...document, endsAtMs: Number.POSITIVE_INFINITY }, this.#parts.kept.clock()) !== null)
      throw new BatchError('state', 'notAfter', 'a batch whose time is not over: make a new one');
    return stored;
  }

  /**
   * Opens the batch and has its operations wait again, portion by portion; of a batch of which nothing waits that was cancelled.
   * @param was  the batch as it was read once it was held, and nothing was left to be withdrawn
   * @returns how many wait again
   * @throws BatchError `not-found`; `state` where somebody cancels it meanwhile
   */
  async run(was: Stored<Batch>, filter: RetryFilter, by: Actor, portioning: Portioning): Promise<number> {
    const { id } = was.document;
    if (!(await this.#hasAny(id, filter))) return 0;
    const opened = await this.#open(was, filter, by, portioning);
    const retry: Retry = { ...opened, filter, by, ...portioning };
    let count = 0;
    for await (const portion of this.#portions(id, filter)) {
      if (portioning.isOver()) throw new BatchError('state', null, 'a process that goes on: this one stops');
      count += await this.#startAgain(portion, retry);
    }
    return count;
  }

  /** What was cancelled since it was read stays cancelled, whenever that was answered. */
  async #open(
    { document, revision }: Stored<Batch>,
    { reason, operation }: RetryFilter,
    by: Actor,
    { hold }: Portioning,
  ) {
    const { kept } = this.#parts;
    const { id } = document;
    return untilCommitted(`The batch ${id}`, async () => {
      const gate = await kept.gate(id);
      const nowMs = kept.clock();
      const { isCancelled: _, hasAskedRunning: _asked, ...rest } = document;
      const batch: Batch = {
        ...rest,
        phase: 'made',
        ...(!document.persistent && { endsAtMs: endOfWaiting(document, nowMs) }),
        updatedAtMs: nowMs,
      };
      const { held } = hold;
      const replaced = kept.batches.replacing(batch, revision);
      const outcome = await kept.store.commit([
        held,
        replaced,
        kept.gateFrom(gate, id, 'open'),
        kept.noting('retried', document, {
          by,
          after: { ...(reason !== undefined && { reason }), ...(operation !== undefined && { operation }) },
        }),
      ]);
      if (!outcome.committed) {
        if (outcome.refused === replaced || (await hold.isLost(held, outcome.refused))) throw busy();
        return undefined;
      }
      const opened = await kept.gate(id);
      if (opened?.document.state !== 'open') throw busy();
      return { batch, gate: opened };
    });
  }

  async #hasAny(id: BatchId, filter: RetryFilter): Promise<boolean> {
    for await (const portion of this.#portions(id, filter))
      if ((await this.#retried(portion, filter)).length > 0) return true;
    return false;
  }

  async *#portions(batch: BatchId, { reason, operation }: RetryFilter) {
    const { kept } = this.#parts;
    if (operation !== undefined) {
      const stored = await kept.operation(operation);
      if (stored?.document.batch !== batch) throw notFound();
      yield [stored];
      return;
    }
    const which: readonly Omit<OperationPortions, 'batch'>[] =
      reason === undefined ? ENDED.map((state) => ({ state })) : [{ reason }];
    for (const each of which) yield* kept.portions({ batch, ...each });
  }

  /** @returns how many of a portion wait again */
  async #startAgain(portion: readonly Stored<Operation>[], retry: Retry): Promise<number> {
    const named = portion.flatMap(({ document: { image } }) => image ?? []);
    const whyNot = await this.#images.whyNot(named, retry.batch.organization);
    const reasonFor = ({ document: { image } }: Stored<Operation>) =>
      image === null ? undefined : whyNot.get(image.number);
    const sent = portion.filter((stored) => reasonFor(stored) === undefined);
    for (const reason of new Set(whyNot.values()))
      await this.#fail(
        portion.filter((stored) => reasonFor(stored) === reason),
        reason,
        retry,
      );
    // Those whose rules were taken back, as they were cancelled or the batch had ended, get them anew.
    return (await this.#group(sent, true, retry)) + (await this.#group(sent, false, retry));
  }

  async #fail(portion: readonly Stored<Operation>[], reason: UnmeantReason, retry: Retry): Promise<void> {
    const { kept, ledger } = this.#parts;
    const { batch, hold } = retry;
    await untilCommitted(`The batch ${batch.id}`, async () => {
      const ended = await this.#retried(portion, retry.filter);
      if (ended.length === 0) return true;
      const nowMs = kept.clock();
      const moves = ended.map((stored) => ({ stored, after: failedFor(stored.document, reason, nowMs) }));
      const { held } = hold;
      const outcome = await kept.store.commit([held, ...ledger.moving(moves)]);
      if (outcome.committed) return true;
      if (await hold.isLost(held, outcome.refused)) throw busy();
      return undefined;
    });
  }

  async #group(portion: readonly Stored<Operation>[], hasRule: boolean, retry: Retry): Promise<number> {
    const { batch, gate, hold } = retry;
    return untilCommitted(`The batch ${batch.id}`, async () => {
      const ended = await this.#retried(portion, retry.filter);
      const there = new Set<string>();
      const ids = ended.map(({ document }) => pinnedRuleId(batch, document.cpeid));
      for await (const { id } of this.#parts.rules.scan({ storedIds: ids })) there.add(id);
      const group = ended.filter(
        ({ document }) => there.has(pinnedRuleId(batch, document.cpeid)) === hasRule,
      );
      if (group.length === 0) return 0;
      const { held } = hold;
      const conditions = [this.#parts.kept.gateHeld(gate), held];
      const outcome = await this.#commit(group, hasRule, conditions, retry);
      if (outcome.committed) return group.length;
      const { refused } = outcome;
      if (refused !== null && this.#parts.kept.isOfGate(refused)) throw busy();
      if (await hold.isLost(held, refused)) throw busy();
      return undefined;
    });
  }

  /** Those of a portion that are tried again, as they are by now. */
  async #retried(
    portion: readonly Stored<Operation>[],
    { reason, operation }: RetryFilter,
  ): Promise<readonly Stored<Operation>[]> {
    const isNamed = reason !== undefined || operation !== undefined;
    const ended = await stillIn(this.#parts.kept, portion, isNamed ? [...ENDED, 'skipped'] : ENDED);
    // What was skipped from the first has never had a rule: there is nothing that it could be sent.
    return ended.filter(({ document: { ruleId, image } }) => ruleId !== undefined && image !== null);
  }

  async #commit(
    group: readonly Stored<Operation>[],
    hasRule: boolean,
    conditions: readonly Change[],
    { batch, by }: Retry,
  ): Promise<OwnedOutcome> {
    const {
      kept,
      ledger,
      rules: { owned },
      images,
    } = this.#parts;
    const nowMs = kept.clock();
    const moves = group.map((stored) => ({
      stored,
      after: {
        ...waitingAgain(stored.document, by.name, nowMs),
        ruleId: pinnedRuleId(batch, stored.document.cpeid),
      },
    }));
    const along = [...conditions, ...ledger.moving(moves)];
    if (hasRule)
      return owned.again(
        moves.map(({ after }) => after.ruleId),
        along,
      );
    const build = await buildOf({ images }, batch);
    const pinned = group.flatMap(({ document: { cpeid, image } }) =>
      image === null ? [] : [pinnedRule(batch, cpeid, sentOf(image.name, build))],
    );
    return owned.put(pinned, {
      ...ownedBy(batch),
      // One of the id may have run on its CPE before it was taken back.
      anew: true,
      along,
    });
  }
}
