import type { Clock, CpeId, Logger } from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import { belongsTo, type Organization } from '../../organizations/index.js';
import { type Collection, type Store, untilCommitted } from '../../store/index.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import { NAMED_CPES, type NamedCpe } from './enrolment.js';

/** So many CPEs are approved side by side, sharing flushes. */
const APPROVED_AT_ONCE = 100;

/** What came of approving CPEs, in numbers. */
export interface ApprovalCounts {
  /** They waited, and do so no more. */
  readonly approved: number;
  /** Not heard of yet: named, for when they come. */
  readonly named: number;
  /** Enrolled already: nothing was changed. */
  readonly enrolled: number;
}

export interface ApprovalParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly devices: DeviceStore;
  readonly logger: Logger;
}

/** Somebody names a CPE to an organization that it is not known in: whether it is known elsewhere is not told. */
export class UnknownCpeError extends Error {
  override readonly name = 'UnknownCpeError';
  constructor(readonly cpeid: CpeId) {
    super(`No CPE ${cpeid} is known`);
  }
}

/** Takes an operator's word that CPEs are to be enrolled. */
export class Approvals {
  readonly #store: Store;
  readonly #devices: DeviceStore;
  readonly #events: EventLog;
  readonly #named: Collection<NamedCpe>;
  readonly #logger: Logger;

  constructor({ store, clock, devices, logger }: ApprovalParts) {
    this.#store = store;
    this.#events = new EventLog({ store, clock });
    this.#devices = devices;
    this.#named = store.collection<NamedCpe>(NAMED_CPES);
    this.#logger = logger;
  }

  /**
   * Each in a commit of its own, durably; what was cut off is taken up by approving the same again.
   * @param by  who does, for the log of events and for those that are named
   * @param organization  to which all of them must belong, so that none is named; null: to any, or none
   * @throws UnknownCpeError  then none is approved, unless it has gone from the organization while others were
   * @throws StoreError
   */
  async approve(
    cpeids: readonly CpeId[],
    by: Actor,
    organization: Organization | null = null,
  ): Promise<ApprovalCounts> {
    const ids = [...new Set(cpeids)];
    if (organization !== null) await this.requireKnown(ids, organization);
    const counts = { approved: 0, named: 0, enrolled: 0 };
    for (let start = 0; start < ids.length; start += APPROVED_AT_ONCE) {
      const portion = ids.slice(start, start + APPROVED_AT_ONCE);
      const ends = await Promise.all(portion.map((cpeid) => this.#approve(cpeid, by, organization)));
      for (const [index, end] of ends.entries()) {
        const cpeid = portion[index];
        if (end !== 'unknown') counts[end]++;
        else if (cpeid !== undefined) throw new UnknownCpeError(cpeid);
      }
    }
    return counts;
  }

  /** @throws UnknownCpeError for the first that is not known in the organization. @throws StoreError */
  async requireKnown(cpeids: readonly CpeId[], organization: Organization): Promise<void> {
    for (let start = 0; start < cpeids.length; start += APPROVED_AT_ONCE) {
      const portion = cpeids.slice(start, start + APPROVED_AT_ONCE);
      const found = await Promise.all(portion.map((cpeid) => this.#devices.read(cpeid)));
      for (const [index, cpeid] of portion.entries())
        if (!isKnownIn(organization, found[index]?.document ?? null)) throw new UnknownCpeError(cpeid);
    }
  }

  #approve(
    cpeid: CpeId,
    by: Actor,
    organization: Organization | null,
  ): Promise<keyof ApprovalCounts | 'unknown'> {
    return untilCommitted(`The device ${cpeid}`, async () => {
      const stored = await this.#devices.read(cpeid);
      if (organization !== null && !isKnownIn(organization, stored?.document ?? null)) return 'unknown';
      if (stored === null) {
        if ((await this.#name(cpeid, by)) === 'raced') return undefined;
        // Where it has come meanwhile it may wait, and the name for ever.
        return (await this.#devices.read(cpeid)) === null ? 'named' : undefined;
      }
      const { enrolment, ...device } = stored.document;
      const named = await this.#named.get(cpeid);
      const unnaming = named === null ? [] : [this.#named.deleting(cpeid, named.revision)];
      if (enrolment === undefined && named === null) return 'enrolled';
      const organizations = await this.#devices.organizations();
      const noting =
        enrolment === undefined
          ? []
          : [
              this.#events.noting({
                action: 'enrolled',
                subject: 'device',
                subjectId: cpeid,
                organization: organizations.idOf(device.organization?.id),
                by,
                before: { enrolment },
                after: {},
              }),
            ];
      const others = [...unnaming, ...noting];
      if (!(await this.#devices.commit(device, stored.revision, others)).committed) return undefined;
      if (enrolment === undefined) return 'enrolled';
      this.#logger.info('cpe.enrolled', { cpeid, by: by.name });
      return 'approved';
    });
  }

  /** Named twice, the first who did stays. */
  async #name(cpeid: CpeId, by: Actor): Promise<'named' | 'raced'> {
    if ((await this.#named.get(cpeid)) !== null) return 'named';
    const noting = this.#events.noting({
      action: 'named',
      subject: 'device',
      subjectId: cpeid,
      by,
      after: { enrolment: 'when it comes' },
    });
    const named = this.#named.inserting({ id: cpeid, by: by.name });
    return (await this.#store.commit([named, noting])).committed ? 'named' : 'raced';
  }
}

function isKnownIn(organization: Organization, device: Device | null): boolean {
  return device !== null && belongsTo(organization, device.organization?.id);
}
