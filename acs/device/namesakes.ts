import type { CpeId } from '../../common/index.js';
import { OrganizationDirectory, type OrganizationsNow } from '../../organizations/index.js';
import type { NamesakesOf } from '../../rules/index.js';
import { type Collection, isWellFormed, type Store } from '../../store/index.js';
import { CPEID_CHARACTERS_MAX } from './cpeid.js';
import { DEVICES, type Device, type Devices } from './device.js';

/** So many others are told of. */
const NAMESAKES_MAX = 5;
/** CPEs of one serial number that are looked at: some makes gave the same to all of theirs. */
const LOOKS_MAX = 1_000;

/**
 * Finds the CPEs that a serial number stands for beside the one that asks: those that have told it too, and the one that has it as its id. An
 * identity that its CPE goes by no more stands for none, and neither does one that waits to be enrolled: anybody can say a serial number.
 */
export function namesakesIn(store: Store, directory = new OrganizationDirectory({ store })): NamesakesOf {
  const devices = store.collection<Device>(DEVICES);
  return async ({ cpeid, serialNumber, organization }) => {
    // No CPE has told half of a surrogate pair: the store would refuse to look for it.
    if (!isWellFormed(serialNumber)) return [];
    const isIts = belongingTo(organization, await directory.current());
    const isAnother = (device: Device): boolean =>
      device.id !== cpeid &&
      device.supersededBy === undefined &&
      device.enrolment === undefined &&
      isIts(device);
    const found = new Set<CpeId>();
    let looks = 0;
    for await (const device of calledSo(devices, serialNumber)) {
      if (isAnother(device)) found.add(device.id);
      if (found.size >= NAMESAKES_MAX || ++looks >= LOOKS_MAX) break;
    }
    return [...found];
  };
}

/**
 * The CPE that goes by a name, be that its cpeid or its serial number: of several of one serial number any, as no rule that names them so
 * is one's.
 * @param organization  among whose CPEs; undefined: among all
 */
export async function cpeGoingBy(
  devices: Pick<Devices, 'get' | 'scan' | 'organizations'>,
  name: string,
  organization: string | undefined,
): Promise<Device | null> {
  if (!isWellFormed(name) || name.length > CPEID_CHARACTERS_MAX) return null;
  const named = await devices.get(name as CpeId);
  if (named !== null) return named;
  const isIts = belongingTo(organization, await devices.organizations());
  let looks = 0;
  for await (const device of devices.scan({ serialNumbers: [name] })) {
    if (isIts(device) && device.supersededBy === undefined && device.enrolment === undefined) return device;
    if (++looks >= LOOKS_MAX) break;
  }
  return null;
}

/**
 * Of the CPEs of one serial number those that are meant by it: an identity that its CPE goes by no more stands for none, and neither does one
 * that waits to be enrolled, unless all do.
 */
export function meantBySerialNumber(found: readonly Device[]): readonly Device[] {
  const present = found.filter(({ supersededBy }) => supersededBy === undefined);
  const enrolled = present.filter(({ enrolment }) => enrolment === undefined);
  return enrolled.length > 0 ? enrolled : present;
}

/** @param organization  undefined: all do */
function belongingTo(organization: string | undefined, now: OrganizationsNow): (device: Device) => boolean {
  return ({ organization: placed }) => organization === undefined || now.idOf(placed?.id) === organization;
}

async function* calledSo(devices: Collection<Device>, name: string): AsyncGenerator<Device> {
  const named = await devices.get(name);
  if (named !== null) yield named.document;
  for await (const { document } of devices.scan({ index: 'serialNumber', equals: [name] })) yield document;
}
