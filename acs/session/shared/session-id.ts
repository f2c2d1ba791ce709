import { randomUUID } from 'node:crypto';

const TIME_DIGITS = 9;
/** The part after the time that says which process began the session. */
const TAG_DIGITS = 8;
const PATTERN = /^[0-9a-z]{9}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Names the sessions that one process begins: the time, so that they sort as they begin and expired ones are found without an index;
 * the process; and 90 random bits, as whoever knows the name may go on with the session.
 */
export class SessionNames {
  readonly #tag = randomUUID().slice(0, TAG_DIGITS);

  next(nowMs: number): string {
    return `${timeText(nowMs)}-${this.#tag}${randomUUID().slice(TAG_DIGITS)}`;
  }

  /** Whether this process began it. */
  isOwn(id: string): boolean {
    return id.startsWith(this.#tag, TIME_DIGITS + 1);
  }
}

export function isSessionId(text: string): boolean {
  return PATTERN.test(text);
}

/** A time as the beginning of an id: all that began before it sort before it. */
export function timeText(timeMs: number): string {
  return Math.max(0, Math.floor(timeMs)).toString(36).padStart(TIME_DIGITS, '0');
}

export function begunAtMs(id: string): number {
  return Number.parseInt(id.slice(0, TIME_DIGITS), 36);
}
