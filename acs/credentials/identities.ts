import { type CpeId, type Logger, SECOND_MS, Seldom } from '../../common/index.js';
import type { Device } from '../device/device.js';
import type { CpeCredentials } from './cpe-credentials.js';

/** Who has sent a request, as far as it shows. */
export type Caller =
  /** The ACS asks nobody. */
  | { readonly kind: 'anyone' }
  /** Whoever has the pair that the fleet shares. */
  | { readonly kind: 'shared' }
  /** A CPE with credentials of its own. */
  | {
      readonly kind: 'own';
      readonly cpeid: CpeId;
      /** Identities that it had before, as its OUI changed. */
      readonly formerly: readonly CpeId[];
      readonly username: string;
      readonly password: string;
      /** Whether it has used these before. */
      readonly isProven: boolean;
    };

/**
 * What the identity that an Inform names is worth: the CPE has proved it; it says so; or it has lost the credentials by which it could prove it,
 * as after a factory reset, and whoever has the shared pair can say as much. `readmitted`: lost, and it is to be given new ones.
 */
export type Identity = 'proven' | 'claimed' | 'lost' | 'readmitted';

/** What becomes of CPEs that come back without their credentials: they wait for an operator, or are given new ones. */
export type AfterReset = 'hold' | 'readmit';

/** Somebody speaks for a CPE who is not that. Its message says why, in words for the log. */
export class IdentityRefusedError extends Error {
  override readonly name = 'IdentityRefusedError';
}

/** Of each kind: a whole make that was given wrong credentials knocks every few seconds. */
const LOG_MS = 10 * SECOND_MS;

export interface IdentitiesParts {
  readonly credentials: Pick<CpeCredentials, 'used' | 'proofOf'>;
  readonly devices: { get(cpeid: CpeId): Promise<Device | null> };
  readonly logger: Logger;
  readonly afterReset: AfterReset;
}

/** What an Inform says beside the cpeid, and where it comes from. */
export interface InformedFrom {
  readonly ip: string;
  /** It says that the CPE has just begun its life (0 BOOTSTRAP). */
  readonly bootstrap: boolean;
  readonly serialNumber: string;
}

/** Judges who is who: a CPE that has proved its identity once is spoken for by nobody else. */
export class Identities {
  readonly #parts: IdentitiesParts;
  readonly #log = new Seldom(LOG_MS);

  constructor(parts: IdentitiesParts) {
    this.#parts = parts;
  }

  /**
   * @param cpeid  that the Inform names
   * @throws IdentityRefusedError where somebody else speaks for the CPE, or it has gone without its own credentials
   * @throws StoreError
   */
  async of(caller: Caller, cpeid: CpeId, from: InformedFrom): Promise<Identity> {
    const { credentials, afterReset } = this.#parts;
    switch (caller.kind) {
      case 'anyone':
        return 'claimed';
      case 'own': {
        const isItself = caller.cpeid === cpeid || caller.formerly.includes(cpeid);
        if (!isItself && !(await this.#mayBeNow(caller.cpeid, cpeid, from)))
          throw this.#refused('another', cpeid, from.ip, `these are the credentials of ${caller.cpeid}`);
        if (!caller.isProven) await credentials.used(caller.username, caller.password);
        return isItself ? 'proven' : 'claimed';
      }
      case 'shared': {
        const proof = await credentials.proofOf(cpeid);
        if (proof === null) return 'claimed';
        if (from.bootstrap) return proof.isReadmitted || afterReset === 'readmit' ? 'readmitted' : 'lost';
        throw this.#refused('shared', cpeid, from.ip, 'it has credentials of its own, and has not used them');
      }
      default:
        return caller satisfies never;
    }
  }

  /**
   * Whether a CPE that has logged in may come under another name, as its OUI may have changed with an upgrade that word is awaited of. It is
   * believed no more than whoever has the shared pair, until it reports that upgrade.
   */
  async #mayBeNow(before: CpeId, cpeid: CpeId, { serialNumber }: InformedFrom): Promise<boolean> {
    const { credentials, devices } = this.#parts;
    if ((await credentials.proofOf(cpeid)) !== null) return false;
    const device = await devices.get(before);
    if (device === null || device.serialNumber !== serialNumber) return false;
    return (device.inFlight ?? device.late ?? device.concluded) !== undefined;
  }

  #refused(kind: 'another' | 'shared', cpeid: CpeId, ip: string, reason: string): IdentityRefusedError {
    const omitted = this.#log.admit(kind);
    if (omitted !== null)
      this.#parts.logger.warn('cpe.identity-refused', {
        cpeid,
        ip,
        reason,
        ...(omitted > 0 && { omitted }),
      });
    return new IdentityRefusedError(reason);
  }
}
