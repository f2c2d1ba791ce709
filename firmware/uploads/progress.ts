/** Where an upload stands, as others are shown it. */
export const UPLOAD_STATES = [
  /** Its bytes come, or are waited for. */
  'uploading',
  /** All of them are there, and are looked at. */
  'validating',
  /** They are an image. */
  'valid',
  /** They will be none: the reason says what is wrong with them. */
  'invalid',
  /** They did not come: the reason says why. */
  'upload-error',
  'cancelled',
] as const;
export type UploadState = (typeof UPLOAD_STATES)[number];

/** Why an upload has come to nothing: a code for scripts, and words. */
export interface UploadReason {
  readonly code: string;
  readonly message: string;
}

/** How far an upload has come. */
export interface UploadProgress {
  readonly state: UploadState;
  readonly receivedBytes: number;
  /** All there will be, where it is known. */
  readonly sizeBytes?: number;
  /** The name of the image that it has become. */
  readonly image?: string;
  readonly reason?: UploadReason;
}

/** What happens to an upload. */
export type UploadEvent =
  /** So many bytes are there, in all. */
  | { readonly kind: 'received'; readonly bytes: number }
  | { readonly kind: 'completed' }
  | { readonly kind: 'admitted'; readonly image: string }
  | { readonly kind: 'refused'; readonly reason: UploadReason }
  | { readonly kind: 'failed'; readonly reason: UploadReason }
  | { readonly kind: 'cancelled' };

/** Whether nothing happens to it any more. */
export function isEnded({ state }: Pick<UploadProgress, 'state'>): boolean {
  return state !== 'uploading' && state !== 'validating';
}

/** One step of an upload; null where that cannot happen to it as it stands. */
export function progressed(progress: UploadProgress, event: UploadEvent): UploadProgress | null {
  if (isEnded(progress)) return null;
  switch (event.kind) {
    case 'received':
      return progress.state === 'uploading' && mayHave(progress, event.bytes)
        ? { ...progress, receivedBytes: event.bytes }
        : null;
    case 'completed':
      return isWhole(progress)
        ? { ...progress, state: 'validating', sizeBytes: progress.receivedBytes }
        : null;
    case 'admitted':
      return progress.state === 'validating' ? { ...progress, state: 'valid', image: event.image } : null;
    case 'refused':
      return progress.state === 'validating' ? { ...progress, state: 'invalid', reason: event.reason } : null;
    case 'failed':
      return { ...progress, state: 'upload-error', reason: event.reason };
    case 'cancelled':
      return { ...progress, state: 'cancelled' };
    default:
      return event satisfies never;
  }
}

function mayHave({ receivedBytes, sizeBytes }: UploadProgress, bytes: number): boolean {
  return bytes >= receivedBytes && (sizeBytes === undefined || bytes <= sizeBytes);
}

function isWhole({ receivedBytes, sizeBytes }: UploadProgress): boolean {
  return receivedBytes > 0 && (sizeBytes === undefined || receivedBytes === sizeBytes);
}
