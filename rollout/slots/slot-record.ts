import type { Device } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import type { CollectionDefinition, Document } from '../../store/index.js';
import type { OperationImage } from '../operations/index.js';
import type { FetchState } from './slot.js';

/** What Ferry knows of a slot beside what the CPE tells. */
export type KeptSlot =
  /** It was put there. `version`: what the CPE is to report, as far as it was known then; `over`: what the CPE said stood there. */
  | {
      readonly kind: 'image';
      readonly image: OperationImage;
      readonly version: string;
      readonly over: string;
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
  /** When the oldest fetch that has not ended began; absent: all have. */
  readonly fetchingSinceMs?: number;
  readonly createdAtMs: number;
  readonly modifiedAtMs: number;
}

/** Nothing is taken out of the list by itself, so it has a bound. */
export const FETCHES_MAX = 32;

export const DEVICE_SLOTS: CollectionDefinition = {
  name: 'device-slots',
  indexes: { fetching: ['fetchingSinceMs'] },
};

export function newSlotRecord(cpeid: CpeId, nowMs: number): SlotRecord {
  return { id: cpeid, slots: {}, fetches: [], fetchKey: 1, createdAtMs: nowMs, modifiedAtMs: nowMs };
}

/** Whether what is kept is of this device, and not of one that was removed before it came anew. */
export function isSlotRecordOf({ registeredMs }: Device, { createdAtMs }: SlotRecord): boolean {
  return createdAtMs >= registeredMs;
}

export function isUnderWay({ state }: Pick<KeptFetch, 'state'>): boolean {
  return state === 'queued' || state === 'in-progress';
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
