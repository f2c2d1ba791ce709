/** What the head of a request says of its client: the session, whether the connection is kept. */
import type { IncomingMessage } from 'node:http';

/** Of a CPE that keeps every cookie it was ever given the first and the last say enough. */
const COOKIE_VALUES_MAX = 8;

/**
 * The values that a request gives one cookie: several where a CPE keeps old ones beside the new one, in one header or in several (which
 * node makes one of). Between cookies a comma is taken as well as a semicolon, as in RFC 2109, and what begins with `$` is no cookie.
 * @returns each once and none empty, at most {@link COOKIE_VALUES_MAX} of them: of more, the first and the last
 */
export function cookiesOf(request: IncomingMessage, name: string): readonly string[] {
  const header = request.headers.cookie;
  if (header === undefined) return NO_COOKIES;
  // So nearly every CPE sends it.
  if (header.startsWith(`${name}=`) && !/[;,"\s]/.test(header)) {
    return header.length === name.length + 1 ? NO_COOKIES : [header.slice(name.length + 1)];
  }
  const values = new Set<string>();
  for (const pair of header.split(/[;,]/)) {
    const equals = pair.indexOf('=');
    if (equals <= 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair
      .slice(equals + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1');
    if (value !== '') values.add(value);
  }
  const all = [...values];
  if (all.length <= COOKIE_VALUES_MAX) return all;
  const half = COOKIE_VALUES_MAX / 2;
  return [...all.slice(0, half), ...all.slice(-half)];
}

const NO_COOKIES: readonly string[] = [];

/** HTTP/1.1 asks for a Host in every request (RFC 2616, 14.23), which says nothing that matters to an ACS. */
export function lacksHost({ httpVersion, headers }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion === '1.1';
}

/** Whether the client means to send further requests over the same connection. */
export function keepsAlive(request: IncomingMessage): boolean {
  return request.httpVersion === '1.1' && request.headers.connection?.toLowerCase() !== 'close';
}
