import { type Clock, compareText, type Logger, type OrganizationId, type Turn } from '../../common/index.js';
import type { Actor, EventLog } from '../../events/index.js';
import { endingOf, NameEndings, requiringOrganization } from '../../organizations/index.js';
import { type Change, type Collection, type Store, type Stored, untilCommitted } from '../../store/index.js';
import { digestLogin } from './digest-login.js';
import { hashPassword } from './password.js';
import { shownFor, shownInEvents, TOKENS, type TokenDocument } from './token.js';
import {
  digestHash,
  isWithin,
  ROLES,
  type Role,
  toUser,
  USER_NAME_PATTERN,
  USERS,
  type User,
  type UserDocument,
  UserError,
} from './user.js';

export interface NewUser {
  readonly name: string;
  readonly password: string;
  readonly role: Role;
  /** Default: true. */
  readonly active?: boolean;
  /** The id of the organization that he is to be of, for good; absent: the installation. */
  readonly organization?: string;
  /** Whether he can log in to `/sc_cloud`, by the MD5 of his password. Default: false. */
  readonly scCloud?: boolean | undefined;
}

/** What is to be another; what is absent stays. */
export interface UserChange {
  readonly role?: Role | undefined;
  readonly active?: boolean | undefined;
  readonly password?: string | undefined;
  /** As of {@link NewUser}; true needs the password beside it where it is not so already, as nothing that is kept tells its digest. */
  readonly scCloud?: boolean | undefined;
}

/** Which users; without a field all. */
export interface UserFilter {
  readonly names?: readonly string[];
  /** The id of the organization that they are of; null: whosever. */
  readonly within?: string | null;
  /** Only those whose names come after it. */
  readonly after?: string;
}

interface RecordParts {
  readonly store: Store;
  readonly events: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The users as they are stored. Where a call says `within`, the id of an organization, the users of that alone are known to it. Of the admins who are active one of the installation is always left, and where a call is within an organization one of that: a commit that takes one
 * away requires another to stay as he is, so whichever of two that name each other comes second is refused, on whatever node.
 */
export class UserRecords {
  readonly #parts: RecordParts;
  readonly #users: Collection<UserDocument>;
  readonly #tokens: Collection<TokenDocument>;
  readonly #endings: NameEndings;

  constructor(parts: RecordParts) {
    this.#parts = parts;
    this.#endings = new NameEndings(parts.store);
    this.#users = parts.store.collection<UserDocument>(USERS);
    this.#tokens = parts.store.collection<TokenDocument>(TOKENS);
  }

  async get(name: string, within: string | null = null): Promise<Stored<UserDocument> | null> {
    const stored = USER_NAME_PATTERN.test(name) ? await this.#users.get(name) : null;
    return stored !== null && isWithin(within, stored.document) ? stored : null;
  }

  /** How many are of an organization. */
  count(organization: string): Promise<number> {
    return this.#users.count({ index: 'organization', equals: [organization] });
  }

  /** Whether somebody has a name that ends in `@slug` and is not of this organization. */
  async haveEnding(slug: string, exceptOf: string): Promise<boolean> {
    for await (const { document } of this.#users.scan({})) {
      if (endingOf(document.id) === slug && document.organization !== exceptOf) return true;
    }
    return false;
  }

  /**
   * By name, ascending.
   * @param turn  when each page is read
   */
  async *scan({ names, within = null, after }: UserFilter, turn?: Turn): AsyncGenerator<User, void> {
    const isAfter = (name: string) => after === undefined || compareText(name, after) > 0;
    if (names !== undefined) {
      for (const name of [...new Set(names)].filter(isAfter).sort(compareText)) {
        const stored = await this.get(name, within);
        if (stored !== null) yield toUser(stored.document);
      }
      return;
    }
    const query = within === null ? {} : ({ index: 'organization', equals: [within] } as const);
    for await (const { document } of this.#users.scan(query, turn))
      if (isAfter(document.id)) yield toUser(document);
  }

  /**
   * @throws UserError `invalid`, `exists`
   * @throws OrganizationError `not-found`, `not-active`
   */
  async add(user: NewUser, by: Actor | null, within: string | null): Promise<User> {
    const { name, password, role, active = true, organization, scCloud = false } = user;
    checkName(name);
    checkRole(role);
    // Before the password is hashed, which takes time.
    await this.admit(user, within);
    const hash = await hashPassword(password);
    const document: UserDocument = {
      id: name,
      role,
      ...(!active && { active: false }),
      ...(organization !== undefined && { organization }),
      password: hash,
      ...(scCloud && { digestLogin: await digestLogin(password, hash) }),
      createdAtMs: this.#parts.clock(),
    };
    await untilCommitted(`User ${name}`, async () => {
      const outcome = await this.#parts.store.commit([
        this.#users.inserting(document),
        ...(await this.admit(user, within)),
        this.#noting('added', document, by, null, shown(document)),
      ]);
      if (outcome.committed) return true;
      if (outcome.refused.collection !== USERS.name) return undefined;
      throw new UserError('exists', 'name', `There is a user ${name} already: set its password instead`);
    });
    this.#parts.logger.info('users.added', { user: name, role });
    return toUser(document);
  }

