import { RuleConflictError, type StoredRule, writtenId } from '../vocabulary/index.js';

/** What somebody else is told who would change a rule that has an owner; null for any other rule. */
export function ownedConflict(rule: StoredRule): RuleConflictError | null {
  const { id, owner } = rule;
  if (owner === undefined) return null;
  const name = `${owner.kind} ${owner.id}`;
  return new RuleConflictError(
    id,
    'owned',
    `The rule ${JSON.stringify(writtenId(id))} belongs to the ${name}; change the ${owner.kind} (ferry ${owner.kind} show ${owner.id}), or switch "enabled", which alone can be changed here`,
  );
}

/** @throws RuleConflictError `owned` */
export function refuseOwned(rule: StoredRule): void {
  const conflict = ownedConflict(rule);
  if (conflict !== null) throw conflict;
}
