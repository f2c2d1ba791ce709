import {
  HOUR_MS,
  type Logger,
  MINUTE_MS,
  type MonotonicClock,
  networkOf,
  SECOND_MS,
  type Secrets,
  Seldom,
} from '../../common/index.js';
import type { Collection } from '../../store/index.js';
import { type Attempt, type AttemptLimits, Attempts } from './attempts.js';
import { Familiar } from './familiar.js';
import { type HashLimits, HashPlaces, type HashPlacesParts, type Standing } from './hash-places.js';
import { type LogIns, unknownNameDigest } from './log-ins.js';
import { impossibleHash, passwordMatches } from './password.js';
import { Shared } from './shared.js';
import {
  digestHash,
  PASSWORD_BYTES_MAX,
  toUser,
  USER_NAME_PATTERN,
  type User,
  type UserDocument,
} from './user.js';

export interface Credentials {
  readonly name: string;
  /** The password; or its MD5 in lower-case hexadecimal, where `proof` says so. */
  readonly password: string;
  /** The digest is right only for users for whom that was switched on. Default: `password`. */
  readonly proof?: 'password' | 'digest';
  /** Where they came from: attempts are counted by it. */
  readonly address: string;
  /** `X-Request-Id` of the answer, for what is kept of the log-in. */
  readonly requestId?: string;
  /** While the store does not answer, credentials that were right within the last hour will do. */
  readonly mayBeStale?: boolean;
  /** Aborted once nobody waits for the answer: then their turn is given up. */
  readonly over?: AbortSignal;
}

export type Verification =
  | { readonly kind: 'verified'; readonly user: User }
  | { readonly kind: 'denied' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number };

export interface VerifierParts {
  readonly collection: Collection<UserDocument>;
  readonly secrets: Secrets;
  readonly logIns: LogIns;
  readonly logger: Logger;
  /** Milliseconds that only ever grow: clocks are set. */
  readonly monotonic: MonotonicClock;
  readonly attemptLimits: AttemptLimits;
  readonly hashLimits: HashLimits;
  /** Calls `then` after so many milliseconds. */
  readonly rest: HashPlacesParts['rest'];
}

/** Apart, so that the digest of a password is never taken for a password, nor the other way round. */
const MAC_PURPOSES = { password: 'nbi-credentials', digest: 'nbi-password-digests' } as const;

const REMEMBERED_MS = MINUTE_MS;
const REMEMBERED_MAX = 1_000;
/** How long after that they do for what may be stale: an outage is when its figures are wanted. */
const STALE_MS_MAX = HOUR_MS;
/** Where too many wait for their passwords to be hashed. */
const BUSY_RETRY_SECONDS = 1;
const NAME_CHARACTERS_COUNTED = 64;
/** While thousands of guesses come, the log says so now and then. */
const LOG_MS = 10 * SECOND_MS;

/** Checks credentials, remembering right ones for a minute by their HMAC and never by themselves. */
export class Verifier {
  readonly #parts: VerifierParts;
  readonly #attempts: Attempts;
  readonly #familiar = new Familiar();
  readonly #places: HashPlaces;
  readonly #log: Seldom;
  readonly #impossible = impossibleHash();
  readonly #remembered = new Map<string, { readonly user: User; readonly untilMs: number }>();
  readonly #underWay = new Map<string, Shared<Verification>>();
  #sequence = -1;

