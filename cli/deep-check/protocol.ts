import type { Config } from '../options.js';
import type { StoreReport } from '../store-check.js';

/** A part of the store that is read in one go: the documents of a collection by id, or all entries of one of its indexes. */
export interface Part {
  readonly collection: string;
  readonly index: string;
}

/** Where reading has got to. */
export interface Position extends Part {
  /** The id of the last document that was read; null at the beginning. */
  readonly after: string | null;
}

/** What the reader is to do. */
export interface ReadTask {
  readonly config: Config;
  /** Only where reading has ended the process: from here on, one document at a time. */
  readonly slowly: Position | null;
  /** Parts that need not be read, because they were, or cannot be. */
  readonly skipped: readonly Part[];
  /** Whether to look at the store as {@link checkStore} does, too. */
  readonly withReport: boolean;
}

export interface BadDocument {
  readonly collection: string;
  readonly id: string;
  readonly how: string;
}

export type FromReader =
  /** Said before the store is looked at as a whole. */
  | { readonly kind: 'opened' }
  | { readonly kind: 'report-failed'; readonly message: string }
  | { readonly kind: 'report'; readonly report: StoreReport }
  /** Said before it is read on from there. */
  | { readonly kind: 'at'; readonly position: Position }
  | { readonly kind: 'bad'; readonly documents: readonly BadDocument[] }
  | {
      readonly kind: 'part';
      readonly part: Part;
      readonly documents: number;
      /** Entries of an index whose documents are not there. */
      readonly entriesAlone: number;
    }
  | { readonly kind: 'part-failed'; readonly part: Part; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'done' };
