import { randomBytes, timingSafeEqual } from 'node:crypto';
import {
  type Clock,
  HOUR_MS,
  type Logger,
  MINUTE_MS,
  type MonotonicClock,
  networkOf,
  Seldom,
} from '../../common/index.js';
import type { Collection, Revision, Store } from '../../store/index.js';
import { type AttemptLimits, Attempts } from './attempts.js';
import type { LogIns, RefusedLogIn } from './log-ins.js';
import { parseToken, TOKENS, type Token, type TokenDocument, toToken, whyNotTaken } from './token.js';
import type { FoundUser } from './user-lookup.js';

/** What came as a token, and with what request. */
export interface ShownToken {
  readonly text: string;
  readonly address: string;
  /** While the store does not answer, a token that was right within the last hour will do. */
  readonly mayBeStale?: boolean;
  /** `X-Request-Id` of the answer, for what is kept of a refusal. */
  readonly requestId?: string;
}

export type TokenVerification =
  | { readonly kind: 'verified'; readonly user: FoundUser; readonly token: Token }
  | { readonly kind: 'denied'; readonly why: 'wrong' | 'expired' | 'inactive' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number };

interface TokenVerifierParts {
  readonly store: Store;
  readonly logIns: LogIns;
  readonly clock: Clock;
  /** Milliseconds that only ever grow. */
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  readonly attemptLimits: AttemptLimits;
  readonly find: (name: string) => Promise<FoundUser | null>;
}

/** A token that was right, with what was read of it. */
interface Right {
  readonly document: TokenDocument;
  readonly revision: Revision;
  readonly user: FoundUser;
  readonly atMs: number;
}

type Parsed = NonNullable<ReturnType<typeof parseToken>>;

const KNOWN_MAX = 10_000;
const STALE_MS_MAX = HOUR_MS;
/** A use is written where the last one is so long ago. */
const USE_MS = MINUTE_MS;
const LOG_MS = MINUTE_MS;
/** What is compared with where there is no token of an id: as much work, and never the same. */
const NO_HASH = randomBytes(32);

/**
 * Checks tokens. Each is read with its user for each request, so whatever is changed of either holds at once on every node. That it was used is
 * written once a minute, by whichever node comes first, and no request waits for that.
 */
export class TokenVerifier {
  readonly #parts: TokenVerifierParts;
  readonly #tokens: Collection<TokenDocument>;
  /** Apart from those with passwords: who guesses at the one uses up nothing of the other. */
  readonly #attempts: Attempts;
  /** By id, the one that was right longest ago first. */
  readonly #known = new Map<string, Right>();
  readonly #beingWritten = new Set<string>();
  readonly #log: Seldom;

  constructor(parts: TokenVerifierParts) {
    this.#parts = parts;
    this.#tokens = parts.store.collection<TokenDocument>(TOKENS);
    this.#attempts = new Attempts(parts.attemptLimits);
    this.#log = new Seldom(LOG_MS, parts.monotonic);
  }

  /** A wrong token costs its sender an attempt, as a wrong password does; nobody waits with one that was right before. */
  async verify(shown: ShownToken): Promise<TokenVerification> {
    const parsed = parseToken(shown.text);
    const known = parsed === null ? null : this.#knownAs(parsed);
    if (known === null) {
      const waitSeconds = this.#attempts.wait(attemptOf(shown, parsed), this.#parts.monotonic());
      if (waitSeconds > 0) return this.#throttled(shown, parsed, waitSeconds);
    }
    if (parsed === null) return this.#denied(shown, parsed, null, 'wrong');
    const stored = await this.#read(parsed, known, shown.mayBeStale ?? false);
    if (stored === null || stored === 'inactive') return this.#denied(shown, parsed, null, stored ?? 'wrong');
    const why = whyNotTaken(stored.document, shown.address, this.#parts.clock());
    if (why !== null) return this.#denied(shown, parsed, stored.user, why);
    this.#remember(stored);
    if (stored !== known) this.#noteUse(stored, shown.address);
    return { kind: 'verified', user: stored.user, token: toToken(stored.document) };
  }

  #knownAs({ id, hash }: Parsed): Right | null {
    const known = this.#known.get(id);
    return known !== undefined && isSame(hash, known.document.hash) ? known : null;
  }

