import { UploadError } from './upload-error.js';

/** Which bytes of an upload a request brings; `null` where it brings none and only has what is there looked at. */
export interface ContentRange {
  readonly part: { readonly from: number; readonly to: number } | null;
  readonly totalBytes: number;
}

const PATTERN = /^bytes (?:(\d{1,15})-(\d{1,15})|\*)\/(\d{1,15})$/;

/**
 * Reads a Content-Range as a client writes it (RFC 9110, 14.4): `bytes FROM-TO/TOTAL`, both counted in, or `bytes *\/TOTAL`.
 * @throws UploadError `wrong-range`
 */
export function parseContentRange(text: string | undefined): ContentRange {
  const [, from, to, total] = PATTERN.exec(text ?? '') ?? [];
  if (total === undefined) throw wrongRange('bytes FROM-TO/TOTAL, counted from 0, or bytes */TOTAL');
  const totalBytes = Number(total);
  if (from === undefined) return { part: null, totalBytes };
  const part = { from: Number(from), to: Number(to) };
  if (part.from > part.to || part.to >= totalBytes)
    throw wrongRange('bytes FROM-TO/TOTAL with FROM <= TO < TOTAL');
  return { part, totalBytes };
}

export function wrongRange(expected: string): UploadError {
  return new UploadError('wrong-range', 'Content-Range', expected);
}
