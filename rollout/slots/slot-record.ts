import type { Device } from '../../acs/index.js';
import type { BatchId, CpeId, OrganizationId } from '../../common/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import type { OperationImage } from '../operations/index.js';
import type { FetchState } from './slot.js';

/** What Ferry knows of a slot beside what the CPE tells. */
export type KeptSlot =
  /**
   * It was put there. `version`: what the CPE is to report, as far as it was known then, else what it has reported that ran it; `over`: what the CPE said stood there;
   * absent: it told of no slots then, or it has not been looked since this was fetched (see `withTable`).
   */
  | {
      readonly kind: 'image';
      readonly image: OperationImage;
      readonly version: string;
      readonly over?: string;
    }
  /** What a CPE without slots of its own ran when something was put beside it. */
  | { readonly kind: 'version'; readonly version: string }
  /** Somebody has taken out what the CPE said stood there. */
  | { readonly kind: 'emptied'; readonly over: string };

/** A fetch as it is kept. Where it has not ended its upload says how far it is. */
export interface KeptFetch {
  readonly key: string;
  readonly url: string;
  readonly sha256?: string;
  readonly upload: string;
  /** Reserved until it has ended; absent: it has come to nothing. */
  readonly slot?: string;
  readonly state: FetchState;
  readonly problem?: string;
  readonly beganAtMs: number;
  readonly endedAtMs?: number;
}

/** What is kept of the slots of one CPE. */
export interface SlotRecord extends Document {
  readonly id: CpeId;
  readonly slots: Readonly<Record<string, KeptSlot>>;
  /** At most {@link FETCHES_MAX}, the oldest first. */
  readonly fetches: readonly KeptFetch[];
  /** Of the next fetch. */
  readonly fetchKey: number;
  /** What was begun here last. */
  readonly upgrade?: BegunUpgrade;
  /** When the oldest fetch that has not ended began; absent: all have. */
  readonly fetchingSinceMs?: number;
  /** When the device was registered whose slots they are: one that was removed and comes anew is another. */
  readonly deviceSinceMs: number;
  /** The organization that it belonged to; absent: the default, which nobody had made yet. */
  readonly organization?: OrganizationId;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

/** An upgrade that was begun here, by its batch; nobody else need see it yet. */
export interface BegunUpgrade {
  readonly batch: BatchId;
  /** The number of its image. */
  readonly image: number;
}

/** A device, and the id of the organization that it belongs to now; null: the default, which nobody has made yet. */
export interface OwnedDevice {
  readonly device: Device;
  readonly organization: OrganizationId | null;
}

/** Nothing is taken out of the list by itself, so it has a bound. */
export const FETCHES_MAX = 32;

export const DEVICE_SLOTS: CollectionDefinition = {
  name: 'device-slots',
  indexes: { fetching: ['fetchingSinceMs'] },
};

export function newSlotRecord({ device, organization }: OwnedDevice, nowMs: number): SlotRecord {
  return {
    id: device.id,
    slots: {},
    fetches: [],
    fetchKey: 1,
    deviceSinceMs: device.registeredMs,
    ...(organization !== null && { organization }),
    createdAtMs: nowMs,
    modifiedAtMs: nowMs,
  };
}

/** The same where the CPE has told what it reports that runs an image of which nobody else says so. @param reported  by the number of the image */
export function withReported(record: SlotRecord, reported: ReadonlyMap<number, string>): SlotRecord {
  const entries = Object.entries(record.slots).map(([key, kept]): [string, KeptSlot] => {
    if (!isUntold(kept)) return [key, kept];
    const version = reported.get(kept.image.number);
    return [key, version === undefined ? kept : { ...kept, version }];
  });
  const isAsItWas = entries.every(([key, kept]) => kept === record.slots[key]);
  return isAsItWas ? record : { ...record, slots: Object.fromEntries(entries) };
}

/** Whether nobody has said what a CPE reports that runs it. */
export function isUntold(kept: KeptSlot): kept is Extract<KeptSlot, { kind: 'image' }> {
  return kept.kind === 'image' && kept.version === '';
}

export function isUnderWay({ state }: Pick<KeptFetch, 'state'>): boolean {
  return state === 'queued' || state === 'in-progress';
}

/** The slots that fetches are to fill. */
export function reservedSlots(fetches: readonly KeptFetch[]): Set<string> {
  return new Set(fetches.filter(isUnderWay).flatMap(({ slot }) => slot ?? []));
}

/** The same with other fetches. */
export function withFetches(record: SlotRecord, fetches: readonly KeptFetch[], nowMs: number): SlotRecord {
  const { fetchingSinceMs: _, ...rest } = record;
  const first = fetches.find(isUnderWay);
  return {
    ...rest,
    fetches,
    ...(first !== undefined && { fetchingSinceMs: first.beganAtMs }),
    modifiedAtMs: nowMs,
  };
}
