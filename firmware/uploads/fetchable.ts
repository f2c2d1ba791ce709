import type { Readable } from 'node:stream';
import type { UploadOutcome } from '../image.js';
import type { ContentRange } from './content-range.js';
import type { UploadReason } from './progress.js';
import type { UploadDocument, UploadRecord } from './upload.js';

/** What becomes of a part: the upload goes on, or has become an image. */
export type PartOutcome =
  | { readonly kind: 'waiting'; readonly upload: UploadRecord }
  | { readonly kind: 'admitted'; readonly outcome: UploadOutcome };

/** An upload whose content is fetched. */
export type FetchedUpload = UploadDocument & { readonly url: string };

/** What is found of a file that is to be fetched. */
export interface FoundSource {
  readonly fromByte: number;
  readonly totalBytes: number;
  readonly validator: string | null;
}

/** Uploads, for who fetches their content. */
export interface Fetchable {
  /** Those that wait for somebody to fetch them, the eldest first. */
  fetches(): Promise<readonly FetchedUpload[]>;
  /** One of them; null where it is none. */
  toFetch(id: string): Promise<FetchedUpload | null>;
  /** Notes by what the file is told apart, before its bytes are taken. What is there of one that nothing tells apart is nothing worth. */
  found(id: string, source: FoundSource): Promise<void>;
  /** Takes the bytes, as of a part. @throws UploadError, ImageError */
  fetched(id: string, range: ContentRange, content: Readable): Promise<PartOutcome>;
  /** Ends one that is not fetched, unless it has ended. */
  failed(id: string, reason: UploadReason): Promise<void>;
}
