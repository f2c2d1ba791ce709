import type { Logger } from '../../common/index.js';
import type { DeviceStore } from '../device/device-store.js';
import type { UpgradeStore } from '../upgrade/upgrade-store.js';
import { hasCancelTransfer, isWithdrawalDue, type WithdrawalOutcome } from '../upgrade/withdrawal.js';
import type { SentSecrets } from './sent-secrets.js';
import type { CancelNow, Query, SessionFacts } from './session.js';

const FAULT_METHOD_NOT_SUPPORTED = 9000;
/** "Cancelation of file transfer not permitted in current transfer state" */
const FAULT_TOO_LATE = 9021;

export interface WithdrawalParts {
  readonly devices: DeviceStore;
  readonly upgrades: UpgradeStore;
  readonly sent: Pick<SentSecrets, 'masked'>;
  readonly logger: Logger;
}

/** A CPE is asked to give up the Download of an upgrade that somebody wants ended (TR-069 A.4.1.9). */
export class Withdrawals {
  readonly #parts: WithdrawalParts;

  constructor(parts: WithdrawalParts) {
    this.#parts = parts;
  }

  /** What it is to give up; null where what it has said by now has settled that, or it knows no such request. */
  async next({ cpeid, style }: SessionFacts): Promise<CancelNow | null> {
    const { devices, upgrades } = this.#parts;
    const device = (await devices.read(cpeid))?.document;
    if (device?.inFlight === undefined || device.cancelUnsupported === true) return null;
    if (!hasCancelTransfer(style.namespace)) return null;
    const upgrade = await upgrades.get(device.inFlight);
    if (upgrade === null || !isWithdrawalDue(upgrade)) return null;
    return { upgradeId: upgrade.id, commandKey: upgrade.commandKey };
  }

  /** Takes the CPE's answer, durably. */
  async answered(
    { upgradeId, outcome }: Extract<Query, { kind: 'record-withdrawal' }>,
    { cpeid }: SessionFacts,
  ): Promise<void> {
    const { devices, upgrades, sent, logger } = this.#parts;
    if (typeof outcome === 'string') {
      const meant: WithdrawalOutcome = outcome === 'given-up' ? outcome : 'failed';
      await upgrades.learn(cpeid, upgradeId, { kind: 'withdrawal', outcome: meant });
      return;
    }
    const { faultCode, faultString } = await sent.masked(outcome, cpeid, [upgradeId]);
    logger.warn('upgrade.not-given-up', { cpeid, upgradeId, faultCode, faultString });
    if (faultCode === FAULT_METHOD_NOT_SUPPORTED) {
      await devices.change(cpeid, (stored) =>
        stored === null ? null : { device: { ...stored.document, cancelUnsupported: true } },
      );
      return;
    }
    const meant = faultCode === FAULT_TOO_LATE ? 'refused' : 'failed';
    await upgrades.learn(cpeid, upgradeId, { kind: 'withdrawal', outcome: meant });
  }
}
