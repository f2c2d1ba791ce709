/** Why an image, a signature of one or a key is refused. */
export type ImageErrorCode =
  | 'invalid-metadata'
  | 'name-taken'
  /** The file says that nobody should flash it. */
  | 'invalid'
  /** What was typed contradicts the file, and that is refused here. */
  | 'contradiction'
  | 'too-large'
  | 'no-space'
  | 'checksum-mismatch'
  | 'incomplete'
  | 'empty'
  | 'not-found'
  /** A signature that is none, or not of this content by a key that holds. */
  | 'bad-signature'
  | 'invalid-key'
  | 'key-taken'
  | 'too-many-keys'
  /** As many images of the owner wait to be listed as may. */
  | 'too-many-unlisted'
  /** An absolute URL that no Download can carry. */
  | 'invalid-url';

/** What cannot be had of the library; its message names the remedy. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  constructor(
    readonly code: ImageErrorCode,
    /** The field at fault, where there is one. */
    readonly field: string | null,
    message: string,
  ) {
    super(message);
  }
}
