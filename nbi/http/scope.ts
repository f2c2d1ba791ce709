import type { OrganizationId } from '../../common/index.js';
import { belongsTo, type Organization, type OrganizationsNow } from '../../organizations/index.js';
import type { Principal } from '../users/index.js';
import { ApiError, invalid, shortJson } from './api-error.js';

/** What a route is about, and so which users may call it. */
export type Concern =
  /** Things that belong to organizations: {@link Scope} says whose a request is about. */
  | 'organizations'
  /** The installation itself: users of an organization are refused. */
  | 'installation'
  /** Nothing that belongs to anybody, or what is the asking user's own. */
  | 'everyone';

/** Whose things a request is about. */
export interface Scope {
  /**
   * The organization whose things alone it sees, makes and changes; null: it sees everybody's, and makes and changes those that are the
   * installation's own.
   */
  readonly organization: Organization | null;
  /** The user is of no organization: he may be told whose each thing is. */
  readonly isInstallation: boolean;
  readonly organizations: OrganizationsNow;
}

/** By which a user of the installation says that he means the things of one organization. */
export const ORGANIZATION_PARAMETER = {
  name: 'organization',
  in: 'query',
  description:
    'The slug or id of an organization: only what belongs to it is seen, made and changed, as by its own users. Users of an organization can name no other.',
  schema: { type: 'string' },
} as const;

/** The organizations as they stood within the last second. */
export interface KnownOrganizations {
  current(): OrganizationsNow | Promise<OrganizationsNow>;
}

/**
 * Whose things a request is about. The parameter is taken out of the query.
 * @returns null where the route is not about things of organizations
 * @throws ApiError 403 for a user of an organization where the route is the installation's, or where his organization is not active; 404
 *   for an organization that there is not, or that is not his
 */
export async function scopeFor(
  concern: Concern,
  user: Principal | null,
  query: URLSearchParams,
  known: KnownOrganizations,
): Promise<Scope | null> {
  if (user === null) return null;
  const isInstallation = user.organization === undefined;
  if (isInstallation && concern !== 'organizations') return null;
  const organizations = await known.current();
  const own = activeOrganizationOf(user, organizations);
  if (concern === 'installation') throw installationOnly();
  if (concern === 'everyone') return null;
  const [named, ...others] = query.getAll(ORGANIZATION_PARAMETER.name);
  if (others.length > 0) throw invalid(ORGANIZATION_PARAMETER.name, 'one organization', others.length + 1);
  query.delete(ORGANIZATION_PARAMETER.name);
  if (named === undefined) return { organization: own, isInstallation, organizations };
  const organization = organizations.find(named);
  if (organization === null || (own !== null && organization !== own)) throw unknownOrganization(named);
  return { organization, isInstallation, organizations };
}

/**
 * The organization that a user is of; null: he is of none.
 * @throws ApiError 403 where it is not active
 */
export function activeOrganizationOf(
  { organization }: Pick<Principal, 'organization'>,
  organizations: OrganizationsNow,
): Organization | null {
  if (organization === undefined) return null;
  const own = organizations.get(organization);
  if (own?.active !== true) throw deactivated();
  return own;
}

/** Whose things this request is about. @throws Error on a route that has not declared to be about things of organizations */
export function scopeOf({ scope }: { readonly scope: Scope | null }): Scope {
  if (scope === null)
    throw new Error('This route is declared to be about nothing that belongs to organizations');
  return scope;
}

/** What is about everybody's things, as asked by somebody of the installation. */
export function everybodys(organizations: OrganizationsNow): Scope {
  return { organization: null, isInstallation: true, organizations };
}

/** Whether something is seen by whoever asks. @param kept  the id of its organization, as it is kept with it; undefined: the default's */
export function isWithin(
  { organization }: Pick<Scope, 'organization'>,
  kept: OrganizationId | undefined,
): boolean {
  return organization === null || belongsTo(organization, kept);
}

function deactivated(): ApiError {
  const expected = 'an organization that is active: yours is not; ask an admin of the installation';
  return new ApiError(403, [{ field: ORGANIZATION_PARAMETER.name, code: 'inactive', expected }]);
}

function installationOnly(): ApiError {
  const expected = 'a user of the installation: this is not about one organization';
  return new ApiError(403, [{ field: ORGANIZATION_PARAMETER.name, code: 'installation-only', expected }]);
}

/** The same for one that there is not and for another's. */
function unknownOrganization(named: string): ApiError {
  const expected = 'the slug or id of an organization that there is';
  return new ApiError(404, [{ field: ORGANIZATION_PARAMETER.name, expected, found: shortJson(named) }]);
}
