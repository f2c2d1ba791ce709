import { randomBytes } from 'node:crypto';
import type { CpeId, Logger, Secrets } from '../../common/index.js';
import type { CpeCredentials } from '../credentials/cpe-credentials.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import type { SetParameter } from '../soap/index.js';
import {
  credentialOf,
  firstAttempt,
  type ProvisioningAnswer,
  type ProvisioningAttempt,
  stateAfter,
} from './provisioning-plan.js';
import type { SentSecrets } from './sent-secrets.js';

/** What Ferry sets at CPEs of its own accord. */
export interface Provisioning {
  /** 0 leaves the CPE's own setting alone. */
  readonly periodicInformSeconds: number;
  /** False for fleets whose connection-request credentials are set elsewhere. */
  readonly setCredentials: boolean;
  /** CPEs that have begun with the shared pair are given credentials of their own to log in with. */
  readonly giveLogins: boolean;
}

export interface ProvisionerParts {
  readonly devices: DeviceStore;
  readonly credentials: Pick<CpeCredentials, 'proofOf' | 'toGive'>;
  readonly secrets: Secrets;
  readonly sent: Pick<SentSecrets, 'maskedTexts'>;
  readonly provisioning: Provisioning;
  readonly logger: Logger;
}

/** Whose settings these are, and what its session has shown of that; `isLost`: it is to be given credentials, and nothing else. */
export interface ProvisionedCpe {
  readonly cpeid: CpeId;
  readonly isLost?: true;
  readonly isProven?: true;
  readonly provenAs?: CpeId;
}

/** What the CPE is sent next of its settings. */
export interface SetNow {
  readonly attempt: ProvisioningAttempt;
  readonly parameters: readonly SetParameter[];
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Brings a CPE to the settings that Ferry works with, and keeps account of it. */
export class Provisioner {
  readonly #parts: ProvisionerParts;

  constructor(parts: ProvisionerParts) {
    this.#parts = parts;
  }

  /**
   * First contact or factory reset: connection-request credentials of its own and the periodic Inform, and what it logs in with. That it is
   * tried is counted before it is, since a CPE may hang up on it. One that has lost its credentials is given new ones, and nothing else.
   * @returns null where there is nothing to set
   */
  async begin(cpe: ProvisionedCpe): Promise<SetNow | null> {
    const { devices, provisioning } = this.#parts;
    const { cpeid, isLost } = cpe;
    if (isLost === true) return this.#readmitting(cpeid);
    const isTrusted = await this.#isTrusted(cpe);
    const login = isTrusted && this.#givesLogin(cpe) ? await this.#parts.credentials.toGive(cpeid) : null;
    let parameters: readonly SetParameter[] = [];
    await devices.change(cpeid, (stored) => {
      parameters = [];
      if (stored === null) return null;
      const { provisioningFailures: _, ...device } = stored.document;
      const credentials = provisioning.setCredentials && isTrusted ? newCredentials() : null;
      parameters = this.#settings(device.root, credentials, login);
      if (parameters.length === 0) return null;
      const provisioningTries = (device.provisioningTries ?? 0) + 1;
      return { device: { ...device, ...this.#unconfirmed(credentials), provisioningTries } };
    });
    return parameters.length === 0
      ? null
      : { attempt: firstAttempt(parameters.map(({ name }) => name)), parameters };
  }

  /** An operator has said that it is the one, or that whoever says so is. */
  async #readmitting(cpeid: CpeId): Promise<SetNow | null> {
    const { devices, credentials } = this.#parts;
    const stored = await devices.read(cpeid);
    const login = stored === null ? null : await credentials.toGive(cpeid);
    if (stored === null || login === null) return null;
    const parameters = loginParameters(stored.document.root, login);
    return { attempt: firstAttempt(parameters.map(({ name }) => name)), parameters };
  }

  /** Whoever has not proved to be a CPE that could is told no credentials of it: as where nobody is asked for any, any more. */
  async #isTrusted({ cpeid, isProven }: ProvisionedCpe): Promise<boolean> {
    return isProven === true || (await this.#parts.credentials.proofOf(cpeid)) === null;
  }

  /** One that has begun with credentials of its own has some already. */
  #givesLogin({ isProven, provenAs }: ProvisionedCpe): boolean {
    return this.#parts.provisioning.giveLogins && isProven !== true && provenAs === undefined;
  }

  async #loginFor(cpe: ProvisionedCpe): Promise<Credentials | null> {
    if (!this.#givesLogin(cpe) || !(await this.#isTrusted(cpe))) return null;
    return this.#parts.credentials.toGive(cpe.cpeid);
  }

  #unconfirmed(credentials: Credentials | null): Pick<Device, 'connectionRequestAuth'> {
    if (credentials === null) return {};
    const { username, password } = credentials;
    const sealedPassword = this.#parts.secrets.seal(password);
    return { connectionRequestAuth: { username, sealedPassword, confirmed: false } };
  }

