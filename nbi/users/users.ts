import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import {
  type Clock,
  type Logger,
  type MonotonicClock,
  monotonicClock,
  type Secrets,
} from '../../common/index.js';
import type { Collection, Store } from '../../store/index.js';
import { attemptLimits, FAILED_LOGINS_MAX } from './attempts.js';
import { hashLimits } from './hash-places.js';
import { checkPassword, hashPassword } from './password.js';
import {
  ROLES,
  type Role,
  toUser,
  USER_NAME_PATTERN,
  USERS,
  type User,
  type UserDocument,
  UserError,
} from './user.js';
import { type FoundUser, UserLookup } from './user-lookup.js';
import { type Credentials, type Verification, Verifier } from './verifier.js';

/** Who may use the northbound APIs. */
export interface Users {
  /** @throws UserError `invalid`, `exists` */
  add(user: { readonly name: string; readonly password: string; readonly role: Role }): Promise<User>;
  /** @throws UserError `not-found`, `last-admin` */
  remove(name: string): Promise<void>;
  /** By name. */
  list(): Promise<readonly User[]>;
  /** @throws UserError `invalid`, `not-found`, `changed-meanwhile` */
  setPassword(name: string, password: string): Promise<void>;
  /**
   * Right credentials are remembered for a minute; wrong ones cost their sender attempts.
   * @throws the reason of the credentials' `over`, once nobody waits for the answer
   */
  verify(credentials: Credentials): Promise<Verification>;
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
  const collection = parts.store.collection<UserDocument>(USERS);
  const { secrets, logger, monotonic = monotonicClock, failedLoginsMax = FAILED_LOGINS_MAX } = parts;
  const lookup = new UserLookup(collection);
  const verifier = new Verifier({
    collection,
    secrets,
    logger,
    monotonic,
    attemptLimits: attemptLimits(failedLoginsMax),
    hashLimits: hashLimits(availableParallelism()),
    rest: (ms, then) => void setTimeout(then, ms).unref(),
  });
  const add: Users['add'] = async ({ name, password, role }) => {
    checkNameAndRole(name, role);
    const hash = await hashPassword(password);
    const document = { id: name, role, password: hash, createdAtMs: parts.clock() };
    if ((await collection.insert(document)) === null) {
      throw new UserError('exists', 'name', `There is a user ${name} already: set its password instead`);
    }
    parts.logger.info('users.added', { user: name, role });
    return toUser(document);
  };
  return {
    add,
    async remove(name) {
      const stored = await collection.get(name);
      if (stored === null) throw notFound(name);
      if (stored.document.role === 'admin' && !(await hasOtherAdmin(collection, name))) {
        throw new UserError('last-admin', 'name', `${name} is the last admin: add another one first`);
      }
      await collection.delete(name);
      parts.logger.info('users.removed', { user: name });
    },
    async list() {
      const users: User[] = [];
      for await (const { document } of collection.scan({})) users.push(toUser(document));
      return users;
    },
    async setPassword(name, password) {
      const hash = await hashPassword(password);
      const stored = await collection.get(name);
      if (stored === null) throw notFound(name);
      if ((await collection.replace({ ...stored.document, password: hash }, stored.revision)) === null) {
        throw new UserError('changed-meanwhile', 'name', `${name} was changed by someone else: try again`);
      }
      parts.logger.info('users.password-set', { user: name });
    },
    verify: (credentials) => verifier.verify(credentials),
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
        await add({ name: FIRST_ADMIN_NAME, password: chosen, role: 'admin' });
      } catch (error) {
        // Another process was first, and has shown its password.
        if (error instanceof UserError && error.code === 'exists') return null;
        throw error;
      }
      return password === null ? { name: FIRST_ADMIN_NAME, password: chosen } : null;
    },
  };
}

function checkNameAndRole(name: string, role: Role): void {
  if (!USER_NAME_PATTERN.test(name)) {
    throw new UserError('invalid', 'name', 'A user name has 1 to 64 letters, digits, or _ . @ -');
  }
  if (!ROLES.includes(role)) throw new UserError('invalid', 'role', `A role is one of ${ROLES.join(', ')}`);
}

function notFound(name: string): UserError {
  return new UserError('not-found', 'name', `There is no user ${name.slice(0, 64)}`);
}

async function hasOtherAdmin(collection: Collection<UserDocument>, name: string): Promise<boolean> {
  for await (const { document } of collection.scan({})) {
    if (document.role === 'admin' && document.id !== name) return true;
  }
  return false;
}
