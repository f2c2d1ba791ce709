import { hostOf } from '../device/connection-request-url.js';
import type { Device } from '../device/device.js';

/** Whether a CPE that asks for Basic is given its password, in the clear; where not, why, and what mends it. */
export type BasicUse = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * Basic gives the password to whoever answers the call, and anybody who informs as a CPE may be who answers. So it is off unless an
 * operator says otherwise (TR-069 3.2.2.1 asks for Digest), and then it is for the CPE's own password, at the address where that was
 * set on it.
 */
export function basicUse(
  device: Pick<Device, 'connectionRequestMovedMs' | 'connectionRequestUrl'>,
  options: { readonly isShared: boolean; readonly isAllowed: boolean },
): BasicUse {
  if (options.isShared) {
    return refused(
      'would give the password of the whole fleet away; have it ask for Digest, or leave out ' +
        '--connection-request-auth, so that each CPE has a password of its own, and allow Basic with --connection-request-basic',
    );
  }
  if (!options.isAllowed) {
    return refused(
      'would give its password away; have it ask for Digest, or allow Basic with --connection-request-basic',
    );
  }
  if (device.connectionRequestMovedMs !== undefined) {
    const host = hostOf(device.connectionRequestUrl) ?? 'none';
    return refused(
      `is not answered, as its ConnectionRequestURL has moved to another address (${host}); ` +
        'have it ask for Digest, or, if the address is its own, say so with ferry device approve-url',
    );
  }
  return { allowed: true };
}

function refused(why: string): BasicUse {
  return { allowed: false, reason: `The CPE asks for Basic alone, which ${why}` };
}
