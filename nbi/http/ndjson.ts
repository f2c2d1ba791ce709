import type { Request } from 'express';

/** Newline-delimited JSON: a value a line. */
export const NDJSON = 'application/x-ndjson';
export const NDJSON_CONTENT_TYPE = `${NDJSON}; charset=utf-8`;

/** True where the client asks for NDJSON, rather than for JSON or for anything. */
export function prefersNdjson(request: Request): boolean {
  return request.accepts(['application/json', NDJSON]) === NDJSON;
}
