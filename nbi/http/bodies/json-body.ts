import { parseJson } from '../json.js';
import type { Announced, BodySource, JsonSize } from './body-kind.js';
import { requireMediaType } from './media-type.js';
import { readWholeBody } from './whole-body.js';

export const JSON_TYPE = 'application/json';

/**
 * A JSON body of any value.
 * @throws ApiError 415 another media type, 413 too large, 408 too slow, 400 not JSON or outside the bounds
 */
export async function readJson(
  { request, limits }: Pick<BodySource, 'request' | 'limits'>,
  size: JsonSize,
): Promise<unknown> {
  requireMediaType(request, [JSON_TYPE]);
  return parseJson(await readWholeBody(request, limits, size), limits);
}

/** Another media type is refused before anything is held of it. */
export function heldOfJson({ mediaType, bytes }: Announced, bytesMax: number): number {
  return mediaType === JSON_TYPE ? Math.min(bytes, bytesMax) : 0;
}
