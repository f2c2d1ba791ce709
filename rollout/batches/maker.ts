import type { Turn } from '../../common/index.js';
import type { Build } from '../../firmware/index.js';
import type { OwnedRules } from '../../rules/index.js';
import { type Change, type Stored, untilCommitted } from '../../store/index.js';
import {
  type OperationLedger,
  operationIdOf,
  pendingOperation,
  skippedOperation,
} from '../operations/index.js';
import type { Aim } from './aims.js';
import type { Batch } from './batch.js';
import { pinnedRule, pinnedRuleId, sentOf } from './batch-rules.js';
import { type BatchStore, ownedBy } from './batch-store.js';
import { BatchError } from './batches.js';
import type { Hold } from './hold.js';
import { endOfWaiting } from './state.js';

export interface MakerParts {
  readonly kept: BatchStore;
  readonly ledger: Pick<OperationLedger, 'adding'>;
  readonly rules: Pick<OwnedRules, 'put'>;
}

/** How the making of a batch ended: `left` where it is not this process's any more, cancelled, or stopped; others see to it. */
export type Making = 'made' | 'left';

export interface MakingOptions {
  readonly batch: Batch;
  readonly hold: Hold;
  /** What its rules have their target from, where it is a build. */
  readonly build: Build | null;
  /** Asked between portions: true ends it there. */
  readonly isOver: () => boolean;
  /** When each portion is written; at once without it. */
  readonly turn?: Turn;
  /** What goes along with its opening. */
  readonly along?: () => readonly Change[];
  /** What becomes of a portion of which something has moved that came along with it. */
  readonly onMoved: 'throw' | 'again';
}

/**
 * Writes the operations and rules of a batch in portions, each of them one commit, and opens its gate with the last. What is there already is
 * passed over. Memory holds one portion.
 */
export class Maker {
  readonly #parts: MakerParts;

  constructor(parts: MakerParts) {
    this.#parts = parts;
  }

  /**
   * @param portions  asked for anew where something has moved that came along with a CPE
   * @throws BatchError `moved`; whatever the portions throw; StoreError; OrganizationError
   */
  async make(portions: () => AsyncIterable<readonly Aim[]>, options: MakingOptions): Promise<Making> {
    for (;;) {
      let hasMoved = false;
      for await (const portion of portions()) {
        if (options.isOver()) return 'left';
        const write = () => this.#write(portion, options);
        const written = await (options.turn === undefined ? write() : options.turn(write));
        if (written === 'left') return 'left';
        if (written === 'moved' && options.onMoved === 'throw')
          throw new BatchError('moved', null, 'what it was made of has changed meanwhile: try again');
        hasMoved ||= written === 'moved';
      }
      if (options.isOver()) return 'left';
      if (!hasMoved) return this.#open(options);
    }
  }

  /** @returns `moved` where a change that came along with one of them was refused: then nothing of the portion was written */
  async #write(
    portion: readonly Aim[],
    { batch, hold, build }: MakingOptions,
  ): Promise<'written' | 'moved' | 'left'> {
    const { kept } = this.#parts;
    return untilCommitted(`The batch ${batch.id}`, async () => {
      const gate = await kept.gate(batch.id);
      if (gate === null || gate.document.state === 'open') return 'left';
      const now = await kept.batches.get(batch.id);
      if (now?.document.phase !== 'preparing') return 'left';
      const aims = await this.#notThere(batch, portion);
      if (aims.length === 0) return 'written';
      const { held } = hold;
      const brought = aims.flatMap(({ along }) => along);
      const outcome = await this.#commit(batch, build, aims, [kept.gateHeld(gate), held, ...brought]);
      if (outcome.committed) return 'written';
      const { refused } = outcome;
      if (refused !== null && brought.includes(refused)) return 'moved';
      // It was renewed meanwhile, or it is another's.
      return (await hold.isLost(held, refused)) ? 'left' : undefined;
    });
  }

  async #notThere(batch: Batch, portion: readonly Aim[]): Promise<readonly Aim[]> {
    const byId = new Map<string, Aim>();
    for (const aim of portion) {
      const id = operationIdOf(batch.id, aim.cpeid);
      if (!byId.has(id)) byId.set(id, aim);
    }
    const ids = [...byId.keys()];
    const stored = await this.#parts.kept.operationsWith(ids);
    return ids.flatMap((id, index) => (stored[index] == null ? (byId.get(id) ?? []) : []));
  }

  #commit(batch: Batch, build: Build | null, aims: readonly Aim[], conditions: readonly Change[]) {
    const { kept, ledger, rules } = this.#parts;
    const nowMs = kept.clock();
    const operations = aims.map((aim) => {
      const { cpeid, organization, image, skipped } = aim;
      const of = { batch: batch.id, cpeid, ...(organization !== undefined && { organization }), image };
      return skipped === undefined
        ? pendingOperation({ ...of, ruleId: pinnedRuleId(batch, cpeid) }, nowMs)
        : skippedOperation(of, skipped.reason, nowMs, skipped.detail);
    });
    const owned = aims.flatMap(({ cpeid, image, skipped }) =>
      skipped === undefined && image !== null ? [pinnedRule(batch, cpeid, sentOf(image.name, build))] : [],
    );
    const along = [...conditions, ...ledger.adding(operations)];
    if (owned.length === 0) return kept.store.commit(along);
    return rules.put(owned, { ...ownedBy(batch), along });
  }

  async #open({ batch: { id }, hold, along = () => [] }: MakingOptions): Promise<Making> {
    const { kept } = this.#parts;
    return untilCommitted(`The batch ${id}`, async () => {
      const [gate, batch] = await Promise.all([kept.gate(id), kept.batches.get(id)]);
      if (gate === null || batch?.document.phase !== 'preparing') return 'left';
      const { held } = hold;
      const outcome = await kept.store.commit([
        held,
        kept.gateMoved(gate, 'open'),
        kept.batches.replacing(asMade(batch, kept.clock()), batch.revision),
        ...along(),
      ]);
      if (outcome.committed) return 'made';
      return (await hold.isLost(held, outcome.refused)) ? 'left' : undefined;
    });
  }
}

function asMade({ document }: Stored<Batch>, nowMs: number): Batch {
  return {
    ...document,
    phase: 'made',
    ...(!document.persistent && { endsAtMs: endOfWaiting(document, nowMs) }),
    updatedAtMs: nowMs,
  };
}
