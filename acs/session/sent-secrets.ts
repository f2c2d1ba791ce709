import type { CpeId, ResultId, Secrets } from '../../common/index.js';
import { ImageError } from '../../firmware/index.js';
import type { Rules } from '../../rules/index.js';
import type { CpeCredentials } from '../credentials/cpe-credentials.js';
import type { DeviceStore } from '../device/device-store.js';
import type { FaultStruct } from '../soap/index.js';
import type { UpgradeStore } from '../upgrade/upgrade-store.js';
import { fetchedBy, type LocateUpgradeFile } from './file-location.js';
import { withoutSecretsIn } from './masking.js';

export interface SentSecretsParts {
  readonly devices: Pick<DeviceStore, 'read'>;
  readonly upgrades: Pick<UpgradeStore, 'get'>;
  readonly rules: Pick<Rules, 'get'>;
  readonly credentials: Pick<CpeCredentials, 'passwordsOf'>;
  readonly secrets: Pick<Secrets, 'open'>;
  readonly locate: LocateUpgradeFile;
}

/** Takes out of what a CPE says of its failures the secrets that it was sent, before anything of it is stored, logged or shown. */
export class SentSecrets {
  readonly #parts: SentSecretsParts;

  constructor(parts: SentSecretsParts) {
    this.#parts = parts;
  }

  /**
   * A fault whose words can be shown. Reads only where there are any.
   * @param upgradeIds  of upgrades that it may be of, beside those that its CPE is marked with
   */
  async masked<F extends FaultStruct>(
    fault: F,
    cpeid: CpeId,
    upgradeIds: readonly ResultId[] = [],
  ): Promise<F> {
    const [faultString = ''] = await this.maskedTexts([fault.faultString], cpeid, upgradeIds);
    return { ...fault, faultString };
  }

  /** Several texts of one CPE. */
  async maskedTexts(
    texts: readonly string[],
    cpeid: CpeId,
    upgradeIds: readonly ResultId[] = [],
  ): Promise<readonly string[]> {
    if (texts.every((text) => text === '')) return texts;
    const secrets = await this.#of(cpeid, upgradeIds);
    return texts.map((text) => withoutSecretsIn(text, secrets));
  }

  async #of(cpeid: CpeId, upgradeIds: readonly ResultId[]): Promise<ReadonlySet<string>> {
    const { devices, credentials, secrets } = this.#parts;
    const found = new Set(await credentials.passwordsOf(cpeid));
    const device = (await devices.read(cpeid))?.document;
    const auth = device?.connectionRequestAuth;
    if (auth !== undefined) found.add(secrets.open(auth.sealedPassword));
    const marked = [device?.inFlight, device?.late, device?.concluded?.id];
    for (const id of new Set([...marked, ...upgradeIds])) {
      if (id !== undefined)
        for (const secret of await this.#ofUpgrade(id, device?.ip ?? '')) found.add(secret);
    }
    return found;
  }

  /** What its Download was sent with, as far as its rule says the same still. */
  async #ofUpgrade(id: ResultId, ip: string): Promise<readonly string[]> {
    const upgrade = await this.#parts.upgrades.get(id);
    const stored = upgrade === null ? null : await this.#parts.rules.get(upgrade.campaignid);
    if (upgrade === null) return [];
    try {
      const location = await this.#parts.locate(fetchedBy(upgrade, stored?.rule ?? {}), ip);
      return [location?.password ?? '', queryOf(location?.url ?? ''), queryOf(upgrade.file)];
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      return [queryOf(upgrade.file)];
    }
  }
}

/** Whatever it holds may be a key to the file. */
function queryOf(url: string): string {
  return /\?([^#]*)/.exec(url)?.[1] ?? '';
}
