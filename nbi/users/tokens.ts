import {
  type Clock,
  compareText,
  DAY_MS,
  INVISIBLE,
  type Logger,
  subnetList,
  type Turn,
} from '../../common/index.js';
import type { Actor, EventLog } from '../../events/index.js';
import { type Collection, type Store, type Stored, untilCommitted } from '../../store/index.js';
import {
  generateToken,
  SUBNET_CHARACTERS_MAX,
  shownInEvents,
  TOKEN_DAYS_DEFAULT,
  TOKEN_DAYS_MAX,
  TOKEN_MS_MAX,
  TOKEN_NAME_CHARACTERS_MAX,
  TOKEN_SUBNETS_MAX,
  TOKENS,
  TOKENS_PER_USER_MAX,
  type Token,
  type TokenDocument,
  TokenError,
  toToken,
} from './token.js';
import { isWithin, mayActAs, ROLES, type Role, USER_NAME_PATTERN, USERS, type UserDocument } from './user.js';

export interface NewToken {
  readonly name: string;
  readonly user: string;
  /** At most the user's own, which is the default. */
  readonly role?: Role | undefined;
  /** Default: in 365 days. */
  readonly expiresAtMs?: number | undefined;
  /** Addresses and CIDR; none: from anywhere. */
  readonly subnets?: readonly string[] | undefined;
}

/** Which tokens; without a field all. */
export interface TokenFilter {
  readonly ids?: readonly string[];
  readonly user?: string;
  /** The id of that which their users are of; null: whosever. */
  readonly within?: string | null;
  /** Only those whose ids come after it. */
  readonly after?: string;
}

interface TokenParts {
  readonly store: Store;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What scripts log in by: tokens of users, made, listed and revoked. */
export class Tokens {
  readonly #parts: TokenParts;
  readonly #tokens: Collection<TokenDocument>;
  readonly #users: Collection<UserDocument>;

  constructor(parts: TokenParts) {
    this.#parts = parts;
    this.#tokens = parts.store.collection<TokenDocument>(TOKENS);
    this.#users = parts.store.collection<UserDocument>(USERS);
  }

  /**
   * Makes a token.
   * @param within  the id of the organization whose users alone are known; null: all are
   * @returns it, with all of its text, which is kept nowhere
   * @throws TokenError `invalid`, `too-many`
   */
  async create(
    wanted: NewToken,
    by: Actor | null,
    within: string | null = null,
  ): Promise<{ readonly token: Token; readonly text: string }> {
    const nowMs = this.#parts.clock();
    const { name, expiresAtMs = nowMs + TOKEN_DAYS_DEFAULT * DAY_MS, subnets = [] } = wanted;
    checkName(name);
    checkExpiry(expiresAtMs, nowMs);
    checkSubnets(subnets);
    const { id, text, hash } = generateToken();
    const document = await untilCommitted(`User ${wanted.user}`, async () => {
      const { document: user, revision } = await this.#userOf(wanted.user, within);
      const role = wanted.role ?? user.role;
      checkRole(role, user);
      const made: TokenDocument = {
        id,
        name,
        user: user.id,
        userSinceMs: user.createdAtMs,
        ...(user.organization !== undefined && { organization: user.organization }),
        role,
        ...(subnets.length > 0 && { subnets }),
        createdAtMs: nowMs,
        expiresAtMs,
        hash,
      };
      const noted = this.#parts.events.noting({
        action: 'added',
        subject: 'token',
        subjectId: id,
        ...(made.organization !== undefined && { organization: made.organization }),
        by,
        after: shownInEvents(made),
      });
      const isRight = this.#users.requiring(user.id, revision);
      const { committed } = await this.#parts.store.commit([this.#tokens.inserting(made), isRight, noted]);
      return committed ? made : undefined;
    });
    this.#parts.logger.info('tokens.added', { tokenId: id, user: document.user, role: document.role });
    return { token: toToken(document), text };
  }

  /**
   * @param within  the id of the organization whose users' tokens alone are known; null: all are
   * @throws TokenError `not-found`
   */
  async revoke(id: string, by: Actor | null, within: string | null = null): Promise<void> {
    const missing = new TokenError('not-found', 'id', `There is no token ${id.slice(0, 64)}`);
    await untilCommitted(`Token ${id.slice(0, 64)}`, async () => {
      const stored = await this.#tokens.get(id);
      if (stored === null || !isWithin(within, stored.document)) throw missing;
      const { organization } = stored.document;
      const noted = this.#parts.events.noting({
        action: 'revoked',
        subject: 'token',
        subjectId: id,
        ...(organization !== undefined && { organization }),
        by,
        before: shownInEvents(stored.document),
      });
      const { committed } = await this.#parts.store.commit([this.#tokens.deleting(id), noted]);
      return committed ? true : undefined;
    });
    this.#parts.logger.info('tokens.revoked', { tokenId: id });
  }

  /**
   * By id, ascending.
   * @param turn  when each page is read
   */
  async *scan({ ids, user, within = null, after }: TokenFilter, turn?: Turn): AsyncGenerator<Token, void> {
    const isAfter = (id: string) => after === undefined || compareText(id, after) > 0;
    if (ids !== undefined) {
      for (const id of [...new Set(ids)].filter(isAfter).sort(compareText)) {
        const stored = await this.#tokens.get(id);
        if (stored !== null && isWithin(within, stored.document)) yield toToken(stored.document);
      }
      return;
    }
    for await (const { document } of this.#tokens.scan(queryOf(user, within), turn))
      if (isAfter(document.id) && isWithin(within, document)) yield toToken(document);
  }

  async #userOf(name: string, within: string | null): Promise<Stored<UserDocument>> {
    const stored = USER_NAME_PATTERN.test(name) ? await this.#users.get(name) : null;
    if (stored === null || !isWithin(within, stored.document)) {
      throw new TokenError('invalid', 'user', `There is no user ${name.slice(0, 64)}: add it first`);
    }
    const count = await this.#tokens.count({ index: 'user', equals: [name] });
    if (count < TOKENS_PER_USER_MAX) return stored;
    throw new TokenError(
      'too-many',
      'user',
      `${name} has ${count} tokens and may have ${TOKENS_PER_USER_MAX}: revoke what has expired or is not used`,
    );
  }
}

