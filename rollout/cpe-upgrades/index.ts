export type {
  CpeUpgrade,
  CpeUpgradeOrder,
  CpeUpgradeStage,
  CpeUpgrades,
  CpeUpgradesNow,
  VerifiedUpgrade,
} from './cpe-upgrade.js';
export { type CpeUpgradesParts, openCpeUpgrades } from './open-cpe-upgrades.js';
