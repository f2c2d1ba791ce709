import type { Clock } from '../../common/index.js';
import type { Cursor, Lease, Leases } from '../../store/index.js';
import { countKeyOf, roomOf } from '../campaign/index.js';
import type { Tables } from '../storage/index.js';
import type { StoredRule } from '../vocabulary/index.js';
import { outsideTimes } from './times.js';
import type { WindowClock } from './window.js';

/** Fleet rules that CPEs are woken for at a time; far more than an installation has. */
const FLEET_RULES_MAX = 1_000;
const LEASE_ID = 'waking';

/** A rule that does not wait for its CPEs to call. */
export interface OpenRule {
  readonly rule: StoredRule;
  readonly wakePerSecond: number;
  /** When its window opened. */
  readonly openedAtMs: number;
}

/** What waking CPEs needs to know: rules that say `wakePerSecond`, may run of their own accord, and whose window is open now, within their times. */
export interface Waking {
  fleet(): Promise<readonly OpenRule[]>;
  /**
   * Those pinned to one CPE, page by page in the order of their CPEs.
   * @param limit  how many rules are looked at, open or not
   */
  pinned(
    after: Cursor | null,
    limit: number,
  ): Promise<{ readonly items: readonly OpenRule[]; readonly next: Cursor | null }>;
  /** How many more upgrades the rule's limits allow now; `Infinity` where it has none. */
  room(rule: StoredRule): Promise<number>;
  /** One process at a time wakes CPEs. */
  lease(holder: string, durationMs: number): Promise<Lease | null>;
  release(lease: Lease): Promise<void>;
}

export function openWaking(tables: Tables, windows: WindowClock, leases: Leases, clock: Clock): Waking {
  const openRule = (rule: StoredRule): OpenRule | null => {
    const { window } = rule;
    if (!rule.enabled || !rule.automatic || rule.suspended !== undefined) return null;
    if (window?.wakePerSecond === undefined) return null;
    const nowMs = clock();
    if (outsideTimes(rule, nowMs) !== null) return null;
    const openedAtMs = windows.openedAtMs(window, nowMs);
    return openedAtMs === null ? null : { rule, wakePerSecond: window.wakePerSecond, openedAtMs };
  };
  return {
    async fleet() {
      const open: OpenRule[] = [];
      for await (const { document } of tables.rules.scan({ index: 'fleetWake' })) {
        const rule = openRule(document);
        if (rule !== null) open.push(rule);
        if (open.length >= FLEET_RULES_MAX) break;
      }
      return open;
    },
    async pinned(after, limit) {
      const page = await tables.rules.find({
        index: 'pinnedWake',
        limit,
        ...(after !== null && { after }),
      });
      const open = page.items.map(({ document }) => openRule(document)).filter((rule) => rule !== null);
      return { items: open, next: page.next };
    },
    room: (rule) => roomOf(tables, rule, countKeyOf(rule)),
    lease: (holder, durationMs) => leases.acquire(LEASE_ID, holder, durationMs),
    release: (lease) => leases.release(lease),
  };
}
