import type { Turn } from '../../common/index.js';
import { type Collection, PAGE_ITEMS_MAX, type Store } from '../../store/index.js';
import {
  newestFirst,
  UPGRADES,
  type Upgrade,
  type UpgradeFilter,
  type UpgradePlace,
  type Upgrades,
} from './upgrade.js';

/** Results to be read, for a process that begins and ends none. */
export function upgradesIn(store: Store): Pick<Upgrades, 'get' | 'scan'> {
  const upgrades = store.collection<Upgrade>(UPGRADES);
  return {
    get: async (id) => (await upgrades.get(id))?.document ?? null,
    scan: (filter, turn) => scanUpgrades(upgrades, filter, turn),
  };
}

/** See {@link Upgrades.scan}. */
export async function* scanUpgrades(
  upgrades: Collection<Upgrade>,
  filter: UpgradeFilter,
  turn?: Turn,
): AsyncGenerator<Upgrade, void> {
  if (filter.ids !== undefined) {
    const known: Upgrade[] = [];
    const ids = [...new Set(filter.ids)];
    for (let from = 0; from < ids.length; from += PAGE_ITEMS_MAX) {
      for (const stored of await upgrades.getMany(ids.slice(from, from + PAGE_ITEMS_MAX)))
        if (stored !== null && isAfter(stored.document, filter.after)) known.push(stored.document);
    }
    yield* known.sort(newestFirst);
    return;
  }
  const { after } = filter;
  // Several ranges are each newest first; put together they are sorted by whoever asked for more than one.
  for (const { fields, ...range } of indexRanges(filter)) {
    const query = { ...range, order: 'descending' } as const;
    const place = after === undefined ? null : ({ ...fields, ...after } as Upgrade);
    const cursor = place === null ? null : upgrades.cursorAt(query, place);
    const from = cursor === null ? query : { ...query, after: cursor };
    for await (const { document } of upgrades.scan(from, turn)) {
      if (isAfter(document, after)) yield document;
    }
  }
}

/** Ranges of an index, with what every document in one has. */
function indexRanges({ cpeids, campaignids, writtenCampaignids, organization, status }: UpgradeFilter) {
  if (cpeids !== undefined) {
    return [...new Set(cpeids)].map((cpeid) => ({ index: 'cpe', equals: [cpeid], fields: { cpeid } }));
  }
  if (campaignids !== undefined) {
    return [...new Set(campaignids)].map((campaignid) =>
      organization === undefined
        ? { index: 'campaign', equals: [campaignid], fields: { campaignid } }
        : {
            index: 'organizationCampaign',
            equals: [organization, campaignid],
            fields: { organization, campaignid },
          },
    );
  }
  if (writtenCampaignids !== undefined) {
    return [...new Set(writtenCampaignids)].map((writtenCampaignid) => ({
      index: 'writtenCampaign',
      equals: [writtenCampaignid],
      fields: { writtenCampaignid },
    }));
  }
  if (organization !== undefined)
    return [{ index: 'organization', equals: [organization], fields: { organization } }];
  return [
    status === undefined
      ? { index: 'started', fields: {} }
      : { index: 'status', equals: [status], fields: { status } },
  ];
}

function isAfter(upgrade: Upgrade, place: UpgradePlace | undefined): boolean {
  return place === undefined || newestFirst(place, upgrade) < 0;
}
