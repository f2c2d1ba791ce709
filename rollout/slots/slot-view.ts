import type { Device, Devices } from '../../acs/index.js';
import type { CpeUpgrade, CpeUpgrades } from '../cpe-upgrades/index.js';
import { arrange } from './arrange.js';
import { imageTableIn } from './image-table.js';
import { knownImages, type SlotLibrary } from './known-images.js';
import type { Slot, SlotFailure } from './slot.js';
import type { SlotRecord } from './slot-record.js';

export interface SlotViewParts {
  readonly devices: Pick<Devices, 'parameters'>;
  readonly library: SlotLibrary;
  readonly upgrades: Pick<CpeUpgrades, 'now'>;
}

/** All slots of a CPE. */
export interface SlotsView {
  readonly slots: readonly Slot[];
  /** Whether the CPE tells of slots itself. */
  readonly hasTable: boolean;
  /** The version that it says stands in each. */
  readonly told: ReadonlyMap<string, string>;
}

/** Puts the slots of CPEs together of what is known of them. */
export class SlotView {
  readonly #parts: SlotViewParts;

  constructor(parts: SlotViewParts) {
    this.#parts = parts;
  }

  /** @throws StoreError */
  async of(device: Device, record: SlotRecord): Promise<SlotsView> {
    const { devices, upgrades, library } = this.#parts;
    const [parameters, now] = await Promise.all([devices.parameters(device.id), upgrades.now(device.id)]);
    const table = imageTableIn(parameters);
    const next = now.running ?? now.waiting;
    const { ended } = now;
    const numbers = Object.values(record.slots).flatMap((kept) =>
      kept.kind === 'image' ? [kept.image.number] : [],
    );
    const images = await knownImages(library, [
      ...numbers,
      ...(next?.image == null ? [] : [next.image.number]),
    ]);
    const slots = arrange({
      running: device.softwareVersion ?? '',
      table,
      record,
      images,
      next,
      ended:
        ended === null
          ? null
          : { image: ended.image, isVerified: ended.stage === 'verified', failure: failureOf(ended) },
    });
    const told = new Map((table ?? []).map(({ key, version }) => [key, version]));
    return { slots, hasTable: table !== null, told };
  }
}

function failureOf({ stage, failure }: CpeUpgrade): SlotFailure | null {
  switch (stage) {
    case 'failed':
    case 'not-heard-of':
    case 'refused':
      return failure === null ? null : { stage, ...failure };
    case 'waiting':
    case 'sent':
    case 'transferred':
    case 'verified':
    case 'cancelled':
      return null;
    default:
      return stage satisfies never;
  }
}