  /** What is stored now, where what came is that token and its user may log in. */
  async #read(
    { id, hash }: Parsed,
    known: Right | null,
    mayBeStale: boolean,
  ): Promise<Right | 'inactive' | null> {
    const atMs = this.#parts.monotonic();
    try {
      const stored = await this.#tokens.get(id);
      const isRight = isSame(hash, stored?.document.hash);
      if (stored === null || !isRight) return null;
      const user = await this.#parts.find(stored.document.user);
      // Of a permanent one all is known by who has it: there is nothing else to find out about it.
      if (user?.active !== true) return stored.document.passwordMark === undefined ? null : 'inactive';
      const { userSinceMs, passwordMark = user.passwordMark } = stored.document;
      // Another who comes to have the name has nothing of the first.
      if (user.createdAtMs !== userSinceMs || user.passwordMark !== passwordMark) return null;
      return { ...stored, user, atMs };
    } catch (error) {
      if (mayBeStale && known !== null && atMs - known.atMs < STALE_MS_MAX) return known;
      throw error;
    }
  }

  #remember(right: Right): void {
    const { id } = right.document;
    this.#known.delete(id);
    this.#known.set(id, right);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
  }

  #denied(
    shown: ShownToken,
    parsed: Parsed | null,
    user: FoundUser | null,
    why: 'wrong' | 'expired' | 'inactive',
  ): TokenVerification {
    if (parsed !== null && this.#knownAs(parsed) !== null) this.#known.delete(parsed.id);
    // Of many at once that came before any was wrong.
    const waitSeconds = this.#attempts.take(attemptOf(shown, parsed), this.#parts.monotonic());
    if (waitSeconds > 0) return this.#throttled(shown, parsed, waitSeconds);
    this.#tell(shown, parsed, user, why === 'expired' ? 'expired-token' : 'wrong-token');
    return { kind: 'denied', why };
  }

  #throttled(shown: ShownToken, parsed: Parsed | null, retryAfterSeconds: number): TokenVerification {
    this.#tell(shown, parsed, null, 'throttled');
    return { kind: 'throttled', retryAfterSeconds };
  }

  #tell(
    { address, requestId }: ShownToken,
    parsed: Parsed | null,
    user: FoundUser | null,
    reason: RefusedLogIn['reason'],
  ): void {
    this.#parts.logIns.refuse({
      reason,
      name: user?.name ?? null,
      ...(user?.organization !== undefined && { organization: user.organization }),
      how: 'token',
      ...(parsed !== null && { credential: parsed.id }),
      address,
      ...(requestId !== undefined && { requestId }),
    });
    const omitted = this.#log.admit(reason);
    if (omitted === null) return;
    this.#parts.logger.warn('tokens.refused', {
      reason,
      ...(parsed !== null && { tokenId: parsed.id }),
      ...(user !== null && { user: user.name }),
      ip: address,
      ...(omitted > 0 && { omitted }),
    });
  }

  /** Where another node has written meanwhile the use is told already; where the token is gone it is not to come back. */
  #noteUse({ document, revision }: Right, address: string): void {
    const { id, lastUsedMs } = document;
    const nowMs = this.#parts.clock();
    // A clock that was ahead is not to keep uses from being told.
    if (lastUsedMs !== undefined && Math.abs(nowMs - lastUsedMs) < USE_MS) return;
    if (this.#beingWritten.has(id)) return;
    this.#beingWritten.add(id);
    this.#tokens
      .replace({ ...document, lastUsedMs: nowMs, lastUsedFrom: address }, revision)
      .catch((error: unknown) => {
        const omitted = this.#log.admit('use');
        if (omitted !== null) this.#parts.logger.warn('tokens.use-not-noted', { tokenId: id, error });
      })
      .finally(() => this.#beingWritten.delete(id));
  }
}

function attemptOf({ address }: ShownToken, parsed: Parsed | null) {
  return { address: networkOf(address), user: parsed?.id ?? '', isFamiliar: false };
}

/** In the same time wherever they differ. */
function isSame(hash: Buffer, stored: string | undefined): boolean {
  const other = stored === undefined ? NO_HASH : Buffer.from(stored, 'base64');
  return other.length === hash.length && timingSafeEqual(hash, other) && stored !== undefined;
}
