import type { Upgrade, Upgrades } from '../acs/index.js';
import type { RuleId, Turn } from '../common/index.js';
import type { ImageUses, NamedFile } from '../firmware/index.js';
import { organizationOf, type Rules, writtenId } from '../rules/index.js';

/** Who names images: rules, and upgrades that were begun by rules. @param turn  when each page is read */
export function usesOfImages(
  { rules, upgrades }: { readonly rules: Pick<Rules, 'scan'>; readonly upgrades: Pick<Upgrades, 'scan'> },
  turn?: Turn,
): ImageUses {
  return {
    async *rules(organization) {
      const filter = organization === undefined ? {} : { organization };
      for await (const { id, file } of rules.scan(filter, turn)) yield named(file, id);
    },
    async *running() {
      for await (const upgrade of upgrades.scan({ status: false }, turn)) yield ofUpgrade(upgrade);
    },
    async *startedSince(sinceMs) {
      for await (const upgrade of upgrades.scan({}, turn)) {
        if (upgrade.startedAtMs < sinceMs) return;
        yield ofUpgrade(upgrade);
      }
    },
  };
}

function ofUpgrade({ file, campaignid }: Upgrade): NamedFile {
  return named(file, campaignid);
}

function named(file: string, rule: RuleId): NamedFile {
  const organization = organizationOf(rule);
  return { file, rule: writtenId(rule), ...(organization !== undefined && { organization }) };
}
