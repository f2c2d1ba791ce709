import { type Exchange, linkNext, queryParameter } from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { UUID_PATTERN } from './batch.js';

const PAGE_ITEMS_DEFAULT = 100;
/** When it was made, in epoch milliseconds, and its id. */
const PLACE_PATTERN = UUID_PATTERN.replace('^', '^[0-9]{1,15}\\.');

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
  linkNext(request, response, `${createdAtMs}.${id}`);
}
