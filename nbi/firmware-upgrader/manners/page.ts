import type { Request } from 'express';
import type { Reading, Rendered } from '../../http/index.js';
import type { Endpoint } from './endpoint.js';

/** An answer, for people to look at. */
export interface Page {
  readonly request: Request;
  readonly status: number;
  /** What JSON would have; undefined: nothing. */
  readonly data: unknown;
  /** The path that was asked for; null where no handler came to know of it. */
  readonly endpoint: Endpoint | null;
  /** The methods that there are at the path, as Allow tells them. */
  readonly allow: readonly string[];
  /** Whether whoever asks could change what is there, where the endpoint can tell ({@link Endpoint.requireChangeable}); absent: nobody asked it. */
  readonly isChangeable?: boolean;
}

/** What makes pages of answers, for browsers. */
export type PageMaker = (page: Page) => Rendered;

export interface EndpointParts {
  readonly reading: Reading;
  readonly page: PageMaker;
}
