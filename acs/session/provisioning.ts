import { randomBytes } from 'node:crypto';
import type { CpeId, Logger, Secrets } from '../../common/index.js';
import type { DeviceStore } from '../device/device-store.js';
import type { FaultStruct, SetParameter } from '../soap/index.js';

/** What Ferry sets at CPEs of its own accord. */
export interface Provisioning {
  /** 0 leaves the CPE's own setting alone. */
  readonly periodicInformSeconds: number;
  /** False for fleets whose connection-request credentials are set elsewhere. */
  readonly setCredentials: boolean;
}

export interface ProvisionerParts {
  readonly devices: DeviceStore;
  readonly secrets: Secrets;
  readonly provisioning: Provisioning;
  readonly logger: Logger;
}

/** Brings a CPE to the settings that Ferry works with, and keeps account of it. */
export class Provisioner {
  readonly #parts: ProvisionerParts;

  constructor(parts: ProvisionerParts) {
    this.#parts = parts;
  }

  /** First contact or factory reset: connection-request credentials of its own and the periodic Inform. */
  async parameters(cpeid: CpeId): Promise<readonly SetParameter[]> {
    const { devices, provisioning, secrets } = this.#parts;
    const parameters: SetParameter[] = [];
    await devices.change(cpeid, (stored) => {
      parameters.length = 0;
      if (stored === null) return null;
      const device = stored.document;
      const server = `${device.root}.ManagementServer`;
      if (provisioning.periodicInformSeconds > 0) {
        parameters.push(
          { name: `${server}.PeriodicInformEnable`, value: '1', xsdType: 'boolean' },
          {
            name: `${server}.PeriodicInformInterval`,
            value: String(provisioning.periodicInformSeconds),
            xsdType: 'unsignedInt',
          },
        );
      }
      if (!provisioning.setCredentials) return null;
      // Credentials that may have reached the CPE already are sent again, not replaced.
      const known = device.connectionRequestAuth;
      const password = known && !known.confirmed ? secrets.open(known.sealedPassword) : randomToken(18);
      const username = known && !known.confirmed ? known.username : `ferry-${randomToken(9)}`;
      parameters.push(
        { name: `${server}.ConnectionRequestUsername`, value: username, xsdType: 'string' },
        { name: `${server}.ConnectionRequestPassword`, value: password, xsdType: 'string' },
      );
      const connectionRequestAuth = { username, sealedPassword: secrets.seal(password), confirmed: false };
      return { device: { ...device, connectionRequestAuth } };
    });
    return parameters;
  }

  /** Takes the CPE's answer, durably. */
  async record(fault: FaultStruct | null, cpeid: CpeId): Promise<void> {
    if (fault !== null) this.#parts.logger.warn('cpe.provisioning-refused', { cpeid, ...fault });
    else this.#parts.logger.info('cpe.provisioned', { cpeid });
    await this.#parts.devices.change(cpeid, (stored) => {
      if (stored === null) return null;
      const { connectionRequestAuth, ...device } = stored.document;
      return {
        device: {
          ...device,
          provisioning: fault === null ? 'done' : 'refused',
          ...(connectionRequestAuth !== undefined && {
            connectionRequestAuth: { ...connectionRequestAuth, confirmed: fault === null },
          }),
        },
      };
    });
  }
}

function randomToken(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}
