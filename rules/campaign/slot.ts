import { type CountKey, networkOf, stillHolds } from '../../common/index.js';
import type { Change, Revision, Stored } from '../../store/index.js';
import type { Limits, StoredRule } from '../vocabulary/index.js';
import { type Bound, boundsOf, sharesInUse, spareIn, sum, sumAt, unreserved } from './bounds.js';
import {
  type Asker,
  addressBucketOf,
  addressField,
  allowanceOf,
  oneAddressOf,
  RESERVE_MS,
  reserveOf,
} from './by-address.js';
import {
  type Campaign,
  type CampaignShare,
  type CampaignTables,
  type Held,
  SHARES,
  shareId,
  shareOf,
} from './campaign.js';

/** Most that is granted to a share at a time. */
const GRANT_MAX = 64;
/** Room for one more upgrade within a rule's limits, or which of them leaves none. */
export type Slot =
  | {
      readonly kind: 'free';
      /** Where it is counted; its end is counted there too. */
      readonly share: number;
      /** Take it, in the commit that reserves the upgrade; refused where the room has gone meanwhile. */
      readonly changes: readonly Change[];
      /** The count of its CPE's address, where it is in one; its end is counted there too. */
      readonly addressBucket?: number;
      /** Who is held back after this one, where that is its CPE's address. */
      readonly oneAddress?: OneAddress;
    }
  | {
      readonly kind: 'none';
      readonly reached: string;
      /** Who is held back, where there would be room for others. */
      readonly oneAddress?: OneAddress;
      /** To be stored, or the address is held back for good; not by who only asks. */
      readonly noting?: { readonly campaign: Campaign; readonly revision: Revision };
    };

/** An address that has more than half of what is taken of a limit, while the room is short. */
export interface OneAddress {
  readonly limitName: Bound['name'];
  /** Of IPv6 its /64. */
  readonly address: string;
  readonly used: number;
  readonly limit: number;
}

/** Who asks, when, and what is known of its address. */
export interface Asking extends Asker {
  readonly nowMs: number;
  /** Whether an address stands for so many CPEs that it is never held back; asked only where the room is short. */
  readonly isSharedAddress: (address: string) => Promise<boolean>;
}

interface Grant {
  readonly amount: number;
  /** Of all that is granted, this included. */
  readonly atMost: number;
}

const TAKEN = { started: 1, running: 1, startedOver: 1, runningOver: 1 };

/**
 * Looks for room for one more upgrade. Nothing is changed by asking: whatever must be granted, moved or settled goes into the
 * commit that reserves, which must also require that the rule is as it was when this was asked.
 *
 * What keeps it exact: the grants of all shares add up to the campaign's, which never exceed the limit; no share uses more
 * than its grant. Only reservations change grants, and each requires the rule with the limits that they were made for.
 *
 * The last places of a limit are kept from an address that has taken most of the others with CPEs that have not proved who they are
 * (see {@link allowanceOf}). As long as grants leave the reserve alone that is so without a look at other shares.
 */
export async function findSlot(
  tables: CampaignTables,
  rule: StoredRule,
  countKey: CountKey,
  asking: Asking,
): Promise<Slot> {
  const { limits } = rule;
  if (limits === undefined) {
    const share = shareOf(asking.cpeid, SHARES);
    return { kind: 'free', share, changes: [tables.shares.counting(shareId(countKey, share), TAKEN)] };
  }
  const found = await tables.campaigns.get(countKey);
  const stopped = stoppedBy(limits, found?.document ?? null);
  if (stopped !== null) return { kind: 'none', reached: stopped };
  const plan = new Plan(tables, rule, limits, countKey, asking);
  if (found === null || found.document.limitsTag !== rule.limitsTag) {
    const shares = await sharesOf(tables, countKey);
    const kept = found === null || (await plan.isNeverHeldBack()) ? null : plan.keptFrom(found, shares);
    return kept ?? plan.settling(found, shares);
  }
  const campaign = found.document;
  const isRoomy = plan.leavesReserve(campaign);
  if (isRoomy || (await plan.isNeverHeldBack())) {
    const own = (await tables.shares.get(shareId(countKey, plan.share)))?.document ?? null;
    return plan.within(campaign, own, () => sharesOf(tables, countKey), isRoomy);
  }
  const shares = await sharesOf(tables, countKey);
  return (
    plan.keptFrom(found, shares) ??
    plan.within(campaign, shares[plan.share] ?? null, async () => shares, false)
  );
}

