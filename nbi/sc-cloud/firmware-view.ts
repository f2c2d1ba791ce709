import { SECOND_MS } from '../../common/index.js';
import type { Image } from '../../firmware/index.js';
import type { JsonObject } from '../http/index.js';
import type { ProductOfImage, Products } from './products.js';
import { versionNumbers } from './version-numbers.js';

/** In `firmware-id` 1 is a test version and all else a release: Ferry's library knows releases alone. */
const RELEASE = 0;

const INTEGER = { type: 'integer' } as const;
const STRING = { type: 'string' } as const;
export const FIRMWARE_SCHEMA = {
  type: 'object',
  properties: {
    id: {
      ...INTEGER,
      description: 'What upgrade/start calls firmware-id: the number of the image, for good.',
    },
    'file-path': STRING,
    'upload-date': { ...INTEGER, description: 'In epoch seconds.' },
    'dev-type': { ...INTEGER, description: 'The number of the family that it is for; 0: any.' },
    'product-id': { ...INTEGER, description: 'That of the model; 0: any.' },
    'firmware-id': { ...INTEGER, description: '1: a test version; else a release.' },
    'hardware-ver': { ...STRING, description: 'Empty: any.' },
    'marjor-ver': INTEGER,
    'minor-ver': INTEGER,
    'build-number': INTEGER,
    version: { ...STRING, description: 'As it is written.' },
  },
} as const;

/** As the list of firmware shows an image. */
export function firmwareView(image: Image, product: ProductOfImage, products: Products): JsonObject {
  return {
    id: image.number,
    'file-path': image.name,
    'upload-date': Math.floor(image.uploadedAtMs / SECOND_MS),
    'dev-type': products.numberOf('family', product.family),
    'product-id': products.numberOf('model', product.model),
    'firmware-id': RELEASE,
    'hardware-ver': product.hardware,
    ...versionNumbers(product.version),
    version: product.version,
  };
}

/** As it is shown to who has uploaded it. When it was built nobody has said: 0. */
export function firmwareInfo(product: ProductOfImage, products: Products): JsonObject {
  return {
    'product-id': products.numberOf('model', product.model),
    'firmware-id': RELEASE,
    ...versionNumbers(product.version),
    'build-time': 0,
    'product-name': product.model,
    'hardware-ver': product.hardware,
  };
}
