import { MINUTE_MS } from '../../common/index.js';
import type { Device } from '../device/device.js';

/** So long another process may take to write that it has seen a CPE (`device/device-store.ts`). */
const TRAILS_MS_MAX = MINUTE_MS;

/** What was known of a CPE when it was called. */
export interface Called {
  /** When it had informed last, by what was known when it was called last. */
  readonly lastInformMs: number;
  /** When it was called first, by the wall's clock, as what CPEs informed at. */
  readonly calledAtMs: number;
}

/**
 * Whether a CPE has informed since it was called. Another last Inform than before shows that, but for one of shortly before the call,
 * which another process has only now written. One of long before it came after all, as the clock was set back since.
 */
export function hasComeSince(
  { lastInformMs, calledAtMs }: Called,
  device: Pick<Device, 'lastInformMs'>,
): boolean {
  if (device.lastInformMs === lastInformMs) return false;
  return device.lastInformMs >= calledAtMs || device.lastInformMs < calledAtMs - TRAILS_MS_MAX;
}
