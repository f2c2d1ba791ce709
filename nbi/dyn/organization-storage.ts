import { SECOND_MS } from '../../common/index.js';
import type { Organization, Organizations } from '../../organizations/index.js';
import type { JsonObject } from '../http/index.js';
import type { Fields } from './fields.js';
import type { Storage } from './storage.js';

export const ORGANIZATION_FIELDS = {
  id: 'string',
  name: 'string',
  slug: 'string',
  active: 'boolean',
  isDefault: 'boolean',
  order: 'number',
  rules: 'any',
  created: 'time',
} as const satisfies Fields;

/** An organization as the API shows it. Its time is in epoch seconds. */
export function organizationView(organization: Organization): JsonObject {
  const { id, name, slug, active, isDefault, order, rules, createdAtMs } = organization;
  const created = Math.floor(createdAtMs / SECOND_MS);
  return { id, name, slug, active, isDefault, order, rules, created } satisfies Record<
    keyof typeof ORGANIZATION_FIELDS,
    unknown
  >;
}

/** Wide enough for any order and any time, so that they compare as text does. */
const RANK_DIGITS = 16;

/**
 * The organizations, in the order in which their rules are looked at.
 * @param within  the id of the only one that there is for a request; null: there are all
 */
export function organizationStorage(
  organizations: Pick<Organizations, 'list'>,
  within: string | null,
): Storage {
  return {
    name: 'OrganizationStorage',
    fields: ORGANIZATION_FIELDS,
    idNames: ['id'],
    order: 'ascending',
    async *candidates(_selection, after, turn) {
      const every = await turn(() => organizations.list());
      const all = within === null ? every : every.filter(({ id }) => id === within);
      const from =
        after === null ? 0 : all.findIndex((each) => isBehind(each, String(after.value), after.id));
      for (const organization of from < 0 ? [] : all.slice(from)) {
        yield { id: organization.id, view: organizationView(organization), rank: rankOf(organization) };
      }
    },
    // There are few, and all of them are at hand.
    looksAtListed: () => true,
  };
}

function rankOf({ order, createdAtMs }: Organization): string {
  return [order, createdAtMs].map((number) => String(number).padStart(RANK_DIGITS, '0')).join(' ');
}

function isBehind(organization: Organization, rank: string, id: string): boolean {
  const own = rankOf(organization);
  return own > rank || (own === rank && organization.id > id);
}
