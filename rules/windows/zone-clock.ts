import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../common/index.js';

const HOUR_MINUTES = HOUR_MS / MINUTE_MS;
/** The longest change of a clock that is undone: it looks so far back for a minute that comes a second time. */
const SET_BACK_MINUTES_MAX = 3 * HOUR_MINUTES;
/** A day was skipped where an island changed sides of the date line; nothing has skipped more. */
const SKIPPED_MINUTES_MAX = DAY_MS / MINUTE_MS + HOUR_MINUTES;
/** Offsets change at quarters of an hour, so that one look-up serves fifteen minutes. */
const QUARTER_MINUTES = 15;
const QUARTERS_KEPT_MAX = 4_096;
const ZONES_KEPT_MAX = 500;

/**
 * The clocks on the walls of time zones. A minute on the wall is written as minutes since the epoch of a clock that is never
 * changed, so that it can be reckoned with.
 */
export interface ZoneClock {
  /** What the clock shows at a minute since the epoch. */
  localMinute(timezone: string, minute: number): number;
  /** The minutes on the wall that begin then: none where it shows them a second time, several where it skips some. */
  minutesBegun(timezone: string, minute: number): readonly number[];
}

export function createZoneClock(): ZoneClock {
  const zones = new Map<string, (minute: number) => number>();
  const localMinute: ZoneClock['localMinute'] = (timezone, minute) => {
    let offsetAt = zones.get(timezone);
    if (offsetAt === undefined) {
      if (zones.size >= ZONES_KEPT_MAX) zones.clear();
      offsetAt = openZone(timezone);
      zones.set(timezone, offsetAt);
    }
    return minute + offsetAt(minute);
  };
  return {
    localMinute,
    minutesBegun(timezone, minute) {
      const now = localMinute(timezone, minute);
      const before = localMinute(timezone, minute - 1);
      if (now > before + 1) {
        const first = Math.max(before + 1, now - SKIPPED_MINUTES_MAX);
        return Array.from({ length: now - first + 1 }, (_, index) => first + index);
      }
      const earlier = minute - SET_BACK_MINUTES_MAX;
      const setBackBy = localMinute(timezone, earlier) - earlier - (now - minute);
      const isRepeated = setBackBy > 0 && localMinute(timezone, minute - setBackBy) === now;
      return isRepeated ? [] : [now];
    },
  };
}

/** @returns by how many minutes the zone is ahead of UTC at a minute since the epoch */
function openZone(timezone: string): (minute: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const offsets = new Map<number, number>();
  return (minute) => {
    const quarter = Math.floor(minute / QUARTER_MINUTES);
    let offset = offsets.get(quarter);
    if (offset === undefined) {
      if (offsets.size >= QUARTERS_KEPT_MAX) offsets.clear();
      offset = offsetOf(format, quarter * QUARTER_MINUTES);
      offsets.set(quarter, offset);
    }
    return offset;
  };
}

function offsetOf(format: Intl.DateTimeFormat, minute: number): number {
  const shown = new Map<string, number>();
  for (const { type, value } of format.formatToParts(minute * MINUTE_MS)) shown.set(type, Number(value));
  const part = (type: string): number => shown.get(type) ?? 0;
  const localMs = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
  return localMs / MINUTE_MS - minute;
}
