import type { Device, Devices } from '../../acs/index.js';
import type { CpeId, Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { Scope } from '../http/index.js';
import { BATCH_ITEMS_MAX } from '../limits.js';
import { deviceStorage, isSelected } from './device-storage.js';
import { looksAtListed, meantBy, type Selection, selectEntries } from './storage.js';

/** What deleting CPEs would come to. */
export interface DeviceCounts {
  readonly devices: number;
  /** Those of them that have an upgrade under way, for which all are refused. */
  readonly upgrading: number;
}

/** What came of deleting CPEs. */
export type DeviceDeletion =
  /** Looked at before anything is deleted: nothing was. */
  | { readonly kind: 'refused'; readonly upgrading: readonly CpeId[] }
  /** Whoever began an upgrade, or informed and is no longer selected, while others were deleted has stayed. */
  | { readonly kind: 'deleted'; readonly devices: number; readonly upgrading: readonly CpeId[] };

interface Deleting {
  readonly devices: Devices;
  /** Whose CPEs; of any others none is counted or deleted. */
  readonly scope: Scope;
  readonly selection: Selection;
  /** When each page is read, and each portion deleted. */
  readonly turn: Turn;
}

/** Counts the CPEs that are selected, and changes nothing. */
export async function countSelectedDevices({
  devices,
  scope,
  selection,
  turn,
}: Deleting): Promise<DeviceCounts> {
  const counts = { devices: 0, upgrading: 0 };
  for await (const { view } of selectEntries(deviceStorage(devices, scope), selection, { turn })) {
    counts.devices++;
    if (view['upgrade'] !== null) counts.upgrading++;
  }
  return counts;
}

/**
 * Deletes the CPEs that are selected, in portions. What was cut off is taken up by deleting the same again.
 * @param by  who wants it, for the log of events
 * @param onLooked  how many have been looked at so far
 */
export async function deleteSelectedDevices(
  { devices, scope, selection: asked, turn }: Deleting,
  by: Actor,
  onLooked: (devices: number) => void = () => {},
): Promise<DeviceDeletion> {
  const storage = deviceStorage(devices, scope);
  const selection = await meantBy(storage, asked, { of: 'one', turn });
  const busy: CpeId[] = [];
  for await (const { id, view } of selectEntries(storage, selection, { turn })) {
    if (view['upgrade'] !== null) busy.push(toCpeId(id));
    if (busy.length >= BATCH_ITEMS_MAX) break;
  }
  if (busy.length > 0) return { kind: 'refused', upgrading: busy };
  const upgrading: CpeId[] = [];
  let deleted = 0;
  let lookedAt = 0;
  let batch: CpeId[] = [];
  const options = {
    why: 'asked',
    by,
    only: (device: Device) => isSelected(device, selection, scope),
    // Of what is listed there is little, and whoever has gone meanwhile has asked for all of it.
    ...(!looksAtListed(storage, selection) && { turn }),
  } as const;
  const flush = async () => {
    const removal = await devices.remove(batch, options);
    lookedAt += batch.length;
    deleted += removal.removed;
    for (const cpeid of removal.upgrading) if (upgrading.length < BATCH_ITEMS_MAX) upgrading.push(cpeid);
    batch = [];
    onLooked(lookedAt);
  };
  for await (const { id } of selectEntries(storage, selection, { turn })) {
    batch.push(toCpeId(id));
    if (batch.length >= BATCH_ITEMS_MAX) await flush();
  }
  if (batch.length > 0) await flush();
  return { kind: 'deleted', devices: deleted, upgrading };
}

// The storage has just given these ids.
const toCpeId = (id: string) => id as CpeId;
