import type { OrganizationId } from '../../common/index.js';
import { ORGANIZATIONS, type Organization } from '../../organizations/index.js';
import type { Document, Store } from '../../store/index.js';

/** Has organizations of these ids be there, so that things can be made for them. */
export async function haveOrganizations(store: Store, ...ids: readonly string[]): Promise<void> {
  const organizations = store.collection<Organization & Document>(ORGANIZATIONS);
  for (const [order, id] of ids.entries()) {
    await organizations.put({
      id: id as OrganizationId,
      name: id,
      slug: id.slice(0, 8),
      active: true,
      isDefault: false,
      order,
      rules: [],
      createdAtMs: 0,
    });
  }
}
