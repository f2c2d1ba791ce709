import { timingSafeEqual } from 'node:crypto';
import { type Clock, type Logger, MINUTE_MS, type MonotonicClock } from '../../common/index.js';
import { type Actor, EventLog, type Happening } from '../../events/index.js';
import { type Collection, type Store, type Stored, untilCommitted } from '../../store/index.js';
import {
  bySession,
  type FoundUser,
  isWithin,
  type Principal,
  type Role,
  type Users,
} from '../users/index.js';
import { type SessionKind, type SessionKindName, type SessionLife, sessionKinds } from './session-kind.js';
import { SessionRoom } from './session-room.js';
import {
  csrfTokenOf,
  isWithinLife,
  keysOf,
  kindNameOf,
  USER_SESSIONS,
  type UserSession,
} from './user-session.js';

/** Sessions of one user and kind; whose are more loses the oldest. */
export const SESSIONS_PER_USER_MAX = 32;
/** Of all users; with more, those go that were used longest ago. */
export const SESSIONS_MAX = 10_000;

export interface UserSessionsParts {
  readonly store: Store;
  readonly users: Pick<Users, 'find' | 'tokens'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of those of pages, and of all kinds that have none of their own. */
  readonly life: SessionLife;
  /** By which it is told when what is over was last purged; this process's own unless told. */
  readonly monotonic?: MonotonicClock;
  /** In place of {@link SESSIONS_MAX} and {@link SESSIONS_PER_USER_MAX}; for tests. */
  readonly limits?: { readonly inAllMax: number; readonly perUserMax: number };
}

/** A log-in that has succeeded. */
export interface SessionBeginning {
  readonly user: FoundUser;
  readonly address: string;
  readonly userAgent: string;
  readonly requestId: string;
  /** The cookies that the browser has had so far: their sessions, as far as there are any, end. */
  readonly replaced: readonly string[];
  /** What may be done by it at most, where what was shown may do less than its user; all that he may unless told. */
  readonly role?: Role;
  /** In place of a password its digest was shown. */
  readonly how?: 'digest';
  /** The id of the token that was shown; absent: a password was, or its digest. It ends with that, and holds from where that may be used. */
  readonly token?: string;
}

/** A session that has begun. */
export interface SessionBegun {
  /** The secret that names it: it goes to who has logged in, and to nobody else. */
  readonly cookie: string;
  readonly session: UserSession;
}

/** The sessions of one kind: a secret of another kind names none of them. */
export interface KindSessions {
  readonly kind: SessionKind;
  /** Begins a session of a new secret, whatever the client sent. @throws StoreError */
  begin(beginning: SessionBeginning): Promise<SessionBegun>;
  /**
   * Whose session a secret names; null: none, or one that is over.
   * @param address  from where it comes: one that began by a token holds from where that may be used
   * @throws StoreError
   */
  principalOf(secret: string, address: string): Promise<Principal | null>;
  /** Ends the session that a secret names, as who has it asks. @returns whether there was one. @throws StoreError */
  endOf(secret: string, by: Actor): Promise<boolean>;
}

/** Not in the way of every request, and often enough to tell a page that is used from one that is not. */
const RENEWED_AFTER_MS = MINUTE_MS;
const PAGE_ITEMS = 500;
/** For {@link UserSessions.end}. */
export const ANYBODYS = { user: null, within: null } as const;

/**
 * Who has logged in, in the store: every node knows of it, and none when it is over. By itself it begins and knows sessions of pages; `of` is the
 * same for another kind. Lists have those of all kinds, and ending is for all.
 */
export class UserSessions implements KindSessions {
  readonly kind: SessionKind;
  readonly #kinds: Readonly<Record<SessionKindName, SessionKind>>;
  readonly #room: SessionRoom;
  readonly #parts: UserSessionsParts;
  readonly #collection: Collection<UserSession>;
  readonly #events: EventLog;
  readonly #limits: { readonly inAllMax: number; readonly perUserMax: number };
  readonly #renewing = new Set<string>();

  constructor(parts: UserSessionsParts) {
    this.#parts = parts;
    this.#collection = parts.store.collection<UserSession>(USER_SESSIONS);
    this.#events = new EventLog(parts);
    this.#limits = parts.limits ?? { inAllMax: SESSIONS_MAX, perUserMax: SESSIONS_PER_USER_MAX };
    this.#kinds = sessionKinds(parts.life);
    this.kind = this.#kinds.page;
    const idleMsMax = Math.max(...Object.values(this.#kinds).map(({ life }) => life.idleMs));
    this.#room = new SessionRoom({
      ...parts,
      sessions: this.#collection,
      inAllMax: this.#limits.inAllMax,
      idleMsMax,
    });
  }

