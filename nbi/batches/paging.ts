import { type Exchange, queryParameter } from '../http/index.js';
import type { NbiLimits } from '../limits.js';

const PAGE_ITEMS_DEFAULT = 100;
/** When it was made, in epoch milliseconds, and its id. */
const PLACE_PATTERN = '^[0-9]{1,15}\\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';

/** A place in a list of what has been made at a time. */
interface Place {
  readonly createdAtMs: number;
  readonly id: string;
}

/** @param what  in the plural */
export function limitParameter(what: string, { pageItemsMax }: NbiLimits) {
  return queryParameter('limit', `${what} a page.`, {
    type: 'integer',
    minimum: 1,
    maximum: pageItemsMax,
    default: PAGE_ITEMS_DEFAULT,
    expected: `1 to ${pageItemsMax}`,
  });
}

export function afterParameter() {
  return queryParameter('after', 'Where the page before ended; Link and X-Next-After tell it.', {
    type: 'string',
    pattern: PLACE_PATTERN,
    untold: ['pattern'],
    expected: 'what X-Next-After of the page before says',
  });
}

/** @param after  as {@link afterParameter} has checked it */
export function placeOf(after: string): Place {
  const dot = after.indexOf('.');
  return { createdAtMs: Number(after.slice(0, dot)), id: after.slice(dot + 1) };
}

/** Says where the next page begins. */
export function tellNext(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  { createdAtMs, id }: Place,
): void {
  const after = `${createdAtMs}.${id}`;
  const url = new URL(request.originalUrl, 'http://host.invalid');
  url.searchParams.set('after', after);
  response.set('Link', `<${url.pathname}${url.search}>; rel="next"`).set('X-Next-After', after);
}
