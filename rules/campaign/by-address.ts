import { hash } from 'node:crypto';
import { type CountKey, type CpeId, HOUR_MS, networkOf } from '../../common/index.js';

/**
 * Into how many counts the addresses of a campaign's CPEs are divided. Two addresses seldom meet in one, and the counts of a share
 * stay below 4 kB.
 */
const ADDRESS_BUCKETS = 64;
/** One in so many places of a limit is kept from the address that has taken most. */
const RESERVE_ONE_IN = 4;
/** How long it is kept where nobody else comes: as long as most CPEs take to come again. */
export const RESERVE_MS = HOUR_MS;

/** The CPE that a place is looked for. */
export interface Asker {
  readonly cpeid: CpeId;
  /** Where its session comes from. */
  readonly ip: string;
  /** It has proved that it is the one that it says it is. */
  readonly isProven: boolean;
}

/** What is counted by address, of CPEs that have not proved who they are. */
type CountedByAddress = 'started' | 'running' | 'failed';

/** Bounded, as CPEs can be invented, and so can addresses of IPv6. */
export type AddressField<Counted extends CountedByAddress = CountedByAddress> = `${Counted}At${number}`;

/** The count that an asker's address is in; null for who is in none, and is held back by none. */
export function addressBucketOf(countKey: CountKey, { ip, isProven }: Asker): number | null {
  if (isProven || ip === '') return null;
  // With the count key: who shares a count with a stranger by chance does so in one campaign.
  const digest = hash('sha256', `${countKey}\0${networkOf(ip)}`, 'buffer');
  return digest.readUInt32BE(0) % ADDRESS_BUCKETS;
}

export function addressField<Counted extends CountedByAddress>(
  counted: Counted,
  bucket: number,
): AddressField<Counted> {
  return `${counted}At${bucket}`;
}

/** The fields of a share that count an upgrade as long as it is under way, but for what says it of its grant. */
export function runningFields(bucket: number | undefined): readonly string[] {
  return bucket === undefined ? ['running'] : ['running', addressField('running', bucket)];
}

/** Whether a field of a share is one that {@link runningFields} names. */
export function isRunningField(field: string): boolean {
  return /^running(?:At\d+)?$/.test(field);
}

/** How many of a limit's places are kept from the address that has taken most; none of a single one. */
export function reserveOf(limit: number): number {
  return limit < 2 ? 0 : Math.max(1, Math.floor(limit / RESERVE_ONE_IN));
}

/**
 * How many more places an address may take, one after the other, until it is held back: the reserve is reached, and it has more than half of
 * what is taken.
 */
export function allowanceOf(limit: number, used: number, own: number): number {
  return Math.max(0, limit - reserveOf(limit) - used, used - 2 * own + 1);
}

/** Says of failures where they come from, where most come from one address; else nothing. */
export function oneAddressOf(
  campaign: { readonly [failedAt: AddressField<'failed'>]: number },
  failed: number,
): string {
  let most = 0;
  for (let bucket = 0; bucket < ADDRESS_BUCKETS; bucket++)
    most = Math.max(most, campaign[addressField('failed', bucket)] ?? 0);
  // Of one failure there is nothing to say.
  if (most < 2 || 2 * most <= failed) return '';
  return `, ${most >= failed ? 'all' : most} of unproven CPEs of one address`;
}