/** How many more upgrades the rule may begin now; `Infinity` for a rule without limits. */
export async function roomOf(
  tables: CampaignTables,
  { limits }: StoredRule,
  countKey: CountKey,
): Promise<number> {
  if (limits === undefined) return Number.POSITIVE_INFINITY;
  const campaign = (await tables.campaigns.get(countKey))?.document ?? null;
  if (stoppedBy(limits, campaign) !== null) return 0;
  const shares = await sharesOf(tables, countKey);
  const left = boundsOf(limits).map(({ limit, used }) => limit - sum(shares, used));
  return Math.max(0, Math.min(...left));
}

/** Puts together the changes that take one slot. */
class Plan {
  readonly #tables: CampaignTables;
  readonly #rule: StoredRule;
  readonly #limits: Limits;
  readonly #key: CountKey;
  readonly #bounds: readonly Bound[];
  readonly #asking: Asking;
  /** The count of its address; null where it is in none. */
  readonly #bucket: number | null;
  /** What the counts of its address may come to in its share, where that matters. */
  readonly #atMost = new Map<string, number>();
  #oneAddress: OneAddress | null = null;
  readonly share: number;

  constructor(tables: CampaignTables, rule: StoredRule, limits: Limits, key: CountKey, asking: Asking) {
    this.#tables = tables;
    this.#rule = rule;
    this.#limits = limits;
    this.#key = key;
    this.#bounds = boundsOf(limits);
    this.#asking = asking;
    this.#bucket = addressBucketOf(key, asking);
    this.share = shareOf(asking.cpeid, sharesInUse(limits));
  }

  /** Whether so little is granted that the reserve is untouched, whatever of it is used, also after this one. */
  leavesReserve(campaign: Campaign): boolean {
    return (
      this.#bucket !== null &&
      this.#bounds.every((bound) => unreserved(bound) - (campaign[bound.granted] ?? 0) > 1)
    );
  }

