import type { Device, DeviceFilter, Devices } from '../../acs/index.js';
import { SECOND_MS } from '../../common/index.js';
import type { OrganizationsNow } from '../../organizations/index.js';
import type { JsonObject } from '../http/index.js';
import { problemsOf } from './device-problems.js';
import { type Fields, stringsOf } from './fields.js';
import { listedIds, type Selection, type Storage } from './storage.js';

const DEVICE_FIELDS = {
  id: 'string',
  cpeid: 'string',
  manufacturer: 'string',
  oui: 'string',
  productClass: 'string',
  serialNumber: 'string',
  modelName: 'string',
  softwareVersion: 'string',
  hardwareVersion: 'string',
  ip: 'string',
  'identity.*': 'any',
  enrolment: 'string',
  connectionRequestUrl: 'string',
  connectionRequestMoved: 'number',
  provisioning: 'string',
  provisioningTries: 'number',
  problems: 'string',
  'parametersCut.*': 'any',
  registered: 'time',
  lastInform: 'time',
  lastEvents: 'string',
  tags: 'string',
  organization: 'string',
  upgrade: 'any',
  supersededBy: 'string',
  supersedes: 'string',
  'autonomousTransfer.*': 'any',
} as const satisfies Fields;

/**
 * A CPE as the API shows it: times in epoch seconds, `upgrade` the id of the result of the one under way, else null; its organization where
 * there is more than the default.
 */
export function deviceView(
  device: Device,
  organizations: OrganizationsNow,
): JsonObject & { readonly id: string } {
  return {
    id: device.id,
    cpeid: device.id,
    manufacturer: device.manufacturer,
    oui: device.oui,
    productClass: device.productClass,
    serialNumber: device.serialNumber,
    modelName: device.modelName,
    softwareVersion: device.softwareVersion,
    hardwareVersion: device.hardwareVersion,
    ip: device.ip,
    identity: identityView(device),
    enrolment: device.enrolment,
    connectionRequestUrl: device.connectionRequestUrl,
    connectionRequestMoved:
      device.connectionRequestMovedMs && Math.floor(device.connectionRequestMovedMs / SECOND_MS),
    provisioning: device.provisioning,
    provisioningTries: device.provisioningTries,
    problems: problemsOf(device),
    parametersCut: device.parametersCut,
    registered: Math.floor(device.registeredMs / SECOND_MS),
    lastInform: Math.floor(device.lastInformMs / SECOND_MS),
    lastEvents: device.lastEvents,
    tags: device.tags,
    organization: organizationView(device, organizations),
    upgrade: device.inFlight ?? null,
    supersededBy: device.supersededBy,
    supersedes: device.supersedes,
    autonomousTransfer: autonomousTransferView(device.autonomousTransfer),
  } satisfies Record<ViewField, unknown>;
}

type Path = keyof typeof DEVICE_FIELDS;
type ViewField = Path extends infer P ? (P extends `${infer Top}.*` ? Top : P & string) : never;

/** What filters and `sort` look at: an organization by its slug. */
export function deviceFacts(device: Device, organizations: OrganizationsNow): JsonObject {
  const view = deviceView(device, organizations);
  return organizations.isAlone ? view : { ...view, organization: organizations.slugOf(device.organization) };
}

function organizationView({ organization }: Device, organizations: OrganizationsNow): JsonObject | undefined {
  const its = organizations.isAlone ? null : organizations.of(organization);
  if (its === null) return undefined;
  return {
    id: its.id,
    slug: its.slug,
    by: organization?.by ?? 'default',
    ...(!its.active && { active: false }),
  };
}

function identityView({ identityProven, credentialsLostMs }: Device): JsonObject {
  return {
    proven: identityProven === true,
    ...(credentialsLostMs !== undefined && { credentialsLost: Math.floor(credentialsLostMs / SECOND_MS) }),
  };
}

function autonomousTransferView(transfer: Device['autonomousTransfer']): JsonObject | undefined {
  if (transfer === undefined) return undefined;
  const { atMs, ...told } = transfer;
  return { at: Math.floor(atMs / SECOND_MS), ...told };
}

/** The CPEs this installation knows, by id. */
export function deviceStorage(devices: Devices): Storage {
  return {
    name: 'DeviceStorage',
    fields: DEVICE_FIELDS,
    idNames: ['id', 'cpeid', 'cpe_id'],
    order: 'ascending',
    async *candidates(selection, after, turn) {
      const from = after === null ? {} : { after: after.id };
      const organizations = await devices.organizations();
      for await (const device of devices.scan({ ...narrow(selection, organizations), ...from }, turn)) {
        const view = deviceView(device, organizations);
        const facts = organizations.isAlone ? {} : { facts: deviceFacts(device, organizations) };
        yield { id: device.id, view, rank: device.id, ...facts };
      }
    },
  };
}

/**
 * One index is enough: whatever else the selection asks for is checked entry by entry. Several serial numbers or tags would be
 * several sequences, each in order but not together.
 */
function narrow(selection: Selection, organizations: OrganizationsNow): DeviceFilter {
  const { pattern, filters } = selection;
  const ids = listedIds(selection);
  if (ids !== null) return { ids };
  const serialNumbers = stringsOf(filters, 'serialNumber');
  if (serialNumbers?.length === 1) return { serialNumbers };
  if (pattern.prefix !== '') return { idPrefix: pattern.prefix };
  if (stringsOf(filters, 'enrolment')?.join() === 'waiting') return { isWaiting: true };
  const tags = stringsOf(filters, 'tags');
  if (tags?.length === 1) return { tags };
  const [slug, ...otherSlugs] = stringsOf(filters, 'organization') ?? [];
  const organization = slug === undefined || otherSlugs.length > 0 ? null : organizations.named(slug);
  // Of the default there are also those of which nobody has asked yet.
  return organization === null || organization.isDefault ? {} : { organization: organization.id };
}
