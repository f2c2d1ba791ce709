import type { OrganizationId } from '../common/index.js';
import type { Change, Collection, Store } from '../store/index.js';
import { type EndingDocument, ORGANIZATION_SLUGS, type SlugDocument } from './organization.js';
import { SLUG } from './validation.js';

/** What a name of a user ends in behind its last @, where that could be a slug; else null. */
export function endingOf(name: string): string | null {
  const at = name.lastIndexOf('@');
  const ending = name.slice(at + 1);
  return at >= 0 && SLUG.test(ending) ? ending : null;
}

/** Whose users may have a name. */
export interface NameClaim {
  /** The organization whose slug it ends in; null: anybody's. */
  readonly organization: OrganizationId | null;
  /** For the commit that makes the name: refused where that is not so any more. */
  readonly changes: readonly Change[];
}

/**
 * Log-in names by what they end in: those that end in `@` and the slug of an organization are its users'. Whichever comes second is refused,
 * on whatever node: a name requires that its ending is the same one's slug as when it was looked at, and counts where it is nobody's; a new
 * slug requires that nothing has been counted since the names were looked at.
 */
export class NameEndings {
  readonly #slugs: Collection<SlugDocument>;
  readonly #endings: Collection<EndingDocument>;

  constructor(store: Store) {
    this.#slugs = store.collection<SlugDocument>(ORGANIZATION_SLUGS);
    this.#endings = store.collection<EndingDocument>(ORGANIZATION_SLUGS);
  }

  /** Whose users may have this name, and what the commit that makes it needs. @throws StoreError */
  async claimOf(name: string): Promise<NameClaim> {
    const ending = endingOf(name);
    if (ending === null) return { organization: null, changes: [] };
    const slug = await this.#slugs.get(ending);
    if (slug !== null) {
      const changes = [this.#slugs.requiring(ending, slug.revision)];
      return { organization: slug.document.organization, changes };
    }
    const changes = [this.#slugs.requiring(ending, null), this.#endings.counting(idOf(ending), { names: 1 })];
    return { organization: null, changes };
  }

  /** To be read before names are looked at: for the commit that takes the slug. @throws StoreError */
  async requiringNoMore(slug: string): Promise<Change> {
    const id = idOf(slug);
    return this.#endings.requiring(id, (await this.#endings.get(id))?.revision ?? null);
  }
}

/** No slug is called so. */
function idOf(ending: string): string {
  return `@${ending}`;
}
