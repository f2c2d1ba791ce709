import { hash } from 'node:crypto';
import type { CountKey, CpeId } from '../../common/index.js';
import type { Change, Collection, CollectionDefinition, Document, Store } from '../../store/index.js';
import type { Counted, Rule, UpgradeEnd } from '../vocabulary/index.js';
import { type AddressField, addressField, runningFields } from './by-address.js';

const COUNT_KEY_CHARACTERS = 16;

/** Into how many documents the counts of one campaign are divided, so that sessions seldom meet on one. */
export const SHARES = 16;

/**
 * What is seldom written of a rule's campaign, that is of all executions with one file and target (id = count key). What
 * `limits` allow is granted from here to the shares.
 */
export interface Campaign extends Document {
  /** The limits under which the grants below were made (see `StoredRule.limitsTag`). */
  readonly limitsTag?: string;
  /** What all shares together may use, of `limits.total` and of `limits.concurrent`. */
  readonly startedGranted?: number;
  readonly runningGranted?: number;
  /** Failed or timed out: what `stopAfterFailures` bounds. */
  readonly failed?: number;
  readonly timedOut?: number;
  /** The same of CPEs that have not proved who they are, by address. */
  readonly [failedAt: AddressField<'failed'>]: number;
  /** The addresses from which the last places of a limit are kept. */
  readonly held?: { readonly started?: Held; readonly running?: Held };
}

/** Since when an address is held back, of one limit. */
export interface Held {
  readonly bucket: number;
  /** What CPEs of other addresses had started by then; where that has changed since, they do come. */
  readonly othersStarted: number;
  readonly untilMs: number;
}

/** A part of a campaign's counts (id = count key, dot, number). */
export interface CampaignShare extends Document {
  readonly started?: number;
  readonly running?: number;
  /** The same of CPEs that have not proved who they are, by address; only where the rule had limits by then. */
  readonly [startedAt: AddressField<'started'>]: number;
  readonly [runningAt: AddressField<'running'>]: number;
  /**
   * What is used less what was granted, so that a bound of 0 keeps a share within its grant in one step, without its being
   * read. Of a limit that is not set it says nothing.
   */
  readonly startedOver?: number;
  readonly runningOver?: number;
  readonly verified?: number;
  readonly cancelled?: number;
  readonly givenBack?: number;
}

export interface CampaignTables {
  readonly campaigns: Collection<Campaign>;
  readonly shares: Collection<CampaignShare>;
}

export const CAMPAIGNS: CollectionDefinition = { name: 'campaigns', indexes: {} };
export const CAMPAIGN_SHARES: CollectionDefinition = { name: 'campaign-shares', indexes: {} };

export function openCampaigns(store: Store): CampaignTables {
  return {
    campaigns: store.collection<Campaign>(CAMPAIGNS),
    shares: store.collection<CampaignShare>(CAMPAIGN_SHARES),
  };
}

export function shareId(key: CountKey, share: number): string {
  return `${key}.${share}`;
}

/** The share, of the first `inUse`, that counts a CPE's upgrades: whichever process its session is at. */
export function shareOf(cpeid: CpeId, inUse: number): number {
  return hash('sha256', cpeid, 'buffer').readUInt32BE(0) % inUse;
}

/**
 * Names what a rule's executions are counted against: the rule with its file and target, since it was last restarted. No other
 * edit changes it, so that raising a limit never flashes a fleet twice.
 */
export function countKeyOf(
  rule: Pick<Rule, 'id' | 'file' | 'target'> & { readonly restarts: number },
): CountKey {
  const counted = [rule.id, String(rule.restarts), rule.file, rule.target?.softwareVersion ?? ''].join('\0');
  // In one go: asked in every decision, and a Hash object costs more than its hashing.
  return hash('sha256', counted, 'base64url').slice(0, COUNT_KEY_CHARACTERS) as CountKey;
}

/** Whether anything was sent of what is counted so, or a CPE found at the target. One that has gone back since counts as failed, not as verified. */
export async function hasRun({ shares }: CampaignTables, key: CountKey): Promise<boolean> {
  const found = await shares.getMany(Array.from({ length: SHARES }, (_, share) => shareId(key, share)));
  return found.some((share) => (share?.document.started ?? 0) > 0 || (share?.document.verified ?? 0) > 0);
}

/** Counts the end of an upgrade; with `previously`, late evidence that it ended another way than was counted. */
export function countedEnd(
  { campaigns, shares }: CampaignTables,
  { countKey, share = 0, addressBucket }: Counted,
  end: UpgradeEnd,
  previously?: UpgradeEnd,
): readonly Change[] {
  const inShare = new Tally();
  const inCampaign = new Tally();
  const count = (how: UpgradeEnd, sign: 1 | -1): void => {
    const amounts = amountsOf(how, addressBucket);
    inShare.add(amounts.share, sign);
    inCampaign.add(amounts.campaign, sign);
  };
  count(end, 1);
  if (previously === undefined) inShare.add(runningOf(addressBucket), -1);
  else count(previously, -1);
  const changes: Change[] = [];
  if (!inShare.isEmpty) changes.push(shares.counting(shareId(countKey, share), inShare.amounts));
  // Failures are the exception, so that one document for all of them is not one that every session writes.
  if (!inCampaign.isEmpty) changes.push(campaigns.counting(countKey, inCampaign.amounts));
  return changes;
}

interface EndAmounts {
  readonly share: Readonly<Record<string, number>>;
  readonly campaign: Readonly<Record<string, number>>;
}

/** @param bucket  of the address of a CPE that had not proved who it is */
function runningOf(bucket: number | undefined): Readonly<Record<string, number>> {
  return { ...Object.fromEntries(runningFields(bucket).map((field) => [field, 1])), runningOver: 1 };
}

function amountsOf(end: UpgradeEnd, bucket: number | undefined): EndAmounts {
  const failed = { failed: 1, ...(bucket !== undefined && { [addressField('failed', bucket)]: 1 }) };
  switch (end) {
    case 'verified':
      return { share: { verified: 1 }, campaign: {} };
    case 'failed':
      return { share: {}, campaign: failed };
    case 'timed-out':
      return { share: {}, campaign: { ...failed, timedOut: 1 } };
    case 'cancelled':
      return { share: { cancelled: 1 }, campaign: {} };
    case 'given-back':
      return {
        share: {
          givenBack: 1,
          started: -1,
          startedOver: -1,
          ...(bucket !== undefined && { [addressField('started', bucket)]: -1 }),
        },
        campaign: {},
      };
    default: {
      const never: never = end;
      throw new Error(`Unknown end of an upgrade: ${String(never)}`);
    }
  }
}

/** Amounts by field; those that cancel out are gone. */
class Tally {
  readonly #amounts = new Map<string, number>();

  add(amounts: Readonly<Record<string, number>>, sign: 1 | -1): void {
    for (const [field, amount] of Object.entries(amounts)) {
      const sum = (this.#amounts.get(field) ?? 0) + sign * amount;
      if (sum === 0) this.#amounts.delete(field);
      else this.#amounts.set(field, sum);
    }
  }

  get isEmpty(): boolean {
    return this.#amounts.size === 0;
  }

  get amounts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#amounts);
  }
}
