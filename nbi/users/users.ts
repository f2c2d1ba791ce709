import { randomBytes } from 'node:crypto';
import { type Clock, HOUR_MS, type Logger, MINUTE_MS, type Secrets } from '../../common/index.js';
import type { Collection, Store } from '../../store/index.js';
import { Attempts, attemptOrigin } from './attempts.js';
import { checkPassword, hashPassword, impossibleHash, passwordMatches } from './password.js';
import {
  PASSWORD_BYTES_MAX,
  type PasswordHash,
  ROLES,
  type Role,
  USER_NAME_PATTERN,
  USERS,
  type User,
  type UserDocument,
  UserError,
} from './user.js';

export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** Where they came from: attempts are counted by it. */
  readonly address: string;
  /** While the store does not answer, credentials that were right within the last hour will do. */
  readonly mayBeStale?: boolean;
}

export type Verification =
  | { readonly kind: 'verified'; readonly user: User }
  | { readonly kind: 'denied' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number };

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
  /** Right credentials are remembered for a minute; wrong ones cost their sender attempts. */
  verify(credentials: Credentials): Promise<Verification>;
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

const REMEMBERED_MS = MINUTE_MS;
const REMEMBERED_MAX = 1_000;
/** How long after that they do for what may be stale: an outage is when its figures are wanted. */
const STALE_MS_MAX = HOUR_MS;
/** scrypt takes 32 MB and a thread each: more at once would starve the rest of the process. */
const HASHES_AT_A_TIME = 2;
/** Credentials being checked or waiting for it; whoever comes on top is told to try again. */
const CHECKS_MAX = 32;
const CHECKS_RETRY_SECONDS = 1;
const GENERATED_PASSWORD_BYTES = 18;
const NAME_CHARACTERS_LOGGED = 64;

/** Opens the users kept in `store`. */
export function openUsers(parts: {
  readonly store: Store;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly logger: Logger;
}): Users {
  const collection = parts.store.collection<UserDocument>(USERS);
  const verifier = new Verifier(collection, parts.secrets, parts.clock, parts.logger);
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

function toUser({ id, role, createdAtMs }: UserDocument): User {
  return { name: id, role, createdAtMs };
}

async function hasOtherAdmin(collection: Collection<UserDocument>, name: string): Promise<boolean> {
  for await (const { document } of collection.scan({})) {
    if (document.role === 'admin' && document.id !== name) return true;
  }
  return false;
}

/** Checks credentials, remembering right ones for a minute by their HMAC and never by themselves. */
class Verifier {
  readonly #collection: Collection<UserDocument>;
  readonly #secrets: Secrets;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #attempts = new Attempts();
  readonly #impossible = impossibleHash();
  readonly #remembered = new Map<string, { readonly user: User; readonly untilMs: number }>();
  readonly #underWay = new Map<string, Promise<Verification>>();
  #sequence = -1;
  #checks = 0;
  #hashing = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(collection: Collection<UserDocument>, secrets: Secrets, clock: Clock, logger: Logger) {
    this.#collection = collection;
    this.#secrets = secrets;
    this.#clock = clock;
    this.#logger = logger;
  }

  async verify(credentials: Credentials): Promise<Verification> {
    const { name, password, mayBeStale = false } = credentials;
    // A name holds no NUL where there is such a user, so no two pairs share a key.
    const key = this.#secrets.mac('nbi-credentials', `${name}\0${password}`).toString('base64');
    try {
      await this.#forgetWhereChanged();
    } catch (error) {
      const known = mayBeStale ? this.#remembered.get(key) : undefined;
      if (known === undefined || known.untilMs + STALE_MS_MAX <= this.#clock()) throw error;
      return { kind: 'verified', user: known.user };
    }
    const known = this.#remembered.get(key);
    if (known !== undefined && known.untilMs > this.#clock()) return { kind: 'verified', user: known.user };
    // A client that opens many connections at once costs one hash, not one each.
    const keyWithAddress = `${credentials.address} ${key}`;
    const running = this.#underWay.get(keyWithAddress);
    if (running !== undefined) return running;
    const verification = this.#verifyAnew(credentials, key);
    this.#underWay.set(keyWithAddress, verification);
    try {
      return await verification;
    } finally {
      if (this.#underWay.get(keyWithAddress) === verification) this.#underWay.delete(keyWithAddress);
    }
  }

  /** Any change to a user, by any process, shows in the collection's sequence. */
  async #forgetWhereChanged(): Promise<void> {
    const sequence = await this.#collection.sequence();
    if (sequence === this.#sequence) return;
    this.#sequence = sequence;
    this.#remembered.clear();
    this.#underWay.clear();
  }

  async #verifyAnew(credentials: Credentials, key: string): Promise<Verification> {
    const address = attemptOrigin(credentials.address);
    const name = credentials.name.slice(0, NAME_CHARACTERS_LOGGED);
    const retryAfterSeconds =
      this.#checks >= CHECKS_MAX ? CHECKS_RETRY_SECONDS : this.#attempts.take(address, name, this.#clock());
    if (retryAfterSeconds > 0) {
      this.#logger.warn('users.throttled', { user: name, ip: address });
      return { kind: 'throttled', retryAfterSeconds };
    }
    this.#checks++;
    try {
      const sequence = this.#sequence;
      const user = await this.#check(credentials);
      if (user === null) {
        this.#logger.warn('users.denied', { user: name, ip: address });
        return { kind: 'denied' };
      }
      this.#attempts.giveBack(address, name, this.#clock());
      // Whatever changed while the password was hashed, the old answer must not be remembered.
      if (sequence === this.#sequence) this.#remember(key, user);
      return { kind: 'verified', user };
    } finally {
      this.#checks--;
    }
  }

  async #check({ name, password }: Credentials): Promise<User | null> {
    if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) return null;
    const stored = USER_NAME_PATTERN.test(name) ? await this.#collection.get(name) : null;
    // An unknown user costs as much time as a known one.
    const matches = await this.#matches(password, stored?.document.password ?? this.#impossible);
    return matches && stored !== null ? toUser(stored.document) : null;
  }

  #remember(key: string, user: User): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, { user, untilMs: this.#clock() + REMEMBERED_MS });
    if (this.#remembered.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }

  /** Each hash that ends hands its place to the one that has waited longest. */
  async #matches(password: string, hash: PasswordHash): Promise<boolean> {
    if (this.#hashing >= HASHES_AT_A_TIME) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#hashing++;
    try {
      return await passwordMatches(password, hash);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#hashing--;
      else next();
    }
  }
}
