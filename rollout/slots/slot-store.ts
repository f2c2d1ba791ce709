import type { ConnectionRequests, Device, Devices } from '../../acs/index.js';
import { type Clock, type MonotonicClock, monotonicClock } from '../../common/index.js';
import { type Actor, EventLog, type Happening } from '../../events/index.js';
import { type Image, UploadError, type Uploads } from '../../firmware/index.js';
import type { Rules } from '../../rules/index.js';
import {
  type Change,
  type Collection,
  type Store,
  type Stored,
  Sweep,
  untilCommitted,
} from '../../store/index.js';
import type { CpeUpgrades } from '../cpe-upgrades/index.js';
import { type Operations, operationImageOf } from '../operations/index.js';
import { emptySlot } from './arrange.js';
import { fetchNow, settled } from './fetches.js';
import { knownImage, type SlotLibrary } from './known-images.js';
import {
  type AskedFetch,
  type DeviceSlots,
  type FilledSlot,
  type Slot,
  SlotError,
  type SlotFetch,
  type SlotTest,
  type SlotTestOptions,
  type SlotUpgradeOptions,
} from './slot.js';
import {
  DEVICE_SLOTS,
  FETCHES_MAX,
  isUnderWay,
  type KeptFetch,
  type KeptSlot,
  newSlotRecord,
  type OwnedDevice,
  type SlotRecord,
  withFetches,
} from './slot-record.js';
import { SlotUpgrades } from './slot-upgrades.js';
import { type SlotsView, SlotView } from './slot-view.js';

export interface DeviceSlotsParts {
  readonly store: Store;
  readonly clock: Clock;
  /** This process's own unless told. */
  readonly monotonic?: MonotonicClock;
  readonly devices: Pick<Devices, 'get' | 'isWaiting' | 'parameters' | 'describe' | 'organizations' | 'want'>;
  readonly connectionRequests: Pick<ConnectionRequests, 'wake'>;
  readonly rules: Pick<Rules, 'match'>;
  readonly library: SlotLibrary;
  readonly uploads: Pick<Uploads, 'begin' | 'get' | 'cancel'>;
  readonly upgrades: CpeUpgrades;
  readonly operations: Pick<Operations, 'of'>;
}

export function openDeviceSlots(parts: DeviceSlotsParts): DeviceSlots {
  return new SlotStore(parts);
}

/** What is kept of a CPE's slots now. */
interface Kept extends OwnedDevice {
  readonly stored: Stored<SlotRecord> | null;
  readonly record: SlotRecord;
}

/** The same, and all of them as they follow from it. */
interface Standing extends Kept {
  readonly view: SlotsView;
}

/** The slots of CPEs, kept in the store. */
class SlotStore implements DeviceSlots {
  readonly #parts: DeviceSlotsParts;
  readonly #records: Collection<SlotRecord>;
  readonly #sweep: Sweep<SlotRecord>;
  readonly #events: EventLog;
  readonly #view: SlotView;
  readonly #upgrades: SlotUpgrades;

