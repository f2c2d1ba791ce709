import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';
import { isListed, plainAddress } from './addresses.js';

/**
 * The client's address: the connection's, or through trusted proxies the last one in X-Forwarded-For that is none of them. A hop that
 * is no address was written by nobody who knew one, and ends the way there: the client is whoever said so.
 */
export function clientAddress(
  {
    socket,
    headers,
  }: Pick<IncomingMessage, 'headers'> & { readonly socket: { readonly remoteAddress?: string | undefined } },
  trustedProxies: BlockList | null,
): string {
  let client = plainAddress(socket.remoteAddress ?? '');
  if (trustedProxies === null) return client;
  let rest = String(headers['x-forwarded-for'] ?? '');
  while (rest !== '' && isListed(trustedProxies, client)) {
    const comma = rest.lastIndexOf(',');
    const hop = rest.slice(comma + 1).trim();
    rest = comma < 0 ? '' : rest.slice(0, comma);
    if (hop === '') continue;
    const address = addressOfHop(hop);
    if (address === null) return client;
    client = address;
  }
  return client;
}

/** The longest IPv6 address with its zone, brackets, quotes and a port, and room to spare. */
const HOP_CHARACTERS_MAX = 100;

/** One hop as proxies write it: an address, in quotes or not, with a port or without; IPv6 with one stands in brackets. */
function addressOfHop(hop: string): string | null {
  if (hop.length > HOP_CHARACTERS_MAX) return null;
  const text = hop.replace(/^"(.*)"$/, '$1');
  // Without brackets a port can only be told from the address where that ends in the dotted form of IPv4.
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([^[]*\.\d+))(?::\d{1,5})?$/.exec(text) ?? [];
  const address = plainAddress(bracketed ?? dotted ?? text);
  return isIP(address) === 0 ? null : address;
}
