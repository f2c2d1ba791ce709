import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import {
  type Clock,
  type Logger,
  type MonotonicClock,
  monotonicClock,
  type Secrets,
  type Turn,
} from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import { OrganizationDirectory, type OrganizationUsers } from '../../organizations/index.js';
import type { Store } from '../../store/index.js';
import { attemptLimits, FAILED_LOGINS_MAX } from './attempts.js';
import { hashLimits } from './hash-places.js';
import { LogIns } from './log-ins.js';
import { checkPassword } from './password.js';
import { type ShownToken, type TokenVerification, TokenVerifier } from './token-verifier.js';
import { Tokens } from './tokens.js';
import { type Role, toUser, USERS, type User, type UserDocument, UserError } from './user.js';
import { type FoundUser, UserLookup } from './user-lookup.js';
import { type NewUser, type UserChange, type UserFilter, UserRecords } from './user-records.js';
import { type Credentials, type Verification, Verifier } from './verifier.js';

/**
 * Who may use the northbound APIs. Of every change it is kept who made it; null: nobody, it came about. Calls that take `within`, the id of an
 * organization, know of its users alone; null, the default: of all.
 */
export interface Users {
  /**
   * A name that ends in `@` and the slug of an organization is for its users, and within one there are no others.
   * @throws UserError `invalid`, `exists`
   * @throws OrganizationError `not-found`, `not-active`
   */
  add(user: NewUser, by?: Actor | null, within?: string | null): Promise<User>;
  /**
   * Changes users; none where no active admin of the installation would be left, or, within an organization, none of that.
   * @throws UserError `invalid`, `not-found`, `last-admin`
   */
  change(
    names: readonly string[],
    change: UserChange,
    by?: Actor | null,
    within?: string | null,
  ): Promise<void>;
  /**
   * Adds a user, or changes the one that there is.
   * @throws UserError as `add` and `change`; `invalid` where a new one has no password, or the one that there is is of another organization
   * @throws OrganizationError as `add`
   */
  put(
    user: Pick<NewUser, 'name' | 'organization'> & UserChange,
    by?: Actor | null,
    within?: string | null,
  ): Promise<void>;
  /** With their tokens. @throws UserError `not-found`, `last-admin` as `change` */
  remove(names: readonly string[] | string, by?: Actor | null, within?: string | null): Promise<void>;
  /**
   * By name, ascending.
   * @param turn  when each page is read
   */
  scan(filter: UserFilter, turn?: Turn): AsyncIterable<User>;
  /** How many are of an organization. */
  count(organization: string): Promise<number>;
  /** What organizations ask of them. */
  readonly ofOrganizations: OrganizationUsers;
  /** All of them, by name. */
  list(): Promise<readonly User[]>;
  /** @throws UserError `invalid`, `not-found` */
  setPassword(name: string, password: string, by?: Actor | null): Promise<void>;
  /**
   * Gives whoever has shown his password another. A wrong one costs an attempt.
   * @returns what became of the old one; only where that is `verified` the new one holds
   * @throws UserError `invalid`, `not-found`, `changed-meanwhile`
   * @throws the reason of the credentials' `over`
   */
  changePassword(credentials: Credentials, password: string, by: Actor | null): Promise<Verification>;
  /**
   * Right credentials are remembered for a minute; wrong ones cost their sender attempts.
   * @throws the reason of the credentials' `over`, once nobody waits for the answer
   */
  verify(credentials: Credentials): Promise<Verification>;
  /** Wrong tokens cost their sender attempts; whatever changes of a token or its user holds at once. */
  verifyToken(shown: ShownToken): Promise<TokenVerification>;
  readonly tokens: Tokens;
  /** What is kept of log-ins. */
  readonly logIns: LogIns;
  /** Who has this name, as any process last had it, for whoever has shown something else than the password; null: nobody who may log in. */
  find(name: string): Promise<FoundUser | null>;
  /** How many passwords are being hashed to verify credentials. */
  readonly hashing: number;
  /** How many wait for that. */
  readonly waitingForHash: number;
  /**
   * Makes the user `admin` where there is no user at all.
   * @param password  null: one is generated
   * @returns the password that was generated, to be shown once; null where none was
   */
  ensureFirstAdmin(
    password: string | null,
  ): Promise<{ readonly name: string; readonly password: string } | null>;
}

export const FIRST_ADMIN_NAME = 'admin';
const ROLE_DEFAULT: Role = 'operator';

const GENERATED_PASSWORD_BYTES = 18;

