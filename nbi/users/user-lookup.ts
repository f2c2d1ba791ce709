import type { Collection } from '../../store/index.js';
import { toUser, USER_NAME_PATTERN, type User, type UserDocument } from './user.js';

/** A user, and what tells whether the password is still the one it was. */
export interface FoundUser extends User {
  /** Another for every password that is set, also where it is the same again, or where the user was removed and added anew. No secret. */
  readonly passwordMark: string;
}

/** Users looked up lately; those looked up first are forgotten first. */
const REMEMBERED_MAX = 1_000;

/** Users by name, read again only where any process has changed one: that shows in the collection's sequence. */
export class UserLookup {
  readonly #collection: Collection<UserDocument>;
  readonly #found = new Map<string, FoundUser>();
  #sequence = -1;

  constructor(collection: Collection<UserDocument>) {
    this.#collection = collection;
  }

  /**
   * The one place where a user is looked up who has shown something else than the password.
   * @returns null where there is none who may log in
   * @throws StoreError
   */
  async find(name: string): Promise<FoundUser | null> {
    if (!USER_NAME_PATTERN.test(name)) return null;
    const sequence = await this.#collection.sequence();
    if (sequence !== this.#sequence) {
      this.#sequence = sequence;
      this.#found.clear();
    }
    const known = this.#found.get(name);
    if (known !== undefined) return known;
    const stored = await this.#collection.get(name);
    if (stored === null || stored.document.active === false) return null;
    const { document } = stored;
    const user = { ...toUser(document), passwordMark: document.password.salt };
    // Of whatever changed while it was read, it may be what was before.
    if (sequence === this.#sequence) this.#remember(name, user);
    return user;
  }

  #remember(name: string, user: FoundUser): void {
    this.#found.set(name, user);
    if (this.#found.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#found.keys();
    if (oldest !== undefined) this.#found.delete(oldest);
  }
}
