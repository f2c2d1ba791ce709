import type { Clock } from '../../common/index.js';
import type { Collection, CollectionDefinition, Store } from '../../store/index.js';
import { BUILDS } from './build.js';
import { Builds } from './builds.js';
import { CATEGORIES, type CategoryDocument } from './category.js';
import { NUMBERS } from './numbers.js';
import { BuildParts } from './parts.js';
import { TAKEN_NAMES } from './taken-names.js';

export {
  BUILD_IMAGES_MAX,
  type Build,
  type BuildDocument,
  type BuildImage,
  type BuildPlace,
  productOf,
  targetVersionOf,
} from './build.js';
export { BuildError, type BuildErrorCode, noBuild } from './build-error.js';
export { type BuildFilter, Builds, builtAt } from './builds.js';
export { CATEGORIES, type Category, type CategoryDocument, type Product, SHARED } from './category.js';
export { Numbers, type ProductKind } from './numbers.js';
export { BuildPlaces, type SaidPlaces } from './places.js';
export { BuildRecount } from './recount.js';
export { TAKEN_NAMES, type TakenName } from './taken-names.js';

/** What categories, builds and numbers are kept in. */
export const BUILD_COLLECTIONS: readonly CollectionDefinition[] = [CATEGORIES, BUILDS, TAKEN_NAMES, NUMBERS];

/** The builds of an installation. */
export function openBuilds(parts: { readonly store: Store; readonly clock: Clock }): Builds {
  return new Builds(new BuildParts(parts));
}

/** Whether an organization has a category; whatever has builds has one. */
export async function hasCategories(
  categories: Pick<Collection<CategoryDocument>, 'find'>,
  organization: string,
): Promise<boolean> {
  const { items } = await categories.find({ index: 'list', equals: [organization], limit: 1 });
  return items.length > 0;
}
