import type { Clock, OrganizationId } from '../../common/index.js';
import { type Actor, EventLog, type Happening } from '../../events/index.js';
import { requiringOrganization } from '../../organizations/index.js';
import type { Change, Collection, Store } from '../../store/index.js';
import { BUILDS, type BuildDocument } from './build.js';
import { CATEGORIES, type CategoryDocument, type Product, SHARED } from './category.js';
import type { ProductNames } from './fields.js';
import { Numbers } from './numbers.js';
import { TAKEN_NAMES, type TakenName } from './taken-names.js';

/** What categories and builds are kept in, and what changes with them. */
export class BuildParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly categories: Collection<CategoryDocument>;
  readonly builds: Collection<BuildDocument>;
  readonly names: Collection<TakenName>;
  readonly numbers: Numbers;
  readonly #events: EventLog;

  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
    this.store = store;
    this.clock = clock;
    this.categories = store.collection<CategoryDocument>(CATEGORIES);
    this.builds = store.collection<BuildDocument>(BUILDS);
    this.names = store.collection<TakenName>(TAKEN_NAMES);
    this.numbers = new Numbers(store);
    this.#events = new EventLog({ store, clock });
  }

  /** What is made for an organization requires in its commit that there is one, and active. @throws OrganizationError */
  async ownerRequired(owner: string): Promise<readonly Change[]> {
    if (owner === SHARED) return [];
    return [(await requiringOrganization(this.store, owner as OrganizationId)).isThere];
  }

  /** The names with the number of each. */
  productOf({ productFamily, productModel }: ProductNames): Product {
    const numberOf = (kind: 'family' | 'model', name: string | null) =>
      name === null ? null : this.numbers.numberOf(kind, name);
    return {
      productFamily,
      productFamilyNumber: numberOf('family', productFamily),
      productModel,
      productModelNumber: numberOf('model', productModel),
    };
  }

  /** The changes by which something gives up names that it has: of two that wanted one, a restore has left one of them without. */
  async givingUp(names: readonly string[], { id }: { readonly id: string }): Promise<readonly Change[]> {
    const taken = await this.names.getMany(names);
    return taken.flatMap((each) =>
      each?.document.of === id ? [this.names.deleting(each.document.id, each.revision)] : [],
    );
  }

  noting(
    action: 'added' | 'changed' | 'removed',
    subject: 'image-category' | 'image-build',
    { id, owner }: { readonly id: string; readonly owner: string },
    said: { readonly by: Actor } & Pick<Happening, 'before' | 'after'>,
  ): Change {
    const organization = owner === SHARED ? null : owner;
    return this.#events.noting({ action, subject, subjectId: id, organization, ...said });
  }
}
