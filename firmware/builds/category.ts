import type { CollectionDefinition, Document } from '../../store/index.js';

/** What devices a firmware is for, as their maker names them; each name has a number beside it (`numbers.ts`). */
export interface Product {
  readonly productFamily: string | null;
  readonly productFamilyNumber: number | null;
  readonly productModel: string | null;
  readonly productModelNumber: number | null;
}

/** Builds of one firmware that follow one another. */
export interface Category extends Product {
  readonly id: string;
  /** The id of the organization that it belongs to; absent: it is shared, the installation's. */
  readonly organization?: string;
  /** Of its own among those of its owner. */
  readonly name: string;
  readonly description: string;
  readonly createdAtMs: number;
  /** When something of it was said last. */
  readonly modifiedAtMs: number;
  /** How many builds it has. */
  readonly builds: number;
}

/** Whose something is, so that an index can tell: the id of an organization, or {@link SHARED}. */
export interface Owned extends Document {
  readonly owner: string;
}

/** The owner of what is the installation's; sorts before every organization. */
export const SHARED = '';

/** How many builds there are stands in it, so that whoever removes it and whoever adds one meet in one document. */
export type CategoryDocument = Omit<Category, 'organization'> & Owned;

export const CATEGORIES: CollectionDefinition = {
  name: 'image-categories',
  indexes: { list: ['owner', 'name'] },
};

/** The category that a document is. */
export function categoryOf({ owner, ...category }: CategoryDocument): Category {
  return { ...category, ...ofOwner(owner) };
}

/** The organization of an owner. */
export function ofOwner(owner: string): { readonly organization?: string } {
  return owner === SHARED ? {} : { organization: owner };
}