  #settings(
    root: Device['root'],
    credentials: Credentials | null,
    login: Credentials | null,
  ): readonly SetParameter[] {
    const seconds = this.#parts.provisioning.periodicInformSeconds;
    const server = `${root}.ManagementServer`;
    const parameters: SetParameter[] = [];
    if (seconds > 0) {
      parameters.push(
        { name: `${server}.PeriodicInformEnable`, value: '1', xsdType: 'boolean' },
        { name: `${server}.PeriodicInformInterval`, value: String(seconds), xsdType: 'unsignedInt' },
      );
    }
    if (credentials !== null) {
      const { username, password } = credentials;
      parameters.push(
        { name: `${server}.ConnectionRequestUsername`, value: username, xsdType: 'string' },
        { name: `${server}.ConnectionRequestPassword`, value: password, xsdType: 'string' },
      );
    }
    if (login !== null) parameters.push(...loginParameters(root, login));
    return parameters;
  }

  /**
   * Takes the CPE's answer, durably.
   * @returns what it is sent next; null where nothing more is tried in this session
   */
  async record(
    attempt: ProvisioningAttempt,
    told: ProvisioningAnswer,
    cpe: ProvisionedCpe,
  ): Promise<SetNow | null> {
    const { cpeid, isLost } = cpe;
    const answer = await this.#masked(told, cpeid);
    if (isLost === true) {
      if (answer.kind === 'set') this.#parts.logger.info('cpe.readmitted', { cpeid });
      else this.#tellRefused(cpeid, attempt.names, answer);
      return null;
    }
    const login =
      attempt.afterwards.length > 0 || answer.kind === 'refused' ? await this.#loginFor(cpe) : null;
    let next: SetNow | null = null;
    const changed = await this.#parts.devices.change(cpeid, (stored) => {
      next = null;
      if (stored === null) return null;
      const { provisioningTries: _tries, provisioningFailures: _failures, ...device } = stored.document;
      const { next: following, ...state } = stateAfter(stored.document, attempt, answer);
      const { connectionRequestAuth: auth } = device;
      const taken = answer.kind === 'set' && auth !== undefined && attempt.names.some(isConnectionRequest);
      const credentials = following?.names.some(isConnectionRequest) ? newCredentials() : null;
      if (following !== null) next = this.#setNow(following, device, credentials, login);
      return {
        device: {
          ...device,
          ...state,
          ...(taken && { connectionRequestAuth: { ...auth, confirmed: true } }),
          ...this.#unconfirmed(credentials),
        },
      };
    });
    if (changed !== null) this.#tell(changed.device, answer, attempt);
    return next;
  }

  /** Some quote the password that they refuse. */
  async #masked(answer: ProvisioningAnswer, cpeid: CpeId): Promise<ProvisioningAnswer> {
    if (answer.kind !== 'refused') return answer;
    const { fault, parameterFaults: named } = answer;
    const texts = [fault, ...named].map(({ faultString }) => faultString);
    const [faultString = '', ...ofNamed] = await this.#parts.sent.maskedTexts(texts, cpeid);
    const parameterFaults = named.map((each, index) => ({ ...each, faultString: ofNamed[index] ?? '' }));
    return { ...answer, fault: { ...fault, faultString }, parameterFaults };
  }

  #setNow(
    attempt: ProvisioningAttempt,
    device: Device,
    credentials: Credentials | null,
    login: Credentials | null,
  ): SetNow {
    const wanted = new Set(attempt.names);
    const parameters = this.#settings(device.root, credentials, login).filter(({ name }) => wanted.has(name));
    return { attempt, parameters };
  }

  #tellRefused(cpeid: CpeId, names: readonly string[], answer: ProvisioningAnswer): void {
    if (answer.kind !== 'refused') return;
    const { faultCode, faultString } = answer.fault;
    const culprits = names.filter((name) => answer.parameterFaults.some((fault) => fault.name === name));
    this.#parts.logger.warn('cpe.provisioning-refused', { cpeid, faultCode, faultString, names, culprits });
  }

  #tell(device: Device, answer: ProvisioningAnswer, { names }: ProvisioningAttempt): void {
    const { logger } = this.#parts;
    const { id: cpeid, provisioning } = device;
    this.#tellRefused(cpeid, names, answer);
    if (provisioning === 'done') logger.info('cpe.provisioned', { cpeid });
    else if (provisioning !== 'due') logger.warn('cpe.not-provisioned', { cpeid, provisioning });
  }
}

/** What it logs in with at this ACS (TR-098 and TR-181, ManagementServer). */
function loginParameters(root: Device['root'], { username, password }: Credentials): readonly SetParameter[] {
  return [
    { name: `${root}.ManagementServer.Username`, value: username, xsdType: 'string' },
    { name: `${root}.ManagementServer.Password`, value: password, xsdType: 'string' },
  ];
}

/**
 * For connection requests; new ones each time that they are sent. The last ones may have reached the CPE, but whoever says that he is the CPE
 * would be told them; and which of two it has taken does not matter, as it takes the second as well.
 */
function newCredentials(): Credentials {
  return { username: `ferry-${randomToken(9)}`, password: randomToken(18) };
}

function isConnectionRequest(name: string): boolean {
  return credentialOf(name) === 'connection-request';
}

function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