  constructor(parts: DeviceSlotsParts) {
    this.#parts = parts;
    this.#records = parts.store.collection<SlotRecord>(DEVICE_SLOTS);
    this.#sweep = new Sweep(this.#records, parts.monotonic ?? monotonicClock);
    this.#events = new EventLog(parts);
    this.#view = new SlotView(parts);
    this.#upgrades = new SlotUpgrades({
      ...parts,
      of: async (device, key) => {
        const standing = await this.#standing(device);
        return {
          slot: found(standing.view.slots, key),
          organization: standing.organization,
          begun: standing.record.upgrade ?? null,
          keeping: (upgrade) => this.#keeping(standing, { upgrade }),
        };
      },
    });
  }

  async of(device: Device): Promise<readonly Slot[]> {
    return (await this.#standing(device)).view.slots;
  }

  async put(device: Device, image: Image, by: Actor): Promise<Slot> {
    const named = operationImageOf(image);
    if (named === null) throw new Error(`The image ${image.name} has no number yet`);
    const { version } = await knownImage(this.#parts.library, image);
    const key = await untilCommitted(`The slots of ${device.id}`, async () => {
      const standing = await this.#standing(device);
      const { slots, told, hasTable } = standing.view;
      const there = slots.find(({ content }) => content?.image?.number === named.number);
      if (there !== undefined && standing.record.slots[there.key]?.kind === 'image') return there.key;
      const slot = emptySlot(slots);
      if (slot === null) throw noEmptySlot();
      const over = hasTable ? { over: told.get(slot.key) ?? '' } : {};
      const kept: KeptSlot = { kind: 'image', image: named, version, ...over };
      const after = { image: image.name, slot: slot.key };
      const changes = { ...this.#besideCurrent(standing), [slot.key]: kept };
      const noted = { action: 'slot-filled', by, after };
      return (await this.#changed(standing, { slots: changes }, noted)) ? slot.key : undefined;
    });
    return this.#slot(device, key);
  }

  async clear(device: Device, key: string, by: Actor): Promise<void> {
    await untilCommitted(`The slots of ${device.id}`, async () => {
      const standing = await this.#standing(device);
      const { slots, told } = standing.view;
      const slot = found(slots, key);
      if (slot.current || slot.afterReboot) throw inUse(slot);
      const over = told.get(key) ?? '';
      const { [key]: _, ...others } = this.#besideCurrent(standing);
      const changes = over === '' ? others : { ...others, [key]: { kind: 'emptied', over } as const };
      const noted = { action: 'slot-emptied', by, before: { slot: key, version: slot.content.version } };
      return (await this.#changed(standing, { slots: changes }, noted)) || undefined;
    });
  }

  async fetches(device: Device): Promise<readonly SlotFetch[]> {
    const { record } = await this.#read(device);
    return Promise.all(record.fetches.map((each) => fetchNow(this.#parts, each)));
  }

  async beginFetch(device: Device, { url, sha256, name }: AskedFetch, by: Actor): Promise<SlotFetch> {
    const room = await this.#standing(device);
    requireRoom(room);
    const { organization } = room;
    const upload = await this.#parts.uploads.begin(
      {
        metadata: { name },
        takesSame: true,
        by,
        uploadedBy: by.name,
        ...(organization !== null && { organization }),
        ...(sha256 !== null && { sha256 }),
      },
      url,
    );
    const kept = await untilCommitted(`The slots of ${device.id}`, async () => {
      const standing = await this.#standing(device);
      const slot = requireRoom(standing);
      const { fetchKey, fetches } = standing.record;
      const fetch: KeptFetch = {
        key: String(fetchKey),
        url,
        ...(sha256 !== null && { sha256 }),
        upload: upload.id,
        slot: slot.key,
        state: 'queued',
        beganAtMs: upload.beganAtMs,
      };
      const noted = {
        action: 'slot-fetch-begun',
        by,
        after: { fetch: fetch.key, slot: slot.key, upload: upload.id },
      };
      const next = withFetches(standing.record, [...fetches, fetch], this.#parts.clock());
      // Its image would be another's.
      if (standing.organization !== organization) throw noEmptySlot();
      const isDone = await this.#changed(
        standing,
        { ...next, slots: this.#besideCurrent(standing), fetchKey: fetchKey + 1 },
        noted,
      );
      return isDone ? fetch : undefined;
    }).catch(async (error: unknown) => {
      // Another has had the last empty slot meanwhile.
      await this.#cancelled(upload.id, by);
      throw error;
    });
    return fetchNow(this.#parts, kept);
  }

  async dropFetch(device: Device, key: string, by: Actor): Promise<SlotFetch | null> {
    return untilCommitted(`The slots of ${device.id}`, async () => {
      const read = await this.#read(device);
      const fetch = read.record.fetches.find((each) => each.key === key);
      if (fetch === undefined) throw new SlotError('no-fetch', `no fetch ${key}`, key);
      if (isUnderWay(fetch)) {
        // Where it has ended just then that is what is told; it stays in the list either way.
        await this.#cancelled(fetch.upload, by);
        const { record } = await this.#read(device);
        const now = record.fetches.find((each) => each.key === key);
        return now === undefined || isUnderWay(now) ? undefined : fetchNow(this.#parts, now);
      }
      const fetches = read.record.fetches.filter((each) => each !== fetch);
      const noted = { action: 'slot-fetch-removed', by, before: { fetch: key, state: fetch.state } };
      const next = withFetches(read.record, fetches, this.#parts.clock());
      return (await this.#changed(read, next, noted)) ? null : undefined;
    });
  }

  test(device: Device, key: string, options: SlotTestOptions): Promise<SlotTest> {
    return this.#upgrades.test(device, key, options);
  }

  upgrade(device: Device, key: string, options: SlotUpgradeOptions): Promise<SlotTest> {
    return this.#upgrades.upgrade(device, key, options);
  }

  async settle(): Promise<void> {
    const failures: unknown[] = [];
    const settling = async (stored: Stored<SlotRecord>) => {
      try {
        await this.#settle(stored);
      } catch (error) {
        // One that cannot be settled keeps no other from it; that there are such is told.
        if (failures.length === 0) failures.push(error);
      }
    };
    for await (const stored of this.#records.scan({ index: 'fetching', atLeast: 0 })) await settling(stored);
    await this.#sweep.next(settling);
    if (failures.length > 0) throw failures[0];
  }

  async #settle({ document, revision }: Stored<SlotRecord>): Promise<void> {
    const device = await this.#parts.devices.get(document.id);
    const owned = device === null ? null : await this.#owned(device);
    const isIts = owned !== null && (await this.#isOf(owned, document));
    // Nobody looks at it any more.
    if (!isIts) await this.#records.delete(document.id, revision);
    else if (document.fetchingSinceMs !== undefined) await this.#read(owned.device);
  }

  /** @throws SlotError `no-slot`, `empty-slot` */
  async #slot(device: Device, key: string): Promise<FilledSlot> {
    return found((await this.#standing(device)).view.slots, key);
  }

  async #standing(device: Device): Promise<Standing> {
    return untilCommitted(`The slots of ${device.id}`, async () => {
      const read = await this.#read(device);
      const view = await this.#view.of(read, read.record);
      if (view.record === read.record || read.stored === null) return { ...read, view };
      // What the CPE has told is kept, as the upgrade that told it is forgotten some day, and what moved stays; then all is read anew.
      await this.#parts.store.commit([this.#records.replacing(view.record, read.stored.revision)]);
      return undefined;
    });
  }

  /** What is kept, with what has become of its fetches. */
  #read(device: Device): Promise<Kept> {
    return untilCommitted(`The slots of ${device.id}`, async () => {
      const owned = await this.#owned(device);
      const stored = await this.#records.get(device.id);
      const isIts = stored !== null && (await this.#isOf(owned, stored.document));
      if (!isIts) return { ...owned, stored, record: newSlotRecord(owned, this.#parts.clock()) };
      const record = await settled(this.#parts, stored.document);
      if (record === stored.document) return { ...owned, stored, record };
      await this.#changed({ ...owned, stored, record }, record, ...endsOf(stored.document, record));
      // Read anew either way: at the revision that it has now.
      return undefined;
    });
  }

  /** Whether what is kept is of this device where it belongs now, and not of one that was removed before it came anew, nor another organization's. */
  async #isOf({ device, organization }: OwnedDevice, record: SlotRecord): Promise<boolean> {
    const now = await this.#parts.devices.organizations();
    return record.deviceSinceMs === device.registeredMs && now.idOf(record.organization) === organization;
  }

  /** What a CPE without slots of its own runs has a slot for good as soon as something is put beside it. */
  #besideCurrent({ record, view: { slots, hasTable } }: Standing): SlotRecord['slots'] {
    const current = slots.find((slot) => slot.current);
    if (hasTable || current?.content == null) return record.slots;
    const { key, content } = current;
    if (content.image !== null) return record.slots;
    return { ...record.slots, [key]: { kind: 'version', version: content.version } };
  }

  /** @returns false where something has moved meanwhile */
  async #changed(
    kept: Kept,
    change: Partial<SlotRecord>,
    ...noted: readonly Pick<Happening, 'action' | 'by' | 'before' | 'after'>[]
  ): Promise<boolean> {
    const { device, organization } = kept;
    const noting = noted.map((each) =>
      this.#events.noting({ subject: 'device', subjectId: device.id, organization, ...each }),
    );
    return (await this.#parts.store.commit([this.#keeping(kept, change), ...noting])).committed;
  }

  /** Refused where something has moved since it was read. */
  #keeping({ stored, record }: Kept, change: Partial<SlotRecord>): Change {
    const next: SlotRecord = { ...record, ...change, modifiedAtMs: this.#parts.clock() };
    return stored === null ? this.#records.inserting(next) : this.#records.replacing(next, stored.revision);
  }

  async #owned(device: Device): Promise<OwnedDevice> {
    const now = await this.#parts.devices.organizations();
    return { device, organization: now.of(device.organization)?.id ?? null };
  }

  async #cancelled(upload: string, by: Actor): Promise<void> {
    try {
      await this.#parts.uploads.cancel(upload, null, by);
    } catch (error) {
      const hasEnded = error instanceof UploadError && (error.code === 'ended' || error.code === 'not-found');
      if (!hasEnded) throw error;
    }
  }
}

function found(slots: readonly Slot[], key: string): FilledSlot {
  const slot = slots.find((each) => each.key === key);
  if (slot === undefined) throw new SlotError('no-slot', `no slot ${key}`, key);
  const { content } = slot;
  if (content === null) throw new SlotError('empty-slot', `slot ${key} is empty`, key);
  return { ...slot, content };
}

/** What is noted of fetches that have ended between two records. */
function endsOf(
  before: SlotRecord,
  after: SlotRecord,
): readonly Pick<Happening, 'action' | 'by' | 'after'>[] {
  const started = new Map(before.fetches.map((each) => [each.key, each]));
  return after.fetches
    .filter((fetch) => started.get(fetch.key) !== fetch)
    .map(({ key, state, slot, problem }) => {
      const kept = slot === undefined ? undefined : after.slots[slot];
      const image = kept?.kind === 'image' ? { image: kept.image.name } : {};
      return {
        action: state === 'finished' ? 'slot-filled' : 'slot-fetch-ended',
        by: null,
        after: {
          fetch: key,
          state,
          ...(slot !== undefined && { slot, ...image }),
          ...(problem !== undefined && { problem }),
        },
      };
    });
}

function requireRoom({ record, view }: Standing): Slot {
  if (record.fetches.length >= FETCHES_MAX)
    throw new SlotError(
      'too-many-fetches',
      `at most ${FETCHES_MAX} fetches of a device: delete some that have ended`,
    );
  const slot = emptySlot(view.slots);
  if (slot === null) throw noEmptySlot();
  return slot;
}

/** Nothing can be put anywhere. */
export function noEmptySlot(): SlotError {
  return new SlotError(
    'no-empty-slot',
    'an empty slot: delete one that is neither current nor active after the next reboot',
  );
}

function inUse({ current, key }: Slot): SlotError {
  return new SlotError(
    'in-use',
    current ? 'the device runs this firmware' : 'the device is to run this firmware after its next reboot',
    key,
  );
}
