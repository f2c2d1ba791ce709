import { type Organization, OrganizationDirectory, type OrganizationsNow } from '../organizations/index.js';
import type { Store } from '../store/index.js';
import { CommandError } from './command.js';
import { printable } from './io.js';

/** Of commands that do as the users of an organization do. */
export const ORGANIZATION_OPTION = {
  type: 'string',
  requiresArg: true,
  describe: 'The slug or id of an organization: as its users see and do it',
} as const;

/** The organizations as they stand now, for a command that only looks them up. @throws StoreError */
export function organizationsIn(store: Store): Promise<OrganizationsNow> {
  return new OrganizationDirectory({ store }).latest();
}

/**
 * What `--organization` names; null where it is not there.
 * @throws CommandError where there is no such organization
 */
export function organizationNamed(organizations: OrganizationsNow, slug: unknown): Organization | null {
  if (slug === undefined) return null;
  const found = organizations.find(String(slug));
  if (found !== null) return found;
  throw new CommandError(printable(`There is no organization ${slug}; ferry organization list shows them.`));
}
