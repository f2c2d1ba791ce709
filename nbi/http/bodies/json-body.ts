import type { NbiLimits } from '../../limits.js';
import { parseJson } from '../json.js';
import type { Announced, BodySource } from './body-kind.js';
import { requireMediaType } from './media-type.js';
import { readWholeBody } from './whole-body.js';

export const JSON_TYPE = 'application/json';

/**
 * A JSON body of any value.
 * @param remedy  what to do about a body that is too large
 * @throws ApiError 415 another media type, 413 too large, 408 too slow, 400 not JSON or outside the bounds
 */
export async function readJson(
  { request, limits }: Pick<BodySource, 'request' | 'limits'>,
  remedy = 'send it in several requests',
): Promise<unknown> {
  requireMediaType(request, [JSON_TYPE]);
  return parseJson(await readWholeBody(request, limits, remedy), limits);
}

/** Another media type is refused before anything is held of it. */
export function heldOfJson({ mediaType, bytes }: Announced, { bodyBytesMax }: NbiLimits): number {
  return mediaType === JSON_TYPE ? Math.min(bytes, bodyBytesMax) : 0;
}
