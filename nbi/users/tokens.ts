import {
  type Clock,
  compareText,
  DAY_MS,
  INVISIBLE,
  type Logger,
  type Secrets,
  subnetList,
  type Turn,
} from '../../common/index.js';
import type { Actor, EventLog } from '../../events/index.js';
import { type Change, type Collection, type Store, type Stored, untilCommitted } from '../../store/index.js';
import {
  generateToken,
  parseToken,
  permanentToken,
  SUBNET_CHARACTERS_MAX,
  shownFor,
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
  whyNotTaken,
} from './token.js';
import { isWithin, mayActAs, ROLES, type Role, USER_NAME_PATTERN, USERS, type UserDocument } from './user.js';
import type { FoundUser } from './user-lookup.js';

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

type ExpiringToken = Token & { readonly expiresAtMs: number };

/** What lists call a permanent token. */
const PERMANENT_NAME = 'permanent token';

interface TokenParts {
  readonly store: Store;
  readonly events: EventLog;
  readonly secrets: Pick<Secrets, 'mac'>;
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
  ): Promise<{ readonly token: ExpiringToken; readonly text: string }> {
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
      const isRight = this.#users.requiring(user.id, revision);
      const { committed } = await this.#parts.store.commit([
        this.#tokens.inserting(made),
        isRight,
        this.#noting('added', toToken(made), by),
      ]);
      return committed ? made : undefined;
    });
    this.#parts.logger.info('tokens.added', { tokenId: id, user: document.user, role: document.role });
    return { token: { ...toToken(document), expiresAtMs }, text };
  }

  /**
   * The permanent token of a user who has shown his password; it is made where he has none, in place of one of another password.
   * @param shown  as he was found when he showed it
   * @param by  himself
   * @returns it, and all of its text, which follows from who he is and is kept nowhere; null where he is gone by now, or has another password
   */
  async permanent(
    { name, createdAtMs, passwordMark }: Pick<FoundUser, 'name' | 'createdAtMs' | 'passwordMark'>,
    by: Actor,
  ): Promise<{ readonly token: Token; readonly text: string } | null> {
    return untilCommitted(`User ${name}`, async () => {
      const stored = await this.#users.get(name);
      if (stored === null) return null;
      const { document: user, revision } = stored;
      if (user.createdAtMs !== createdAtMs || user.password.salt !== passwordMark) return null;
      const made = this.#permanentOf(user);
      const known = await this.#tokens.get(made.document.id);
      if (known !== null) return { token: await this.#shown(known.document), text: made.text };
      const { committed } = await this.#parts.store.commit([
        this.#users.requiring(name, revision),
        ...(await this.#permanentGoing(name)),
        this.#tokens.inserting(made.document),
        this.#noting('added', await this.#shown(made.document), by),
      ]);
      return committed ? { token: await this.#shown(made.document), text: made.text } : undefined;
    });
  }

  #permanentOf({ id: name, organization, password, createdAtMs, tokenGeneration = 0 }: UserDocument) {
    const passwordMark = password.salt;
    const of = { user: name, userSinceMs: createdAtMs, passwordMark, generation: tokenGeneration };
    const text = permanentToken(of, this.#parts.secrets);
    const parsed = parseToken(text);
    if (parsed === null) throw new Error('A permanent token is not of the shape that tokens have');
    const document: TokenDocument = {
      id: parsed.id,
      name: PERMANENT_NAME,
      user: name,
      userSinceMs: createdAtMs,
      ...(organization !== undefined && { organization }),
      // It is limited to nothing: its user's role as it is then counts.
      role: 'admin',
      createdAtMs: this.#parts.clock(),
      expiresAtMs: null,
      passwordMark,
      hash: parsed.hash.toString('base64'),
    };
    return { text, document };
  }

  /**
   * Whether what was begun by a token still holds, as far as the token goes.
   * @param address  from where it comes; absent: wherever it may
   */
  async holds(id: string, address?: string): Promise<boolean> {
    const stored = await this.#tokens.get(id);
    return stored !== null && whyNotTaken(stored.document, address, this.#parts.clock()) === null;
  }

  async #shown(document: TokenDocument): Promise<Token> {
    const user = document.passwordMark === undefined ? null : await this.#users.get(document.user);
    return shownFor(document, user?.document ?? null);
  }

  /** What takes away those of a user that are of other passwords. */
  async #permanentGoing(name: string): Promise<readonly Change[]> {
    const changes: Change[] = [];
    for await (const { document } of this.#tokens.scan({ index: 'user', equals: [name] }))
      if (document.passwordMark !== undefined) changes.push(this.#tokens.deleting(document.id));
    return changes;
  }

  #noting(action: 'added' | 'revoked', token: Token, by: Actor | null): Change {
    const { id, organization } = token;
    const shown = shownInEvents(token);
    return this.#parts.events.noting({
      action,
      subject: 'token',
      subjectId: id,
      ...(organization !== undefined && { organization }),
      by,
      ...(action === 'added' ? { after: shown } : { before: shown }),
    });
  }

  /** Where a permanent token goes its user's next one is another. */
  async #nextGeneration({ passwordMark, user: name }: TokenDocument): Promise<readonly Change[]> {
    const stored = passwordMark === undefined ? null : await this.#users.get(name);
    if (stored === null) return [];
    const { document, revision } = stored;
    const tokenGeneration = (document.tokenGeneration ?? 0) + 1;
    return [this.#users.replacing({ ...document, tokenGeneration }, revision)];
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
      const { committed } = await this.#parts.store.commit([
        this.#tokens.deleting(id),
        ...(await this.#nextGeneration(stored.document)),
        this.#noting('revoked', await this.#shown(stored.document), by),
      ]);
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
        if (stored !== null && isWithin(within, stored.document)) yield await this.#shown(stored.document);
      }
      return;
    }
    for await (const { document } of this.#tokens.scan(queryOf(user, within), turn))
      if (isAfter(document.id) && isWithin(within, document)) yield await this.#shown(document);
  }

  async #userOf(name: string, within: string | null): Promise<Stored<UserDocument>> {
    const stored = USER_NAME_PATTERN.test(name) ? await this.#users.get(name) : null;
    if (stored === null || !isWithin(within, stored.document)) {
      throw noUser(name);
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

function noUser(name: string): TokenError {
  return new TokenError('invalid', 'user', `There is no user ${name.slice(0, 64)}: add it first`);
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
