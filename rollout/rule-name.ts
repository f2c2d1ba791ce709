import type { RuleId } from '../common/index.js';
import type { Organization, OrganizationsNow } from '../organizations/index.js';
import {
  askedIdIn,
  type DecisionInput,
  organizationOf,
  type Rules,
  UnknownRuleError,
  writtenId,
} from '../rules/index.js';

/** What a rule is called before whoever may see those of several owners. */
export interface RuleName {
  /** As its author has written it. */
  readonly id: string;
  /** Before the installation: the slug of the organization whose rule it is; absent: its own. */
  readonly organization?: string;
  /** Before an organization: it is not its own. */
  readonly of?: 'installation';
}

/**
 * @param id  as the rule is stored
 * @param asking  who asks; null: the installation
 */
export function ruleNameOf(
  id: string,
  asking: Organization | null,
  organizations: OrganizationsNow,
): RuleName {
  const owner = organizationOf(id);
  const written = { id: writtenId(id) };
  if (asking !== null) return owner === asking.id ? written : { ...written, of: 'installation' };
  if (owner === undefined) return written;
  return { ...written, organization: organizations.labelOf(owner) };
}

/**
 * Under which id a rule is stored that is asked for.
 * @param asking  whose rule is meant; null: the installation's
 * @throws UnknownRuleError where no rule can be called so
 */
export function ruleAskedFor(asking: Pick<Organization, 'id'> | null, asked: string): RuleId {
  const id = askedIdIn(asking?.id, asked);
  if (id === null) throw new UnknownRuleError([asked as RuleId]);
  return id;
}

/**
 * The same of several, for a CPE: the installation may mean rules of its own, and those of the organization to which the CPE belongs.
 * @throws UnknownRuleError
 */
export async function rulesAskedFor(
  rules: Pick<Rules, 'get'>,
  asking: Organization | null,
  asked: readonly string[],
  { organization }: Pick<DecisionInput, 'organization'>,
): Promise<readonly RuleId[]> {
  const ids: RuleId[] = [];
  for (const each of asked) {
    const id = ruleAskedFor(asking, each);
    const its = asking !== null || organization === undefined ? null : askedIdIn(organization, each);
    const isIts = its !== null && (await rules.get(its)) !== null;
    if (isIts) ids.push(its);
    // Where there is neither, whoever looks for it finds that out.
    if (!isIts || (await rules.get(id)) !== null) ids.push(id);
  }
  return ids;
}
