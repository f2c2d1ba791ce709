import type { Devices } from '../../acs/index.js';
import { organizationOf } from '../../rules/index.js';
import type { CpeUpgrade, CpeUpgrades } from '../cpe-upgrades/index.js';
import { arrange } from './arrange.js';
import { withTable } from './homes.js';
import { imageTableIn } from './image-table.js';
import { knownImages, type SlotLibrary } from './known-images.js';
import type { Slot, SlotFailure } from './slot.js';
import { isUntold, type OwnedDevice, type SlotRecord, withReported } from './slot-record.js';

export interface SlotViewParts {
  readonly devices: Pick<Devices, 'parameters'>;
  readonly library: SlotLibrary;
  readonly upgrades: Pick<CpeUpgrades, 'now' | 'reported'>;
}

/** All slots of a CPE. */
export interface SlotsView {
  /** With what the CPE has told meanwhile, of images that nobody else says a version of and of slots; the one that was given where there is nothing. */
  readonly record: SlotRecord;
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
  async of({ device, organization }: OwnedDevice, stored: SlotRecord): Promise<SlotsView> {
    const { devices, upgrades, library } = this.#parts;
    const [parameters, now] = await Promise.all([devices.parameters(device.id), upgrades.now(device.id)]);
    const table = imageTableIn(parameters);
    const next = now.running ?? now.waiting;
    const { ended } = now;
    const reported = await this.#withReported(stored);
    const numbers = Object.values(reported.slots).flatMap((kept) =>
      kept.kind === 'image' ? [kept.image.number] : [],
    );
    const known = await knownImages(library, [
      ...numbers,
      ...(next?.image == null ? [] : [next.image.number]),
    ]);
    // What a CPE brings along from another organization is not told to this one.
    const images = new Map(
      [...known].filter(([, { image }]) => (image.organization ?? organization) === organization),
    );
    const record = table === null ? reported : withTable(reported, table, images);
    const slots = arrange({
      running: device.softwareVersion ?? '',
      table,
      record,
      images,
      next: next === null ? null : toldOf(next, organization),
      ended:
        ended === null
          ? null
          : { image: ended.image, isVerified: ended.stage === 'verified', failure: failureOf(ended) },
    });
    const told = new Map((table ?? []).map(({ key, version }) => [key, version]));
    return { record, slots, hasTable: table !== null, told };
  }

  async #withReported(record: SlotRecord): Promise<SlotRecord> {
    const numbers = Object.values(record.slots).flatMap((kept) =>
      isUntold(kept) ? [kept.image.number] : [],
    );
    if (numbers.length === 0) return record;
    return withReported(record, await this.#parts.upgrades.reported(record.id, new Set(numbers)));
  }
}

/** What a rule of others says nobody is told, but that there is one. */
function toldOf(
  upgrade: CpeUpgrade,
  organization: string | null,
): Pick<CpeUpgrade, 'image' | 'file' | 'targetVersion'> {
  const { ruleId } = upgrade;
  const isOwn = ruleId === null || (organizationOf(ruleId) ?? null) === organization;
  return isOwn ? upgrade : { image: upgrade.image, file: '', targetVersion: null };
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
