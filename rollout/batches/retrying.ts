import type { BatchId } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { ImageLibrary } from '../../firmware/index.js';
import type { OwnedOutcome, OwnedRules, RuleGate, Rules } from '../../rules/index.js';
import { type Change, type Stored, untilCommitted } from '../../store/index.js';
import {
  type Operation,
  type OperationLedger,
  type OperationState,
  waitingAgain,
} from '../operations/index.js';
import { buildOf } from './aims.js';
import type { Batch } from './batch.js';
import { pinnedRule, pinnedRuleId, sentOf } from './batch-rules.js';
import { type BatchStore, type OperationPortions, ownerOf } from './batch-store.js';
import { BatchError, type RetryFilter } from './batches.js';
import { notFound } from './cancelling.js';
import { endOfWaiting, whyOver } from './state.js';
import { type Portioning, stillIn } from './withdrawing.js';

const ENDED: readonly OperationState[] = ['failed', 'timed-out', 'cancelled'];

export interface RetryingParts {
  readonly kept: BatchStore;
  readonly ledger: Pick<OperationLedger, 'moving'>;
  readonly rules: Pick<OwnedRules, 'put' | 'again'> & Pick<Rules, 'scan'>;
  readonly images: Pick<ImageLibrary, 'builds'>;
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

  constructor(parts: RetryingParts) {
    this.#parts = parts;
  }

  /** @throws BatchError as `Batches.retry` */
  async check(id: BatchId): Promise<Batch> {
    const stored = await this.#parts.kept.seen(id);
    if (stored === null) throw notFound();
    const { document } = stored;
    if (document.phase === 'preparing')
      throw new BatchError('state', null, 'one that is made: this one is being prepared');
    if (whyOver({ ...document, endsAtMs: Number.POSITIVE_INFINITY }, this.#parts.kept.clock()) !== null)
      throw new BatchError('state', 'notAfter', 'a batch whose time is not over: make a new one');
    return document;
  }

  /**
   * Opens the batch and has its operations wait again, portion by portion; of a batch of which nothing waits that was cancelled.
   * @returns how many wait again
   * @throws BatchError `not-found`; `state` where somebody cancels it meanwhile
   */
  async run(id: BatchId, filter: RetryFilter, by: Actor, portioning: Portioning): Promise<number> {
    if (!(await this.#hasAny(id, filter))) return 0;
    const opened = await this.#open(id, filter, by, portioning);
    const retry: Retry = { ...opened, filter, by, ...portioning };
    let count = 0;
    for await (const portion of this.#portions(id, filter)) {
      if (portioning.isOver()) throw new BatchError('state', null, 'a process that goes on: this one stops');
      count += await this.#startAgain(portion, retry);
    }
    return count;
  }

  async #open(id: BatchId, { reason, operation }: RetryFilter, by: Actor, { hold }: Portioning) {
    const { kept } = this.#parts;
    return untilCommitted(`The batch ${id}`, async () => {
      const document = await this.check(id);
      const [stored, gate] = await Promise.all([kept.seen(id), kept.gate(id)]);
      if (stored?.document.updatedAtMs !== document.updatedAtMs || gate === null) return undefined;
      const nowMs = kept.clock();
      const { isCancelled: _, ...rest } = document;
      const batch: Batch = {
        ...rest,
        phase: 'made',
        ...(!document.persistent && { endsAtMs: endOfWaiting(document, nowMs) }),
        updatedAtMs: nowMs,
      };
      const { held } = hold;
      const outcome = await kept.store.commit([
        held,
        kept.batches.replacing(batch, stored.revision),
        kept.gateMoved(gate, 'open'),
        kept.noting('retried', document, {
          by,
          after: { ...(reason !== undefined && { reason }), ...(operation !== undefined && { operation }) },
        }),
      ]);
      if (!outcome.committed) {
        if (outcome.refused === held && hold.held === held) throw busy();
        return undefined;
      }
      const opened = await kept.gate(id);
      return opened?.document.state === 'open' ? { batch, gate: opened } : undefined;
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
    // Those that were cancelled before they began have no rule any more: they get it anew.
    return (await this.#group(portion, true, retry)) + (await this.#group(portion, false, retry));
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
      const conditions = [this.#parts.kept.gateHeld(gate), hold.held];
      const outcome = await this.#commit(group, hasRule, conditions, retry);
      if (outcome.committed) return group.length;
      const { refused } = outcome;
      if (refused !== null && this.#parts.kept.isOfGate(refused)) throw busy();
      if (refused !== null && refused === conditions[1] && hold.held === refused) throw busy();
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
    const { kept, ledger, rules, images } = this.#parts;
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
      return rules.again(
        moves.map(({ after }) => after.ruleId),
        along,
      );
    const build = await buildOf({ images }, batch);
    const owned = group.flatMap(({ document: { cpeid, image } }) =>
      image === null ? [] : [pinnedRule(batch, cpeid, sentOf(image.name, build))],
    );
    const { organization } = batch;
    return rules.put(owned, {
      owner: ownerOf(batch.id),
      author: batch.by,
      ...(organization !== undefined && { organization }),
      along,
    });
  }
}

export function busy(): BatchError {
  return new BatchError('state', null, 'a batch that nobody else changes: somebody does; try again');
}
