import type { CpeId, OrganizationId } from '../../common/index.js';
import { belongsTo, type Organization, OrganizationDirectory } from '../../organizations/index.js';
import { type Change, type Collection, isDamaged, type Store } from '../../store/index.js';
import { DEVICES, type Device } from './device.js';

/** Whose CPEs are, for what is kept of them beside the device itself. */
export class Owners {
  readonly #devices: Collection<Device>;
  readonly #directory: OrganizationDirectory;

  constructor({ store, directory }: { readonly store: Store; readonly directory?: OrganizationDirectory }) {
    this.#devices = store.collection<Device>(DEVICES);
    this.#directory = directory ?? new OrganizationDirectory({ store });
  }

  /**
   * The organization of each CPE, in their order; null: the installation's, as nobody has heard of it or there are no organizations. Where there
   * is none but the default nothing is read.
   * @param cpeids  as many as go into one commit
   * @throws StoreError
   */
  async of(cpeids: readonly CpeId[]): Promise<readonly (OrganizationId | null)[]> {
    const organizations = await this.#directory.current();
    if (organizations.isAlone) return cpeids.map(() => organizations.idOf(undefined));
    return Promise.all(
      cpeids.map(async (cpeid) => {
        const device = await this.#read(cpeid);
        return device === null ? null : organizations.idOf(device.organization?.id);
      }),
    );
  }

  /** One that cannot be read keeps nobody from what is kept of it beside. */
  async #read(cpeid: CpeId): Promise<Device | null> {
    try {
      return (await this.#devices.get(cpeid))?.document ?? null;
    } catch (error) {
      if (isDamaged(error)) return null;
      throw error;
    }
  }

  /**
   * For a commit about a CPE of an organization: refused where it has moved since.
   * @returns null where it does not belong to it, or is not known
   * @throws StoreError
   */
  async requiring(cpeid: CpeId, organization: Organization): Promise<Change | null> {
    const stored = await this.#devices.get(cpeid);
    const isIts = stored !== null && belongsTo(organization, stored.document.organization?.id);
    return isIts ? this.#devices.requiring(cpeid, stored.revision) : null;
  }
}
