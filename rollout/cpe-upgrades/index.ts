export type {
  CpeUpgrade,
  CpeUpgradeOrder,
  CpeUpgradeStage,
  CpeUpgrades,
  CpeUpgradesNow,
  CpeUpgradesUnderWay,
  VerifiedUpgrade,
} from './cpe-upgrade.js';
export { type CpeUpgradesParts, openCpeUpgrades } from './open-cpe-upgrades.js';
export { CPE_UPGRADE_STARTS } from './starts.js';
