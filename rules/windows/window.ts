import { createTask, type ScheduledTask } from 'node-cron';
import { MINUTE_MS } from '../../common/index.js';
import type { MaintenanceWindow } from '../vocabulary/index.js';
import { createZoneClock, type ZoneClock } from './zone-clock.js';

/** Different windows remembered; far more than an installation has. */
const WINDOWS_KEPT_MAX = 1_000;

export interface WindowClock {
  /** Whether the window is open at `nowMs`: it opened at a minute of the last `durationMinutes`. */
  isOpen(window: MaintenanceWindow, nowMs: number): boolean;
  /** When the window that is open at `nowMs` opened (for the last time); null where it is closed. */
  openedAtMs(window: MaintenanceWindow, nowMs: number): number | null;
}

/** What is known of one window. */
interface Looked {
  /** Minutes since the epoch; all up to this one that could matter were asked about. */
  readonly toMinute: number;
  /** The last minute at which it opened. */
  readonly openedMinute: number | null;
}

/**
 * Answers whether windows are open. A cron library says only whether one minute matches (about 10 µs), so each minute is
 * asked about once: what was learnt is kept, and the next minute asks about itself alone.
 *
 * Where clocks are changed it does as cron(8) does. An expression whose minute and hour are both fixed (neither begins with
 * `*`) names times of day: one that is skipped in spring opens the window at the moment of the change, one that comes twice in
 * autumn opens it the first time only. Any other recurs, and matches the clock on the wall whatever that does.
 * `durationMinutes` are always minutes that pass.
 */
export function createWindowClock(): WindowClock {
  const known = new Map<string, Looked>();
  const zones = createZoneClock();
  const openedAtMs: WindowClock['openedAtMs'] = ({ cron, timezone, durationMinutes }, nowMs) => {
    const key = JSON.stringify([cron, timezone, durationMinutes]);
    const minute = Math.floor(nowMs / MINUTE_MS);
    // Open for the last `durationMinutes` minutes, this one included; half a minute counts as one.
    const earliest = minute - Math.ceil(durationMinutes) + 1;
    const before = known.get(key);
    if (before?.toMinute !== minute) known.set(key, look(zones, cron, timezone, earliest, minute, before));
    for (const oldest of known.keys()) {
      if (known.size <= WINDOWS_KEPT_MAX) break;
      known.delete(oldest);
    }
    const opened = known.get(key)?.openedMinute ?? null;
    return opened !== null && opened >= earliest ? opened * MINUTE_MS : null;
  };
  return { openedAtMs, isOpen: (window, nowMs) => openedAtMs(window, nowMs) !== null };
}

function look(
  zones: ZoneClock,
  cron: string,
  timezone: string,
  earliest: number,
  minute: number,
  before: Looked | undefined,
): Looked {
  // What was known helps only where it reaches up to the minutes still to ask about.
  const useful =
    before !== undefined && before.toMinute < minute && before.toMinute >= earliest ? before : null;
  const askFrom = useful === null ? earliest : useful.toMinute + 1;
  const openedMinute = withMatcher(cron, (matches) => {
    const opens = namesTimesOfDay(cron)
      ? (asked: number) => zones.minutesBegun(timezone, asked).some(matches)
      : (asked: number) => matches(zones.localMinute(timezone, asked));
    for (let asked = minute; asked >= askFrom; asked--) if (opens(asked)) return asked;
    return useful?.openedMinute ?? null;
  });
  return { toMinute: minute, openedMinute };
}

function namesTimesOfDay(cron: string): boolean {
  const [minutes = '', hours = ''] = cron.trim().split(/\s+/);
  return !minutes.startsWith('*') && !hours.startsWith('*');
}

/**
 * Asks about minutes of a clock on a wall, as minutes since the epoch of one that is never changed: only so can a minute be
 * asked about that was skipped (findings/node-cron-changed-clocks.sh).
 */
function withMatcher<T>(cron: string, use: (matches: (localMinute: number) => boolean) => T): T {
  const task: ScheduledTask = createTask(cron, () => {}, { timezone: 'UTC' });
  try {
    return use((localMinute) => task.match(new Date(localMinute * MINUTE_MS)));
  } finally {
    // node-cron keeps every task in a registry of its own until it is destroyed (findings/node-cron-keeps-tasks.sh).
    void task.destroy();
  }
}
