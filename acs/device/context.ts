import type { Context } from '../../rules/index.js';
import type { Device } from './device.js';

/**
 * What conditions see of a CPE that informs now, but for its parameters.
 * @param seen  what this session shows; `softwareVersion` where that is another than the device's
 */
export function contextOf(
  device: Device,
  seen: { readonly events: readonly string[]; readonly ip: string; readonly softwareVersion?: string },
  nowMs: number,
): Omit<Context, 'parameters'> {
  const softwareVersion = seen.softwareVersion ?? device.softwareVersion;
  return {
    cpeid: device.id,
    oui: device.oui,
    productClass: device.productClass,
    serialNumber: device.serialNumber,
    manufacturer: device.manufacturer,
    ...(device.modelName !== undefined && { modelName: device.modelName }),
    ...(softwareVersion !== undefined && { softwareVersion }),
    ...(device.hardwareVersion !== undefined && { hardwareVersion: device.hardwareVersion }),
    ...(device.organization !== undefined && { organization: device.organization }),
    events: seen.events,
    tags: device.tags,
    ip: seen.ip,
    lastInform: nowMs,
    registered: device.registeredMs,
    now: nowMs,
  };
}
