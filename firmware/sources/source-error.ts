/** Why an image is not fetched from where it is said to be. */
export type SourceErrorCode =
  /** Nothing may be fetched: no addresses are permitted. */
  | 'fetching-off'
  | 'wrong-url'
  /** It leads to an address that is not permitted. */
  | 'refused-address'
  | 'unresolved'
  /** It answers, and not with the file. */
  | 'refused'
  /** It answers with something else than before. */
  | 'changed'
  /** It is not reached, breaks off, or is not able to answer now. */
  | 'unavailable';

export class SourceError extends Error {
  override readonly name = 'SourceError';
  constructor(
    readonly code: SourceErrorCode,
    message: string,
  ) {
    super(message);
  }

  /** Whether it may go better a little later. */
  get mayPass(): boolean {
    return this.code === 'unavailable' || this.code === 'unresolved';
  }
}
