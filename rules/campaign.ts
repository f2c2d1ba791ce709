import { hash } from 'node:crypto';
import type { CountKey } from '../common/index.js';
import type { Change, Collection, Store } from '../store/index.js';
import type { Limits, Rule, UpgradeEnd } from './rule.js';

const COUNT_KEY_CHARACTERS = 16;

/** What all CPEs together have behind them with one rule, file and target (id = count key): what `limits` bound. */
export interface Campaign {
  readonly id: string;
  readonly started?: number;
  readonly running?: number;
  readonly verified?: number;
  /** Failed or timed out: what `stopAfterFailures` bounds. */
  readonly failed?: number;
  readonly timedOut?: number;
  readonly cancelled?: number;
  readonly givenBack?: number;
}

export function openCampaigns(store: Store): Collection<Campaign> {
  return store.collection<Campaign>({ name: 'campaigns', indexes: {} });
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

/** Which limit forbids one more upgrade, for a person; null where none does. Reserving asks again, exactly. */
export function limitReached(limits: Limits | undefined, campaign: Campaign | null): string | null {
  const { concurrent, total, stopAfterFailures } = limits ?? {};
  const { started = 0, running = 0, failed = 0 } = campaign ?? {};
  if (total !== undefined && started >= total) return `limits.total: ${started} of ${total} started`;
  if (concurrent !== undefined && running >= concurrent) {
    return `limits.concurrent: ${running} of ${concurrent} under way`;
  }
  if (stopAfterFailures !== undefined && failed >= stopAfterFailures) {
    return `limits.stopAfterFailures: ${failed} failed`;
  }
  return null;
}

/** Counts one more upgrade, within the limits: part of the commit that reserves it. */
export function counted(campaigns: Collection<Campaign>, key: CountKey, limits: Limits | undefined): Change {
  const { concurrent, total, stopAfterFailures } = limits ?? {};
  return campaigns.counting(
    key,
    { started: 1, running: 1, failed: 0 },
    {
      ...(total === undefined ? {} : { started: total }),
      ...(concurrent === undefined ? {} : { running: concurrent }),
      // Adding nothing asks only whether the bound still holds.
      ...(stopAfterFailures === undefined ? {} : { failed: stopAfterFailures - 1 }),
    },
  );
}

/** Counts the end of an upgrade; with `previously`, late evidence that it ended another way than was counted. */
export function countedEnd(
  campaigns: Collection<Campaign>,
  key: CountKey,
  end: UpgradeEnd,
  previously?: UpgradeEnd,
): Change {
  const add = new Map<string, number>();
  const sum = (amounts: Readonly<Record<string, number>>, sign: 1 | -1): void => {
    for (const [field, amount] of Object.entries(amounts)) {
      add.set(field, (add.get(field) ?? 0) + sign * amount);
    }
  };
  sum(amountsOf(end), 1);
  if (previously === undefined) sum({ running: -1 }, 1);
  else sum(amountsOf(previously), -1);
  return campaigns.counting(key, Object.fromEntries(add));
}

function amountsOf(end: UpgradeEnd): Readonly<Record<string, number>> {
  switch (end) {
    case 'verified':
      return { verified: 1 };
    case 'failed':
      return { failed: 1 };
    case 'timed-out':
      return { failed: 1, timedOut: 1 };
    case 'cancelled':
      return { cancelled: 1 };
    case 'given-back':
      return { givenBack: 1, started: -1 };
    default: {
      const never: never = end;
      throw new Error(`Unknown end of an upgrade: ${String(never)}`);
    }
  }
}
