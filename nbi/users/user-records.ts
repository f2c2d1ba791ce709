import { type Clock, compareText, type Logger, type Turn } from '../../common/index.js';
import type { Actor, EventLog } from '../../events/index.js';
import { type Change, type Collection, type Store, type Stored, untilCommitted } from '../../store/index.js';
import { hashPassword } from './password.js';
import { shownInEvents, TOKENS, type TokenDocument } from './token.js';
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

export interface NewUser {
  readonly name: string;
  readonly password: string;
  readonly role: Role;
  /** Default: true. */
  readonly active?: boolean;
  /** The id of the organization that he is to be of, for good; absent: the installation. */
  readonly organization?: string;
}

/** What is to be another; what is absent stays. */
export interface UserChange {
  readonly role?: Role | undefined;
  readonly active?: boolean | undefined;
  readonly password?: string | undefined;
}

/** Which users; without a field all. */
export interface UserFilter {
  readonly names?: readonly string[];
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
 * The users as they are stored. Of the admins who are active one is always left: a commit that takes one away requires another to stay as he
 * is, so whichever of two that name each other comes second is refused, on whatever node.
 */
export class UserRecords {
  readonly #parts: RecordParts;
  readonly #users: Collection<UserDocument>;
  readonly #tokens: Collection<TokenDocument>;

  constructor(parts: RecordParts) {
    this.#parts = parts;
    this.#users = parts.store.collection<UserDocument>(USERS);
    this.#tokens = parts.store.collection<TokenDocument>(TOKENS);
  }

  async get(name: string): Promise<Stored<UserDocument> | null> {
    return USER_NAME_PATTERN.test(name) ? await this.#users.get(name) : null;
  }

  /**
   * By name, ascending.
   * @param turn  when each page is read
   */
  async *scan({ names, after }: UserFilter, turn?: Turn): AsyncGenerator<User, void> {
    const isAfter = (name: string) => after === undefined || compareText(name, after) > 0;
    if (names !== undefined) {
      for (const name of [...new Set(names)].filter(isAfter).sort(compareText)) {
        const stored = await this.get(name);
        if (stored !== null) yield toUser(stored.document);
      }
      return;
    }
    for await (const { document } of this.#users.scan({}, turn))
      if (isAfter(document.id)) yield toUser(document);
  }

  /** @throws UserError `invalid`, `exists` */
  async add({ name, password, role, active = true, organization }: NewUser, by: Actor | null): Promise<User> {
    checkNameAndRole(name, role);
    const hash = await hashPassword(password);
    const document: UserDocument = {
      id: name,
      role,
      ...(!active && { active: false }),
      ...(organization !== undefined && { organization }),
      password: hash,
      createdAtMs: this.#parts.clock(),
    };
    const { committed } = await this.#parts.store.commit([
      this.#users.inserting(document),
      this.#noting('added', name, by, null, shown(document)),
    ]);
    if (!committed) {
      throw new UserError('exists', 'name', `There is a user ${name} already: set its password instead`);
    }
    this.#parts.logger.info('users.added', { user: name, role });
    return toUser(document);
  }

  /**
   * Changes users, each in a commit of its own; none where no active admin would be left.
   * @throws UserError `invalid`, `not-found`, `last-admin`
   */
  async change(names: readonly string[], change: UserChange, by: Actor | null): Promise<void> {
    const { role, active, password } = change;
    if (role !== undefined) checkRole(role);
    const hash = password === undefined ? undefined : await hashPassword(password);
    const changed = ({ active: wasActive, ...document }: UserDocument): UserDocument => ({
      ...document,
      ...(role !== undefined && { role }),
      ...((active ?? wasActive !== false) ? {} : { active: false }),
      ...(hash !== undefined && { password: hash }),
    });
    await this.#checkAdmins(names, changed);
    for (const name of names) await this.#changeOne(name, new Set(names), changed, by);
  }