  /** Those of one kind. */
  of(name: SessionKindName): KindSessions {
    const kind = this.#kinds[name];
    return {
      kind,
      begin: (beginning) => this.#begin(kind, beginning),
      principalOf: (secret, address) => this.#principalOf(kind, secret, address),
      endOf: (secret, by) => this.#endOf(kind, secret, by),
    };
  }

  /** How long a session lasts. */
  lifeOf(session: UserSession): SessionLife {
    return this.#kinds[kindNameOf(session)].life;
  }

  begin(beginning: SessionBeginning): Promise<SessionBegun> {
    return this.#begin(this.kind, beginning);
  }

  /** From wherever: those of pages begin by a password, and by no token. */
  principalOf(cookie: string): Promise<Principal | null> {
    return this.#principalOf(this.kind, cookie, undefined);
  }

  endOf(cookie: string, by: Actor): Promise<boolean> {
    return this.#endOf(this.kind, cookie, by);
  }

  async #begin(kind: SessionKind, beginning: SessionBeginning): Promise<SessionBegun> {
    const { user, address, userAgent, requestId, role, token, how: proof = 'password' } = beginning;
    await this.#room.make();
    const cookie = kind.newSecret();
    const nowMs = this.#parts.clock();
    const whose = user.organization === undefined ? {} : { organization: user.organization };
    const session: UserSession = {
      ...keysOf(kind.name, cookie),
      ...(kind.name !== 'page' && { kind: kind.name }),
      ...(role !== undefined && { role }),
      ...(token !== undefined && { token }),
      user: user.name,
      ...whose,
      passwordMark: user.passwordMark,
      createdAtMs: nowMs,
      lastUsedAtMs: nowMs,
      address,
      userAgent,
    };
    const credential = session.id;
    const how = token === undefined ? proof : 'token';
    const by: Actor = { name: user.name, how, credential, ...whose, address, requestId };
    await this.#parts.store.commit([
      this.#collection.inserting(session),
      this.#events.noting(happened('begun', session, by)),
    ]);
    this.#parts.logger.info('sessions.begun', { user: user.name, session: session.id, ip: address });
    for (const replaced of new Set(beginning.replaced)) {
      const before = await this.#read(kind, replaced);
      if (before !== null) await this.#end(before, 'ended', by);
    }
    // Only now: of log-ins at the same time the last sees what all have made.
    await this.#endSurplus(kind, user.name, by);
    return { cookie, session };
  }

  async #principalOf(
    kind: SessionKind,
    cookie: string,
    address: string | undefined,
  ): Promise<Principal | null> {
    const stored = await this.#read(kind, cookie);
    if (stored === null) return null;
    const { document } = stored;
    const user = await this.#holder(document, address);
    if (user === null) return null;
    this.#renew(stored);
    return bySession(user, document.id, document.role);
  }

  async #endOf(kind: SessionKind, secret: string, by: Actor): Promise<boolean> {
    return untilCommitted('A session', async () => {
      const stored = await this.#read(kind, secret);
      if (stored === null) return false;
      return (await this.#end(stored, 'ended', by)) || undefined;
    });
  }

  csrfTokenOf(cookie: string): string {
    return csrfTokenOf(cookie);
  }

  /** The session of an id; null where there is none, or it is over. */
  async get(id: string): Promise<UserSession | null> {
    const document = (await this.#collection.get(id))?.document ?? null;
    return document !== null && (await this.#holder(document)) !== null ? document : null;
  }

  /**
   * A user's, the oldest first.
   * @param within  the id of the organization whose users' sessions alone are known; null: all are
   */
  async ofUser(name: string, within: string | null = null): Promise<readonly UserSession[]> {
    const holding: UserSession[] = [];
    for (const { document } of await this.#pageOf(name)) {
      if (isWithin(within, document) && (await this.#holder(document)) !== null) holding.push(document);
    }
    return holding;
  }

  /**
   * Everybody's, by id.
   * @param after  the id that the page before ended with
   * @param within  the id of the organization whose users' sessions alone are known; null: all are
   */
  async page(
    limit: number,
    after: string | undefined,
    within: string | null = null,
  ): Promise<{ readonly items: readonly UserSession[]; readonly hasMore: boolean }> {
    const query = within === null ? {} : ({ index: 'organization', equals: [within] } as const);
    const place = { id: after, organization: within } as UserSession;
    const from = after === undefined ? null : this.#collection.cursorAt(query, place);
    const items: UserSession[] = [];
    for await (const { document } of this.#collection.scan({
      ...query,
      ...(from !== null && { after: from }),
    })) {
      if ((await this.#holder(document)) === null) continue;
      if (items.length === limit) return { items, hasMore: true };
      items.push(document);
    }
    return { items, hasMore: false };
  }

  /**
   * Ends a session, durably: from then on its cookie names nothing on any node.
   * @param action  `ended` by who has it, `revoked` by another
   * @param of  only where it is this user's, and a user's of this organization; null: anybody's
   * @returns whether there was one
   * @throws StoreError
   */
  async end(
    id: string,
    action: 'ended' | 'revoked',
    by: Actor,
    { user, within }: { readonly user: string | null; readonly within: string | null },
  ): Promise<boolean> {
    return untilCommitted(`Session ${id}`, async () => {
      const stored = await this.#collection.get(id);
      if (stored === null || !isWithin(within, stored.document)) return false;
      if (user !== null && stored.document.user !== user) return false;
      return (await this.#end(stored, action, by)) || undefined;
    });
  }

  /**
   * Ends all of a user's.
   * @returns how many that were
   * @throws StoreError
   */
  async endAll(name: string, by: Actor): Promise<number> {
    let ended = 0;
    for (const { document } of await this.#pageOf(name)) {
      if (await this.end(document.id, 'revoked', by, ANYBODYS)) ended++;
    }
    return ended;
  }

  async #read(kind: SessionKind, cookie: string): Promise<Stored<UserSession> | null> {
    if (!kind.isSecret(cookie)) return null;
    const keys = keysOf(kind.name, cookie);
    const stored = await this.#collection.get(keys.id);
    if (stored === null || kindNameOf(stored.document) !== kind.name) return null;
    const [own, shown] = [Buffer.from(stored.document.digest), Buffer.from(keys.digest)];
    return own.length === shown.length && timingSafeEqual(own, shown) ? stored : null;
  }

  /** Whose it is, as that user is now; null where it is over: by time, by another password, with the token that it is of, with the log-in of its kind, or with the user. */
  async #holder(session: UserSession, address?: string): Promise<FoundUser | null> {
    if (!isWithinLife(session, this.lifeOf(session), this.#parts.clock())) return null;
    const { users } = this.#parts;
    if (session.token !== undefined && !(await users.tokens.holds(session.token, address))) return null;
    const user = await users.find(session.user);
    if (user === null || user.passwordMark !== session.passwordMark) return null;
    return this.#kinds[kindNameOf(session)].isFor(user) ? user : null;
  }

  /** Whoever waits for the answer does not wait for this. */
  #renew({ document, revision }: Stored<UserSession>): void {
    const { id, lastUsedAtMs } = document;
    const nowMs = this.#parts.clock();
    if (nowMs - lastUsedAtMs < RENEWED_AFTER_MS || this.#renewing.has(id)) return;
    this.#renewing.add(id);
    // At its revision: one that has been ended meanwhile stays so.
    this.#collection
      .replace({ ...document, lastUsedAtMs: nowMs }, revision)
      .catch((error: unknown) => this.#parts.logger.debug('sessions.not-renewed', { session: id, error }))
      .finally(() => this.#renewing.delete(id));
  }

  async #end(
    { document, revision }: Stored<UserSession>,
    action: 'ended' | 'revoked',
    by: Actor,
  ): Promise<boolean> {
    const { committed } = await this.#parts.store.commit([
      this.#collection.deleting(document.id, revision),
      this.#events.noting(happened(action, document, by)),
    ]);
    if (committed) {
      this.#parts.logger.info(`sessions.${action}`, {
        user: document.user,
        session: document.id,
        by: by.name,
      });
    }
    return committed;
  }

  async #endSurplus({ name }: SessionKind, user: string, by: Actor): Promise<void> {
    const page = (await this.#pageOf(user)).filter(({ document }) => kindNameOf(document) === name);
    for (const stored of page.slice(0, Math.max(0, page.length - this.#limits.perUserMax))) {
      // Where it is gone by now, or was used just then, another log-in sees to it.
      await this.#end(stored, 'ended', by);
    }
  }

  async #pageOf(user: string): Promise<readonly Stored<UserSession>[]> {
    return (await this.#collection.find({ index: 'user', equals: [user], limit: PAGE_ITEMS })).items;
  }
}

function happened(action: 'begun' | 'ended' | 'revoked', session: UserSession, by: Actor): Happening {
  const { id, user, organization, address, userAgent } = session;
  const told = { user, address, userAgent };
  return {
    action,
    subject: 'session',
    subjectId: id,
    ...(organization !== undefined && { organization }),
    by,
    ...(action === 'begun' ? { after: told } : { before: told }),
  };
}
