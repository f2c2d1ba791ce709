export { type ContentRange, parseContentRange, wrongRange } from './content-range.js';
export type { PartOutcome } from './fetchable.js';
export { UPLOAD_STATES, type UploadReason, type UploadState } from './progress.js';
export { UPLOAD_ID_PATTERN, UPLOADS, type UploadRecord } from './upload.js';
export { UploadError, type UploadErrorCode } from './upload-error.js';
export {
  type AskedUpload,
  openUploads,
  type Uploads,
  type UploadsOptions,
} from './uploads.js';
