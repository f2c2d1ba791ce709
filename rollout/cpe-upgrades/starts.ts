import { type BatchId, type Clock, type CpeId, DAY_MS } from '../../common/index.js';
import type { Change, Collection, CollectionDefinition, Document, Store, Stored } from '../../store/index.js';

/** What an upgrade of a CPE was begun by last. */
interface CpeUpgradeStart extends Document {
  readonly id: CpeId;
  readonly batch: BatchId;
  readonly atMs: number;
}

export const CPE_UPGRADE_STARTS: CollectionDefinition = {
  name: 'cpe-upgrade-starts',
  indexes: { at: ['atMs'] },
};

/** Far longer than from the look at a CPE to the commit that goes by it. */
const KEPT_MS = DAY_MS;
/** With each start: more than most begin. There are never more in all than CPEs. */
const FORGOTTEN_MAX = 500;

/** Whoever looks at a CPE and then begins an upgrade of it is refused where another has begun one between the two. */
export class CpeUpgradeStarts {
  readonly #store: Store;
  readonly #starts: Collection<CpeUpgradeStart>;
  readonly #clock: Clock;

  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
    this.#store = store;
    this.#starts = store.collection<CpeUpgradeStart>(CPE_UPGRADE_STARTS);
    this.#clock = clock;
  }

  /** To be read before the CPE is looked at. */
  read(cpeid: CpeId): Promise<Stored<CpeUpgradeStart> | null> {
    return this.#starts.get(cpeid);
  }

  /** Goes into the commit by which the operation comes to be; refused where another has come in between. */
  beginning(cpeid: CpeId, batch: BatchId, read: Stored<CpeUpgradeStart> | null): Change {
    const start = { id: cpeid, batch, atMs: this.#clock() };
    return read === null ? this.#starts.inserting(start) : this.#starts.replacing(start, read.revision);
  }

  /** Deletes some that nobody looks at any more. */
  async forget(): Promise<void> {
    const { items } = await this.#starts.find({
      index: 'at',
      below: this.#clock() - KEPT_MS,
      limit: FORGOTTEN_MAX,
    });
    // Where one was begun again meanwhile all stay until the next time.
    if (items.length > 0)
      await this.#store.commit(
        items.map(({ document, revision }) => this.#starts.deleting(document.id, revision)),
      );
  }
}
