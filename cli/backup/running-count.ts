import { UPGRADES, type Upgrade } from '../../acs/index.js';
import { CAMPAIGN_SHARES, type CampaignShare, shareId } from '../../rules/index.js';
import type { Document } from '../../store/index.js';

/**
 * How many upgrades of each campaign's share are under way by the upgrades themselves. A backup that was taken beside a running
 * server reads the counts later than the devices, and a slot that is counted twice, or never, would stay so for ever.
 */
export class RunningCount {
  /** Upgrades under way → the share that counts each. As many as their writer remembered too. */
  readonly #shares = new Map<string, string>();

  /** To be told of every document of a backup, in order. */
  note(collection: string, document: Document): void {
    if (collection !== UPGRADES.name) return;
    const { id, status, countKey, share = 0 } = document as Upgrade;
    if (status === false) this.#shares.set(id, shareId(countKey, share));
    else this.#shares.delete(id);
  }

  /** Puts a share's count right, once every document has been noted; others stay as they are. */
  corrector(): (collection: string, document: Document) => Document {
    const running = new Map<string, number>();
    for (const share of this.#shares.values()) running.set(share, (running.get(share) ?? 0) + 1);
    return (collection, document) => {
      if (collection !== CAMPAIGN_SHARES.name) return document;
      const share = document as CampaignShare;
      const counted = share.running ?? 0;
      const actual = running.get(share.id) ?? 0;
      if (counted === actual) return share;
      const runningOver = (share.runningOver ?? 0) + actual - counted;
      return { ...share, running: actual, runningOver } as CampaignShare;
    };
  }
}
