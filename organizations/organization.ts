import type { OrganizationId } from '../common/index.js';
import type { CollectionDefinition, Document } from '../store/index.js';

/** By which CPEs belong to an organization; of all rules of all organizations the first that holds decides. */
export type MembershipRule =
  /** The Inform comes from there; an address or CIDR notation. */
  | { readonly subnet: string }
  /** The CPE has logged in as that; with `*` at its end as anything that begins so. */
  | { readonly username: string }
  /** A condition as rules of FirmwareStorage have them, in either form; it does not read `organization`. */
  | { readonly condition: string | Readonly<Record<string, unknown>> };

/** Whose CPEs are whose, among several who share one Ferry. */
export interface Organization {
  readonly id: OrganizationId;
  /** For people. */
  readonly name: string;
  /** For conditions, filters and commands; no two have the same. */
  readonly slug: string;
  /** While it is not its rules do not hold; CPEs that were put there by hand stay. */
  readonly active: boolean;
  /** CPEs belong to it that belong to no other; there is one. */
  readonly isDefault: boolean;
  /** Rules of the smallest are looked at first; of the same those of the oldest. */
  readonly order: number;
  readonly rules: readonly MembershipRule[];
  readonly createdAtMs: number;
}

/** What its author says of it. */
export type OrganizationFields = Pick<Organization, 'name' | 'slug' | 'active' | 'order' | 'rules'>;

export interface OrganizationDocument extends Organization, Document {
  readonly id: OrganizationId;
}

export const ORGANIZATIONS: CollectionDefinition = { name: 'organizations', indexes: {} };

/** Whose a slug is, by the slug: of two who want the same the store refuses one. */
export interface SlugDocument extends Document {
  readonly organization: OrganizationId;
}

export const ORGANIZATION_SLUGS: CollectionDefinition = { name: 'organization-slugs', indexes: {} };

/** Beside the slugs, as `@ending`: that names of users have come to end so while it was nobody's slug. */
export interface EndingDocument extends Document {
  readonly names: number;
}

export const STATE_ID = 'organizations';

/** One document that every change counts in, so that all processes see that there was one, and bounds hold whoever races. */
export interface StateDocument extends Document {
  readonly generation: number;
  readonly defaultId: OrganizationId;
  /** Of all together. */
  readonly organizations: number;
  readonly rules: number;
  readonly rulesBytes: number;
}

export const ORGANIZATION_STATE: CollectionDefinition = { name: 'organization-state', indexes: {} };

/** In the order in which a backup reads them: what counts comes last. */
export const ORGANIZATION_COLLECTIONS: readonly CollectionDefinition[] = [
  ORGANIZATIONS,
  ORGANIZATION_SLUGS,
  ORGANIZATION_STATE,
];

export const DEFAULT_SLUG = 'default';
export const DEFAULT_ORDER = 100;

/** More than share one installation; all of them are in the memory of every process. */
export const ORGANIZATIONS_MAX = 1_000;
export const RULES_EACH_MAX = 100;
/** Of all organizations: those that no index passes over are evaluated for every CPE that has changed. */
export const RULES_IN_ALL_MAX = 1_000;
/** As JSON, of all organizations: all are in the memory of every process. */
export const RULES_BYTES_MAX = 8 * 1_024 * 1_024;
