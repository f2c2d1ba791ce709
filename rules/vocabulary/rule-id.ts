import type { CpeId, RuleId } from '../../common/index.js';
import { ID_BYTES_MAX } from '../../store/index.js';
import type { StoredRule } from './rule.js';

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

/**
 * The end of the pin of a rule that names its CPE by what can only be a serial number. Versions of Ferry that take none there look for pins
 * without it.
 */
const NAMED = '\u001d';
/** Every cpeid of an OUI, with or without a product class, is written so; hardly a serial number is. */
const CPEID = /^(?:[\w.]|~[0-9A-F]{2})+(?:-(?:[\w.]|~[0-9A-F]{2})+){1,2}$/;

/** Whether a text has the form of a cpeid: `OUI-SerialNumber` or `OUI-ProductClass-SerialNumber`. */
export function isLikeCpeId(text: string): text is CpeId {
  return CPEID.test(text);
}

/**
 * What a rule is found by that names its CPE by `name`, be that a cpeid or a serial number: what has the form of a cpeid is found as
 * rules always were, what has not under a pin of its own. So a CPE of another serial number than that costs no look-up.
 */
export function namePinIn(organization: string | undefined, name: string): string {
  return isLikeCpeId(name) ? pinIn(organization, name) : `${ruleIdIn(organization, name)}${NAMED}`;
}

/** Tells the rules of an organization (undefined: the installation) that name CPEs by serial numbers where those are listed who pin rules. */
export function namePinsOf(organization: string | undefined): string {
  return `${organization ?? ''}${NAMED}`;
}

/** As who pins rules a rule is listed: the installation's own that name a cpeid are always looked for. */
export function pinningBy({
  pin,
  owner,
  organization,
}: Pick<StoredRule, 'pin' | 'owner' | 'organization'>): readonly string[] {
  if (pin === undefined) return [];
  if (owner !== undefined) return [ownedPinsOf(organization)];
  if (pin.endsWith(NAMED)) return [namePinsOf(organization)];
  return organization === undefined ? [] : [organization];
}

/** The one CPE that a stored rule is for, as its condition names it: by its cpeid, or by its serial number; undefined: a fleet rule. */
export function pinOf({ pin }: { readonly pin?: string }): string | undefined {
  if (pin === undefined) return undefined;
  const name = writtenId(pin);
  return name.endsWith(OWNED) || name.endsWith(NAMED) ? name.slice(0, -1) : name;
}

/** Whether a rule is pinned to a CPE, if not by what tells it alone. */
export function isPinnedTo(
  rule: { readonly pin?: string },
  { cpeid, serialNumber }: { readonly cpeid: CpeId; readonly serialNumber: string },
): boolean {
  const name = pinOf(rule);
  return name !== undefined && (name === cpeid || name === serialNumber);
}
