import { OrganizationError } from '../../organizations/index.js';
import { BuildError } from '../builds/index.js';
import { ImageError } from '../image-error.js';

export type UploadErrorCode =
  | 'not-found'
  /** It has come to its end. */
  | 'ended'
  /** Another request sends a part of it, or it is being validated. */
  | 'busy'
  /** It comes in one request, which nobody can go on with. */
  | 'not-resumable'
  /** A part does not begin where the last ended. */
  | 'wrong-offset'
  /** What a part says of itself does not fit the upload. */
  | 'wrong-range'
  /** Somebody has cancelled it while it came. */
  | 'cancelled'
  /** One user has begun too many that have not ended. */
  | 'too-many';

/** What keeps something from being done to an upload. */
export class UploadError extends Error {
  override readonly name = 'UploadError';
  constructor(
    readonly code: UploadErrorCode,
    readonly field: string,
    message: string,
    /** How many bytes there are, where that tells how to go on. */
    readonly receivedBytes: number | null = null,
  ) {
    super(message);
  }
}

/**
 * Why content becomes no image, for whoever sends it: what it is, what was said of it, or where it is to stand. Anything else is a fault of
 * ours.
 */
export type Refusal = ImageError | BuildError | OrganizationError;

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof ImageError || error instanceof BuildError || error instanceof OrganizationError;
}

export function busy(): UploadError {
  return new UploadError(
    'busy',
    '',
    'one request at a time for an upload: another has it under way, try again',
  );
}

export function cancelled(): UploadError {
  return new UploadError('cancelled', '', 'an upload that goes on: it was cancelled meanwhile');
}
