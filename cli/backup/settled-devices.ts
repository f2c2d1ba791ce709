import type { Device, Upgrade } from '../../acs/index.js';
import type { ResultId } from '../../common/index.js';
import { type Collection, PAGE_ITEMS_MAX, type Stored } from '../../store/index.js';
import { BackupError } from './format.js';

/** With two marks each at most, one read has room for all of their upgrades. */
const PAGE_DEVICES = PAGE_ITEMS_MAX / 2;
/** A device is written a few times in a session: nobody is overtaken this often. */
const ROUNDS_MAX = 100;

/** A device, with the upgrades its marks name as they were while it was so. */
export interface SettledDevice {
  readonly device: Device;
  readonly upgrades: readonly Upgrade[];
}

/**
 * Every device together with its upgrades, of one moment. An upgrade ends in the commit that takes its mark from the device:
 * so where a device is at the same revision before and after its upgrade was read, the two belong together.
 * @throws BackupError where one changes all the time
 */
export async function* settledDevices(
  devices: Collection<Device>,
  upgrades: Pick<Collection<Upgrade>, 'getMany'>,
): AsyncGenerator<SettledDevice, void> {
  let page = await devices.find({ limit: PAGE_DEVICES });
  for (;;) {
    yield* settled(page.items, devices, upgrades);
    if (page.next === null) return;
    page = await devices.find({ limit: PAGE_DEVICES, after: page.next });
  }
}

async function* settled(
  page: readonly Stored<Device>[],
  devices: Pick<Collection<Device>, 'getMany'>,
  upgrades: Pick<Collection<Upgrade>, 'getMany'>,
): AsyncGenerator<SettledDevice, void> {
  let marked: Stored<Device>[] = [];
  for (const stored of page) {
    if (marksOf(stored.document).length > 0) marked.push(stored);
    else yield { device: stored.document, upgrades: [] };
  }
  for (let round = 0; marked.length > 0; round++) {
    if (round === ROUNDS_MAX) {
      throw new BackupError(`The CPE ${marked[0]?.document.id} changes all the time: try again later.`);
    }
    const found = await upgrades.getMany(marked.flatMap(({ document }) => marksOf(document)));
    const byId = new Map(found.flatMap((stored) => (stored === null ? [] : [[stored.document.id, stored]])));
    const again = await devices.getMany(marked.map(({ document }) => document.id));
    const moved: Stored<Device>[] = [];
    for (const [at, { document: device, revision }] of marked.entries()) {
      const now = again[at];
      if (now?.revision === revision) {
        const own = marksOf(device).flatMap((id) => byId.get(id)?.document ?? []);
        yield { device, upgrades: own };
      } else if (now) {
        moved.push(now);
      }
    }
    marked = moved;
  }
}

function marksOf({ inFlight, late }: Device): readonly ResultId[] {
  return [...new Set([inFlight, late].filter((id) => id !== undefined))];
}
