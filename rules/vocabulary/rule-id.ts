import type { CpeId, RuleId } from '../../common/index.js';
import { ID_BYTES_MAX } from '../../store/index.js';

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

/**
 * The same for a word that may be nobody's: somebody asks for it.
 * @returns null where no rule can have that id
 */
export function askedIdIn(organization: string | undefined, asked: string): RuleId | null {
  // As it is stored, another's would be named by it.
  if (asked.includes(SEPARATOR)) return null;
  const id = ruleIdIn(organization, asked);
  // What is the installation's and too long the store refuses, as it always has.
  return organization === undefined || isStorable(id) ? id : null;
}

/** Whether the store takes it: with the organization before it an id is longer than its author has made it. */
export function isStorable(id: RuleId): boolean {
  return Buffer.byteLength(id) <= ID_BYTES_MAX;
}

/** The most bytes of UTF-8 that the author of an organization's rule may call it by. */
export function writtenBytesMax(organization: string): number {
  return ID_BYTES_MAX - Buffer.byteLength(ruleIdIn(organization, ''));
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

/**
 * The end of the pin of a rule that has an owner. Versions of Ferry that know no owners look for pins without it, and so never run such a
 * rule without its gate. Like the separator it is no character of a cpeid.
 */
const OWNED = '\u001e';

/** The same as {@link pinIn} of a rule that has an owner. */
export function ownedPinIn(organization: string | undefined, cpeid: CpeId): string {
  return `${pinIn(organization, cpeid)}${OWNED}`;
}

/** Tells the rules pinned by owners within an organization (undefined: the installation) where those are listed who pin rules. */
export function ownedPinsOf(organization: string | undefined): string {
  return `${organization ?? ''}${OWNED}`;
}

/** The one CPE that a stored rule is for; undefined: a fleet rule. */
export function pinOf({ pin }: { readonly pin?: string }): CpeId | undefined {
  if (pin === undefined) return undefined;
  const cpeid = writtenId(pin);
  return (cpeid.endsWith(OWNED) ? cpeid.slice(0, -OWNED.length) : cpeid) as CpeId;
}