  /**
   * Whether a new user may be called so, and be of his organization. What his name ends in says it, so that no refusal tells of another's users.
   * @returns what the commit requires that adds him
   * @throws UserError `invalid`
   * @throws OrganizationError `not-found`, `not-active`
   */
  async admit(
    { name, organization }: Pick<NewUser, 'name' | 'organization'>,
    within: string | null,
  ): Promise<readonly Change[]> {
    checkName(name);
    const claim = await this.#endings.claimOf(name);
    if (organization === undefined) {
      if (claim.organization === null) return claim.changes;
      throw endsLikeOthers(name);
    }
    const { organization: own, isThere } = await requiringOrganization(
      this.#parts.store,
      organization as OrganizationId,
    );
    if (within !== null && claim.organization !== own.id)
      throw new UserError('invalid', 'name', `must end in @${own.slug}, as in ${PERSON}@${own.slug}`);
    if (claim.organization !== null && claim.organization !== own.id) throw endsLikeOthers(name);
    return [...claim.changes, isThere];
  }

  /**
   * Changes users, each in a commit of its own; none where no active admin would be left.
   * @throws UserError `invalid`, `not-found`, `last-admin`, `changed-meanwhile`
   */
  async change(
    names: readonly string[],
    change: UserChange,
    by: Actor | null,
    within: string | null,
  ): Promise<void> {
    const { role, active, password, scCloud } = change;
    if (role !== undefined) checkRole(role);
    const hash = password === undefined ? undefined : await hashPassword(password);
    // It is as dear as the hash of the password: nobody waits for it who has no use for it.
    const login =
      password !== undefined && hash !== undefined && (scCloud ?? (await this.#hasDigestLogin(names, within)))
        ? await digestLogin(password, hash)
        : undefined;
    const changed = (before: UserDocument): UserDocument => {
      const { active: wasActive, digestLogin: hadLogin, ...document } = before;
      const isOn = scCloud ?? digestHash(before) !== null;
      if (isOn && login === undefined && digestHash(before) === null) throw passwordNeeded(before.id);
      // The log-in was switched on since it was looked at whether anybody has it.
      if (isOn && hash !== undefined && login === undefined) throw changedMeanwhile(before.id);
      const hasLogin = hash === undefined ? hadLogin : login;
      return {
        ...document,
        ...(role !== undefined && { role }),
        ...((active ?? wasActive !== false) ? {} : { active: false }),
        ...(hash !== undefined && { password: hash }),
        ...(isOn && hasLogin !== undefined && { digestLogin: hasLogin }),
      };
    };
    const leaving = { names: new Set(names), within };
    await this.#checkAdmins(leaving, changed);
    for (const name of names) await this.#changeOne(name, leaving, changed, by);
  }

  /**
   * Gives a user another password, if the one that he has is still the one that was looked at.
   * @throws UserError `invalid`, `changed-meanwhile`
   */
  async replacePassword(stored: Stored<UserDocument>, password: string, by: Actor | null): Promise<void> {
    const hash = await hashPassword(password);
    const { document, revision } = stored;
    const { digestLogin: _, ...others } = document;
    const next: UserDocument = {
      ...others,
      password: hash,
      ...(digestHash(document) !== null && { digestLogin: await digestLogin(password, hash) }),
    };
    const after = { ...shown(next), passwordChanged: true };
    const { committed } = await this.#parts.store.commit([
      this.#users.replacing(next, revision),
      this.#noting('changed', document, by, shown(document), after),
    ]);
    if (!committed) {
      throw changedMeanwhile(document.id);
    }
    this.#parts.logger.info('users.password-set', { user: document.id });
  }

  /**
   * Removes users and their tokens, each in a commit of its own; none where no active admin would be left.
   * @throws UserError `not-found`, `last-admin`
   */
  async remove(names: readonly string[], by: Actor | null, within: string | null): Promise<void> {
    const leaving = { names: new Set(names), within };
    await this.#checkAdmins(leaving, () => null);
    for (const name of names) await this.#removeOne(name, leaving, by);
  }

