import type { CpeId } from '../../../common/index.js';
import type { Counted, DecisionInput, Limits, RuleEngine, UpgradeEnd } from '../../../rules/index.js';
import type { Change, Collection, Document, Store } from '../../../store/index.js';
import { inputOf } from '../setup.js';

const ROUNDS_MAX = 200;

/** What is truly so, kept in one document that every reservation and every end writes: hot, but plain. */
export interface Truth extends Document {
  readonly started?: number;
  readonly running?: number;
  readonly failed?: number;
}

export interface Running extends Counted, Document {}

/** Reserves and ends as sessions do, and in the same commits counts the truth, with the limits as its bounds. */
export class LimitsOracle {
  readonly #store: Store;
  readonly #truth: Collection<Truth>;
  readonly #running: Collection<Running>;

  constructor(store: Store) {
    this.#store = store;
    this.#truth = store.collection<Truth>({ name: 'truth', indexes: {} });
    this.#running = store.collection<Running>({ name: 'truly-running', indexes: {} });
  }

  /**
   * @returns what is under way from now on; null where the rules refuse it
   * @throws Error at the very moment that a reservation exceeds a limit
   */
  async reserve(
    rules: RuleEngine,
    cpeid: string,
    from: Partial<DecisionInput['context']> = {},
  ): Promise<Running | null> {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const decision = await rules.decide(inputOf({ ...from, cpeid: cpeid as CpeId }));
      if (decision.kind !== 'upgrade') return null;
      const { countKey, share, addressBucket, rule, conditions } = decision;
      const running: Running = {
        id: `${cpeid}-${Math.random()}`,
        countKey,
        share,
        ...(addressBucket !== undefined && { addressBucket }),
      };
      // The truth comes last: it refuses only what the rules have let pass.
      const outcome = await this.#store.commit([
        ...conditions,
        this.#running.inserting(running),
        this.#truth.counting(countKey, { started: 1, running: 1, failed: 0 }, boundsOf(rule.limits)),
      ]);
      if (outcome.committed) return running;
      if (outcome.refused.collection === 'truth') {
        const truth = (await this.truth(countKey)) as object;
        throw new Error(`${JSON.stringify(rule.limits)} exceeded: ${JSON.stringify(truth)}`);
      }
    }
    throw new Error(`not reserved in ${ROUNDS_MAX} rounds`);
  }

  /** @returns false where another ended it before */
  async end(rules: RuleEngine, running: Running, end: UpgradeEnd): Promise<boolean> {
    const changes: Change[] = [
      this.#running.deleting(running.id),
      ...rules.ended(running, end),
      this.#truth.counting(running.countKey, {
        running: -1,
        started: end === 'given-back' ? -1 : 0,
        failed: end === 'failed' || end === 'timed-out' ? 1 : 0,
      }),
    ];
    return (await this.#store.commit(changes)).committed;
  }

  async truth(countKey: string): Promise<Truth> {
    return (await this.#truth.get(countKey))?.document ?? { id: countKey };
  }

  /** Whether the limits allow one more. */
  async hasRoom(countKey: string, limits: Limits): Promise<boolean> {
    const { started = 0, running = 0, failed = 0 } = await this.truth(countKey);
    const within = (used: number, limit: number | undefined) => limit === undefined || used < limit;
    return (
      within(started, limits.total) &&
      within(running, limits.concurrent) &&
      within(failed, limits.stopAfterFailures)
    );
  }

  async underWay(): Promise<readonly Running[]> {
    return (await this.#running.find({ limit: 1_000 })).items.map(({ document }) => document);
  }

  /** How many documents the counts of all campaigns are in. */
  async documents(): Promise<number> {
    const campaigns = this.#store.collection({ name: 'campaigns', indexes: {} });
    const shares = this.#store.collection({ name: 'campaign-shares', indexes: {} });
    return (await campaigns.count()) + (await shares.count());
  }
}

function boundsOf({ total, concurrent, stopAfterFailures }: Limits = {}): Record<string, number> {
  return {
    ...(total !== undefined && { started: total }),
    ...(concurrent !== undefined && { running: concurrent }),
    ...(stopAfterFailures !== undefined && { failed: stopAfterFailures - 1 }),
  };
}
