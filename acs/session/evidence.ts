import type { Logger } from '../../common/index.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import type { FaultStruct } from '../soap/index.js';
import { resultIdOf, type UpgradeStore } from '../upgrade/upgrade-store.js';
import type { Query, SessionFacts } from './session.js';

export interface EvidenceParts {
  readonly devices: DeviceStore;
  readonly upgrades: UpgradeStore;
  readonly logger: Logger;
}

/** What a session shows of the upgrades of its CPE, told to them. */
export class SessionEvidence {
  readonly #parts: EvidenceParts;

  constructor(parts: EvidenceParts) {
    this.#parts = parts;
  }

  async transferComplete(
    message: { readonly commandKey: string; readonly fault: FaultStruct | null },
    facts: SessionFacts,
  ): Promise<void> {
    const id = resultIdOf(message.commandKey);
    const upgrade =
      id === null
        ? null
        : await this.#parts.upgrades.learn(facts.cpeid, id, {
            kind: 'transfer-complete',
            fault: message.fault,
            version: facts.softwareVersion,
          });
    // It is answered all the same, or the CPE would report it again for ever.
    if (upgrade === null) {
      this.#parts.logger.warn('transfer-complete.unknown-command-key', {
        cpeid: facts.cpeid,
        commandKey: message.commandKey,
      });
    }
  }

  async downloadAnswered(
    { upgradeId, repeats, outcome }: Extract<Query, { kind: 'record-download' }>,
    facts: SessionFacts,
  ): Promise<void> {
    await this.#parts.upgrades.learn(
      facts.cpeid,
      upgradeId,
      typeof outcome === 'number'
        ? { kind: 'download-response', status: outcome }
        : { kind: 'download-fault', fault: outcome, repeats },
    );
  }

  /** @returns what must be read first of the CPE: its version, where it matters and its Inform lacked it */
  async settle(facts: SessionFacts): Promise<readonly string[]> {
    const device = (await this.#parts.devices.read(facts.cpeid))?.document;
    if (device === undefined) return [];
    if (device.inFlight === undefined && device.late === undefined) return [];
    if (facts.softwareVersion === null) return [`${device.root}.DeviceInfo.SoftwareVersion`];
    await this.judge(device, facts);
    return [];
  }

  /** Tells the upgrades that wait for word of this CPE what the session has shown. */
  async judge(device: Device, { cpeid, boot, applying, softwareVersion }: SessionFacts): Promise<void> {
    for (const id of [device.inFlight, device.late]) {
      if (id === undefined) continue;
      await this.#parts.upgrades.learn(cpeid, id, {
        kind: 'quiet',
        boot,
        applying,
        version: softwareVersion,
      });
    }
  }
}
