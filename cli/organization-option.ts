import type { Organization, OrganizationsNow } from '../organizations/index.js';
import { type Arguments, CommandError } from './command.js';
import { printable } from './io.js';

/** For commands that can be about the things of one organization alone. */
export const ORGANIZATION_OPTION = {
  type: 'string',
  requiresArg: true,
  describe: 'Only what belongs to this organization, by its slug or id',
} as const;

/**
 * The organization whose things alone a command is about; null: everybody's.
 * @throws CommandError where there is none that is called so
 */
export function organizationIn(args: Arguments, organizations: OrganizationsNow): Organization | null {
  if (args['organization'] === undefined) return null;
  const named = String(args['organization']);
  const found = organizations.find(named);
  if (found === null) throw new CommandError(printable(`There is no organization ${named}.`));
  return found;
}
