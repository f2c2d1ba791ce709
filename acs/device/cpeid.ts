import type { CpeId } from '../../common/index.js';
import type { DeviceIdStruct } from '../soap/index.js';

/** TR-069 A.3.3.1 allows 64 characters in a part; this leaves room for escapes and stays below the store's bound on ids. */
export const CPEID_CHARACTERS_MAX = 400;

/** With nothing escaped in it, as most are. */
const PLAIN_CPEID = /^[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+){1,2}$/;

/**
 * The cpeid of a device: `OUI-ProductClass-SerialNumber`, without a product class `OUI-SerialNumber`. Each byte of a part
 * outside `[A-Za-z0-9_.]` is written `~` and two upper-case hex digits, so a cpeid reads the same in JSON, a path and a
 * query, and two devices never share one.
 *
 * @returns null where it would be longer than {@link CPEID_CHARACTERS_MAX}
 *
 * @example cpeidOf({ oui: '00A1B2', productClass: 'HGW', serialNumber: 'S/1', … }) // '00A1B2-HGW-S~2F1'
 */
export function cpeidOf(
  deviceId: Pick<DeviceIdStruct, 'oui' | 'productClass' | 'serialNumber'>,
): CpeId | null {
  const parts = [deviceId.oui, deviceId.productClass, deviceId.serialNumber].map(escapePart);
  // An empty product class is left out; an OUI and a serial number are never empty behind the decoder.
  const cpeid = parts[1] === '' ? `${parts[0]}-${parts[2]}` : parts.join('-');
  return cpeid.length > CPEID_CHARACTERS_MAX ? null : (cpeid as CpeId);
}

/**
 * Whether {@link cpeidOf} makes just this of some CPE: whatever its OUI, as some have small letters there, or more than six characters.
 */
export function isCpeId(text: string): text is CpeId {
  if (PLAIN_CPEID.test(text)) return text.length <= CPEID_CHARACTERS_MAX;
  const parts = text.split('-').map(unescapePart);
  const [oui, productClass = '', serialNumber] = parts.length === 2 ? [parts[0], '', parts[1]] : parts;
  if (parts.length > 3 || !oui || !serialNumber || productClass === null) return false;
  return cpeidOf({ oui, productClass, serialNumber }) === text;
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
