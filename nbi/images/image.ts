import { SECOND_MS } from '../../common/index.js';
import {
  IMAGE_NAME_PATTERN,
  type Image,
  type ImageLibrary,
  type ImageSignature,
  type Uploads,
} from '../../firmware/index.js';
import type { Rules } from '../../rules/index.js';
import {
  type Answer,
  ApiError,
  dynDialect,
  type JsonObject,
  jsonAnswer,
  type Parameter,
  type Places,
  type Reading,
  ref,
  type Scope,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';

export interface ImageParts {
  readonly images: ImageLibrary;
  readonly rules: Rules;
  readonly limits: NbiLimits;
  readonly reading: Reading;
  readonly uploads: Uploads;
  /** Of requests that bring content. */
  readonly places: Places;
}

export const dialect = dynDialect('images');

export const LIST_PATH = '/v1/images';
export const IMAGE_PATH = '/v1/images/{name}';
export const SIGNATURE_PATH = '/v1/images/{name}/signature';

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

/**
 * Times in epoch seconds, as everywhere in the API. Users of an organization are told of a shared image that it is one, and not which user of
 * the installation has uploaded it; users of the installation whose an image is.
 */
export function imageView(image: Image, { organization, isInstallation, organizations }: Scope): JsonObject {
  const { organization: owner, uploadedAtMs } = image;
  const isShared = owner === undefined && organization !== null;
  return {
    name: image.name,
    sizeBytes: image.sizeBytes,
    sha256: image.sha256,
    fileType: image.fileType,
    softwareVersion: image.softwareVersion,
    productClass: image.productClass,
    hardwareVersion: image.hardwareVersion,
    boards: image.boards,
    fromFile: image.fromFile,
    formats: image.formats,
    warnings: image.warnings,
    number: image.number,
    build: image.build,
    type: image.type,
    uploaded: Math.floor(uploadedAtMs / SECOND_MS),
    ...(image.signature !== undefined && { signature: signatureView(image.signature) }),
    ...((isInstallation || !isShared) && { uploadedBy: image.uploadedBy }),
    ...(isShared && { shared: true }),
    ...(isInstallation && owner !== undefined && { organization: organizations.labelOf(owner) }),
  };
}

function signatureView({
  algorithm,
  keyId,
  keyName,
  trustedComment,
  verifiedAtMs,
}: ImageSignature): JsonObject {
  return { algorithm, keyId, keyName, trustedComment, verified: Math.floor(verifiedAtMs / SECOND_MS) };
}

/** What a name means to whoever asks: where that is an organization its own image, else the shared one. @throws ApiError 404 */
export async function findImage(images: ImageLibrary, name: string, { organization }: Scope): Promise<Image> {
  const image = await images.get(name, organization?.id);
  if (image === null) throw new ApiError(404);
  return image;
}

/** The same where it is to be changed. @throws ApiError 404; 403 where an organization means a shared one by it */
export async function findOwnImage(images: ImageLibrary, name: string, scope: Scope): Promise<Image> {
  const image = await findImage(images, name, scope);
  if (image.organization === scope.organization?.id) return image;
  // Whoever asks sees the image, so it is no secret that there is one.
  const expected = "an image of the organization itself: this one is the installation's, shared by all";
  throw new ApiError(403, [{ field: 'name', code: 'shared', expected }]);
}

/** The shape of an image, under `#/components/schemas`. */
export const imageSchemas = {
  Image: {
    type: 'object',
    required: ['name', 'sizeBytes', 'sha256', 'fileType', 'uploaded'],
    properties: {
      name: { type: 'string', pattern: '^[A-Za-z0-9_~][A-Za-z0-9_.~-]{0,127}$' },
      sizeBytes: { type: 'integer' },
      sha256: { type: 'string' },
      fileType: { type: 'string', default: '1 Firmware Upgrade Image' },
      softwareVersion: { type: 'string', description: 'What a CPE reports once it runs this image.' },
      productClass: { type: 'string' },
      hardwareVersion: {
        type: 'string',
        description:
          "The HardwareVersion of the CPEs that it fits; where `fromFile` names it the vendor's number for the hardware, which CPEs are not held against.",
      },
      boards: {
        type: 'array',
        items: { type: 'string' },
        description: 'The boards that it is for: a CPE that is known to be another is not sent it.',
      },
      fromFile: {
        type: 'array',
        items: { type: 'string', enum: ['softwareVersion', 'hardwareVersion', 'boards'] },
        description: 'Which of these the file says, and nobody has given.',
      },
      formats: {
        type: 'array',
        items: { type: 'string' },
        description: 'The formats that the file is of, the one that says most first.',
      },
      warnings: {
        type: 'array',
        items: { type: 'string' },
        description: 'Where what was given contradicts the file, and what else to look at.',
      },
      number: {
        type: 'integer',
        description: 'Its own in the installation, for good, for clients that know images by numbers.',
      },
      build: { type: 'string', description: 'The id of the build that it is in, where it is in one.' },
      type: {
        type: 'string',
        description: 'Which devices of its build it is for: a build has one image of each type.',
      },
      uploaded: { type: 'integer', description: 'In epoch seconds.' },
      uploadedBy: {
        type: 'string',
        description: 'Not told to users of an organization where the image is shared.',
      },
      signature: {
        type: 'object',
        required: ['algorithm', 'keyId', 'keyName', 'verified'],
        description:
          'By whom it is signed, where it is. It was verified when it came; a rule with `requireSignature` asks whether the key still holds.',
        properties: {
          algorithm: { enum: ['ed25519', 'minisign-legacy', 'minisign'] },
          keyId: { type: 'string', description: 'The number of the key, as minisign prints it.' },
          keyName: { type: 'string', description: 'What the key was called.' },
          trustedComment: { type: 'string', description: 'What was signed along with it.' },
          verified: { type: 'integer', description: 'In epoch seconds.' },
        },
      },
      shared: {
        type: 'boolean',
        description:
          "True, to whoever sees an organization's images: it is the installation's, which all organizations have.",
      },
      organization: {
        type: 'string',
        description:
          'The slug of the organization that the image belongs to, where it does; told to users of the installation.',
      },
      sameContentAs: {
        type: 'array',
        items: { type: 'string' },
        description: 'In the answer to an upload: other names that hold the same content.',
      },
    },
  },
} as const;