  /**
   * Gives a user another password, if the one that he has is still the one that was looked at.
   * @throws UserError `invalid`, `changed-meanwhile`
   */
  async replacePassword(stored: Stored<UserDocument>, password: string, by: Actor | null): Promise<void> {
    const hash = await hashPassword(password);
    const { document, revision } = stored;
    const after = { ...shown(document), passwordChanged: true };
    const { committed } = await this.#parts.store.commit([
      this.#users.replacing({ ...document, password: hash }, revision),
      this.#noting('changed', document.id, by, shown(document), after),
    ]);
    if (!committed) {
      throw new UserError(
        'changed-meanwhile',
        'name',
        `${document.id} was changed by someone else: try again`,
      );
    }
    this.#parts.logger.info('users.password-set', { user: document.id });
  }

  /**
   * Removes users and their tokens, each in a commit of its own; none where no active admin would be left.
   * @throws UserError `not-found`, `last-admin`
   */
  async remove(names: readonly string[], by: Actor | null): Promise<void> {
    await this.#checkAdmins(names, () => null);
    for (const name of names) await this.#removeOne(name, new Set(names), by);
  }

  async #changeOne(
    name: string,
    leaving: ReadonlySet<string>,
    changed: (document: UserDocument) => UserDocument,
    by: Actor | null,
  ): Promise<void> {
    await this.#commitOver(name, async ({ document, revision }) => {
      const next = changed(document);
      const isNewPassword = next.password !== document.password;
      if (next.role === document.role && next.active === document.active && !isNewPassword) return null;
      const after = { ...shown(next), ...(isNewPassword && { passwordChanged: true }) };
      return [
        this.#users.replacing(next, revision),
        ...(await this.#keepingAdmin(document, next, leaving)),
        this.#noting('changed', name, by, shown(document), after),
      ];
    });
    this.#parts.logger.info('users.changed', { user: name });
  }

  async #removeOne(name: string, leaving: ReadonlySet<string>, by: Actor | null): Promise<void> {
    await this.#commitOver(name, async ({ document, revision }) => {
      const changes = [
        this.#users.deleting(name, revision),
        ...(await this.#keepingAdmin(document, null, leaving)),
        this.#noting('removed', name, by, shown(document), null),
      ];
      // They would let nobody in without their user; but nobody is to wonder about them either.
      for await (const { document: token } of this.#tokens.scan({ index: 'user', equals: [name] })) {
        const before = shownInEvents(token);
        changes.push(
          this.#tokens.deleting(token.id),
          this.#parts.events.noting({
            action: 'revoked',
            subject: 'token',
            subjectId: token.id,
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
    changesOf: (stored: Stored<UserDocument>) => Promise<readonly Change[] | null>,
  ): Promise<void> {
    await untilCommitted(`User ${name}`, async () => {
      const stored = await this.get(name);
      if (stored === null) throw notFound(name);
      const changes = await changesOf(stored);
      if (changes === null || (await this.#parts.store.commit(changes)).committed) return true;
      return undefined;
    });
  }

  /** Before anything is changed, so that who changes everybody does not change all but the last. */
  async #checkAdmins(
    names: readonly string[],
    changed: (document: UserDocument) => UserDocument | null,
  ): Promise<void> {
    for (const name of names) {
      const stored = await this.get(name);
      if (stored === null) throw notFound(name);
      await this.#keepingAdmin(stored.document, changed(stored.document), new Set(names));
    }
  }

  /** What the commit requires where an active admin goes. @throws UserError `last-admin` */
  async #keepingAdmin(
    before: UserDocument,
    after: UserDocument | null,
    leaving: ReadonlySet<string>,
  ): Promise<readonly Change[]> {
    if (!isActiveAdmin(before) || (after !== null && isActiveAdmin(after))) return [];
    for await (const { document, revision } of this.#users.scan({})) {
      if (isActiveAdmin(document) && !leaving.has(document.id))
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
    name: string,
    by: Actor | null,
    before: Readonly<Record<string, unknown>> | null,
    after: Readonly<Record<string, unknown>> | null,
  ): Change {
    return this.#parts.events.noting({ action, subject: 'user', subjectId: name, by, before, after });
  }
}

function isActiveAdmin({ role, active }: UserDocument): boolean {
  return role === 'admin' && active !== false;
}

/** As events show it: nothing of the password. */
function shown(document: UserDocument) {
  const { name, role, active } = toUser(document);
  return { name, role, active };
}

function checkNameAndRole(name: string, role: Role): void {
  if (!USER_NAME_PATTERN.test(name)) {
    throw new UserError('invalid', 'name', 'A user name has 1 to 64 letters, digits, or _ . @ -');
  }
  checkRole(role);
}

function checkRole(role: Role): void {
  if (!ROLES.includes(role)) throw new UserError('invalid', 'role', `A role is one of ${ROLES.join(', ')}`);
}

function notFound(name: string): UserError {
  return new UserError('not-found', 'name', `There is no user ${name.slice(0, 64)}`);
}
