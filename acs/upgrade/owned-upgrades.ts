import type { StoredRule, UpgradeEnd } from '../../rules/index.js';
import type { Change } from '../../store/index.js';
import type { Device } from '../device/device.js';
import type { UnfitDecision } from './beginning.js';
import type { Upgrade } from './upgrade.js';

/**
 * What whoever owns rules keeps of the upgrades by them: it is asked for what belongs into the very commits that move these, so that its
 * counts are exact on any number of nodes. Asked only for upgrades whose rule has an owner; anew for every try of a commit.
 */
export interface OwnedUpgrades {
  /** An upgrade is about to be reserved. @returns null where it may not begin: the owner does not wait for this CPE any more */
  beginning(upgrade: Upgrade, rule: StoredRule, device: Device): Promise<readonly Change[] | null>;
  /** A pinned rule finds its CPE at the target: `upgrade` is born verified. @returns null as {@link beginning} */
  atTarget(upgrade: Upgrade, rule: StoredRule, device: Device): Promise<readonly Change[] | null>;
  /**
   * The image of a pinned rule does not fit its CPE, or is not there, or a rule names by a serial number a CPE that is not alone in having it: nothing
   * will be sent.
   * @returns null where nothing waits for that
   */
  unfit(
    rule: StoredRule,
    device: Device,
    why: Pick<UnfitDecision, 'verdict' | 'detail'>,
  ): Promise<readonly Change[] | null>;
  /**
   * Asked where {@link beginning} or {@link atTarget} said that it may not be: whether that is so for good, as what the rule names is not
   * what the owner means by it any more.
   * @returns what the owner keeps of that; null where it is not so
   */
  misnamed(rule: StoredRule, device: Device): Promise<readonly Change[] | null>;
  /**
   * An upgrade has ended, or is found to have ended otherwise than was counted before.
   * @param end  how it is counted now; `given-back`: the CPE was busy, it waits again
   * @param previously  how it was counted before; absent: it was running. The same as `end` where only why is another
   */
  ending(after: Upgrade, end: UpgradeEnd, previously?: UpgradeEnd): Promise<readonly Change[]>;
  /** The device of a running upgrade is gone, and so is the upgrade. */
  lost(upgrade: Upgrade): Promise<readonly Change[]>;
}

/** Nobody owns rules. */
export const NO_OWNED_UPGRADES: OwnedUpgrades = {
  beginning: async () => [],
  atTarget: async () => [],
  unfit: async () => null,
  misnamed: async () => null,
  ending: async () => [],
  lost: async () => [],
};
