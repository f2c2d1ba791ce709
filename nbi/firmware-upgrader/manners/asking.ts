import type { Actor } from '../../../events/index.js';
import type { Organization } from '../../../organizations/index.js';
import { actorOf, type Exchange, scopeOf } from '../../http/index.js';
import { mayActAs } from '../../users/index.js';
import { noPermission } from './upgrader-error.js';

/** Who asks, and what he sees. */
export interface Asking {
  readonly by: Actor;
  /** The id of the organization whose things he sees beside the shared ones, and changes; null: he sees and changes everybody's. */
  readonly within: string | null;
  /** Those of the installation, who may make shared objects, and change them. */
  readonly isSuperuser: boolean;
  /** He may add, change, delete and download. */
  readonly mayWrite: boolean;
  /** Whose things alone he wants: `?organization=`; undefined: he does not say; null: there is no such organization that he may know of. */
  readonly wanted: Organization | null | undefined;
  /** The name of an organization; null for what is shared. */
  nameOf(organization: string | undefined): string | null;
  /** The organization of a slug, where whoever asks may know of it. */
  organizationNamed(slug: string): Organization | null;
  /** The organization of an id, where whoever asks may make things for it. */
  organizationOf(id: string): Organization | null;
}

/** Who sends a request. @throws Error on a route that is not about things of organizations */
export function askingOf(exchange: Exchange): Asking {
  const { organization, isInstallation, organizations } = scopeOf(exchange);
  const { user } = exchange;
  const mayKnow = (found: Organization | null) =>
    found !== null && (organization === null || found.id === organization.id) ? found : null;
  const slug = lastOf(exchange.request.originalUrl, 'organization');
  return {
    by: actorOf(exchange),
    within: organization?.id ?? null,
    isSuperuser: isInstallation,
    mayWrite: user !== null && mayActAs(user.role, 'operator'),
    wanted: slug === '' ? undefined : mayKnow(organizations.named(slug)),
    nameOf: (id) => (id === undefined ? null : (organizations.get(id)?.name ?? id)),
    organizationNamed: (named) => mayKnow(organizations.named(named)),
    organizationOf: (id) => mayKnow(organizations.get(id)),
  };
}

/** Who asks, of what `?organization=` narrows nothing. */
export function unnarrowed(asking: Asking): Asking {
  return { ...asking, wanted: undefined };
}

/** The last value of a parameter of the query; empty where there is none. */
export function lastOf(url: string, name: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : (new URLSearchParams(url.slice(start + 1)).getAll(name).at(-1) ?? '');
}

/** Whose of some objects are to be read; null: there is nothing to read. */
export interface OwnedBy {
  readonly within: string | null;
  /** Of `within` alone, and not the shared ones. */
  readonly isOwnOnly: boolean;
}

/** Whose objects whoever asks wants of those that he sees. */
export function ownersOf({ within, wanted }: Asking): OwnedBy | null {
  if (wanted === null) return null;
  return wanted === undefined ? { within, isOwnOnly: false } : { within: wanted.id, isOwnOnly: true };
}

/** Whether whoever asks sees something, and wants what belongs to whom it belongs. @param organization  undefined: it is shared */
export function isShown({ within, wanted }: Asking, organization: string | undefined): boolean {
  if (wanted !== undefined && organization !== wanted?.id) return false;
  return within === null || organization === undefined || organization === within;
}

/** Lets whoever asks change something that he sees. @throws UpgraderError 403 for what is shared, but to those of the installation */
export function requireOwn({ isSuperuser }: Asking, organization: string | undefined): void {
  if (organization === undefined && !isSuperuser) throw noPermission();
}
