import type { Clock, CpeId, OrganizationId } from '../../common/index.js';
import { type Actor, EventLog, type Happening } from '../../events/index.js';
import type { Organizations, OrganizationsNow } from '../../organizations/index.js';
import { type Store, untilCommitted } from '../../store/index.js';
import type { Device, Placement } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';

/** So many CPEs are put somewhere side by side, sharing flushes. */
const PLACED_AT_ONCE = 100;

/** What came of putting CPEs into an organization, in numbers. */
export interface PlacementCounts {
  readonly placed: number;
  /** They were there already. */
  readonly unchanged: number;
  readonly unknown: number;
}

export interface PlacementsParts {
  readonly store: Store;
  readonly devices: DeviceStore;
  readonly organizations: Organizations;
  readonly clock: Clock;
}

/** Takes an operator's word on which organization CPEs belong to. */
export class Placements {
  readonly #parts: PlacementsParts;
  readonly #events: EventLog;

  constructor(parts: PlacementsParts) {
    this.#parts = parts;
    this.#events = new EventLog(parts);
  }

  /**
   * Each in a commit of its own, with its events; what was cut off is taken up by saying the same again.
   * @param organization  by its id, or its slug; null: whatever rules say, from the next session on
   * @throws OrganizationError `not-found`, `not-active`
   * @throws StoreError
   */
  async place(cpeids: readonly CpeId[], organization: string | null, by: Actor): Promise<PlacementCounts> {
    const id = organization === null ? null : (await this.#parts.organizations.find(organization)).id;
    const counts = { placed: 0, unchanged: 0, unknown: 0 };
    const ids = [...new Set(cpeids)];
    for (let start = 0; start < ids.length; start += PLACED_AT_ONCE) {
      const portion = ids.slice(start, start + PLACED_AT_ONCE);
      for (const end of await Promise.all(portion.map((cpeid) => this.#place(cpeid, id, by)))) counts[end]++;
    }
    return counts;
  }

  #place(cpeid: CpeId, id: OrganizationId | null, by: Actor): Promise<keyof PlacementCounts> {
    const { devices, store, organizations } = this.#parts;
    return untilCommitted(`The device ${cpeid}`, async () => {
      const stored = await devices.read(cpeid);
      if (stored === null) return 'unknown';
      const { organization: before, ...device } = stored.document;
      const isThere = id === null ? before?.by !== 'hand' : before?.by === 'hand' && before.id === id;
      if (isThere) return 'unchanged';
      // Refused where the organization is deactivated or removed meanwhile.
      const requiring = id === null ? [] : [await organizations.requiring(id)];
      const now = await organizations.directory.latest();
      const after: Placement | undefined =
        id === null ? automatic(before, now.byDefault?.id) : { id, by: 'hand' };
      const next: Device = { ...device, ...(after !== undefined && { organization: after }) };
      const outcome = await store.commit([
        devices.replacing(next, stored.revision),
        ...requiring,
        ...happenings(cpeid, before, after, now).map((each) => this.#events.noting({ ...each, by })),
      ]);
      return outcome.committed ? 'placed' : undefined;
    });
  }
}

/** Of a CPE that moves there are two, so that each of the two organizations is told of it, and of nobody else. */
function happenings(
  cpeid: CpeId,
  before: Placement | undefined,
  after: Placement | undefined,
  now: OrganizationsNow,
): readonly Omit<Happening, 'by'>[] {
  const subject = { subject: 'device', subjectId: cpeid } as const;
  const [left, joined] = [now.idOf(before?.id), now.idOf(after?.id)];
  const shown = (placement: Placement | undefined) => ({
    organization: now.slugOf(placement),
    setBy: placement?.by ?? 'default',
  });
  if (left === joined)
    return [
      { ...subject, action: 'changed', organization: joined, before: shown(before), after: shown(after) },
    ];
  return [
    { ...subject, action: 'left', organization: left, before: shown(before) },
    { ...subject, action: 'joined', organization: joined, after: shown(after) },
  ];
}

/** It stays where it is until its rules are looked at, in its next session. */
function automatic(
  before: Placement | undefined,
  byDefault: OrganizationId | undefined,
): Placement | undefined {
  return before === undefined || before.id === byDefault ? undefined : { id: before.id, by: 'rule' };
}
