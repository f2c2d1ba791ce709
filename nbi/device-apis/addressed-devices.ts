import type { Device, DeviceIds, Devices } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import { currentIdentity } from '../../rollout/index.js';
import { ApiError, findingsOf, isWithin, type Scope, shortJson } from '../http/index.js';
import type { AddressedDevices, DeviceAddress } from './device-address.js';

/** So many of those that have one label are told. */
const CANDIDATES_SHOWN_MAX = 10;

export interface AddressedDevicesParts {
  readonly devices: Pick<Devices, 'get'>;
  readonly deviceIds: Pick<DeviceIds, 'cpeidOf' | 'withSerialLabel'>;
}

type AskedOf = Parameters<AddressedDevices['addressOf']>[0];

/** Finds CPEs by their cpeid, and by the labels that stand for them. */
export function addressedDevices({ devices, deviceIds }: AddressedDevicesParts): AddressedDevices {
  const isIts = (scope: Scope) => (device: Device) => isSeen(device, scope);
  /** Those of a serial number, one more than can be told of at most. */
  const withSerialLabel = async (label: string, scope: Scope): Promise<readonly Device[]> => {
    const limit = CANDIDATES_SHOWN_MAX + 1;
    const isCurrent = (device: Device) => isSeen(device, scope) && device.supersededBy === undefined;
    const isWanted = (device: Device) => isCurrent(device) && device.enrolment === undefined;
    const enrolled = await deviceIds.withSerialLabel(label, { isWanted, limit });
    // As `meantBySerialNumber` has it: anybody can say a serial number.
    return enrolled.length > 0 ? enrolled : deviceIds.withSerialLabel(label, { isWanted: isCurrent, limit });
  };
  /** By its cpeid, in the form by path, else by its UUID: either is one CPE's alone, and goes before what CPEs say of themselves. */
  const identified = async (form: DeviceAddress['form'], name: string, scope: Scope) => {
    const own = form === 'path' ? await devices.get(name as CpeId) : null;
    if (own !== null && isSeen(own, scope)) return own;
    const cpeid = await deviceIds.cpeidOf(name);
    const named = cpeid === null ? null : await devices.get(cpeid);
    return named !== null && isSeen(named, scope) ? named : null;
  };
  return {
    async of(asked, scope) {
      const { form, name } = addressOf(asked);
      const named = await identified(form, name, scope);
      if (named !== null) return currentIdentity(devices, named, isIts(scope));
      const [only, ...others] = await withSerialLabel(name, scope);
      if (only === undefined) throw unknownDevice(name);
      if (others.length > 0) throw ambiguousDevice(name, [only, ...others]);
      return only;
    },
    addressOf,
  };
}

function isSeen({ organization }: Device, scope: Scope): boolean {
  return isWithin(scope, organization?.id);
}

function addressOf({ request, parameters }: AskedOf): DeviceAddress {
  const label = request.res === undefined ? undefined : findingsOf(request.res).deviceLabel;
  if (label !== undefined) return { form: 'host', name: label, prefix: '' };
  // As it was written, for that is what a browser compares with the path of a cookie.
  const [, , written = ''] = request.originalUrl.split(/[/?#]/, 3);
  return { form: 'path', name: parameters['device'] ?? '', prefix: `/devices/${escaped(written)}` };
}

/** Whatever would end a cookie's path, or a text in HTML, is encoded as well. */
function escaped(written: string): string {
  return written.replace(/[^A-Za-z0-9._~%-]/g, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
    return `%${code}`;
  });
}

function unknownDevice(name: string): ApiError {
  const expected = 'a CPE that there is: its cpeid, its UUID, or its serial number in lower case';
  return new ApiError(404, [{ field: 'device', code: 'unknown-device', expected, found: shortJson(name) }]);
}

function ambiguousDevice(name: string, candidates: readonly Device[]): ApiError {
  const ids = candidates.slice(0, CANDIDATES_SHOWN_MAX).map(({ id }) => id);
  const paths = ids.map((id) => `/devices/${encodeURIComponent(id)}/api`).join(', ');
  const more = candidates.length > ids.length ? ', …' : '';
  const expected = `the name of one CPE: several have this one; reach one by path, as ${paths}${more}`;
  return new ApiError(421, [
    { field: 'device', code: 'ambiguous-device', expected, found: shortJson(name), ids },
  ]);
}
