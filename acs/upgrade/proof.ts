import { isTarget, type Upgrade } from './upgrade.js';

/**
 * After the CPE said that the transfer went well: does what it reports now prove the upgrade? Where the target was read from the file, another
 * version than before does too: files call versions by names that their CPEs do not use.
 */
export function isProof(upgrade: Upgrade, version: string | null): boolean {
  if (version === null) return false;
  const { targetVersion, isTargetRead, fromVersion } = upgrade;
  if (targetVersion === null) return version !== fromVersion;
  const hasChanged = fromVersion !== null && version !== fromVersion;
  return isTarget(upgrade, version) || (isTargetRead === true && hasChanged);
}

/** Does it say that the upgrade has failed? Where the target was read from the file, only the version of before does. */
export function isDisproof(upgrade: Upgrade, version: string | null): boolean {
  const { targetVersion, isTargetRead, fromVersion } = upgrade;
  if (targetVersion === null || isProof(upgrade, version)) return false;
  return isTargetRead !== true || version === null || version === fromVersion;
}

/** Without the CPE's word on the transfer: only a change to the target is proof. */
export function hasArrived(upgrade: Upgrade, version: string | null): boolean {
  return version !== null && isTarget(upgrade, version) && version !== upgrade.fromVersion;
}
