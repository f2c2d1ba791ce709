import type { CountKey, CpeId } from '../../common/index.js';
import type { Change, Stored } from '../../store/index.js';
import type { Limits, StoredRule } from '../vocabulary/index.js';
import {
  type Campaign,
  type CampaignShare,
  type CampaignTables,
  SHARES,
  shareId,
  shareOf,
} from './campaign.js';

/** Most that is granted to a share at a time. */
const GRANT_MAX = 64;
/** A share is used for each so many of the smallest limit: below that shares would have nothing to share out. */
const LIMIT_PER_SHARE = 8;

/** Room for one more upgrade within a rule's limits, or which of them leaves none. */
export type Slot =
  | {
      readonly kind: 'free';
      /** Where it is counted; its end is counted there too. */
      readonly share: number;
      /** Take it, in the commit that reserves the upgrade; refused where the room has gone meanwhile. */
      readonly changes: readonly Change[];
    }
  | { readonly kind: 'none'; readonly reached: string };

/** A limit that is granted to the shares, and the fields that count towards it. */
interface Bound {
  readonly limit: number;
  readonly used: 'started' | 'running';
  readonly over: 'startedOver' | 'runningOver';
  readonly granted: 'startedGranted' | 'runningGranted';
  describe(used: number): string;
}

const TAKEN = { started: 1, running: 1, startedOver: 1, runningOver: 1 };

/**
 * Looks for room for one more upgrade. Nothing is changed by asking: whatever must be granted, moved or settled goes into the
 * commit that reserves, which must also require that the rule is as it was when this was asked.
 *
 * What keeps it exact: the grants of all shares add up to the campaign's, which never exceed the limit; no share uses more
 * than its grant. Only reservations change grants, and each requires the rule with the limits that they were made for.
 */
export async function findSlot(
  tables: CampaignTables,
  rule: StoredRule,
  countKey: CountKey,
  cpeid: CpeId,
): Promise<Slot> {
  const { limits } = rule;
  if (limits === undefined) {
    const share = shareOf(cpeid, SHARES);
    return { kind: 'free', share, changes: [tables.shares.counting(shareId(countKey, share), TAKEN)] };
  }
  const found = await tables.campaigns.get(countKey);
  const stopped = stoppedBy(limits, found?.document ?? null);
  if (stopped !== null) return { kind: 'none', reached: stopped };
  const plan = new Plan(tables, rule, limits, countKey, shareOf(cpeid, sharesInUse(limits)));
  if (found === null || found.document.limitsTag !== rule.limitsTag) {
    return plan.settling(found, await sharesOf(tables, countKey));
  }
  const own = (await tables.shares.get(shareId(countKey, plan.share)))?.document ?? null;
  return plan.within(found.document, own, () => sharesOf(tables, countKey));
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
  readonly share: number;

  constructor(tables: CampaignTables, rule: StoredRule, limits: Limits, key: CountKey, share: number) {
    this.#tables = tables;
    this.#rule = rule;
    this.#limits = limits;
    this.#key = key;
    this.#bounds = boundsOf(limits);
    this.share = share;
  }

  /** From the share's own grant where it has some left, else from a new grant, else from another share's. */
  async within(
    campaign: Campaign,
    own: CampaignShare | null,
    readShares: () => Promise<readonly CampaignShare[]>,
  ): Promise<Slot> {
    const grants = new Map<Bound, number>();
    const taken = new Map<string, number>(Object.entries(TAKEN));
    const lends: Change[] = [];
    let shares: readonly CampaignShare[] | null = null;
    for (const bound of this.#bounds) {
      if (spareIn(own, bound) >= 1) continue;
      const left = bound.limit - (campaign[bound.granted] ?? 0);
      if (left >= 1) {
        const grant = this.#grantOf(left);
        grants.set(bound, grant);
        taken.set(bound.over, 1 - grant);
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
    const taken = new Map<string, number>(Object.entries(TAKEN));
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
      this.#tables.shares.counting(ownId, Object.fromEntries(taken)),
    );
    return this.#free(changes);
  }

  #free(changes: readonly Change[]): Slot {
    return { kind: 'free', share: this.share, changes };
  }

  /** Half of what is left, shared out, so that the last of a limit is not stranded in a few shares. */
  #grantOf(left: number): number {
    return Math.min(GRANT_MAX, Math.max(1, Math.floor(left / (2 * sharesInUse(this.#limits)))));
  }

  #taking(taken: ReadonlyMap<string, number>): Change {
    return this.#tables.shares.counting(
      shareId(this.#key, this.share),
      Object.fromEntries(taken),
      Object.fromEntries(this.#bounds.map(({ over }) => [over, 0])),
    );
  }

  /** Asks of the campaign what it must still allow; writes it only where something is granted. */
  #granting(grants: ReadonlyMap<Bound, number>): readonly Change[] {
    const { stopAfterFailures } = this.#limits;
    const add = new Map<string, number>();
    const atMost = new Map<string, number>();
    for (const [{ granted, limit }, grant] of grants) {
      add.set(granted, grant);
      atMost.set(granted, limit);
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

function boundsOf({ total, concurrent }: Limits): readonly Bound[] {
  const bounds: Bound[] = [];
  if (total !== undefined) {
    bounds.push({
      limit: total,
      used: 'started',
      over: 'startedOver',
      granted: 'startedGranted',
      describe: (used) => `limits.total: ${used} of ${total} started`,
    });
  }
  if (concurrent !== undefined) {
    bounds.push({
      limit: concurrent,
      used: 'running',
      over: 'runningOver',
      granted: 'runningGranted',
      describe: (used) => `limits.concurrent: ${used} of ${concurrent} under way`,
    });
  }
  return bounds;
}

function stoppedBy({ stopAfterFailures }: Limits, campaign: Campaign | null): string | null {
  const failed = campaign?.failed ?? 0;
  if (stopAfterFailures === undefined || failed < stopAfterFailures) return null;
  return `limits.stopAfterFailures: ${failed} failed`;
}

function sharesInUse({ total, concurrent }: Limits): number {
  const smallest = Math.min(total ?? Number.POSITIVE_INFINITY, concurrent ?? Number.POSITIVE_INFINITY);
  return Math.min(SHARES, Math.max(1, Math.floor(smallest / LIMIT_PER_SHARE)));
}

/** All shares of a campaign, those never used as empty ones. */
async function sharesOf({ shares }: CampaignTables, key: CountKey): Promise<readonly CampaignShare[]> {
  const ids = Array.from({ length: SHARES }, (_, share) => shareId(key, share));
  const found = await shares.getMany(ids);
  return ids.map((id, share) => found[share]?.document ?? { id });
}

function spareIn(share: CampaignShare | null, { over }: Bound): number {
  return -(share?.[over] ?? 0);
}

function sum(shares: readonly CampaignShare[], field: 'started' | 'running'): number {
  return shares.reduce((total, share) => total + (share[field] ?? 0), 0);
}
