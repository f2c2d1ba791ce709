import { SECOND_MS } from '../../common/index.js';
import { type Builds, type Category, SHARED } from '../../firmware/index.js';
import { type JsonObject, ownerShown, type Scope } from '../http/index.js';
import type { Position } from './entry.js';
import type { Fields } from './fields.js';
import { listedIds, type Storage } from './storage.js';

export const CATEGORY_FIELDS = {
  id: 'string',
  name: 'string',
  description: 'string',
  productFamily: 'any',
  productFamilyNumber: 'number',
  productModel: 'any',
  productModelNumber: 'number',
  builds: 'number',
  organization: 'string',
  shared: 'boolean',
  created: 'time',
  modified: 'time',
} as const satisfies Fields;

/** A category as the API shows it. Times are in epoch seconds. */
export function categoryView(category: Category, scope: Scope): JsonObject {
  const { id, name, description, builds, createdAtMs, modifiedAtMs } = category;
  return {
    id,
    name,
    description,
    productFamily: category.productFamily,
    productFamilyNumber: category.productFamilyNumber,
    productModel: category.productModel,
    productModelNumber: category.productModelNumber,
    builds,
    created: Math.floor(createdAtMs / SECOND_MS),
    modified: Math.floor(modifiedAtMs / SECOND_MS),
    ...sharedShown(category, scope),
    ...ownerShown(scope, category),
  };
}

/** That something is the installation's, for whoever sees an organization's things among it. */
export function sharedShown(
  { organization }: { readonly organization?: string },
  scope: Scope,
): { readonly shared?: true } {
  return organization === undefined && scope.organization !== null ? { shared: true } : {};
}

/** Whose things a request makes and changes: those of the organization that it is about, else the installation's own. */
export function changedOwner({ organization }: Pick<Scope, 'organization'>): string {
  return organization?.id ?? SHARED;
}

/** Where something stands among what is listed by owner. */
export function ownedRank(organization: string | undefined, rank: string): string {
  return `${organization ?? SHARED}/${rank}`;
}

/** The owner of a position of {@link ownedRank}, and its rank among that owner's. */
export function ownedPosition({ value, id }: Position): {
  readonly id: string;
  readonly owner: string;
  readonly rank: string;
} {
  const [owner = SHARED, ...rank] = String(value).split('/');
  return { id, owner, rank: rank.join('/') };
}

/** The builds' room is asked for when a request comes: until then there is none. */
export type OfBuilds = { readonly images: { readonly builds: Builds } };

/**
 * The categories that a request sees, or may change: the shared ones first, each owner's by name.
 * @param isOwnOnly  those that it may change
 */
export function categoryStorage({ images }: OfBuilds, scope: Scope, isOwnOnly = false): Storage {
  const within = isOwnOnly ? changedOwner(scope) : (scope.organization?.id ?? null);
  return {
    name: 'CategoryStorage',
    fields: CATEGORY_FIELDS,
    idNames: ['id'],
    order: 'ascending',
    async *candidates(selection, position, turn) {
      const ids = listedIds(selection);
      const at = position === null ? null : ownedPosition(position);
      const after = at === null ? {} : { after: { id: at.id, owner: at.owner, name: at.rank } };
      const filter = { within, isOwnOnly, ...(ids !== null && { ids }), ...after };
      for await (const category of images.builds.categories.scan(filter, turn)) {
        const rank = ownedRank(category.organization, category.name);
        yield { id: category.id, view: categoryView(category, scope), rank };
      }
    },
  };
}
