import { randomBytes } from 'node:crypto';
import { CLOCKS_APART_MS_MAX } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import type { BuildPlace } from '../builds/index.js';
import { PARTS_PREFIX } from '../content-store.js';
import type { Admission, ImageMetadata } from '../image.js';
import type { UploadProgress } from './progress.js';

/** Content on its way to become an image. */
export interface UploadRecord extends UploadProgress {
  /** Later ones have later ids. */
  readonly id: string;
  /** `whole`: one request brings it. `parts`: as many as it takes. `url`: Ferry fetches it. */
  readonly kind: 'whole' | 'parts' | 'url';
  /** That its image is to have; absent of what an earlier version began. */
  readonly number?: number;
  /** Where it is fetched from. */
  readonly url?: string;
  readonly metadata: ImageMetadata;
  /** Whose image it is to become; absent: shared. */
  readonly organization?: string;
  readonly sha256?: string;
  /** Its image waits to be listed. */
  readonly unlisted?: true;
  /** See {@link AskedUpload}. */
  readonly takesSame?: true;
  readonly uploadedBy: string;
  readonly beganAtMs: number;
  /** When the last was heard of it. */
  readonly changedAtMs: number;
  readonly endedAtMs?: number;
}

/** A process that does something with an upload, and until when it is believed to. */
export interface Claim {
  readonly holder: string;
  /** By which others on the machine can tell whether it still runs. */
  readonly mark: string;
  readonly untilMs: number;
}

/** An upload as it is stored. */
export interface UploadDocument extends UploadRecord, Document {
  /** The id of its organization, or nothing; for indexes. */
  readonly owner: string;
  /** The user who has begun it, as long as it has not ended. */
  readonly openBy?: string;
  readonly by: Actor;
  readonly claim?: Claim;
  /** What tells the file that is fetched from another that may be in its place: see `openSource`. */
  readonly validator?: string;
  /** Where in a build it is to stand. */
  readonly place?: BuildPlace;
  /** The file of its signature, in base64. */
  readonly signature?: string;
  /** The bytes that are reserved for it of what its organization's images may take. */
  readonly reservedBytes: number;
  /** Where its content is once it was moved there and no image has it yet. */
  readonly contentFile?: string;
}

export const UPLOADS: CollectionDefinition = {
  name: 'uploads',
  indexes: {
    owner: ['owner'],
    ended: ['owner', 'endedAtMs'],
    endedAt: ['endedAtMs'],
    number: ['number'],
    open: ['openBy'],
  },
};

/**
 * A claim is renewed well within it, also by the clock of a node that is ahead; a process that dies leaves it so long where others cannot tell
 * that it has died.
 */
export const CLAIM_MS = 2 * CLOCKS_APART_MS_MAX;

const TIME_DIGITS = 15;
const RANDOM_BYTES = 8;
export const UPLOAD_ID_PATTERN = /^[0-9]{15}-[0-9a-f]{16}$/;

export function newUploadId(nowMs: number): string {
  return `${String(nowMs).padStart(TIME_DIGITS, '0')}-${randomBytes(RANDOM_BYTES).toString('hex')}`;
}

/** The name of what has come of an upload in parts. */
export function partsOf(id: string): string {
  return `${PARTS_PREFIX}${id}`;
}

/** The upload that such a name is of. */
export function uploadIdOf(partsName: string): string {
  return partsName.slice(PARTS_PREFIX.length);
}

/** What the library is told of what an upload has brought. */
export function admissionOf(upload: UploadDocument): Admission {
  const { metadata, organization, sha256, by, uploadedBy, place, unlisted, signature, number } = upload;
  return {
    metadata,
    by,
    uploadedBy,
    ...(organization !== undefined && { organization }),
    ...(sha256 !== undefined && { sha256 }),
    ...(place !== undefined && { place }),
    ...(unlisted !== undefined && { unlisted }),
    ...(number !== undefined && { number }),
    ...(signature !== undefined && { signature: Buffer.from(signature, 'base64') }),
  };
}
