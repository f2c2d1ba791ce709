/** A time with its zone, as ISO 8601 and RFC 3339 write it; the seconds may be left out. */
export const ZONED_TIME_PATTERN =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,3})?)?(Z|[-+][0-9]{2}:[0-9]{2})$';
const ZONED_TIME = new RegExp(ZONED_TIME_PATTERN);

/**
 * Reads a time that someone wrote.
 * @returns epoch milliseconds; null where there is no such time, or no zone with it
 *
 * @example epochMsOf('2026-01-31T02:30:00+01:00') // 1769823000000
 */
export function epochMsOf(text: string): number | null {
  if (!ZONED_TIME.test(text)) return null;
  const epochMs = Date.parse(text);
  if (Number.isNaN(epochMs)) return null;
  const day = text.slice(0, 10);
  // Date.parse takes 31 February for 3 March; told in UTC without the zone the day must stay the same.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day) ? epochMs : null;
}
