/** A time as the API writes it: ISO 8601 with six digits behind the second, in UTC. */
export function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
