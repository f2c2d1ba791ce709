import type { CollectionDefinition, Document } from '../../store/index.js';
import type { BuildDocument } from './build.js';
import type { CategoryDocument } from './category.js';

/** What is taken, by whom: of two who want the same the store refuses one. */
export interface TakenName extends Document {
  /** The id of the category or build. */
  readonly of: string;
}

export const TAKEN_NAMES: CollectionDefinition = { name: 'image-build-names', indexes: {} };

// What stands before a name has no slash in it, and a name has at most 128 characters: so no two are alike, and all fit an id.

export function categoryNameKey(owner: string, name: string): string {
  return `name/${owner}/${name}`;
}

export function versionKey(category: string, version: string): string {
  return `version/${category}/${version}`;
}

export function osKey(owner: string, os: string): string {
  return `os/${owner}/${os}`;
}

/** The name that a category takes. */
export function nameOfCategory({ owner, name }: Pick<CategoryDocument, 'owner' | 'name'>): string {
  return categoryNameKey(owner, name);
}

/** The names that a build takes. */
export function namesOfBuild({ category, version, owner, os }: BuildDocument): readonly string[] {
  return [versionKey(category, version), ...(os === null || os === '' ? [] : [osKey(owner, os)])];
}