  async isNeverHeldBack(): Promise<boolean> {
    return (
      this.#bucket === null ||
      this.#bounds.length === 0 ||
      (await this.#asking.isSharedAddress(this.#asking.ip))
    );
  }

  /** The limit whose last places are kept from this address; null where none is. */
  keptFrom(found: Stored<Campaign>, shares: readonly CampaignShare[]): Slot | null {
    const bucket = this.#bucket;
    if (bucket === null) return null;
    const othersStarted = sum(shares, 'started') - sumAt(shares, 'started', bucket);
    for (const bound of this.#bounds) {
      const used = sum(shares, bound.used);
      if (used >= bound.limit) continue;
      const own = sumAt(shares, bound.used, bucket);
      const allowance = allowanceOf(bound.limit, used, own);
      if (allowance === 0) {
        const held = found.document.held?.[bound.used];
        const { isOver, noted } = holding(held, { bucket, othersStarted, nowMs: this.#asking.nowMs });
        if (!isOver) return this.#heldBack(bound, own, found, noted);
        continue;
      }
      // Others of this address may be as far by now. Where shares are many, some of their CPEs may find one more each.
      const field = addressField(bound.used, bucket);
      const most = Math.max(1, Math.floor(allowance / sharesInUse(this.#limits)));
      this.#atMost.set(field, (shares[this.share]?.[field] ?? 0) + most);
      if (allowanceOf(bound.limit, used + 1, own + 1) === 0)
        this.#oneAddress = this.#oneAddressAt(bound, own + 1);
    }
    return null;
  }

  #oneAddressAt({ name, limit }: Bound, used: number): OneAddress {
    return { limitName: name, address: networkOf(this.#asking.ip), used, limit };
  }

  #heldBack(bound: Bound, own: number, found: Stored<Campaign>, noted: Held | null): Slot {
    const { name, limit } = bound;
    const oneAddress = this.#oneAddressAt(bound, own);
    const kept = reserveOf(limit);
    const places = kept === 1 ? 'place is' : `${kept} places are`;
    return {
      kind: 'none',
      reached:
        `${name}: the last ${places} kept for CPEs of other addresses than ${oneAddress.address}, which has ` +
        `${own} of ${limit} (for an hour in which no other comes, at most; --shared-address is for addresses of many CPEs)`,
      oneAddress,
      ...(noted !== null && {
        noting: {
          campaign: { ...found.document, held: { ...found.document.held, [bound.used]: noted } },
          revision: found.revision,
        },
      }),
    };
  }

  /** What taking a place adds to the counts of the share. */
  #taken(): Map<string, number> {
    const taken = new Map<string, number>(Object.entries(TAKEN));
    if (this.#bucket !== null) {
      taken.set(addressField('started', this.#bucket), 1);
      taken.set(addressField('running', this.#bucket), 1);
    }
    return taken;
  }

  /**
   * From the share's own grant where it has some left, else from a new grant, else from another share's.
   * @param leavesReserve  whether what is granted must stay outside of the reserve
   */
  async within(
    campaign: Campaign,
    own: CampaignShare | null,
    readShares: () => Promise<readonly CampaignShare[]>,
    leavesReserve: boolean,
  ): Promise<Slot> {
    const grants = new Map<Bound, Grant>();
    const taken = this.#taken();
    const lends: Change[] = [];
    let shares: readonly CampaignShare[] | null = null;
    for (const bound of this.#bounds) {
      if (spareIn(own, bound) >= 1) continue;
      const granted = campaign[bound.granted] ?? 0;
      const left = bound.limit - granted;
      if (left >= 1) {
        const atMost = leavesReserve ? unreserved(bound) : bound.limit;
        const amount = Math.min(this.#grantOf(left), atMost - granted);
        grants.set(bound, { amount, atMost });
        taken.set(bound.over, 1 - amount);
        continue;
      }
      shares ??= await readShares();
      const donor = shares.reduce((best, each) =>
        spareIn(each, bound) > spareIn(best, bound) ? each : best,
      );
      const spare = spareIn(donor, bound);
      if (spare < 1) return { kind: 'none', reached: bound.describe(sum(shares, bound.used)) };
      // Half of it: the next of this share's sessions need not ask again, and the donor keeps something for its own.
      const lent = Math.ceil(spare / 2);
      lends.push(this.#tables.shares.counting(donor.id, { [bound.over]: lent }, { [bound.over]: 0 }));
      taken.set(bound.over, 1 - lent);
    }
    return this.#free([...lends, ...this.#granting(grants), this.#taking(taken)]);
  }

  /**
   * The rule's limits are others than those that grants were made for: everything granted is taken back but for what is in use.
   * Only once that leaves room, so that no grant is ever above its limit. The shares are adjusted by amounts, not replaced: a
   * grant is what is used less what is over, and an end that comes meanwhile changes both alike.
   */
  settling(found: Stored<Campaign> | null, shares: readonly CampaignShare[]): Slot {
    for (const bound of this.#bounds) {
      const used = sum(shares, bound.used);
      if (used >= bound.limit) return { kind: 'none', reached: bound.describe(used) };
    }
    const ownId = shareId(this.#key, this.share);
    const taken = this.#taken();
    const changes: Change[] = [];
    for (const { id, startedOver = 0, runningOver = 0 } of shares) {
      if (startedOver === 0 && runningOver === 0) continue;
      changes.push(
        this.#tables.shares.counting(id, { startedOver: -startedOver, runningOver: -runningOver }),
      );
    }
    let settled: Campaign = {
      ...(found?.document ?? { id: this.#key }),
      startedGranted: sum(shares, 'started'),
      runningGranted: sum(shares, 'running'),
      ...(this.#rule.limitsTag !== undefined && { limitsTag: this.#rule.limitsTag }),
    };
    for (const bound of this.#bounds) {
      const granted = settled[bound.granted] ?? 0;
      const grant = this.#grantOf(bound.limit - granted);
      settled = { ...settled, [bound.granted]: granted + grant };
      taken.set(bound.over, 1 - grant);
    }
    const { campaigns } = this.#tables;
    changes.push(
      found === null ? campaigns.inserting(settled) : campaigns.replacing(settled, found.revision),
      this.#tables.shares.counting(ownId, Object.fromEntries(taken), Object.fromEntries(this.#atMost)),
    );
    return this.#free(changes);
  }

  #free(changes: readonly Change[]): Slot {
    return {
      kind: 'free',
      share: this.share,
      changes,
      ...(this.#bucket !== null && { addressBucket: this.#bucket }),
      ...(this.#oneAddress !== null && { oneAddress: this.#oneAddress }),
    };
  }

  /** Half of what is left, shared out, so that the last of a limit is not stranded in a few shares. */
  #grantOf(left: number): number {
    return Math.min(GRANT_MAX, Math.max(1, Math.floor(left / (2 * sharesInUse(this.#limits)))));
  }

  #taking(taken: ReadonlyMap<string, number>): Change {
    return this.#tables.shares.counting(
      shareId(this.#key, this.share),
      Object.fromEntries(taken),
      Object.fromEntries([...this.#bounds.map(({ over }) => [over, 0] as const), ...this.#atMost]),
    );
  }

  /** Asks of the campaign what it must still allow; writes it only where something is granted. */
  #granting(grants: ReadonlyMap<Bound, Grant>): readonly Change[] {
    const { stopAfterFailures } = this.#limits;
    const add = new Map<string, number>();
    const atMost = new Map<string, number>();
    for (const [{ granted }, grant] of grants) {
      add.set(granted, grant.amount);
      atMost.set(granted, grant.atMost);
    }
    // Adding nothing asks only whether the bound still holds.
    if (stopAfterFailures !== undefined) {
      add.set('failed', 0);
      atMost.set('failed', stopAfterFailures - 1);
    }
    if (add.size === 0) return [];
    return [this.#tables.campaigns.counting(this.#key, Object.fromEntries(add), Object.fromEntries(atMost))];
  }
}

/**
 * Whether the reserve is still kept from an address, which it is for an hour in which nobody else takes a place.
 * @returns `noted`: what is to be stored so that it ends; null where that is stored already
 */
function holding(
  held: Held | undefined,
  at: { readonly bucket: number; readonly othersStarted: number; readonly nowMs: number },
): { readonly isOver: boolean; readonly noted: Held | null } {
  const { bucket, othersStarted, nowMs } = at;
  if (held === undefined || held.bucket !== bucket || held.othersStarted !== othersStarted)
    return { isOver: false, noted: { bucket, othersStarted, untilMs: nowMs + RESERVE_MS } };
  return { isOver: !stillHolds(held.untilMs, RESERVE_MS, nowMs), noted: null };
}

/** What says that a rule is stopped by its failures; null where it is not. */
export function stoppedBy({ stopAfterFailures }: Limits, campaign: Campaign | null): string | null {
  const failed = campaign?.failed ?? 0;
  if (stopAfterFailures === undefined || failed < stopAfterFailures) return null;
  return `limits.stopAfterFailures: ${failed} failed${campaign === null ? '' : oneAddressOf(campaign, failed)}`;
}

/** All shares of a campaign, those never used as empty ones. */
async function sharesOf({ shares }: CampaignTables, key: CountKey): Promise<readonly CampaignShare[]> {
  const ids = Array.from({ length: SHARES }, (_, share) => shareId(key, share));
  const found = await shares.getMany(ids);
  return ids.map((id, share) => found[share]?.document ?? { id });
}
