/** What the head of a request says of its client: the address, the session, whether the connection is kept. */
import type { IncomingMessage } from 'node:http';
import type { BlockList } from 'node:net';
import { isListed, plainAddress } from '../connection-request/address-policy.js';

/** The client's address: the connection's, or through trusted proxies the last one in X-Forwarded-For that is none of them. */
export function clientAddress(request: IncomingMessage, trustedProxies: BlockList | null): string {
  const direct = plainAddress(request.socket.remoteAddress ?? '');
  if (trustedProxies === null || !isListed(trustedProxies, direct)) return direct;
  const forwarded = String(request.headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => plainAddress(hop.trim()));
  for (const hop of forwarded.reverse()) {
    if (hop !== '' && !isListed(trustedProxies, hop)) return hop;
  }
  return direct;
}

/** The value of one cookie; null where the request does not carry it. */
export function cookieOf(request: IncomingMessage, name: string): string | null {
  const header = request.headers.cookie;
  if (header === undefined) return null;
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) {
      return pair
        .slice(equals + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1');
    }
  }
  return null;
}

/** HTTP/1.1 asks for a Host in every request (RFC 2616, 14.23), which says nothing that matters to an ACS. */
export function lacksHost({ httpVersion, headers }: IncomingMessage): boolean {
  return headers.host === undefined && httpVersion === '1.1';
}

/** Whether the client means to send further requests over the same connection. */
export function keepsAlive(request: IncomingMessage): boolean {
  return request.httpVersion === '1.1' && request.headers.connection?.toLowerCase() !== 'close';
}
