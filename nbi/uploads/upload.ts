import { SECOND_MS } from '../../common/index.js';
import { UPLOAD_ID_PATTERN, UPLOAD_STATES, type UploadRecord, type Uploads } from '../../firmware/index.js';
import {
  type Answer,
  dynDialect,
  type JsonObject,
  jsonAnswer,
  ownerShown,
  type Parameter,
  type Places,
  ref,
  type Scope,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';

export interface UploadParts {
  readonly uploads: Uploads;
  readonly limits: NbiLimits;
}

/** With the places of requests that bring content. */
export interface ContentParts extends UploadParts {
  readonly places: Places;
}

export const dialect = dynDialect('uploads');

export const LIST_PATH = '/v1/uploads';
export const UPLOAD_PATH = '/v1/uploads/{id}';

export const ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: UPLOAD_ID_PATTERN.source },
} as const satisfies Parameter;

/** An answer about one upload. */
export function uploadAnswer(description: string): Answer {
  return jsonAnswer(description, { allOf: [ref('Answer'), { properties: { details: ref('Upload') } }] });
}

/** Times in epoch seconds, as everywhere in the API. */
export function uploadView(upload: UploadRecord, scope: Scope): JsonObject {
  const { id, kind, state, metadata, receivedBytes, sizeBytes, sha256, image, reason, uploadedBy } = upload;
  const { url } = upload;
  const seconds = (atMs: number) => Math.floor(atMs / SECOND_MS);
  return {
    id,
    name: metadata.name,
    state,
    receivedBytes,
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(sha256 !== undefined && { sha256 }),
    resumable: kind === 'parts',
    ...(url !== undefined && { url }),
    ...(image !== undefined && { image }),
    ...(reason !== undefined && { reason: { code: reason.code, message: reason.message } }),
    uploadedBy,
    began: seconds(upload.beganAtMs),
    changed: seconds(upload.changedAtMs),
    ...(upload.endedAtMs !== undefined && { ended: seconds(upload.endedAtMs) }),
    ...ownerShown(scope, upload),
  };
}

/** The shape of an upload, under `#/components/schemas`. */
export const uploadSchemas = {
  Upload: {
    type: 'object',
    required: ['id', 'name', 'state', 'receivedBytes', 'resumable', 'uploadedBy', 'began', 'changed'],
    properties: {
      id: { type: 'string' },
      name: { type: 'string', description: 'Of the image that it is to become.' },
      state: {
        enum: UPLOAD_STATES,
        description:
          'uploading, then validating, then valid (image names what it has become) or invalid (reason says what is wrong with the file); upload-error: its bytes did not come, or there was no room (reason says why).',
      },
      receivedBytes: {
        type: 'integer',
        description: 'What is there of it. The next part of one that is resumable begins here.',
      },
      sizeBytes: { type: 'integer', description: 'All there will be, where it is known.' },
      sha256: { type: 'string', description: 'What the content must hash to, where that was said.' },
      resumable: { type: 'boolean', description: 'It comes in parts.' },
      url: { type: 'string', description: 'Where it is fetched from, where it is.' },
      image: { type: 'string' },
      reason: {
        type: 'object',
        required: ['code', 'message'],
        properties: { code: { type: 'string' }, message: { type: 'string' } },
      },
      uploadedBy: { type: 'string' },
      began: { type: 'integer', description: 'In epoch seconds.' },
      changed: { type: 'integer', description: 'When bytes were last heard of.' },
      ended: { type: 'integer' },
      organization: {
        type: 'string',
        description:
          'The slug of the organization that its image is to belong to, where it does; told to users of the installation.',
      },
    },
  },
} as const;
