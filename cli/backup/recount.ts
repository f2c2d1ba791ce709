import { UPGRADES, type Upgrade } from '../../acs/index.js';
import { CAMPAIGN_SHARES, type CampaignShare, shareId } from '../../rules/index.js';
import type { Store } from '../../store/index.js';

/**
 * Sets how many upgrades of each campaign's share are under way to how many there are. A backup that was taken beside a running server
 * reads the counts later than the devices, and a slot that is counted twice, or never, would stay so for ever.
 */
export async function recountRunning(store: Store): Promise<void> {
  const running = new Map<string, number>();
  const upgrades = store.collection<Upgrade>(UPGRADES);
  for await (const { document } of upgrades.scan({ index: 'status', equals: [false] })) {
    const id = shareId(document.countKey, document.share ?? 0);
    running.set(id, (running.get(id) ?? 0) + 1);
  }
  const shares = store.collection<CampaignShare>(CAMPAIGN_SHARES);
  for await (const { document, revision } of shares.scan({})) {
    const counted = document.running ?? 0;
    const actual = running.get(document.id) ?? 0;
    if (counted === actual) continue;
    const { runningOver = 0 } = document;
    await shares.replace(
      { ...document, running: actual, runningOver: runningOver + actual - counted },
      revision,
    );
  }
}
