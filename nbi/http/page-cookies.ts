import type { Request } from 'express';
import type { Arrival } from './arrival.js';

/** The session of who has logged in at `/admin/login/`, under the name that clients of the Firmware Upgrader's API know. */
export const PAGE_SESSION_COOKIE = 'sessionid';
/** What a page or script of this origin reads, and shows again with each change in `X-CSRFToken`. */
export const PAGE_CSRF_COOKIE = 'csrftoken';

/** The values that came for a cookie, in their order. */
export function cookieValues({ headers }: Pick<Request, 'headers'>, name: string): readonly string[] {
  return (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}

/** The one value; null for none, and for several: one of them was planted, and nobody knows which. */
export function onlyCookie(request: Pick<Request, 'headers'>, name: string): string | null {
  const [only, ...others] = cookieValues(request, name);
  return only !== undefined && others.length === 0 ? only : null;
}

/**
 * The `Set-Cookie` that gives a browser a cookie of pages until it is closed. SameSite=Lax: who follows a link from elsewhere is
 * still logged in, and what changes something needs the CSRF token besides.
 */
export function givenPageCookie(
  arrival: Arrival,
  name: typeof PAGE_SESSION_COOKIE | typeof PAGE_CSRF_COOKIE,
  value: string,
): string {
  return `${name}=${value}; ${attributesOf(arrival, name)}`;
}

/** Those that take both away. */
export function clearedPageCookies(arrival: Arrival): readonly string[] {
  return [PAGE_SESSION_COOKIE, PAGE_CSRF_COOKIE].map(
    (name) => `${name}=; ${attributesOf(arrival, name)}; Max-Age=0`,
  );
}

/** Scripts of this origin read the token and never the session. */
function attributesOf({ scheme }: Arrival, name: string): string {
  const hidden = name === PAGE_SESSION_COOKIE ? '; HttpOnly' : '';
  return `Path=/${hidden}; SameSite=Lax${scheme === 'https' ? '; Secure' : ''}`;
}