/** Opens the users kept in `store`. */
export function openUsers(parts: {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds that only ever grow: attempts and what is remembered go by them. */
  readonly monotonic?: MonotonicClock;
  /** Wrong passwords a minute from one address for one user; in all, and for one name, there is a multiple of it. */
  readonly failedLoginsMax?: number;
}): Users {
  const { store, secrets, clock, logger } = parts;
  const { monotonic = monotonicClock, failedLoginsMax = FAILED_LOGINS_MAX } = parts;
  const collection = store.collection<UserDocument>(USERS);
  const events = new EventLog({ store, clock });
  const records = new UserRecords({ store, events, clock, logger });
  const find = async (name: string) => {
    const stored = await records.get(name);
    return stored === null ? null : toUser(stored.document);
  };
  const organizations = new OrganizationDirectory({ store, monotonic });
  const logIns = new LogIns({ events, secrets, logger, monotonic, organizations, find });
  const limits = attemptLimits(failedLoginsMax);
  const lookup = new UserLookup(collection);
  const verifier = new Verifier({
    collection,
    secrets,
    logIns,
    logger,
    monotonic,
    attemptLimits: limits,
    hashLimits: hashLimits(availableParallelism()),
    rest: (ms, then) => void setTimeout(then, ms).unref(),
  });
  const tokens = new Tokens({ store, events, secrets, clock, logger });
  const tokenVerifier = new TokenVerifier({
    store,
    logIns,
    clock,
    monotonic,
    logger,
    attemptLimits: limits,
    find: (name) => lookup.find(name),
  });
  return {
    add: (user, by = null, within = null) => records.add(user, by, within),
    change: (names, change, by = null, within = null) => records.change(names, change, by, within),
    async put({ name, organization, ...change }, by = null, within = null) {
      const stored = await records.get(name, within);
      if (stored !== null) {
        if (organization !== undefined && organization !== stored.document.organization)
          throw isOfAnother(name);
        return records.change([name], change, by, within);
      }
      const { role = ROLE_DEFAULT, active = true, password, scCloud } = change;
      if (password === undefined) {
        await records.admit({ name, ...(organization !== undefined && { organization }) }, within);
        throw new UserError('invalid', 'password', 'There is no such user yet: a new one needs a password');
      }
      const whose = organization === undefined ? {} : { organization };
      const added = { name, role, active, password, scCloud, ...whose };
      await records.add(added, by, within);
    },
    remove: (names, by = null, within = null) =>
      records.remove(typeof names === 'string' ? [names] : names, by, within),
    scan: (filter, turn) => records.scan(filter, turn),
    count: (organization) => records.count(organization),
    ofOrganizations: {
      code: 'has-users',
      what: 'users',
      remedy: 'remove its users',
      isAnyOf: async (id) => (await records.count(id)) > 0,
      haveEnding: (slug, exceptOf) => records.haveEnding(slug, exceptOf),
    },
    async list() {
      const users: User[] = [];
      for await (const user of records.scan({})) users.push(user);
      return users;
    },
    setPassword: (name, password, by = null) => records.change([name], { password }, by, null),
    async changePassword(credentials, password, by) {
      checkPassword(password);
      const stored = await records.get(credentials.name);
      const verification = await verifier.verify(credentials);
      if (verification.kind !== 'verified') return verification;
      if (stored === null) throw new UserError('not-found', 'name', 'There is no such user any more');
      await records.replacePassword(stored, password, by);
      return verification;
    },
    verify: (credentials) => verifier.verify(credentials),
    verifyToken: (shown) => tokenVerifier.verify(shown),
    tokens,
    logIns,
    find: (name) => lookup.find(name),
    get hashing() {
      return verifier.hashing;
    },
    get waitingForHash() {
      return verifier.waiting;
    },
    async ensureFirstAdmin(password) {
      if (password !== null) checkPassword(password);
      if ((await collection.count()) > 0) return null;
      const chosen = password ?? randomBytes(GENERATED_PASSWORD_BYTES).toString('base64url');
      try {
        await records.add({ name: FIRST_ADMIN_NAME, password: chosen, role: 'admin' }, null, null);
      } catch (error) {
        // Another process was first, and has shown its password.
        if (error instanceof UserError && error.code === 'exists') return null;
        throw error;
      }
      return password === null ? { name: FIRST_ADMIN_NAME, password: chosen } : null;
    },
  };
}

function isOfAnother(name: string): UserError {
  return new UserError(
    'invalid',
    'organization',
    `as it is, or left out: whose user ${name} is stays; remove him and add him anew`,
  );
}
