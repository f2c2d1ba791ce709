import { UPGRADES, type Upgrade } from '../../acs/index.js';
import type { MonotonicClock, Turn } from '../../common/index.js';
import { type Collection, type Stored, untilCommitted } from '../../store/index.js';
import {
  broughtForward,
  failedFor,
  OPERATIONS,
  type Operation,
  type OperationLedger,
} from '../operations/index.js';
import { type BatchStore, PORTION } from './batch-store.js';
import { Passes } from './passes.js';
import { stillIn } from './withdrawing.js';

export interface LeftBehindParts {
  readonly kept: BatchStore;
  readonly ledger: Pick<OperationLedger, 'moving'>;
  readonly monotonic: MonotonicClock;
  readonly turn: Turn;
}

/**
 * Brings forward what runs by its record, and whose upgrade has ended or is gone. No node of this version leaves anything so; one of before
 * batches, which serves the same installation while it is updated, ends upgrades without a word to whoever owns their rules.
 */
export class LeftBehind {
  readonly #parts: LeftBehindParts;
  readonly #operations: Collection<Operation>;
  readonly #upgrades: Collection<Upgrade>;
  readonly #passes: Passes<readonly Stored<Operation>[]>;

  constructor(parts: LeftBehindParts) {
    this.#parts = parts;
    this.#passes = new Passes({
      monotonic: parts.monotonic,
      walk: () => this.#running(),
      look: (portion) => this.mend(portion),
    });
    this.#operations = parts.kept.store.collection<Operation>(OPERATIONS);
    this.#upgrades = parts.kept.store.collection<Upgrade>(UPGRADES);
  }

  /** Looks at the next portions of all that runs. */
  advance(): Promise<void> {
    return this.#passes.advance();
  }

  /** @param portion  as it was read at any time */
  async mend(portion: readonly Stored<Operation>[]): Promise<void> {
    const { kept, ledger } = this.#parts;
    if ((await this.#moves(portion)).length === 0) return;
    await untilCommitted('Operations that were left behind', async () => {
      const moves = await this.#moves(await stillIn(kept, portion, ['running']));
      return moves.length === 0 || (await kept.store.commit(ledger.moving(moves))).committed || undefined;
    });
  }

  /** What is to be of these: an upgrade that ends after they were read moves them itself, and these are refused. */
  async #moves(portion: readonly Stored<Operation>[]) {
    const ids = [...new Set(portion.flatMap(({ document: { resultId } }) => resultId ?? []))];
    const found = ids.length === 0 ? [] : await this.#upgrades.getMany(ids);
    const upgrades = new Map(
      found.flatMap((each) => (each === null ? [] : [[each.document.id, each.document]])),
    );
    return portion.flatMap((stored) => {
      const { document } = stored;
      const upgrade = document.resultId === undefined ? undefined : upgrades.get(document.resultId);
      const after =
        upgrade === undefined
          ? failedFor(document, 'device-gone', this.#parts.kept.clock())
          : broughtForward(document, upgrade, upgrade);
      return after === document ? [] : [{ stored, after }];
    });
  }

  async *#running(): AsyncGenerator<readonly Stored<Operation>[]> {
    let portion: Stored<Operation>[] = [];
    const running = { index: 'state', equals: ['running'] };
    for await (const stored of this.#operations.scan(running, this.#parts.turn)) {
      portion.push(stored);
      if (portion.length < PORTION) continue;
      yield portion;
      portion = [];
    }
    if (portion.length > 0) yield portion;
  }
}
