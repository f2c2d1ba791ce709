import { lookup } from 'node:dns/promises';
import { type BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isListed, plainAddress, subnetList } from '../../common/index.js';

/** Where a connection request goes: the address is resolved once and pinned, so that a name cannot change between check and use. */
export interface PinnedTarget {
  readonly url: URL;
  readonly address: string;
}

export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
}

/** TR-069 allows 256 characters. */
const URL_CHARACTERS_MAX = 256;

/** Never a CPE, unless configured: this host and its links, "any", multicast, broadcast. */
const SPECIAL_SUBNETS = [
  '127.0.0.0/8',
  '0.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::1/128',
  '::/128',
  'fe80::/10',
  'ff00::/8',
];

/**
 * Which addresses connection requests may go to: the one the CPE informed from, or a configured subnet; a device
 * must not make us call arbitrary hosts.
 */
export class AddressPolicy {
  readonly #allowed: BlockList;
  readonly #special = subnetList(SPECIAL_SUBNETS);

  /** @param allowedSubnets  reachable whatever the CPE informed from, and even where they are special */
  constructor(allowedSubnets: readonly string[]) {
    this.#allowed = subnetList(allowedSubnets);
  }

  /**
   * @param connectionRequestUrl  as the device gave it
   * @param informedFrom  the address of its last Inform
   * @throws AddressRefusedError with the reason and the remedy
   */
  async pin(connectionRequestUrl: string, informedFrom: string): Promise<PinnedTarget> {
    const url = parseUrl(connectionRequestUrl);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const addresses = isIP(host) === 0 ? await resolve(host) : [host];
    const address = addresses.find((candidate) => this.#isPermitted(candidate, informedFrom));
    if (address === undefined) {
      throw new AddressRefusedError(
        `the device gave ${addresses[0]} as its address but informed from ${informedFrom}; ` +
          'if that is right, allow its subnet with --connection-request-subnet',
      );
    }
    return { url, address };
  }

  #isPermitted(address: string, informedFrom: string): boolean {
    if (isListed(this.#allowed, address)) return true;
    if (isListed(this.#special, address) || ownAddresses().has(plainAddress(address))) return false;
    return plainAddress(address) === plainAddress(informedFrom);
  }
}

function parseUrl(text: string): URL {
  if (text.length > URL_CHARACTERS_MAX) {
    throw new AddressRefusedError(`its ConnectionRequestURL is longer than ${URL_CHARACTERS_MAX} characters`);
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new AddressRefusedError('its ConnectionRequestURL is not a URL');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AddressRefusedError('its ConnectionRequestURL is neither http nor https');
  }
  if (url.username !== '' || url.password !== '') {
    throw new AddressRefusedError('its ConnectionRequestURL carries credentials, which is not allowed');
  }
  return url;
}

async function resolve(host: string): Promise<string[]> {
  try {
    const found = await lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch {
    throw new AddressRefusedError(`the host ${host} of its ConnectionRequestURL cannot be resolved`);
  }
}

function ownAddresses(): Set<string> {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return new Set(own.map(({ address }) => plainAddress(address)));
}
