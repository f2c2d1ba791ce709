import type { Limits } from '../vocabulary/index.js';
import { addressField, reserveOf } from './by-address.js';
import { type CampaignShare, SHARES } from './campaign.js';

/** A share is used for each so many of the smallest limit: below that shares would have nothing to share out. */
const LIMIT_PER_SHARE = 8;

/** A limit that is granted to the shares, and the fields that count towards it. */
export interface Bound {
  readonly name: 'limits.total' | 'limits.concurrent';
  readonly limit: number;
  readonly used: 'started' | 'running';
  readonly over: 'startedOver' | 'runningOver';
  readonly granted: 'startedGranted' | 'runningGranted';
  describe(used: number): string;
}

export function boundsOf({ total, concurrent }: Limits): readonly Bound[] {
  const bounds: Bound[] = [];
  if (total !== undefined) {
    bounds.push({
      name: 'limits.total',
      limit: total,
      used: 'started',
      over: 'startedOver',
      granted: 'startedGranted',
      describe: (used) => `limits.total: ${used} of ${total} started`,
    });
  }
  if (concurrent !== undefined) {
    bounds.push({
      name: 'limits.concurrent',
      limit: concurrent,
      used: 'running',
      over: 'runningOver',
      granted: 'runningGranted',
      describe: (used) => `limits.concurrent: ${used} of ${concurrent} under way`,
    });
  }
  return bounds;
}

/** What of a limit anybody may have. */
export function unreserved({ limit }: Bound): number {
  return limit - reserveOf(limit);
}

export function sharesInUse({ total, concurrent }: Limits): number {
  const smallest = Math.min(total ?? Number.POSITIVE_INFINITY, concurrent ?? Number.POSITIVE_INFINITY);
  return Math.min(SHARES, Math.max(1, Math.floor(smallest / LIMIT_PER_SHARE)));
}

export function spareIn(share: CampaignShare | null, { over }: Bound): number {
  return -(share?.[over] ?? 0);
}

export function sum(shares: readonly CampaignShare[], field: 'started' | 'running'): number {
  return shares.reduce((total, share) => total + (share[field] ?? 0), 0);
}

/** What all shares have counted of one address. */
export function sumAt(shares: readonly CampaignShare[], counted: Bound['used'], bucket: number): number {
  const field = addressField(counted, bucket);
  return shares.reduce((total, share) => total + (share[field] ?? 0), 0);
}
