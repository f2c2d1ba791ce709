import type { Change } from '../../store/index.js';
import { gateIdOf, type Tables } from '../storage/index.js';
import type { StoredRule } from '../vocabulary/index.js';
import type { Refusal } from './gates.js';

/**
 * The gate of a rule that has an owner: it runs only while its owner says so, in one document for all rules of that owner, so that these
 * begin and end at once on every node.
 * @returns what a commit on the strength of the rule rests on
 */
export async function ownerGate(
  { gates }: Tables,
  { owner }: Pick<StoredRule, 'owner'>,
): Promise<Refusal | { readonly unchanged: readonly Change[] }> {
  if (owner === undefined) return { unchanged: [] };
  const id = gateIdOf(owner);
  const gate = await gates.get(id);
  if (gate?.document.state === 'open') return { unchanged: [gates.requiring(id, gate.revision)] };
  return {
    verdict: 'held-by-owner',
    detail: `${owner.kind} ${owner.id} is being prepared, or was cancelled`,
  };
}
