import { readFileSync } from 'node:fs';
import type { Config } from '../options.js';

/** How many connections each listener of this process takes. */
export interface ConnectionShares {
  readonly cwmp: number;
  readonly nbi: number;
  readonly files: number;
}

/** For the store, its database, images, logs, connection requests and what node needs itself: at most, and as a share of few. */
const OWN_DESCRIPTORS_MAX = 512;
const OWN_SHARE = 1 / 2;
/** Of what is left, at most; the rest is for CPEs' sessions. */
const NBI_SHARE = 1 / 8;
const FILES_SHARE = 3 / 8;
/** A connection, and the file that is sent over it. */
const PER_DOWNLOAD = 2;

/**
 * Shares the descriptors that a process may have among the listeners, so that none of them, and nobody who fills one, takes those of the
 * others or of the store. Where there are plenty each has what was configured.
 * @param limit  descriptors of this process; null where it is not known
 */
export function connectionShares(
  configured: Pick<Config, 'cwmpConnectionsMax' | 'nbiConnectionsMax' | 'fileConnectionsMax'>,
  limit: number | null,
): ConnectionShares {
  const { cwmpConnectionsMax, nbiConnectionsMax, fileConnectionsMax } = configured;
  if (limit === null) return { cwmp: cwmpConnectionsMax, nbi: nbiConnectionsMax, files: fileConnectionsMax };
  const shared = limit - Math.min(OWN_DESCRIPTORS_MAX, Math.ceil(limit * OWN_SHARE));
  const connectionsOf = (share: number) => Math.max(1, Math.floor((shared * share) / PER_DOWNLOAD));
  const nbi = Math.min(nbiConnectionsMax, connectionsOf(NBI_SHARE));
  const files = Math.min(fileConnectionsMax, connectionsOf(FILES_SHARE));
  const left = shared - PER_DOWNLOAD * (nbi + files);
  return { cwmp: Math.min(cwmpConnectionsMax, Math.max(1, left)), nbi, files };
}

/** How many descriptors a process may have; null where the system does not tell in Linux's way. */
export function descriptorLimit(process: number | 'self' = 'self'): number | null {
  let limits: string;
  try {
    limits = readFileSync(`/proc/${process}/limits`, 'utf8');
  } catch {
    return null;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? null : Number(soft);
}
