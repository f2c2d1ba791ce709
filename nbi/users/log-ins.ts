import {
  HOUR_MS,
  type Logger,
  MINUTE_MS,
  type MonotonicClock,
  networkOf,
  type Secrets,
  Seldom,
} from '../../common/index.js';
import type { Actor, EventLog, Happening, Proof } from '../../events/index.js';
import { endingOf, type OrganizationDirectory } from '../../organizations/index.js';
import { type Role, USER_NAME_PATTERN, type User } from './user.js';

/** A log-in that was refused. */
export interface RefusedLogIn {
  readonly reason: 'wrong-credentials' | 'throttled' | 'wrong-token' | 'expired-token' | 'wrong-role';
  /** Of a user, or what was typed for one; null: none was told. */
  readonly name: string | null;
  /** The organization that the user is of, where it is known; what is typed for a name may tell it too. */
  readonly organization?: string;
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
  readonly organizations: Pick<OrganizationDirectory, 'current'>;
  /** Whether there is such a user, and whether he is active; null: none. */
  readonly find: (name: string) => Promise<Pick<User, 'active' | 'organization'> | null>;
}

/** Events a minute of this process, of each organization and of the installation: nobody is told less for what others do. */
export const REFUSALS_A_MINUTE_MAX = 30;
export const LOG_INS_A_MINUTE_MAX = 60;
/** Users by address whose last log-in is remembered. */
const REMEMBERED_MAX = 10_000;
/** More than there are organizations; of those that are gone the oldest are forgotten. */
const BUDGETS_MAX = 2_000;
/** Of the digest of a name that nobody has: enough to see that it is the same again. */
const DIGEST_CHARACTERS = 8;

/** What was typed as a name and is none may be a password: only this is told of it. */
export function unknownNameDigest(secrets: Secrets, name: string): string {
  return secrets.mac('nbi-unknown-name', name).toString('base64url').slice(0, DIGEST_CHARACTERS);
}

/** Log-ins and refusals as events, bounded, and never in the way of a request. */
export class LogIns {
  readonly #parts: LogInParts;
  readonly #taken: Budgets;
  readonly #refused: Budgets;
  /** When each user by network was told of, oldest first. */
  readonly #toldAtMs = new Map<string, number>();
  readonly #failures: Seldom;

  constructor(parts: LogInParts) {
    this.#parts = parts;
    this.#taken = new Budgets(LOG_INS_A_MINUTE_MAX, parts.monotonic);
    this.#refused = new Budgets(REFUSALS_A_MINUTE_MAX, parts.monotonic);
    this.#failures = new Seldom(MINUTE_MS, parts.monotonic);
  }

  /** Somebody was verified anew: told once an hour for the same user, proof and network. */
  note(by: Actor & { readonly address: string }): void {
    const key = `${networkOf(by.address)} ${by.how} ${by.name}`;
    const nowMs = this.#parts.monotonic();
    const toldAtMs = this.#toldAtMs.get(key);
    if (toldAtMs !== undefined && nowMs - toldAtMs < HOUR_MS) return;
    this.#toldAtMs.delete(key);
    this.#toldAtMs.set(key, nowMs);
    const [oldest] = this.#toldAtMs.keys();
    if (this.#toldAtMs.size > REMEMBERED_MAX && oldest !== undefined) this.#toldAtMs.delete(oldest);
    const { organization } = by;
    const omitted = this.#taken.admit(organization);
    if (omitted === null) return;
    const after = omittedOf(omitted);
    this.#write(async () => ({ action: 'taken', subjectId: by.name, ...of(organization), by, after }));
  }

  /** Somebody was refused: at most thirty a minute are told, with how many were left out. */
  refuse(refused: RefusedLogIn): void {
    this.#write(async () => {
      const budget = await this.#organizationOf(refused);
      const omitted = this.#refused.admit(budget);
      return omitted === null ? null : this.#refusal(refused, budget, omitted);
    });
  }

  async #refusal(
    refused: RefusedLogIn,
    budget: string | undefined,
    omitted: number,
  ): Promise<Omit<Happening, 'subject'>> {
    const { name, how, credential, address, requestId, needed } = refused;
    const from = {
      how,
      ...(credential !== undefined && { credential }),
      address,
      ...(requestId !== undefined && { requestId }),
    };
    const found = name !== null && USER_NAME_PATTERN.test(name) ? await this.#parts.find(name) : null;
    const organization = found === null ? budget : found.organization;
    const reason = reasonOf(refused, found);
    // What was left out is told to those whose it was.
    const left = organization === budget ? omittedOf(omitted) : null;
    const more = { reason, ...(needed !== undefined && { needed }), ...left };
    const subjectId = this.#subjectOf(refused, found !== null);
    const whose = { subjectId, ...of(organization) };
    // Only who has shown who he is has done it; by anybody else it was said to be somebody.
    return needed !== undefined && name !== null
      ? { action: 'refused', ...whose, by: { name, ...of(organization), ...from }, after: more }
      : { action: 'refused', ...whose, by: null, after: { ...more, ...from } };
  }

  /** By what is known of the user, else by what the name that was typed ends in, without asking the store for users. */
  async #organizationOf({ name, organization }: RefusedLogIn): Promise<string | undefined> {
    const slug = name === null ? null : endingOf(name);
    if (organization !== undefined || slug === null) return organization;
    return (await this.#parts.organizations.current()).named(slug)?.id;
  }

  /** A name that nobody has is told by its digest; no user is called so. */
  #subjectOf({ name, credential }: RefusedLogIn, exists: boolean): string {
    if (name === null) return `#${credential ?? 'unknown'}`;
    return exists ? name : `#${unknownNameDigest(this.#parts.secrets, name)}`;
  }

  /** @param happening  null: nothing is told of it */
  #write(happening: () => Promise<Omit<Happening, 'subject'> | null>): void {
    const write = async () => {
      const told = await happening();
      if (told !== null) await this.#parts.events.note({ subject: 'log-in', ...told });
    };
    write().catch((error: unknown) => {
      const omitted = this.#failures.admit('failed');
      if (omitted !== null) this.#parts.logger.warn('log-ins.not-noted', { error });
    });
  }
}

function reasonOf({ reason, name, how }: RefusedLogIn, found: Pick<User, 'active'> | null): string {
  if (reason !== 'wrong-credentials' || !(how === 'password' || how === 'digest') || name === null)
    return reason;
  if (found === null) return 'unknown-user';
  return found.active ? 'wrong-password' : 'inactive-user';
}

function of(organization: string | undefined): { readonly organization?: string } {
  return organization === undefined ? {} : { organization };
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

/** So many a minute of each organization, and of the installation. */
class Budgets {
  readonly #byOrganization = new Map<string | undefined, Minutely>();

  constructor(
    private readonly max: number,
    private readonly nowMs: MonotonicClock,
  ) {}

  /** @returns as {@link Minutely.admit} */
  admit(organization: string | undefined): number | null {
    let budget = this.#byOrganization.get(organization);
    if (budget === undefined) {
      budget = new Minutely(this.max, this.nowMs);
      this.#byOrganization.set(organization, budget);
      const [oldest] = this.#byOrganization.keys();
      if (this.#byOrganization.size > BUDGETS_MAX) this.#byOrganization.delete(oldest);
    }
    return budget.admit();
  }
}
