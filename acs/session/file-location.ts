import type { Clock } from '../../common/index.js';
import type { DownloadLocation } from '../../firmware/index.js';
import type { Upgrade } from '../upgrade/upgrade.js';

/** Where a file is to be fetched from; null where the library does not hold it. */
export type LocateFile = (
  file: string,
  options: { readonly expiresAtMs: number; readonly cpeIp: string },
) => Promise<DownloadLocation | null>;

/** Where the file of an upgrade is to be had for as long as the CPE may take to accept and fetch it; null where it is not. */
export type LocateUpgradeFile = (
  upgrade: Pick<Upgrade, 'file' | 'stateMsMax'>,
  cpeIp: string,
) => Promise<DownloadLocation | null>;

export function locatingFor(parts: {
  readonly locateFile: LocateFile;
  readonly clock: Clock;
}): LocateUpgradeFile {
  return ({ file, stateMsMax: { sent, accepted } }, cpeIp) =>
    parts.locateFile(file, { expiresAtMs: parts.clock() + sent + accepted, cpeIp });
}
