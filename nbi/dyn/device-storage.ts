import type { Device, DeviceFilter, Devices } from '../../acs/index.js';
import { SECOND_MS } from '../../common/index.js';
import type { OrganizationsNow } from '../../organizations/index.js';
import { knownCpes } from '../../rollout/index.js';
import { isWithin, type JsonObject, type Scope } from '../http/index.js';
import { problemsOf } from './device-problems.js';
import type { Entry } from './entry.js';
import { type Fields, holds, stringsOf } from './fields.js';
import { idsMeant } from './named-cpes.js';
import { listedIds, type Selection, type Storage, type Words } from './storage.js';

export const DEVICE_FIELDS = {
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
 * @param organizations  null: whose it is is not shown
 */
export function deviceView(
  device: Device,
  organizations: OrganizationsNow | null,
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
    organization: organizations === null ? undefined : organizationView(device, organizations),
    upgrade: device.inFlight ?? null,
    supersededBy: device.supersededBy,
    supersedes: device.supersedes,
    autonomousTransfer: autonomousTransferView(device.autonomousTransfer),
  } satisfies Record<ViewField, unknown>;
}

type Path = keyof typeof DEVICE_FIELDS;
type ViewField = Path extends infer P ? (P extends `${infer Top}.*` ? Top : P & string) : never;

/** Whether a CPE is selected, as far as whose it is and filters say. */
export function isSelected(device: Device, { filters }: Selection, scope: Scope): boolean {
  if (!isWithin(scope, device.organization?.id)) return false;
  const { view, facts = view } = toEntry(device, scope);
  return filters.every((filter) => holds(filter, facts));
}

/** What filters and `sort` look at is the organization by its slug: for its own users the one that they know of. */
function toEntry(device: Device, { organization, isInstallation, organizations }: Scope): Entry {
  const view = deviceView(device, isInstallation ? organizations : null);
  const entry = { id: device.id, view, rank: device.id };
  if (organization !== null) return { ...entry, facts: { ...view, organization: organization.slug } };
  if (organizations.isAlone) return entry;
  return { ...entry, facts: { ...view, organization: organizations.slugOf(device.organization) } };
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

/** How CPEs are asked for. */
export const DEVICE_WORDS: Words = {
  fields: DEVICE_FIELDS,
  idNames: ['id', 'cpeid', 'cpe_id'],
  order: 'ascending',
};

/** The CPEs this installation knows, as far as they are within the scope, by id. */
export function deviceStorage(devices: Devices, scope: Scope): Storage {
  return {
    ...DEVICE_WORDS,
    name: 'DeviceStorage',
    meant: async (selection, naming) => ({
      ...selection,
      idLists: await Promise.all(selection.idLists.map((names) => idsMeant(devices, scope, names, naming))),
    }),
    // Of the default there is no index, as nobody may have asked yet whether a CPE is its.
    leavesOut: () => scope.organization?.isDefault === true && !scope.organizations.isAlone,
    countAll: () => knownCpes(devices, scope.organization, scope.organizations),
    async *candidates(selection, after, turn) {
      const from = after === null ? {} : { after: after.id };
      for await (const device of devices.scan({ ...narrow(selection, scope), ...from }, turn)) {
        if (isWithin(scope, device.organization?.id)) yield toEntry(device, scope);
      }
    },
  };
}

/**
 * One index is enough: whatever else the selection asks for is checked entry by entry. Several serial numbers or tags would be
 * several sequences, each in order but not together. What an organization asks for costs by its own CPEs, and not by those of others.
 */
function narrow(selection: Selection, { organization: own, organizations }: Scope): DeviceFilter {
  const { pattern, filters } = selection;
  const ids = listedIds(selection);
  if (ids !== null) return { ids };
  const serialNumbers = stringsOf(filters, 'serialNumber');
  if (serialNumbers?.length === 1) return { serialNumbers };
  if (own !== null && !own.isDefault)
    return { organization: own.id, ...(pattern.prefix !== '' && { idPrefix: pattern.prefix }) };
  if (pattern.prefix !== '') return { idPrefix: pattern.prefix };
  if (stringsOf(filters, 'enrolment')?.join() === 'waiting') return { isWaiting: true };
  const tags = stringsOf(filters, 'tags');
  if (tags?.length === 1) return { tags };
  const [slug, ...otherSlugs] = stringsOf(filters, 'organization') ?? [];
  const organization = slug === undefined || otherSlugs.length > 0 ? null : organizations.named(slug);
  // Of the default there are also those of which nobody has asked yet.
  return organization === null || organization.isDefault ? {} : { organization: organization.id };
}