  constructor(parts: VerifierParts) {
    this.#parts = parts;
    const { monotonic, rest } = parts;
    const attempts = new Attempts(parts.attemptLimits);
    this.#attempts = attempts;
    this.#places = new HashPlaces({
      limits: parts.hashLimits,
      wrongFrom: (origin) => attempts.wrongFrom(origin, monotonic()),
      monotonic,
      rest,
    });
    this.#log = new Seldom(LOG_MS, parts.monotonic);
  }

  /** How many passwords are being hashed. */
  get hashing(): number {
    return this.#places.taken;
  }

  /** How many wait for that. */
  get waiting(): number {
    return this.#places.waiting;
  }

  /** @throws the reason of the credentials' `over` */
  async verify(credentials: Credentials): Promise<Verification> {
    const { name, password, proof = 'password', mayBeStale = false, over } = credentials;
    const { secrets, monotonic } = this.#parts;
    // A name holds no NUL where there is such a user, so no two pairs share a key.
    const key = secrets.mac(MAC_PURPOSES[proof], `${name}\0${password}`).toString('base64');
    // A client that opens many connections at once costs one hash, not one each.
    const keyWithAddress = `${credentials.address} ${key}`;
    // Before the store is asked: a guesser is to cost as little as can be.
    if (!this.#remembered.has(key) && !this.#underWay.has(keyWithAddress)) {
      const retryAfterSeconds = this.#attempts.wait(this.#attemptOf(credentials), monotonic());
      if (retryAfterSeconds > 0) {
        await this.#tell('users.throttled', credentials);
        return { kind: 'throttled', retryAfterSeconds };
      }
    }
    try {
      await this.#forgetWhereChanged();
    } catch (error) {
      const known = mayBeStale ? this.#remembered.get(key) : undefined;
      if (known === undefined || known.untilMs + STALE_MS_MAX <= monotonic()) throw error;
      return { kind: 'verified', user: known.user };
    }
    const known = this.#remembered.get(key);
    if (known !== undefined && known.untilMs > monotonic()) return { kind: 'verified', user: known.user };
    const running = this.#underWay.get(keyWithAddress);
    if (running !== undefined && !running.isGivenUp) return running.join(over);
    const shared = new Shared(async (givenUp) => {
      try {
        return await this.#verifyAnew(credentials, key, givenUp);
      } finally {
        if (this.#underWay.get(keyWithAddress) === shared) this.#underWay.delete(keyWithAddress);
      }
    });
    this.#underWay.set(keyWithAddress, shared);
    return shared.join(over);
  }

  /** Any change to a user, by any process, shows in the collection's sequence. */
  async #forgetWhereChanged(): Promise<void> {
    const sequence = await this.#parts.collection.sequence();
    if (sequence === this.#sequence) return;
    this.#sequence = sequence;
    this.#remembered.clear();
    this.#underWay.clear();
  }

  async #verifyAnew(credentials: Credentials, key: string, over: AbortSignal): Promise<Verification> {
    const sequence = this.#sequence;
    const verification = await this.#checkInTurn(credentials, over);
    switch (verification.kind) {
      case 'verified':
        this.#noteFamiliar(this.#attemptOf(credentials));
        this.#noteLogIn(credentials, verification.user);
        // Whatever changed while the password was hashed, the old answer must not be remembered.
        if (sequence === this.#sequence) this.#remember(key, verification.user);
        break;
      case 'denied':
        await this.#tell('users.denied', credentials);
        break;
      case 'throttled':
        await this.#tell('users.throttled', credentials);
        break;
      default:
        return verification satisfies never;
    }
    return verification;
  }

  #noteLogIn(
    { name, proof: how = 'password', address, requestId }: Credentials,
    { organization }: User,
  ): void {
    this.#parts.logIns.note({
      name,
      how,
      ...(organization !== undefined && { organization }),
      address,
      ...(requestId !== undefined && { requestId }),
    });
  }

  #attemptOf(credentials: Credentials): Attempt {
    const origin = networkOf(credentials.address);
    const user = credentials.name.slice(0, NAME_CHARACTERS_COUNTED);
    return { address: origin, user, isFamiliar: this.#familiar.hasUser(origin, user) };
  }

  #noteFamiliar({ address, user }: Attempt): void {
    this.#familiar.note(address, user);
    this.#places.becameFamiliar(address);
  }

  async #checkInTurn(credentials: Credentials, over: AbortSignal): Promise<Verification> {
    const attempts = this.#attempts;
    const nowMs = () => this.#parts.monotonic();
    const first = this.#attemptOf(credentials);
    const waitSeconds = attempts.wait(first, nowMs());
    if (waitSeconds > 0) return { kind: 'throttled', retryAfterSeconds: waitSeconds };
    const standing = this.#standingOf(first, nowMs());
    const check = async (): Promise<Verification> => {
      // Only now: what waits for its turn is no attempt yet, and meanwhile others may have used up what there was.
      const now = this.#attemptOf(credentials);
      const retryAfterSeconds = attempts.take(now, nowMs());
      if (retryAfterSeconds > 0) return { kind: 'throttled', retryAfterSeconds };
      let isWrong = false;
      try {
        const checked = await this.#check(credentials);
        isWrong = checked.kind === 'denied';
        return checked;
      } finally {
        if (!isWrong) attempts.giveBack(now, nowMs());
        else if (!now.isFamiliar) attempts.noteFailure(now, nowMs());
      }
    };
    const verification = await this.#places.run(
      { origin: first.address, standing, over },
      check,
      ({ kind }) => kind === 'denied',
    );
    return verification ?? { kind: 'throttled', retryAfterSeconds: BUSY_RETRY_SECONDS };
  }

  /** Guesses from elsewhere are nothing to who has logged in from there before, and keep out nobody else who knows the password. */
  #standingOf({ address, user, isFamiliar }: Attempt, nowMs: number): Standing {
    if (!isFamiliar && this.#attempts.isGuessedAt(user, nowMs)) return 'guessed-at';
    return this.#familiar.hasOrigin(address) ? 'familiar' : 'stranger';
  }

  async #check({ name, password, proof = 'password' }: Credentials): Promise<Verification> {
    // scrypt takes NULs at the end for nothing.
    if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX || password.endsWith('\0'))
      return { kind: 'denied' };
    const stored = await this.#find(name);
    const hash = stored === null || proof === 'password' ? stored?.password : digestHash(stored);
    // An unknown user costs as much time as a known one.
    const matches = await passwordMatches(password, hash ?? this.#impossible);
    const user = matches && stored !== null ? toUser(stored) : null;
    return user?.active === true ? { kind: 'verified', user } : { kind: 'denied' };
  }

  async #find(name: string): Promise<UserDocument | null> {
    if (!USER_NAME_PATTERN.test(name)) return null;
    return (await this.#parts.collection.get(name))?.document ?? null;
  }

  #remember(key: string, user: User): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, { user, untilMs: this.#parts.monotonic() + REMEMBERED_MS });
    if (this.#remembered.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }

  /** What was typed as a name may be a password: it is told only where there is such a user. */
  async #tell(event: 'users.denied' | 'users.throttled', credentials: Credentials): Promise<void> {
    const { name, proof: how = 'password', address, requestId } = credentials;
    this.#parts.logIns.refuse({
      reason: event === 'users.denied' ? 'wrong-credentials' : 'throttled',
      name,
      how,
      address,
      ...(requestId !== undefined && { requestId }),
    });
    const omitted = this.#log.admit(event);
    if (omitted === null) return;
    const { logger, secrets } = this.#parts;
    const exists = await this.#find(name).then(
      (found) => found !== null,
      () => false,
    );
    logger.warn(event, {
      ...(exists ? { user: name } : { unknownName: unknownNameDigest(secrets, name) }),
      ip: address,
      ...(omitted > 0 && { omitted }),
    });
  }
}
