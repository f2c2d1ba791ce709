import { type CpeId, type Logger, SECOND_MS, Seldom } from '../../common/index.js';
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

/** Judges who is who: a CPE that has proved its identity once is spoken for by nobody else. */
export class Identities {
  readonly #credentials: CpeCredentials;
  readonly #logger: Logger;
  readonly #afterReset: AfterReset;
  readonly #log = new Seldom(LOG_MS);

  constructor(credentials: CpeCredentials, logger: Logger, afterReset: AfterReset) {
    this.#credentials = credentials;
    this.#logger = logger;
    this.#afterReset = afterReset;
  }

  /**
   * @param cpeid  that the Inform names
   * @param from  where it comes from, and whether it says that the CPE has just begun its life (0 BOOTSTRAP)
   * @throws IdentityRefusedError, StoreError
   */
  async of(
    caller: Caller,
    cpeid: CpeId,
    from: { readonly ip: string; readonly bootstrap: boolean },
  ): Promise<Identity> {
    switch (caller.kind) {
      case 'anyone':
        return 'claimed';
      case 'own':
        if (caller.cpeid !== cpeid)
          throw this.#refused('another', cpeid, from.ip, `these are the credentials of ${caller.cpeid}`);
        if (!caller.isProven) await this.#credentials.used(caller.username, caller.password);
        return 'proven';
      case 'shared': {
        const proof = await this.#credentials.proofOf(cpeid);
        if (proof === null) return 'claimed';
        if (from.bootstrap)
          return proof.isReadmitted || this.#afterReset === 'readmit' ? 'readmitted' : 'lost';
        throw this.#refused('shared', cpeid, from.ip, 'it has credentials of its own, and has not used them');
      }
      default:
        return caller satisfies never;
    }
  }

  #refused(kind: 'another' | 'shared', cpeid: CpeId, ip: string, reason: string): IdentityRefusedError {
    const omitted = this.#log.admit(kind);
    if (omitted !== null)
      this.#logger.warn('cpe.identity-refused', { cpeid, ip, reason, ...(omitted > 0 && { omitted }) });
    return new IdentityRefusedError(reason);
  }
}
