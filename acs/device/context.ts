import type { OrganizationsNow } from '../../organizations/index.js';
import { type Context, type DecisionInput, modelOf } from '../../rules/index.js';
import type { Device } from './device.js';

const PROVEN: Context['identity'] = { proven: true };
const CLAIMED: Context['identity'] = { proven: false };

/** What a rule's condition sees of a CPE in a session, but for its data model. */
export function contextOf(
  device: Device,
  session: {
    readonly events: readonly string[];
    readonly ip: string;
    readonly nowMs: number;
    readonly organizations: OrganizationsNow;
  },
): Omit<Context, 'parameters'> {
  return {
    cpeid: device.id,
    oui: device.oui,
    productClass: device.productClass,
    serialNumber: device.serialNumber,
    manufacturer: device.manufacturer,
    ...(device.modelName !== undefined && { modelName: device.modelName }),
    model: modelOf(device),
    ...(device.softwareVersion !== undefined && { softwareVersion: device.softwareVersion }),
    ...(device.hardwareVersion !== undefined && { hardwareVersion: device.hardwareVersion }),
    organization: session.organizations.slugOf(device.organization),
    events: session.events,
    tags: device.tags,
    ip: session.ip,
    identity: device.identityProven === true ? PROVEN : CLAIMED,
    lastInform: session.nowMs,
    registered: device.registeredMs,
    now: session.nowMs,
  };
}

/** Whose rules may be for a CPE, beside the installation's. */
export function ruledBy(
  device: Pick<Device, 'organization'>,
  organizations: OrganizationsNow,
): Pick<DecisionInput, 'organization'> {
  const organization = organizations.of(device.organization)?.id;
  return organization === undefined ? {} : { organization };
}
