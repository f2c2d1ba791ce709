import type { Request } from 'express';
import type { Arrival } from './arrival.js';
import { arrivalOf } from './observe.js';
import { cookieValues, onlyCookie } from './page-cookies.js';

/**
 * What the cookie of a session is called. Under TLS browsers take `__Host-` only from this very host, with Secure and for `/`, so no
 * neighbour can plant one (RFC 6265bis, 4.1.3.2).
 */
export function sessionCookieName({ scheme }: Arrival): string {
  return scheme === 'https' ? '__Host-ferry-session' : 'ferry-session';
}

/** The values of the session's cookie, as far as the request has any: what came under another name is none. */
export function sessionCookies(request: Pick<Request, 'headers' | 'res'>): readonly string[] {
  return cookieValues(request, sessionCookieName(arrivalOf(request.res)));
}

/** The one value; null for none, and for several: one of them was planted, and nobody knows which. */
export function sessionCookie(request: Pick<Request, 'headers' | 'res'>): string | null {
  return onlyCookie(request, sessionCookieName(arrivalOf(request.res)));
}

/** The `Set-Cookie` that gives a browser its session, until it is closed; the server knows when the session is over. */
export function givenCookie(arrival: Arrival, value: string): string {
  return `${sessionCookieName(arrival)}=${value}; ${attributesOf(arrival)}`;
}

/** The `Set-Cookie` that takes it away. */
export function clearedCookie(arrival: Arrival): string {
  return `${sessionCookieName(arrival)}=; ${attributesOf(arrival)}; Max-Age=0`;
}

function attributesOf({ scheme }: Arrival): string {
  return `Path=/; HttpOnly; SameSite=Strict${scheme === 'https' ? '; Secure' : ''}`;
}
