import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { type AuthScheme, isListed, SECOND_MS, subnetList } from '../../common/index.js';
import { parseListen } from '../config.js';
import type { Config } from '../options.js';
import { BACKLOG } from './acceptors.js';

/** A listener's address cannot be had, at least now. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Has a server listen where an option says, and gives the address that it got.
 * @param option  its flag, without dashes
 * @throws ListenError that names the option and what is wrong with the address
 */
export async function listen(server: Server, at: string, option: string): Promise<AddressInfo> {
  const { host, port } = parseListen(at);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = LISTEN_REASONS[error.code ?? ''] ?? error.message;
      reject(new ListenError(`--${option} ${at}: ${reason}`));
    });
    server.listen({ host, port, backlog: BACKLOG }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP listener has no address');
  return address;
}

const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; stop it, or choose another port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'not permitted; ports below 1024 need privileges',
  ENOTFOUND: 'the host name cannot be resolved',
};

/** How CPEs are asked for user and password, by the option. */
export const AUTH_SCHEMES: Readonly<Record<Config['cpeAuthScheme'], readonly AuthScheme[]>> = {
  basic: ['basic'],
  digest: ['digest'],
  both: ['digest', 'basic'],
};

/** Whether an address is of a proxy that is trusted: it speaks for many clients. */
export function isProxyOf({ trustedProxy }: Pick<Config, 'trustedProxy'>): (address: string) => boolean {
  // The library takes microseconds for each, also where the list is empty.
  if (trustedProxy.length === 0) return () => false;
  const proxies = subnetList(trustedProxy);
  return (address) => isListed(proxies, address);
}

/** Lets answers that are under way go out for two seconds, then closes every connection. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 2 * SECOND_MS).unref();
  });
}

/** The host of a listener as others can reach it: this machine's name where it listens on every address. */
export function publicHost({ address }: AddressInfo): string {
  return isAny(address) ? hostname() : bracketed(address);
}

/** The URL of a listener, for whoever is on this machine. */
export function urlOf({ address, port }: AddressInfo): string {
  return `http://${isAny(address) ? 'localhost' : bracketed(address)}:${port}`;
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
