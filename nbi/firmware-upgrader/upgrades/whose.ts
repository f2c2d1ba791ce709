import type { Device, Devices } from '../../../acs/index.js';
import type { CpeId, OrganizationId } from '../../../common/index.js';
import type { OrganizationsNow } from '../../../organizations/index.js';
import type { Operation } from '../../../rollout/index.js';
import type { Asking } from '../manners/index.js';
import type { UpgradeContext } from './context.js';

/** Of which organization's CPEs whoever asks is told; null: of nobody's. */
export interface Whose {
  /** The id; null: of all. */
  readonly organization: string | null;
  /** The same for a filter of operations: of the default not all say so. */
  readonly indexed: OrganizationId | undefined;
  isOf(thing: Pick<Operation, 'organization'>): boolean;
}

/** Whose CPEs whoever asks wants to be told of, of those that he sees; null: nobody's. */
export async function whoseOf(
  { wanted, within }: Asking,
  devices: Pick<Devices, 'organizations'>,
): Promise<Whose | null> {
  if (wanted === null) return null;
  const organizations = await devices.organizations();
  return whoseIn(organizations, wanted?.id ?? within);
}

function whoseIn(organizations: OrganizationsNow, organization: string | null): Whose {
  const isDefault = organization === organizations.byDefault?.id;
  return {
    organization,
    indexed: organization === null || isDefault ? undefined : (organization as OrganizationId),
    isOf: (thing) => organization === null || organizations.idOf(thing.organization) === organization,
  };
}

/**
 * The CPE of an id of a path that whoever asks sees and wants.
 * @returns null for one that is not known, and for another's
 */
export async function deviceOf(
  { devices, deviceIds }: Pick<UpgradeContext, 'devices' | 'deviceIds'>,
  asking: Asking,
  id: string,
): Promise<{ readonly cpeid: CpeId; readonly device: Device } | null> {
  const cpeid = await deviceIds.cpeidOf(id);
  const device = cpeid === null ? null : await devices.get(cpeid);
  const whose = device === null ? null : await whoseOf(asking, devices);
  if (cpeid === null || device === null || whose === null) return null;
  const organization = device.organization?.id;
  return whose.isOf(organization === undefined ? {} : { organization }) ? { cpeid, device } : null;
}
