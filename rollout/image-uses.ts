import type { Upgrade, Upgrades } from '../acs/index.js';
import type { BatchId, RuleId, Turn } from '../common/index.js';
import type { ImageUses, NamedFile } from '../firmware/index.js';
import { organizationOf, type RuleOwner, type Rules, writtenId } from '../rules/index.js';
import { type Batches, isBatchOver } from './batches/index.js';

const OWNERS_REMEMBERED_MAX = 10_000;

export interface ImageUsers {
  readonly rules: Pick<Rules, 'scan'>;
  readonly upgrades: Pick<Upgrades, 'scan'>;
  /** Those that own rules. */
  readonly batches: Pick<Batches, 'get'>;
}

/**
 * Who names images: rules, but for those of batches that have ended, and upgrades that were begun by rules.
 * @param turn  when each page is read
 */
export function usesOfImages({ rules, upgrades, batches }: ImageUsers, turn?: Turn): ImageUses {
  return {
    async *rules(organization) {
      const filter = organization === undefined ? {} : { organization };
      const isOver = rememberingOwners(batches);
      for await (const { id, file, owner } of rules.scan(filter, turn))
        if (owner === undefined || !(await isOver(owner))) yield named(file, id);
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

/** Whether what owns rules has ended; the rules of one mostly come together. */
function rememberingOwners(batches: Pick<Batches, 'get'>): (owner: RuleOwner) => Promise<boolean> {
  const known = new Map<string, boolean>();
  return async ({ id }) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const batch = await batches.get(id as BatchId);
    if (known.size >= OWNERS_REMEMBERED_MAX) known.clear();
    const isOver = batch === null || isBatchOver(batch);
    known.set(id, isOver);
    return isOver;
  };
}

function ofUpgrade({ file, campaignid }: Upgrade): NamedFile {
  return named(file, campaignid);
}

function named(file: string, rule: RuleId): NamedFile {
  const organization = organizationOf(rule);
  return { file, rule: writtenId(rule), ...(organization !== undefined && { organization }) };
}
