import type { CpeId, RuleId } from '../../common/index.js';

/** No id that an author writes has it: ids are printable. */
const SEPARATOR = '\u001f';

/**
 * The id under which a rule is stored that its author calls `written`: of different organizations the same word is different rules. The
 * installation's own are stored as they are written.
 * @param organization  the id of an organization; undefined: the installation
 */
export function ruleIdIn(organization: string | undefined, written: string): RuleId {
  return (organization === undefined ? written : `${organization}${SEPARATOR}${written}`) as RuleId;
}

/** What the author of a rule calls it. */
export function writtenId(id: string): string {
  return id.slice(id.indexOf(SEPARATOR) + 1);
}

/** The organization whose rule has this id; undefined: the installation. */
export function organizationOf(id: string): string | undefined {
  const end = id.indexOf(SEPARATOR);
  return end === -1 ? undefined : id.slice(0, end);
}

/** What a rule of an organization that is pinned to a CPE is found by: such pins are in nobody else's way. */
export function pinIn(organization: string | undefined, cpeid: CpeId): string {
  return ruleIdIn(organization, cpeid);
}

/** The one CPE that a stored rule is for; undefined: a fleet rule. */
export function pinOf({ pin }: { readonly pin?: string }): CpeId | undefined {
  return pin === undefined ? undefined : (writtenId(pin) as CpeId);
}
