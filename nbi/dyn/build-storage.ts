import { SECOND_MS } from '../../common/index.js';
import { type Build, builtAt, targetVersionOf } from '../../firmware/index.js';
import { type JsonObject, ownerShown, type Scope } from '../http/index.js';
import { changedOwner, type OfBuilds, ownedPosition, ownedRank, sharedShown } from './category-storage.js';
import { type Fields, stringsOf } from './fields.js';
import { listedIds, type Storage } from './storage.js';

export const BUILD_FIELDS = {
  id: 'string',
  category: 'string',
  version: 'string',
  os: 'any',
  targetVersion: 'string',
  changelog: 'string',
  images: 'any',
  productFamily: 'any',
  productFamilyNumber: 'number',
  productModel: 'any',
  productModelNumber: 'number',
  organization: 'string',
  shared: 'boolean',
  created: 'time',
  modified: 'time',
} as const satisfies Fields;

/** A build as the API shows it. Times are in epoch seconds. */
export function buildView(build: Build, scope: Scope): JsonObject {
  const { id, category, version, os, changelog, images, createdAtMs, modifiedAtMs } = build;
  return {
    id,
    category,
    version,
    os,
    targetVersion: targetVersionOf(build),
    changelog,
    images: images.map(({ type, name }) => ({ type, name })),
    productFamily: build.productFamily,
    productFamilyNumber: build.productFamilyNumber,
    productModel: build.productModel,
    productModelNumber: build.productModelNumber,
    created: Math.floor(createdAtMs / SECOND_MS),
    modified: Math.floor(modifiedAtMs / SECOND_MS),
    ...sharedShown(build, scope),
    ...ownerShown(scope, build),
  };
}

/**
 * The builds that a request sees, or may change: the shared ones first, each owner's from the oldest.
 * @param isOwnOnly  those that it may change
 */
export function buildStorage({ images }: OfBuilds, scope: Scope, isOwnOnly = false): Storage {
  const within = isOwnOnly ? changedOwner(scope) : (scope.organization?.id ?? null);
  return {
    name: 'BuildStorage',
    fields: BUILD_FIELDS,
    idNames: ['id'],
    order: 'ascending',
    async *candidates(selection, position, turn) {
      const ids = listedIds(selection);
      const categories = stringsOf(selection.filters, 'category');
      const [category] = categories?.length === 1 ? categories : [];
      const at = position === null ? null : ownedPosition(position);
      const after =
        at === null ? {} : { after: { id: at.id, owner: at.owner, createdAtMs: Number(at.rank) } };
      const narrow = ids !== null ? { ids } : category !== undefined ? { category } : {};
      for await (const build of images.builds.scan({ within, isOwnOnly, ...narrow, ...after }, turn)) {
        const rank = ownedRank(build.organization, builtAt(build));
        yield { id: build.id, view: buildView(build, scope), rank };
      }
    },
  };
}
