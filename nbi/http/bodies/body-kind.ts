import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import type { NbiLimits } from '../../limits.js';
import type { Principal } from '../../users/index.js';
import type { Schema } from '../schema.js';

/** What a kind of body is read from. */
export interface BodySource {
  readonly request: Request;
  /** Who sends it; null on an open route. */
  readonly user: Principal | null;
  readonly limits: NbiLimits;
}

/** What a request says of its body before any of it has come. */
export interface Announced {
  /** In lower case and without parameters; empty where none is named. */
  readonly mediaType: string;
  /** Infinity where it is not told. */
  readonly bytes: number;
}

/** How much of a kind of body there may be, and what to do about one that is larger. */
export interface JsonSize {
  readonly bytesMax: number;
  readonly remedy: string;
}

/** How a route takes its body: what the document says of it, what it may hold of memory, and how it is read. */
export interface BodyKind<Body> {
  /** By media type, as the OpenAPI document shows it. */
  readonly content: Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;
  /** The most that is held of such a body at once; there must be room for it before it is read. */
  heldBytesMax(announced: Announced, limits: NbiLimits): number;
  /** @throws ApiError 415 another media type, 413 too large, 408 too slow, 400 not as declared */
  read(source: BodySource): Promise<Body>;
}

/** What the header of a request says of its body; null where it has none. */
export function announcedBody({ headers }: IncomingMessage): Announced | null {
  const { 'content-type': contentType = '', 'content-length': length } = headers;
  if (length === undefined && headers['transfer-encoding'] === undefined) return null;
  const mediaType = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  return { mediaType, bytes: Number(length ?? Number.POSITIVE_INFINITY) };
}
