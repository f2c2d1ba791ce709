import type { CpeId } from '../../common/index.js';
import type { DeviceIdStruct } from '../soap/index.js';

/** TR-069 A.3.3.1 allows 64 characters in a part; this leaves room for escapes and stays below the store's bound on ids. */
export const CPEID_CHARACTERS_MAX = 400;

/** With nothing escaped in it, as most are. */
const PLAIN_CPEID = /^[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+){1,2}$/;

/**
 * By what an installation tells its CPEs apart: as TR-069 has it, by OUI, product class and serial number; or by the serial number alone, where all
 * that may come is known to have one of its own.
 */
export type CpeIdentity = 'oui' | 'serial';

/**
 * The cpeid of a device: `OUI-ProductClass-SerialNumber`, without a product class `OUI-SerialNumber`. Each byte of a part
 * outside `[A-Za-z0-9_.]` is written `~` and two upper-case hex digits, so a cpeid reads the same in JSON, a path and a
 * query, and two devices never share one. Where the serial number alone tells CPEs apart it is that, written so.
 *
 * @returns null where it would be longer than {@link CPEID_CHARACTERS_MAX}
 *
 * @example cpeidOf({ oui: '00A1B2', productClass: 'HGW', serialNumber: 'S/1', … }) // '00A1B2-HGW-S~2F1'
 */
export function cpeidOf(
  deviceId: Pick<DeviceIdStruct, 'oui' | 'productClass' | 'serialNumber'>,
  by: CpeIdentity = 'oui',
): CpeId | null {
  if (by === 'serial') return bounded(escapePart(deviceId.serialNumber));
  const parts = [deviceId.oui, deviceId.productClass, deviceId.serialNumber].map(escapePart);
  // An empty product class is left out; an OUI and a serial number are never empty behind the decoder.
  return bounded(parts[1] === '' ? `${parts[0]}-${parts[2]}` : parts.join('-'));
}

function bounded(cpeid: string): CpeId | null {
  return cpeid.length > CPEID_CHARACTERS_MAX ? null : (cpeid as CpeId);
}

/**
 * Whether {@link cpeidOf} makes just this of some CPE: whatever its OUI, as some have small letters there, or more than six characters.
 */
export function isCpeId(text: string, by: CpeIdentity = 'oui'): text is CpeId {
  if (by === 'serial') {
    const serialNumber = unescapePart(text);
    return !!serialNumber && cpeidOf({ oui: '', productClass: '', serialNumber }, by) === text;
  }
  if (PLAIN_CPEID.test(text)) return text.length <= CPEID_CHARACTERS_MAX;
  const parts = text.split('-').map(unescapePart);
  const [oui, productClass = '', serialNumber] = parts.length === 2 ? [parts[0], '', parts[1]] : parts;
  if (parts.length > 3 || !oui || !serialNumber || productClass === null) return false;
  return cpeidOf({ oui, productClass, serialNumber }) === text;
}

/** Whether a CPE of some installation can have this id, for whoever does not know by what this one tells them apart. */
export function isAnyCpeId(text: string): text is CpeId {
  return isCpeId(text) || isCpeId(text, 'serial');
}

/** Null where a `~` begins no byte. */
function unescapePart(part: string): string | null {
  if (!part.includes('~')) return part;
  if (/~(?![0-9A-F]{2})/.test(part)) return null;
  const bytes = part.replace(/~(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

function escapePart(part: string): string {
  if (/^[A-Za-z0-9_.]*$/.test(part)) return part;
  let escaped = '';
  for (const byte of Buffer.from(part, 'utf8')) {
    const character = String.fromCharCode(byte);
    escaped += /[A-Za-z0-9_.]/.test(character)
      ? character
      : `~${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}
