import {
  HOUR_MS,
  type Logger,
  MINUTE_MS,
  type MonotonicClock,
  networkOf,
  type Secrets,
  Seldom,
} from '../../common/index.js';
import type { Actor, EventLog, Proof } from '../../events/index.js';
import { type Role, USER_NAME_PATTERN } from './user.js';

/** A log-in that was refused. */
export interface RefusedLogIn {
  readonly reason: 'wrong-credentials' | 'throttled' | 'wrong-token' | 'expired-token' | 'wrong-role';
  /** Of a user, or what was typed for one; null: none was told. */
  readonly name: string | null;
  readonly how: Proof;
  /** The id of a token or a session. */
  readonly credential?: string;
  readonly address: string;
  readonly requestId?: string;
  /** Of `wrong-role`, where it is proven who asked: what he would have needed. */
  readonly needed?: Role;
}

interface LogInParts {
  readonly events: EventLog;
  readonly secrets: Secrets;
  readonly logger: Logger;
  readonly monotonic: MonotonicClock;
  /** Whether there is such a user, and whether he is active; null: none. */
  readonly find: (name: string) => Promise<{ readonly active: boolean } | null>;
}

/** Events a minute of this process. */
export const REFUSALS_A_MINUTE_MAX = 30;
export const LOG_INS_A_MINUTE_MAX = 60;
/** Users by address whose last log-in is remembered. */
const REMEMBERED_MAX = 10_000;
/** Of the digest of a name that nobody has: enough to see that it is the same again. */
const DIGEST_CHARACTERS = 8;

/** What was typed as a name and is none may be a password: only this is told of it. */
export function unknownNameDigest(secrets: Secrets, name: string): string {
  return secrets.mac('nbi-unknown-name', name).toString('base64url').slice(0, DIGEST_CHARACTERS);
}

/** Log-ins and refusals as events, bounded, and never in the way of a request. */
export class LogIns {
  readonly #parts: LogInParts;
  readonly #taken: Minutely;
  readonly #refused: Minutely;
  /** When each user by network was told of, oldest first. */
  readonly #toldAtMs = new Map<string, number>();
  readonly #failures: Seldom;

  constructor(parts: LogInParts) {
    this.#parts = parts;
    this.#taken = new Minutely(LOG_INS_A_MINUTE_MAX, parts.monotonic);
    this.#refused = new Minutely(REFUSALS_A_MINUTE_MAX, parts.monotonic);
    this.#failures = new Seldom(MINUTE_MS, parts.monotonic);
  }

  /** Somebody was verified anew: told once an hour for the same user and network. */
  note(by: Actor & { readonly address: string }): void {
    const key = `${networkOf(by.address)} ${by.name}`;
    const nowMs = this.#parts.monotonic();
    const toldAtMs = this.#toldAtMs.get(key);
    if (toldAtMs !== undefined && nowMs - toldAtMs < HOUR_MS) return;
    this.#toldAtMs.delete(key);
    this.#toldAtMs.set(key, nowMs);
    const [oldest] = this.#toldAtMs.keys();
    if (this.#toldAtMs.size > REMEMBERED_MAX && oldest !== undefined) this.#toldAtMs.delete(oldest);
    const omitted = this.#taken.admit();
    if (omitted === null) return;
    this.#write(async () => ({ action: 'taken', subjectId: by.name, by, after: omittedOf(omitted) }));
  }

  /** Somebody was refused: at most thirty a minute are told, with how many were left out. */
  refuse(refused: RefusedLogIn): void {
    const omitted = this.#refused.admit();
    if (omitted === null) return;
    const { name, how, credential, address, requestId, needed } = refused;
    const from = {
      how,
      ...(credential !== undefined && { credential }),
      address,
      ...(requestId !== undefined && { requestId }),
    };
    this.#write(async () => {
      const reason = await this.#reasonOf(refused);
      const more = { reason, ...(needed !== undefined && { needed }), ...omittedOf(omitted) };
      const subjectId = name === null ? `#${credential ?? 'unknown'}` : await this.#subjectOf(name);
      // Only who has shown who he is has done it; by anybody else it was said to be somebody.
      return needed !== undefined && name !== null
        ? { action: 'refused', subjectId, by: { name, ...from }, after: more }
        : { action: 'refused', subjectId, by: null, after: { ...more, ...from } };
    });
  }

  async #reasonOf({ reason, name, how }: RefusedLogIn): Promise<string> {
    if (reason !== 'wrong-credentials' || how !== 'password' || name === null) return reason;
    const found = await this.#parts.find(name);
    if (found === null) return 'unknown-user';
    return found.active ? 'wrong-password' : 'inactive-user';
  }

  /** A name that nobody has is told by its digest; no user is called so. */
  async #subjectOf(name: string): Promise<string> {
    const isOne = USER_NAME_PATTERN.test(name) && (await this.#parts.find(name)) !== null;
    return isOne ? name : `#${unknownNameDigest(this.#parts.secrets, name)}`;
  }

  #write(
    happening: () => Promise<{
      readonly action: string;
      readonly subjectId: string;
      readonly by: Actor | null;
      readonly after: Readonly<Record<string, unknown>> | null;
    }>,
  ): void {
    const write = async () => this.#parts.events.note({ subject: 'log-in', ...(await happening()) });
    write().catch((error: unknown) => {
      const omitted = this.#failures.admit('failed');
      if (omitted !== null) this.#parts.logger.warn('log-ins.not-noted', { error });
    });
  }
}

function omittedOf(omitted: number): Readonly<Record<string, unknown>> | null {
  return omitted === 0 ? null : { omitted };
}

/** So many a minute, from the first of them. */
class Minutely {
  #untilMs = Number.NEGATIVE_INFINITY;
  #admitted = 0;
  #omitted = 0;

  constructor(
    private readonly max: number,
    private readonly nowMs: MonotonicClock,
  ) {}

  /** @returns how many were left out since the last one; null where this one is to be left out as well */
  admit(): number | null {
    const nowMs = this.nowMs();
    if (nowMs >= this.#untilMs) {
      this.#untilMs = nowMs + MINUTE_MS;
      this.#admitted = 0;
    }
    if (this.#admitted >= this.max) {
      this.#omitted++;
      return null;
    }
    this.#admitted++;
    const omitted = this.#omitted;
    this.#omitted = 0;
    return omitted;
  }
}
