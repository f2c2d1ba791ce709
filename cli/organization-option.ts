import { type Organization, OrganizationDirectory } from '../organizations/index.js';
import type { Store } from '../store/index.js';
import { type Arguments, CommandError } from './command.js';

/** `--organization SLUG`, for commands that are about everybody's things. */
export function organizationOption(describe: string) {
  return { type: 'string', requiresArg: true, describe } as const;
}

/**
 * The organization that `--organization` names; null: none is named.
 * @throws CommandError for one that there is not
 */
export async function organizationIn(args: Arguments, store: Store): Promise<Organization | null> {
  if (args['organization'] === undefined) return null;
  const named = String(args['organization']);
  const found = (await new OrganizationDirectory({ store }).latest()).find(named);
  if (found !== null) return found;
  throw new CommandError(
    `--organization: there is no organization ${JSON.stringify(named.slice(0, 64))}; ferry organization list shows them`,
    2,
  );
}

/** Things with the slugs of the organizations that they belong to, in the place of the ids. */
export async function withSlugs<T extends { readonly organization?: string }>(
  things: readonly T[],
  store: Store,
): Promise<readonly T[]> {
  if (things.every(({ organization }) => organization === undefined)) return things;
  const organizations = await new OrganizationDirectory({ store }).latest();
  return things.map((thing) => {
    const slug = organizations.get(thing.organization ?? '')?.slug;
    return slug === undefined ? thing : { ...thing, organization: slug };
  });
}
