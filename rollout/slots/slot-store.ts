import type { ConnectionRequests, Device, Devices } from '../../acs/index.js';
import type { Clock } from '../../common/index.js';
import { type Actor, EventLog, type Happening } from '../../events/index.js';
import { type Image, UploadError, type Uploads } from '../../firmware/index.js';
import type { Rules } from '../../rules/index.js';
import { type Change, type Collection, type Store, type Stored, untilCommitted } from '../../store/index.js';
import type { CpeUpgrades } from '../cpe-upgrades/index.js';
import { operationImageOf } from '../operations/index.js';
import { emptySlot } from './arrange.js';
import { fetchNow, settled } from './fetches.js';
import { knownImage, type SlotLibrary } from './known-images.js';
import {
  type AskedFetch,
  type DeviceSlots,
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
  isSlotRecordOf,
  isUnderWay,
  type KeptFetch,
  type KeptSlot,
  newSlotRecord,
  type SlotRecord,
  withFetches,
} from './slot-record.js';
import { SlotUpgrades } from './slot-upgrades.js';
import { type SlotsView, SlotView } from './slot-view.js';

export interface DeviceSlotsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly devices: Pick<Devices, 'get' | 'isWaiting' | 'parameters' | 'describe' | 'organizations'>;
  readonly connectionRequests: Pick<ConnectionRequests, 'wake'>;
  readonly rules: Pick<Rules, 'match'>;
  readonly library: SlotLibrary;
  readonly uploads: Pick<Uploads, 'begin' | 'get' | 'cancel'>;
  readonly upgrades: CpeUpgrades;
}

export function openDeviceSlots(parts: DeviceSlotsParts): DeviceSlots {
  return new SlotStore(parts);
}

/** What is kept of a CPE's slots now, and all of them as they follow from it. */
interface Standing {
  readonly stored: Stored<SlotRecord> | null;
  readonly record: SlotRecord;
  readonly view: SlotsView;
}

/** The slots of CPEs, kept in the store. */
class SlotStore implements DeviceSlots {
  readonly #parts: DeviceSlotsParts;
  readonly #records: Collection<SlotRecord>;
  readonly #events: EventLog;
  readonly #view: SlotView;
  readonly #upgrades: SlotUpgrades;

  constructor(parts: DeviceSlotsParts) {
    this.#parts = parts;
    this.#records = parts.store.collection<SlotRecord>(DEVICE_SLOTS);
    this.#events = new EventLog(parts);
    this.#view = new SlotView(parts);
    this.#upgrades = new SlotUpgrades({ ...parts, slotOf: (device, key) => this.#slot(device, key) });
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
      const { slots, told } = standing.view;
      const there = slots.find(({ content }) => content?.image?.number === named.number);
      if (there !== undefined && standing.record.slots[there.key]?.kind === 'image') return there.key;
      const slot = emptySlot(slots);
      if (slot === null) throw noEmptySlot();
      const kept: KeptSlot = { kind: 'image', image: named, version, over: told.get(slot.key) ?? '' };
      const after = { image: image.name, slot: slot.key };
      const changes = { ...this.#besideCurrent(standing), [slot.key]: kept };
      const noted = { action: 'slot-filled', by, after };
      return (await this.#changed(device, standing, { slots: changes }, noted)) ? slot.key : undefined;
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
      return (await this.#changed(device, standing, { slots: changes }, noted)) || undefined;
    });
  }

  async fetches(device: Device): Promise<readonly SlotFetch[]> {
    const { record } = await this.#read(device);
    return Promise.all(record.fetches.map((each) => fetchNow(this.#parts, each)));
  }

  async beginFetch(device: Device, { url, sha256, name }: AskedFetch, by: Actor): Promise<SlotFetch> {
    requireRoom(await this.#standing(device));
    const { organization } = await this.#whose(device);
    const upload = await this.#parts.uploads.begin(
      {
        metadata: { name },
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
      const next = { ...withFetches(standing.record, [...fetches, fetch], this.#parts.clock()) };
      const isDone = await this.#changed(
        device,
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
      return (await this.#changed(device, read, next, noted)) ? null : undefined;
    });
  }

  test(device: Device, key: string, options: SlotTestOptions): Promise<SlotTest> {
    return this.#upgrades.test(device, key, options);
  }

  upgrade(device: Device, key: string, options: SlotUpgradeOptions): Promise<SlotTest> {
    return this.#upgrades.upgrade(device, key, options);
  }

  async settle(): Promise<void> {
    for await (const { document, revision } of this.#records.scan({ index: 'fetching', atLeast: 0 })) {
      const device = await this.#parts.devices.get(document.id);
      if (device !== null && isSlotRecordOf(device, document)) await this.#read(device);
      // Nobody looks at it any more.
      else await this.#records.delete(document.id, revision);
    }
  }

  /** @throws SlotError `no-slot`, `empty-slot` */
  async #slot(device: Device, key: string): Promise<FilledSlot> {
    return found((await this.#standing(device)).view.slots, key);
  }

  async #standing(device: Device): Promise<Standing> {
    const read = await this.#read(device);
    return { ...read, view: await this.#view.of(device, read.record) };
  }

  /** What is kept, with what has become of its fetches. */
  #read(device: Device): Promise<Pick<Standing, 'stored' | 'record'>> {
    return untilCommitted(`The slots of ${device.id}`, async () => {
      const stored = await this.#records.get(device.id);
      // Of a CPE that was removed before it came anew nothing is known any more.
      const isIts = stored !== null && isSlotRecordOf(device, stored.document);
      if (!isIts) return { stored, record: newSlotRecord(device.id, this.#parts.clock()) };
      const record = await settled(this.#parts, stored.document);
      if (record === stored.document) return { stored, record };
      const before = stored.document.slots;
      const filled = Object.keys(record.slots).filter((key) => record.slots[key] !== before[key]);
      const after = { slots: filled };
      const noted = { action: filled.length > 0 ? 'slot-filled' : 'slot-fetch-ended', by: null, after };
      await this.#changed(device, { stored, record }, record, noted);
      // Read anew either way: at the revision that it has now.
      return undefined;
    });
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
    device: Device,
    { stored, record }: Pick<Standing, 'stored' | 'record'>,
    change: Partial<SlotRecord>,
    noted: Pick<Happening, 'action' | 'by' | 'before' | 'after'>,
  ): Promise<boolean> {
    const next: SlotRecord = { ...record, ...change, modifiedAtMs: this.#parts.clock() };
    const keeping: Change =
      stored === null ? this.#records.inserting(next) : this.#records.replacing(next, stored.revision);
    const { organization } = await this.#whose(device);
    const noting = this.#events.noting({ subject: 'device', subjectId: device.id, organization, ...noted });
    return (await this.#parts.store.commit([keeping, noting])).committed;
  }

  /** The organization that a CPE belongs to; null: the default, and nobody has made that yet. */
  async #whose({ organization }: Device): Promise<{ readonly organization: string | null }> {
    const now = await this.#parts.devices.organizations();
    return { organization: now.of(organization)?.id ?? null };
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

/** A slot in which something stands. */
export type FilledSlot = Slot & { readonly content: NonNullable<Slot['content']> };

function found(slots: readonly Slot[], key: string): FilledSlot {
  const slot = slots.find((each) => each.key === key);
  if (slot === undefined) throw new SlotError('no-slot', `no slot ${key}`, key);
  const { content } = slot;
  if (content === null) throw new SlotError('empty-slot', `slot ${key} is empty`, key);
  return { ...slot, content };
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

function noEmptySlot(): SlotError {
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
