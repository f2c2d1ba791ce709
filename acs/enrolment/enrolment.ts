import type { CpeId } from '../../common/index.js';
import type { Change, Collection, CollectionDefinition, Document, Store } from '../../store/index.js';
import type { CpeCredentials } from '../credentials/cpe-credentials.js';

/** Which CPEs rules may look at: all, those that are on record here, or those whom an operator lets in once they have come. */
export type EnrolPolicy = 'open' | 'known' | 'approve';

/** That an operator has named a CPE before it was heard of. The id is the cpeid; gone once the CPE is enrolled. */
export interface NamedCpe extends Document {
  /** Who has. */
  readonly by: string;
}

export const NAMED_CPES: CollectionDefinition = { name: 'named-cpes', indexes: {} };

/** Goes into the commit that enrols a CPE: what named it has served its turn. */
export type Enrolling = readonly Change[];

export const NOTHING_MORE: Enrolling = [];

export interface EnrolmentParts {
  readonly store: Store;
  readonly policy: EnrolPolicy;
  readonly credentials: Pick<CpeCredentials, 'of'>;
}

/** Says of CPEs that are new, or wait already, whether they wait to be enrolled. */
export class Enrolment {
  readonly #policy: EnrolPolicy;
  readonly #credentials: EnrolmentParts['credentials'];
  readonly #named: Collection<NamedCpe>;

  constructor({ store, policy, credentials }: EnrolmentParts) {
    this.#policy = policy;
    this.#credentials = credentials;
    this.#named = store.collection<NamedCpe>(NAMED_CPES);
  }

  /**
   * Asked of a CPE that is new, and again in each session of one that waits, as what is on record may have come since.
   * @param isReal  its session began with credentials of one CPE alone, and those are its own
   * @returns null where it waits
   * @throws StoreError
   */
  async enrolling(cpeid: CpeId, isReal: boolean): Promise<Enrolling | null> {
    if (this.#policy === 'open') return NOTHING_MORE;
    const named = await this.#named.get(cpeid);
    const isOnRecord =
      isReal ||
      (named !== null && this.#policy === 'known') ||
      (await this.#credentials.of(cpeid)).length > 0;
    if (!isOnRecord) return null;
    return named === null ? NOTHING_MORE : [this.#named.deleting(cpeid, named.revision)];
  }
}