  async #hasDigestLogin(names: readonly string[], within: string | null): Promise<boolean> {
    for (const name of names) {
      const stored = await this.get(name, within);
      if (stored !== null && digestHash(stored.document) !== null) return true;
    }
    return false;
  }

  async #changeOne(
    name: string,
    leaving: Leaving,
    changed: (document: UserDocument) => UserDocument,
    by: Actor | null,
  ): Promise<void> {
    await this.#commitOver(name, leaving, async ({ document, revision }) => {
      const next = changed(document);
      const isNewPassword = next.password !== document.password;
      const isLoginAsItWas = next.digestLogin === document.digestLogin;
      const isActiveAsItWas = next.active === document.active;
      if (next.role === document.role && isActiveAsItWas && isLoginAsItWas && !isNewPassword) return null;
      const after = { ...shown(next), ...(isNewPassword && { passwordChanged: true }) };
      return [
        this.#users.replacing(next, revision),
        ...(await this.#keepingAdmin(document, next, leaving)),
        this.#noting('changed', document, by, shown(document), after),
      ];
    });
    this.#parts.logger.info('users.changed', { user: name });
  }

  async #removeOne(name: string, leaving: Leaving, by: Actor | null): Promise<void> {
    await this.#commitOver(name, leaving, async ({ document, revision }) => {
      const changes = [
        this.#users.deleting(name, revision),
        ...(await this.#keepingAdmin(document, null, leaving)),
        this.#noting('removed', document, by, shown(document), null),
      ];
      // They would let nobody in without their user; but nobody is to wonder about them either.
      for await (const { document: token } of this.#tokens.scan({ index: 'user', equals: [name] })) {
        const before = shownInEvents(shownFor(token, document));
        changes.push(
          this.#tokens.deleting(token.id),
          this.#parts.events.noting({
            action: 'revoked',
            subject: 'token',
            subjectId: token.id,
            ...ownerOf(document),
            by,
            before,
          }),
        );
      }
      return changes;
    });
    this.#parts.logger.info('users.removed', { user: name });
  }

  /** Tries again while others change what the commit goes by. @param changesOf  null where there is nothing to change */
  async #commitOver(
    name: string,
    { within }: Leaving,
    changesOf: (stored: Stored<UserDocument>) => Promise<readonly Change[] | null>,
  ): Promise<void> {
    await untilCommitted(`User ${name}`, async () => {
      const stored = await this.get(name, within);
      if (stored === null) throw notFound(name);
      const changes = await changesOf(stored);
      if (changes === null || (await this.#parts.store.commit(changes)).committed) return true;
      return undefined;
    });
  }

  /** Before anything is changed, so that who changes everybody does not change all but the last. */
  async #checkAdmins(
    leaving: Leaving,
    changed: (document: UserDocument) => UserDocument | null,
  ): Promise<void> {
    for (const name of leaving.names) {
      const stored = await this.get(name, leaving.within);
      if (stored === null) throw notFound(name);
      await this.#keepingAdmin(stored.document, changed(stored.document), leaving);
    }
  }

  /** What the commit requires where an active admin goes. @throws UserError `last-admin` */
  async #keepingAdmin(
    before: UserDocument,
    after: UserDocument | null,
    { names, within }: Leaving,
  ): Promise<readonly Change[]> {
    if (!isActiveAdmin(before) || (after !== null && isActiveAdmin(after))) return [];
    const { organization } = before;
    // The installation may leave an organization without.
    if (organization !== undefined && within === null) return [];
    const query = organization === undefined ? {} : { index: 'organization', equals: [organization] };
    for await (const { document, revision } of this.#users.scan(query)) {
      if (isActiveAdmin(document) && document.organization === organization && !names.has(document.id))
        return [this.#users.requiring(document.id, revision)];
    }
    throw new UserError(
      'last-admin',
      'name',
      `${before.id} is the last admin who is active: make another user one first`,
    );
  }

  #noting(
    action: string,
    user: UserDocument,
    by: Actor | null,
    before: Readonly<Record<string, unknown>> | null,
    after: Readonly<Record<string, unknown>> | null,
  ): Change {
    const subject = { subject: 'user', subjectId: user.id, ...ownerOf(user) } as const;
    return this.#parts.events.noting({ action, ...subject, by, before, after });
  }
}

/** Who is to be changed or removed, by somebody who knows of whom. */
interface Leaving {
  readonly names: ReadonlySet<string>;
  /** The id of an organization; null: all are known. */
  readonly within: string | null;
}

/** Whose an event is. */
function ownerOf({ organization }: UserDocument): { readonly organization?: string } {
  return organization === undefined ? {} : { organization };
}

function isActiveAdmin({ role, active }: UserDocument): boolean {
  return role === 'admin' && active !== false;
}

/** As events show it: nothing of the password. */
function shown(document: UserDocument) {
  const { name, role, active, scCloud } = toUser(document);
  return { name, role, active, ...(scCloud && { scCloud }) };
}

function checkName(name: string): void {
  if (USER_NAME_PATTERN.test(name)) return;
  throw new UserError('invalid', 'name', 'A user name has 1 to 64 letters, digits, or _ . @ -');
}

const PERSON = 'ann';

function endsLikeOthers(name: string): UserError {
  const slug = endingOf(name);
  return new UserError(
    'invalid',
    'name',
    `Names that end in @${slug} are for users of the organization ${slug}: say that he is of it, or call him otherwise`,
  );
}

function checkRole(role: Role): void {
  if (!ROLES.includes(role)) throw new UserError('invalid', 'role', `A role is one of ${ROLES.join(', ')}`);
}

function changedMeanwhile(name: string): UserError {
  return new UserError('changed-meanwhile', 'name', `${name} was changed by someone else: try again`);
}

function passwordNeeded(name: string): UserError {
  return new UserError(
    'invalid',
    'scCloud',
    `Logging in by the MD5 of a password cannot be switched on without the password: say one of ${name}'s along with it`,
  );
}

function notFound(name: string): UserError {
  return new UserError('not-found', 'name', `There is no user ${name.slice(0, 64)}`);
}
