import type { Clock, Secrets } from '../../common/index.js';
import type { DownloadLocation } from '../../firmware/index.js';
import { organizationOf, type StoredRule } from '../../rules/index.js';
import type { Upgrade } from '../upgrade/upgrade.js';

/** Where a file is to be fetched from; null where the library does not hold it. */
export type LocateFile = (
  file: string,
  options: {
    /** Whose rule names it; absent: the installation's. */
    readonly organization?: string | undefined;
    readonly expiresAtMs: number;
    readonly cpeIp: string;
    readonly fileType?: string | undefined;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
  },
) => Promise<DownloadLocation | null>;

/** What the file of an upgrade is fetched by: of the upgrade, or of its rule where there is none yet, and as the rule is now. */
export type FetchedBy = Pick<Upgrade, 'file' | 'stateMsMax' | 'fileType'> &
  Pick<StoredRule, 'organization' | 'username' | 'sealedPassword'>;

/** Where the file of an upgrade is to be had for as long as the CPE may take to accept and fetch it; null where it is not. */
export type LocateUpgradeFile = (upgrade: FetchedBy, cpeIp: string) => Promise<DownloadLocation | null>;

export function locatingFor(parts: {
  readonly locateFile: LocateFile;
  readonly secrets: Pick<Secrets, 'open'>;
  readonly clock: Clock;
}): LocateUpgradeFile {
  return ({ file, organization, fileType, username, sealedPassword, stateMsMax }, cpeIp) => {
    const password = sealedPassword === undefined ? undefined : parts.secrets.open(sealedPassword);
    const expiresAtMs = parts.clock() + stateMsMax.sent + stateMsMax.accepted;
    return parts.locateFile(file, { organization, expiresAtMs, cpeIp, fileType, username, password });
  };
}

/** What it was is the upgrade's; who may fetch it is for the rule to say, as it is now. */
export function fetchedBy(
  upgrade: Upgrade,
  { username, sealedPassword }: Pick<StoredRule, 'username' | 'sealedPassword'>,
): FetchedBy {
  const { campaignid, file, fileType, stateMsMax } = upgrade;
  const organization = organizationOf(campaignid);
  return {
    file,
    stateMsMax,
    ...(organization !== undefined && { organization }),
    ...(fileType !== undefined && { fileType }),
    ...(username !== undefined && { username }),
    ...(sealedPassword !== undefined && { sealedPassword }),
  };
}
