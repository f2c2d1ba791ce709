import type { Device, DeviceFilter, Devices } from '../../acs/index.js';
import { SECOND_MS } from '../../common/index.js';
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

/** A CPE as the API shows it: times in epoch seconds, `upgrade` the id of the result of the one under way, else null. */
export function deviceView(device: Device): JsonObject & { readonly id: string } {
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
    organization: device.organization,
    upgrade: device.inFlight ?? null,
    supersededBy: device.supersededBy,
    supersedes: device.supersedes,
    autonomousTransfer: autonomousTransferView(device.autonomousTransfer),
  } satisfies Record<ViewField, unknown>;
}

type Path = keyof typeof DEVICE_FIELDS;
type ViewField = Path extends infer P ? (P extends `${infer Top}.*` ? Top : P & string) : never;

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
      for await (const device of devices.scan({ ...narrow(selection), ...from }, turn)) {
        yield { id: device.id, view: deviceView(device), rank: device.id };
      }
    },
  };
}

/**
 * One index is enough: whatever else the selection asks for is checked entry by entry. Several serial numbers or tags would be
 * several sequences, each in order but not together.
 */
function narrow(selection: Selection): DeviceFilter {
  const { pattern, filters } = selection;
  const ids = listedIds(selection);
  if (ids !== null) return { ids };
  const serialNumbers = stringsOf(filters, 'serialNumber');
  if (serialNumbers?.length === 1) return { serialNumbers };
  if (pattern.prefix !== '') return { idPrefix: pattern.prefix };
  if (stringsOf(filters, 'enrolment')?.join() === 'waiting') return { isWaiting: true };
  const tags = stringsOf(filters, 'tags');
  return tags?.length === 1 ? { tags } : {};
}
