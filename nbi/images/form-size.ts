import type { Request } from 'express';
import type { Uploads } from '../../firmware/index.js';
import { FORM_BYTES_MAX } from '../http/index.js';

/** Before any of a form comes that has a file behind its fields. @throws UploadError where the file is larger than any may be */
export function checkFormSize(uploads: Pick<Uploads, 'checkSize'>, { headers }: Request): void {
  const formBytes = Number(headers['content-length'] ?? 0);
  if (formBytes > FORM_BYTES_MAX) uploads.checkSize(formBytes - FORM_BYTES_MAX);
}
