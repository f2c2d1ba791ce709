import type { OrganizationId } from '../common/index.js';
import type { Change, Store } from '../store/index.js';
import { ORGANIZATIONS, type Organization, type OrganizationDocument } from './organization.js';
import { OrganizationError } from './organization-error.js';

/**
 * For a commit that makes something of an organization: refused unless that is there, and active, as it was. One that is to be removed is not
 * active while it is looked at what belongs to it.
 * @throws OrganizationError `not-found`, `not-active`
 */
export async function requiringOrganization(
  store: Store,
  id: OrganizationId,
): Promise<{ readonly organization: Organization; readonly isThere: Change }> {
  const organizations = store.collection<OrganizationDocument>(ORGANIZATIONS);
  const stored = await organizations.get(id);
  if (stored === null) throw notFound(id);
  const { document, revision } = stored;
  if (!document.active) {
    const expected = `one that is active; ferry organization activate ${document.slug} makes it so`;
    throw new OrganizationError('not-active', [{ field: 'organization', code: 'not-active', expected }]);
  }
  return { organization: document, isThere: organizations.requiring(id, revision) };
}

const NAME_SHOWN_CHARACTERS_MAX = 64;

export function notFound(slugOrId: string): OrganizationError {
  const shown = JSON.stringify(slugOrId.slice(0, NAME_SHOWN_CHARACTERS_MAX));
  const expected = `one that there is; ferry organization list shows them, and ${shown} is none`;
  return new OrganizationError('not-found', [{ field: 'organization', code: 'not-found', expected }]);
}
