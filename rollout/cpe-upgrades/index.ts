export type {
  CpeUpgrade,
  CpeUpgradeOrder,
  CpeUpgradeStage,
  CpeUpgrades,
  CpeUpgradesNow,
  VerifiedUpgrade,
} from './cpe-upgrade.js';
