import { SECOND_MS } from '../../common/index.js';
import { IMAGE_NAME_PATTERN, type Image, type ImageLibrary } from '../../firmware/index.js';
import type { Rules } from '../../rules/index.js';
import {
  type Answer,
  ApiError,
  dynDialect,
  type JsonObject,
  jsonAnswer,
  type Parameter,
  type Reading,
  ref,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';

export interface ImageParts {
  readonly images: ImageLibrary;
  readonly rules: Rules;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

export const dialect = dynDialect('images');

export const LIST_PATH = '/v1/images';
export const IMAGE_PATH = '/v1/images/{name}';

export const NAME = {
  name: 'name',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: IMAGE_NAME_PATTERN.source },
} as const satisfies Parameter;

/** An answer about one image. */
export function imageAnswer(description: string): Answer {
  return jsonAnswer(description, { allOf: [ref('Answer'), { properties: { details: ref('Image') } }] });
}

/** Times in epoch seconds, as everywhere in the API. */
export function imageView({ id, uploadedAtMs, ...image }: Image): JsonObject {
  return {
    name: id,
    sizeBytes: image.sizeBytes,
    sha256: image.sha256,
    fileType: image.fileType,
    softwareVersion: image.softwareVersion,
    productClass: image.productClass,
    hardwareVersion: image.hardwareVersion,
    uploaded: Math.floor(uploadedAtMs / SECOND_MS),
    uploadedBy: image.uploadedBy,
  };
}

/** @throws ApiError 404 */
export async function findImage(images: ImageLibrary, name: string): Promise<Image> {
  const image = IMAGE_NAME_PATTERN.test(name) ? await images.get(name) : null;
  if (image === null) throw new ApiError(404);
  return image;
}

/** The shape of an image, under `#/components/schemas`. */
export const imageSchemas = {
  Image: {
    type: 'object',
    required: ['name', 'sizeBytes', 'sha256', 'fileType', 'uploaded', 'uploadedBy'],
    properties: {
      name: { type: 'string', pattern: '^[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,127}$' },
      sizeBytes: { type: 'integer' },
      sha256: { type: 'string' },
      fileType: { type: 'string', default: '1 Firmware Upgrade Image' },
      softwareVersion: { type: 'string', description: 'What a CPE reports once it runs this image.' },
      productClass: { type: 'string' },
      hardwareVersion: { type: 'string' },
      uploaded: { type: 'integer', description: 'In epoch seconds.' },
      uploadedBy: { type: 'string' },
      sameContentAs: {
        type: 'array',
        items: { type: 'string' },
        description: 'In the answer to an upload: other names that hold the same content.',
      },
    },
  },
} as const;
