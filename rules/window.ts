import { createTask, type ScheduledTask } from 'node-cron';
import { MINUTE_MS } from '../common/index.js';
import type { MaintenanceWindow } from './rule.js';

/** Different windows remembered; far more than an installation has. */
const WINDOWS_KEPT_MAX = 1_000;

export interface WindowClock {
  /** Whether the window is open at `nowMs`: its cron expression matched a minute of the last `durationMinutes`. */
  isOpen(window: MaintenanceWindow, nowMs: number): boolean;
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
 */
export function createWindowClock(): WindowClock {
  const known = new Map<string, Looked>();
  return {
    isOpen({ cron, timezone, durationMinutes }, nowMs) {
      const key = JSON.stringify([cron, timezone, durationMinutes]);
      const minute = Math.floor(nowMs / MINUTE_MS);
      // Open for the last `durationMinutes` minutes, this one included; half a minute counts as one.
      const earliest = minute - Math.ceil(durationMinutes) + 1;
      const before = known.get(key);
      if (before?.toMinute !== minute) known.set(key, look(cron, timezone, earliest, minute, before));
      for (const oldest of known.keys()) {
        if (known.size <= WINDOWS_KEPT_MAX) break;
        known.delete(oldest);
      }
      const opened = known.get(key)?.openedMinute ?? null;
      return opened !== null && opened >= earliest;
    },
  };
}

function look(
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
  const openedMinute = withTask(cron, timezone, (task) => {
    for (let asked = minute; asked >= askFrom; asked--) {
      if (task.match(new Date(asked * MINUTE_MS))) return asked;
    }
    return useful?.openedMinute ?? null;
  });
  return { toMinute: minute, openedMinute };
}

/** node-cron keeps every task in a registry of its own until it is destroyed. */
function withTask<T>(cron: string, timezone: string, use: (task: ScheduledTask) => T): T {
  const task = createTask(cron, () => {}, { timezone });
  try {
    return use(task);
  } finally {
    void task.destroy();
  }
}
