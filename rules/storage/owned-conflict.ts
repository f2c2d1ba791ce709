import { RuleConflictError, type StoredRule, writtenId } from '../vocabulary/index.js';

/**
 * Somebody else may not change a rule that has an owner.
 * @throws RuleConflictError `owned`
 */
export function refuseOwned({ id, owner }: StoredRule): void {
  if (owner === undefined) return;
  const name = `${owner.kind} ${owner.id}`;
  throw new RuleConflictError(
    id,
    'owned',
    `The rule ${JSON.stringify(writtenId(id))} belongs to the ${name}; change the ${owner.kind} (ferry ${owner.kind} show ${owner.id}), or switch "enabled", which alone can be changed here`,
  );
}
