import { type Device, type Devices, isAnyCpeId, meantBySerialNumber } from '../../acs/index.js';
import { type CpeId, cutText } from '../../common/index.js';
import { belongsTo, type Organization } from '../../organizations/index.js';
import { isWellFormed } from '../../store/index.js';
import type { OperationReason } from '../operations/index.js';

/** A cpeid has no more. */
const NAME_CHARACTERS_MAX = 400;
/** Of those that have one serial number so many are told. */
const CANDIDATES_MAX = 5;
/** CPEs of one serial number that are looked at: some makes gave the same to all of theirs. */
const LOOKS_MAX = 1_000;
/** Of a CPE that has come back under other identities, one after the other. */
const IDENTITIES_MAX = 8;

const ALL_HALVES = /\p{Surrogate}/gu;

/** The CPE that was meant by a name, or why it stands for none. */
export type NamedCpe =
  | { readonly kind: 'cpe'; readonly named: CpeId; readonly device: Device }
  | {
      readonly kind: 'none';
      readonly named: CpeId;
      readonly reason: Extract<OperationReason, 'unknown-device' | 'ambiguous-device'>;
      readonly detail?: string;
    };

/**
 * The CPEs that somebody names, by cpeid or by serial number where that is of one CPE; under the identities that they go by now. CPEs of other
 * organizations are told from those that nobody knows by nothing.
 * @param organization  whose CPEs alone; null: everybody's
 * @param names  as they came from outside, at most a portion
 */
export async function namedCpes(
  devices: Pick<Devices, 'get' | 'scan' | 'withSerialNumber'>,
  organization: Organization | null,
  names: readonly string[],
): Promise<readonly NamedCpe[]> {
  const isIts = (device: Device): boolean =>
    organization === null || belongsTo(organization, device.organization?.id);
  const known = new Map<string, Device>();
  for await (const device of devices.scan({ ids: [...new Set(names.filter(isAnyCpeId))] }))
    if (isIts(device)) known.set(device.id, device);
  const found: NamedCpe[] = [];
  for (const name of names) {
    const device = known.get(name);
    const each = device === undefined ? await bySerialNumber(devices, name, isIts) : cpe(device);
    found.push(
      each.kind === 'cpe' ? cpe(each.device, await currentIdentity(devices, each.device, isIts)) : each,
    );
  }
  return found;
}

function cpe(named: Device, device: Device = named): NamedCpe {
  return { kind: 'cpe', named: named.id, device };
}

async function bySerialNumber(
  devices: Pick<Devices, 'withSerialNumber'>,
  name: string,
  isIts: (device: Device) => boolean,
): Promise<NamedCpe> {
  // As whoever named it reads it; nothing that the store would refuse, whatever it is.
  const named = cutText(name.replace(ALL_HALVES, '\ufffd'), NAME_CHARACTERS_MAX) as CpeId;
  // No CPE has told half of a surrogate pair: the store would refuse to look for it.
  if (name.length > NAME_CHARACTERS_MAX || !isWellFormed(name) || name === '')
    return { kind: 'none', named, reason: 'unknown-device' };
  const candidates = meantBySerialNumber((await devices.withSerialNumber(name, LOOKS_MAX)).filter(isIts));
  const [first, ...others] = candidates;
  if (first === undefined) return { kind: 'none', named, reason: 'unknown-device' };
  if (others.length === 0) return cpe(first);
  const told = candidates.slice(0, CANDIDATES_MAX).map(({ id }) => id);
  const more = candidates.length > CANDIDATES_MAX ? ' and others' : '';
  const detail = `several devices have the serial number ${named}: ${told.join(', ')}${more}`;
  return { kind: 'none', named, reason: 'ambiguous-device', detail };
}

/** The same CPE under the identity that it goes by now, as far as those that lead there are known and `isIts`. */
export async function currentIdentity(
  devices: Pick<Devices, 'get'>,
  named: Device,
  isIts: (device: Device) => boolean,
): Promise<Device> {
  let device = named;
  for (let hops = 0; hops < IDENTITIES_MAX && device.supersededBy !== undefined; hops++) {
    const next = await devices.get(device.supersededBy);
    if (next === null || next.id === named.id || !isIts(next)) break;
    device = next;
  }
  return device;
}
