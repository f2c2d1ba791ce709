import type { Request } from 'express';
import { ApiError } from './api-error.js';
import { type Arrival, originOf } from './arrival.js';

/** A request that a page of another site, or of another origin, has a browser send. */
export interface OtherSite {
  /** The header that says so. */
  readonly header: 'Origin' | 'Sec-Fetch-Site';
  /** What stands there, cut. */
  readonly found: string;
  readonly expected: string;
}

const FOUND_CHARACTERS_MAX = 200;
const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a request may change something. Nothing that is asked for by GET does, but where a route says so; a test holds every route to it. */
export function mayChange({ method }: Pick<Request, 'method'>): boolean {
  return !READING.has(method);
}

/**
 * What shows that a request which may change something comes from a page of elsewhere: browsers add credentials of theirs to such a
 * request, Basic ones as well as cookies. Scripts send neither header.
 * @param changes  whether it does so whatever its method
 * @returns null for one that does not
 * @see https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header and RFC 6454, 7.3
 */
export function otherSiteOf(
  request: Pick<Request, 'method' | 'headers'>,
  arrival: Arrival,
  changes = false,
): OtherSite | null {
  if (!changes && !mayChange(request)) return null;
  const { origin, 'sec-fetch-site': site } = request.headers;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return {
      header: 'Sec-Fetch-Site',
      found: cut(site),
      expected: 'same-origin: pages of other sites change nothing here',
    };
  }
  if (origin === undefined) return null;
  const own = originOf(arrival);
  if (origin === own) return null;
  const expected = `${own ?? 'none, as there is no Host'}: pages of other origins change nothing here; behind a proxy name it by --trusted-proxy, and have it pass Host on and set X-Forwarded-Proto`;
  return { header: 'Origin', found: cut(origin), expected };
}

/** The refusal of such a request. */
export function otherSiteError({ header, found, expected }: OtherSite): ApiError {
  return new ApiError(403, [{ field: header, code: 'other-site', expected, found: JSON.stringify(found) }]);
}

function cut(header: string | string[]): string {
  return String(header).slice(0, FOUND_CHARACTERS_MAX);
}
