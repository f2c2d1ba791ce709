import { UPGRADES, type Upgrade } from '../../acs/index.js';
import {
  CAMPAIGN_SHARES,
  type CampaignShare,
  isRunningField,
  runningFields,
  shareId,
} from '../../rules/index.js';
import type { Document } from '../../store/index.js';

interface Counted {
  readonly share: string;
  readonly fields: readonly string[];
}

/**
 * How many upgrades of each campaign's share are under way by the upgrades themselves. A backup that was taken beside a running
 * server reads the counts later than the devices, and a slot that is counted twice, or never, would stay so for ever.
 */
export class RunningCount {
  /** Upgrades under way → the share that counts each, and its fields that do. As many as their writer remembered too. */
  readonly #shares = new Map<string, Counted>();

  /** To be told of every document of a backup, in order. */
  note(collection: string, document: Document): void {
    if (collection !== UPGRADES.name) return;
    const { id, status, countKey, share = 0, addressBucket } = document as Upgrade;
    if (status === false)
      this.#shares.set(id, {
        share: shareId(countKey, share),
        fields: runningFields(addressBucket),
      });
    else this.#shares.delete(id);
  }

  /** Puts a share's count right, once every document has been noted; others stay as they are. */
  corrector(): (collection: string, document: Document) => Document {
    const running = new Map<string, Map<string, number>>();
    for (const { share, fields } of this.#shares.values()) {
      const counts = running.get(share) ?? new Map<string, number>();
      for (const field of fields) counts.set(field, (counts.get(field) ?? 0) + 1);
      running.set(share, counts);
    }
    return (collection, document) => {
      if (collection !== CAMPAIGN_SHARES.name) return document;
      const share = document as CampaignShare;
      const actual = running.get(share.id) ?? new Map<string, number>();
      const corrected = new Map<string, unknown>(Object.entries(share));
      for (const field of corrected.keys()) {
        if (isRunningField(field)) corrected.set(field, actual.get(field) ?? 0);
      }
      for (const [field, count] of actual) corrected.set(field, count);
      const more = (actual.get('running') ?? 0) - (share.running ?? 0);
      if (more !== 0) corrected.set('runningOver', (share.runningOver ?? 0) + more);
      return { ...Object.fromEntries(corrected), id: share.id };
    };
  }
}
