import { type Organization, OrganizationDirectory, type OrganizationsNow } from '../organizations/index.js';
import type { Store } from '../store/index.js';
import { type Arguments, CommandError } from './command.js';
import { printable } from './io.js';

/** For commands that can be about the things of one organization alone. */
export const ORGANIZATION_OPTION = organizationOption(
  'Only what belongs to this organization, by its slug or id',
);

/** `--organization SLUG`. */
export function organizationOption(describe: string) {
  return { type: 'string', requiresArg: true, describe } as const;
}

/** The organizations as they stand now, for a command that only looks them up. @throws StoreError */
export function organizationsIn(store: Store): Promise<OrganizationsNow> {
  return new OrganizationDirectory({ store }).latest();
}

/**
 * What `--organization` names; null where it is not there.
 * @throws CommandError where there is no such organization
 */
export function organizationNamed(args: Arguments, organizations: OrganizationsNow): Organization | null {
  if (args['organization'] === undefined) return null;
  const named = String(args['organization']);
  const found = organizations.find(named);
  if (found !== null) return found;
  throw new CommandError(printable(`There is no organization ${named}; ferry organization list shows them.`));
}

/** The same, of the organizations that are looked up where it is there. @throws CommandError, StoreError */
export async function organizationIn(args: Arguments, store: Store): Promise<Organization | null> {
  return args['organization'] === undefined ? null : organizationNamed(args, await organizationsIn(store));
}

/** Things with the slugs of the organizations that they belong to, in the place of the ids. */
export async function withSlugs<T extends { readonly organization?: string }>(
  things: readonly T[],
  store: Store,
): Promise<readonly T[]> {
  if (things.every(({ organization }) => organization === undefined)) return things;
  const organizations = await organizationsIn(store);
  return things.map((thing) =>
    thing.organization === undefined
      ? thing
      : { ...thing, organization: organizations.labelOf(thing.organization) },
  );
}
