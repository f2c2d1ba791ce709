import { plainAddress } from '../../common/index.js';
import type { Device } from './device.js';

/** That a CPE is called elsewhere than before, by the hosts of both URLs. */
export interface UrlMove {
  readonly from: string;
  readonly to: string;
}

/**
 * Whom a ConnectionRequestURL has called: the host as URLs write it, an address as Ferry writes it.
 * @returns null where it names none
 */
export function hostOf(url: string | undefined): string | null {
  if (url === undefined || !URL.canParse(url)) return null;
  // A name may be written as the root of all names has it, and is the same.
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  return host === '' ? null : plainAddress(host);
}

/**
 * Whether a report has moved a CPE's URL to another address. Another port or path is none, nor is the first URL that is known of a CPE.
 * One that names no host hides nothing: the next is compared with the last that did.
 */
export function moveBetween(before: Device, after: Device): UrlMove | null {
  if (before.connectionRequestUrl === after.connectionRequestUrl) return null;
  const from = lastHostOf(before);
  const to = hostOf(after.connectionRequestUrl);
  return from === null || to === null || from === to ? null : { from, to };
}

/** The device after a report, with what it has to remember of its URL before; itself where that has not changed. */
export function withUrlNoted(before: Device, after: Device, nowMs: number): Device {
  if (before.connectionRequestUrl === after.connectionRequestUrl) return after;
  const { connectionRequestHost: _, ...rest } = after;
  const from = lastHostOf(before);
  if (hostOf(after.connectionRequestUrl) === null)
    return from === null ? rest : { ...rest, connectionRequestHost: from };
  return moveBetween(before, after) === null ? rest : { ...rest, connectionRequestMovedMs: nowMs };
}

function lastHostOf(device: Device): string | null {
  return hostOf(device.connectionRequestUrl) ?? device.connectionRequestHost ?? null;
}

/**
 * The device once it is certain that its URL is its own: by an operator's word, or by a session in which the CPE itself has shown who
 * it is. Until then no password goes there in the clear.
 */
export function withUrlTrusted({ connectionRequestMovedMs: _, ...device }: Device): Device {
  return device;
}
