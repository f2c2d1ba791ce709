import type { Arrival } from './arrival.js';

/** A cookie by which scripts of one API are known there, and nowhere else. */
export interface ApiCookie {
  readonly name: string;
  /** Below which path it is sent: the API's own, as its client writes it. */
  readonly path: string;
}

/** The `Set-Cookie` that gives it, until the client is closed; the server knows when what it stands for is over. */
export function givenApiCookie(arrival: Arrival, cookie: ApiCookie & { readonly value: string }): string {
  return `${cookie.name}=${cookie.value}; ${attributesOf(arrival, cookie)}`;
}

/** The `Set-Cookie` that takes it away. */
export function clearedApiCookie(arrival: Arrival, cookie: ApiCookie): string {
  return `${cookie.name}=; ${attributesOf(arrival, cookie)}; Max-Age=0`;
}

/** SameSite=Strict stands in for a CSRF token, which no client of these APIs knows; `other-sites.ts` refuses the rest. */
function attributesOf({ scheme }: Arrival, { path }: ApiCookie): string {
  return `Path=${path}; HttpOnly; SameSite=Strict${scheme === 'https' ? '; Secure' : ''}`;
}
