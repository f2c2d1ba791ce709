import { gateIdOf, RULE_GATES, RULES, type RuleGate, type StoredRule } from '../../rules/index.js';
import type { Document } from '../../store/index.js';
import { BATCHES, type Batch, type BatchPhase } from '../batches/index.js';
import { OPERATIONS, type Operation } from '../operations/index.js';

/**
 * What batches, their gates, operations and rules say of each other in a backup that was taken beside a running server, which reads them in
 * this order: what is of a batch that was made after these were read is left out, and nothing begins that one of them says is closed.
 */
export class BatchRecount {
  readonly #phases = new Map<string, BatchPhase>();
  readonly #openGates = new Set<string>();

  /** To be told of every document of a backup. */
  note(collection: string, document: Document): void {
    if (collection === BATCHES.name) this.#phases.set(gateOf(document.id), (document as Batch).phase);
    if (collection === RULE_GATES.name && (document as RuleGate).state === 'open')
      this.#openGates.add(document.id);
  }

  /** Puts a document right, once all have been noted; null: it is of a batch that the backup does not have. */
  corrected(collection: string, document: Document): Document | null {
    switch (collection) {
      case BATCHES.name:
        return this.#batch(document as Batch);
      case RULE_GATES.name:
        return this.#gate(document as RuleGate);
      case OPERATIONS.name:
        return this.#phases.has(gateOf((document as Operation).batch)) ? document : null;
      case RULES.name:
        return this.#rule(document as StoredRule);
      default:
        return document;
    }
  }

  /** One whose gate was closed meanwhile was cancelled, or has ended: what waits is withdrawn, if anything does. */
  #batch(batch: Batch): Batch {
    const isClosed = batch.phase === 'made' && !this.#openGates.has(gateOf(batch.id));
    return isClosed ? { ...batch, phase: 'cancelled' } : batch;
  }

  #gate(gate: RuleGate): RuleGate | null {
    const phase = this.#phases.get(gate.id);
    if (phase === undefined) return null;
    return phase === 'made' ? gate : { ...gate, state: 'closed' };
  }

  #rule(rule: StoredRule): StoredRule | null {
    const { owner } = rule;
    return owner === undefined || this.#phases.has(gateIdOf(owner)) ? rule : null;
  }
}

function gateOf(batch: string): string {
  return gateIdOf({ kind: 'batch', id: batch });
}
