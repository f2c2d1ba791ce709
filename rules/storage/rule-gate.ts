import type { CollectionDefinition, Document } from '../../store/index.js';
import type { RuleOwner } from '../vocabulary/index.js';

/** Whether the rules of an owner may run. Without a gate they may not. */
export interface RuleGate extends Document {
  /** {@link gateIdOf} of the owner. */
  readonly id: string;
  /** `closed`: being prepared, withdrawn or cancelled. */
  readonly state: 'open' | 'closed';
}

export const RULE_GATES: CollectionDefinition = { name: 'rule-gates', indexes: {} };

export function gateIdOf({ kind, id }: RuleOwner): string {
  return `${kind}:${id}`;
}
