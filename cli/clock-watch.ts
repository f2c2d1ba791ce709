import { type Clock, type Logger, MINUTE_MS, SECOND_MS } from '../common/index.js';
import type { SharedStore } from '../store/index.js';

/** Deadlines, windows and leases of many nodes are times of one another's clocks. */
const OFFSET_MS_MAX = 30 * SECOND_MS;
const CHECK_MS = MINUTE_MS;

export type ClockCheck = { readonly isGood: true } | { readonly isGood: false; readonly reason: string };

/** Compares this node's clock with the database's. @throws StoreError */
export async function checkClock(store: SharedStore, clock: Clock): Promise<ClockCheck> {
  const offsetMs = await store.clockOffsetMs(clock);
  if (Math.abs(offsetMs) <= OFFSET_MS_MAX) return { isGood: true };
  const seconds = Math.round(Math.abs(offsetMs) / SECOND_MS);
  const direction = offsetMs > 0 ? 'behind' : 'ahead of';
  return {
    isGood: false,
    reason: `The clock of this machine is ${seconds} s ${direction} the database's, at most ${OFFSET_MS_MAX / SECOND_MS} s are allowed: set both by NTP`,
  };
}

/** What is known of this node's clock since it started. */
export interface ClockWatch {
  /** As of the last time that the database answered. */
  readonly isGood: boolean;
  stop(): void;
}

/** Compares the clocks every minute, and logs when they part or agree again. */
export function watchClock(
  store: SharedStore,
  { clock, logger, checkMs = CHECK_MS }: { clock: Clock; logger: Logger; checkMs?: number },
): ClockWatch {
  let isGood = true;
  const look = async () => {
    const check = await checkClock(store, clock);
    if (check.isGood && !isGood) logger.info('clock.agrees');
    if (!check.isGood) logger.error('clock.off', { reason: check.reason });
    isGood = check.isGood;
  };
  // Whether the database can be reached is for others to say.
  const looking = setInterval(() => void look().catch(() => {}), checkMs);
  looking.unref();
  return {
    get isGood() {
      return isGood;
    },
    stop: () => clearInterval(looking),
  };
}
