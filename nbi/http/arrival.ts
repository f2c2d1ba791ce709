import type { IncomingMessage } from 'node:http';
import type { BlockList, Socket } from 'node:net';
import { isListed, plainAddress } from '../../common/index.js';

/** As whoever sent a request wrote its URL, as far as the connection and trusted proxies tell. */
export interface Arrival {
  readonly scheme: 'http' | 'https';
  /** Host and port, as in the header; null: none was named. */
  readonly host: string | null;
}

/**
 * By what URL a request came: the connection's scheme and its Host, or what a trusted proxy says in X-Forwarded-Proto and
 * X-Forwarded-Host. Of several values the last counts, which the nearest proxy has written.
 */
export function arrivalAt(
  { headers, socket }: Pick<IncomingMessage, 'headers'> & { readonly socket: Pick<Socket, 'remoteAddress'> },
  trustedProxies: BlockList | null,
): Arrival {
  const isTold =
    trustedProxies !== null && isListed(trustedProxies, plainAddress(socket.remoteAddress ?? ''));
  const told = (name: string) => (isTold ? lastOf(headers[name]) : '');
  const scheme = told('x-forwarded-proto').toLowerCase();
  const own = 'encrypted' in socket && socket.encrypted === true ? 'https' : 'http';
  return {
    scheme: scheme === 'http' || scheme === 'https' ? scheme : own,
    host: told('x-forwarded-host') || headers.host || null,
  };
}

function lastOf(header: string | string[] | undefined): string {
  return [header ?? ''].flat().join(',').split(',').at(-1)?.trim() ?? '';
}

/** As browsers write it in Origin (RFC 6454, 6.2); null where there is no such place. */
export function originOf({ scheme, host }: Arrival): string | null {
  // Whatever else could stand there would make another place of it.
  if (host === null || /[/\\?#@\s]/.test(host)) return null;
  try {
    return new URL(`${scheme}://${host}`).origin;
  } catch {
    return null;
  }
}
