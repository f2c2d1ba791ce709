import type { CollectionDefinition } from '../../store/index.js';
import { type Owned, ofOwner, type Product } from './category.js';

/** Where an image stands: of each type a build has one. */
export interface BuildPlace {
  /** The id of the build. */
  readonly build: string;
  /** Which devices the image is for, such as `ath79-generic-tplink_archer-c7-v2-squashfs-sysupgrade.bin`. */
  readonly type: string;
}

/** An image of a build. */
export interface BuildImage {
  /** Of its own in the build. */
  readonly type: string;
  /** What the library calls it, among the images of the build's owner. */
  readonly name: string;
  readonly softwareVersion: string | null;
}

/** One version of a category's firmware: an image for each type of device. */
export interface Build extends Product {
  readonly id: string;
  /** As of its category. */
  readonly organization?: string;
  readonly category: string;
  /** Of its own in the category. */
  readonly version: string;
  /** What a CPE that runs it reports; of its own among the builds of its owner. Null and the empty text: nothing is said of it. */
  readonly os: string | null;
  readonly changelog: string;
  /** In the order of their types. */
  readonly images: readonly BuildImage[];
  readonly createdAtMs: number;
  /** When something of it was said last; that an image comes or goes does not count. */
  readonly modifiedAtMs: number;
}

/** Its images stand in it, so that of two that want one place the store refuses one. */
export type BuildDocument = Omit<Build, 'organization'> & Owned;

/** Most images of a build: all of them stand in one document. */
export const BUILD_IMAGES_MAX = 256;

export const BUILDS: CollectionDefinition = {
  name: 'image-builds',
  indexes: {
    list: ['owner', 'createdAtMs'],
    category: ['category', 'createdAtMs'],
    os: ['owner', 'os'],
  },
};

/** The build that a document is. */
export function buildOf({ owner, ...build }: BuildDocument): Build {
  return { ...build, ...ofOwner(owner) };
}

/** What devices a build is for: what is not said of it holds as said of its category. */
export function productOf(build: Product, category: Product): Product {
  const { productFamily, productFamilyNumber, productModel, productModelNumber } = build;
  return {
    ...(productFamily === null
      ? { productFamily: category.productFamily, productFamilyNumber: category.productFamilyNumber }
      : { productFamily, productFamilyNumber }),
    ...(productModel === null
      ? { productModel: category.productModel, productModelNumber: category.productModelNumber }
      : { productModel, productModelNumber }),
  };
}

/**
 * What a CPE is to report once it runs a build: its `os`; else what was read from its files, where these agree; else its version.
 */
export function targetVersionOf({ os, images, version }: Pick<Build, 'os' | 'images' | 'version'>): string {
  if (os !== null && os !== '') return os;
  const [read, ...others] = new Set(images.map(({ softwareVersion }) => softwareVersion));
  return read == null || others.length > 0 ? version : read;
}