function queryOf(user: string | undefined, within: string | null) {
  if (user !== undefined) return { index: 'user', equals: [user] } as const;
  return within === null ? {} : ({ index: 'organization', equals: [within] } as const);
}

function checkName(name: string): void {
  const isOne = name.trim() !== '' && name.length <= TOKEN_NAME_CHARACTERS_MAX && name.search(INVISIBLE) < 0;
  if (isOne) return;
  throw new TokenError(
    'invalid',
    'name',
    `The name of a token has 1 to ${TOKEN_NAME_CHARACTERS_MAX} characters that can be seen`,
  );
}

function checkExpiry(expiresAtMs: number, nowMs: number): void {
  if (expiresAtMs > nowMs && expiresAtMs <= nowMs + TOKEN_MS_MAX) return;
  throw new TokenError(
    'invalid',
    'expiresAt',
    `A token must expire, in the future and within ${TOKEN_DAYS_MAX} days`,
  );
}

function checkRole(role: Role, user: UserDocument): void {
  if (!ROLES.includes(role)) throw new TokenError('invalid', 'role', `A role is one of ${ROLES.join(', ')}`);
  if (mayActAs(user.role, role)) return;
  throw new TokenError(
    'invalid',
    'role',
    `A token of ${user.id} may at most be ${user.role}, as ${user.id} is`,
  );
}

function checkSubnets(subnets: readonly string[]): void {
  if (subnets.length > TOKEN_SUBNETS_MAX) {
    throw new TokenError('invalid', 'subnets', `A token has at most ${TOKEN_SUBNETS_MAX} subnets`);
  }
  for (const subnet of subnets) {
    try {
      subnetList([subnet.slice(0, SUBNET_CHARACTERS_MAX)]);
    } catch (error) {
      throw new TokenError(
        'invalid',
        'subnets',
        error instanceof Error ? error.message : 'This is no subnet',
      );
    }
    if (subnet.length > SUBNET_CHARACTERS_MAX) {
      throw new TokenError('invalid', 'subnets', `A subnet has at most ${SUBNET_CHARACTERS_MAX} characters`);
    }
  }
}
