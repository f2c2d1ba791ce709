import {
  type Devices,
  newestFirst,
  type Upgrade,
  type UpgradeFilter,
  type Upgrades,
} from '../../acs/index.js';
import type { CountKey, RuleId } from '../../common/index.js';
import { SECOND_MS } from '../../common/index.js';
import type { Organization, OrganizationsNow } from '../../organizations/index.js';
import { type Rules, ruleIdIn, writtenId } from '../../rules/index.js';
import { isWithin, type JsonObject, type Scope } from '../http/index.js';
import { READ_SHORT_ITEMS_MAX } from '../limits.js';
import type { Entry } from './entry.js';
import { type FieldFilter, type Fields, stringsOf, valuesAdmitted } from './fields.js';
import { idsMeant, type Naming } from './named-cpes.js';
import { isLookedFor, type Selection, type Storage } from './storage.js';

export const RESULT_FIELDS: Fields = {
  id: 'string',
  status: 'boolean',
  ts: 'time',
  cpeid: 'string',
  rule_description: 'string',
  campaignid: 'string',
  'result.code': 'number',
  'result.message': 'string',
  matched_by: 'string',
  reported_by: 'string',
};

/**
 * An upgrade as FirmwareResultStorage shows it, field for field; whose it is where it is of another organization than the default.
 * @param organizations  null: that is not shown
 */
export function resultView(upgrade: Upgrade, organizations: OrganizationsNow | null): JsonObject {
  const organization = organizations === null ? null : otherThanDefault(upgrade, organizations);
  return {
    id: upgrade.id,
    status: upgrade.status,
    ts: Math.floor(upgrade.updatedAtMs / SECOND_MS),
    cpeid: upgrade.cpeid,
    rule_description: upgrade.ruleDescription,
    campaignid: writtenId(upgrade.campaignid),
    result: { code: upgrade.result.code, message: upgrade.result.message },
    // Beyond the document, and absent as a rule.
    ...(upgrade.matchedBy !== undefined && { matched_by: upgrade.matchedBy }),
    ...(upgrade.reportedBy !== undefined && { reported_by: upgrade.reportedBy }),
    ...(organization !== null && { organization }),
  };
}

/** Its slug; of one that is gone the id. */
function otherThanDefault({ organization: id }: Upgrade, organizations: OrganizationsNow): string | null {
  if (id === undefined || id === organizations.byDefault?.id) return null;
  return organizations.labelOf(id);
}

/** Where results are, and what tells whose they are. */
export interface ResultParts {
  readonly upgrades: Upgrades;
  readonly rules: Rules;
  readonly devices: Devices;
}

/** Upgrades under way and ended, as far as they are within the scope; a pattern and `id` mean a result's own id or its rule's. */
export function firmwareResultStorage({ upgrades, rules, devices }: ResultParts, scope: Scope): Storage {
  const { organization: own, isInstallation, organizations } = scope;
  const isOfDefault = own?.isDefault === true && !organizations.isAlone;
  const toEntry = (upgrade: Upgrade): Entry => ({
    id: upgrade.id,
    otherId: writtenId(upgrade.campaignid),
    view: resultView(upgrade, isInstallation ? organizations : null),
    rank: upgrade.startedAtMs,
  });
  return {
    name: 'FirmwareResultStorage',
    fields: RESULT_FIELDS,
    idNames: ['id'],
    order: 'descending',
    meant: async (selection, naming) => ({
      ...selection,
      filters: await Promise.all(selection.filters.map((filter) => ofCpes(filter, devices, scope, naming))),
    }),
    // A rule may have any number of results.
    looksAtListed: ({ pattern: { ids, isOfKeys } }) =>
      ids !== null && isOfKeys === true && ids.length <= READ_SHORT_ITEMS_MAX,
    // Of the default there is no index, as its results need not say so.
    leavesOut: ({ everyRevision }) => !everyRevision || isOfDefault,
    async *candidates(selection, after, turn) {
      const isCurrent = currentCheck(rules);
      const askedIds = new Set([...(selection.pattern.ids ?? []), ...selection.idLists.flat()]);
      const from = after === null ? {} : { after: { startedAtMs: Number(after.value), id: after.id } };
      const read: Read = (filter) => upgrades.scan({ ...filter, ...from }, turn);
      for await (const upgrade of scan(read, selection, own)) {
        if (!isWithin(scope, upgrade.organization)) continue;
        const shown = selection.everyRevision || askedIds.has(upgrade.id) || (await isCurrent(upgrade));
        if (shown) yield toEntry(upgrade);
      }
    },
  };
}

async function ofCpes(
  filter: FieldFilter,
  devices: ResultParts['devices'],
  scope: Scope,
  naming: Naming,
): Promise<FieldFilter> {
  if (filter.path !== 'cpeid' || 'is' in filter) return filter;
  const names = [...filter.anyOf].filter((name) => typeof name === 'string');
  return { ...filter, anyOf: new Set(await idsMeant(devices, scope, names, naming)) };
}

const RESULT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Values asked for, of each of which one index range or two are read side by side; for more of them, all results are walked instead. */
const RANGES_MAX = 16;

type Read = (filter: UpgradeFilter) => AsyncIterable<Upgrade>;

/**
 * One index is enough: whatever else the selection asks for is checked entry by entry.
 * @param own  the organization whose results alone are asked for
 */
function scan(
  read: Read,
  { pattern, idLists, filters }: Selection,
  own: Organization | null,
): AsyncIterable<Upgrade> {
  if (pattern.ids !== null && pattern.isOfKeys === true)
    return read({ ids: pattern.ids.filter((id) => RESULT_ID.test(id)) });
  const all: UpgradeFilter = own === null || own.isDefault ? {} : { organization: own.id };
  const askedIds = pattern.ids?.filter(isLookedFor) ?? idLists[0];
  if (askedIds !== undefined) {
    // A rule's id may look like a result's, so such an id is looked for among both.
    const ids = askedIds.filter((id) => RESULT_ID.test(id));
    const named = ids.length === 0 ? [] : [{ ids }];
    return scanRanges(read, askedIds, all, (id) => ofRule(id, own), named);
  }
  const cpeids = stringsOf(filters, 'cpeid');
  if (cpeids !== null) return scanRanges(read, cpeids, all, (id) => [{ cpeids: [id] }]);
  const campaignids = stringsOf(filters, 'campaignid');
  if (campaignids !== null) return scanRanges(read, campaignids, all, (id) => ofRule(id, own));
  const status = valuesAdmitted(filters, 'status');
  const ended = status?.size === 1 ? status.has(true) : null;
  // Most results are of what has ended, and an organization may have few of them; under way there is little at a time.
  if (ended === null || (ended && all.organization !== undefined)) return read(all);
  return read({ status: ended });
}

/**
 * What is read of the results of rules that are called so: everybody's, or the organization's own and, of its CPEs, those of the installation's
 * rule of that name.
 */
function ofRule(written: string, own: Organization | null): readonly UpgradeFilter[] {
  const campaignids = [written];
  if (own === null) return [{ campaignids }, { writtenCampaignids: [written] }];
  const owns = { campaignids: [ruleIdIn(own.id, written)] };
  if (own.isDefault) return [{ campaignids }, owns];
  const { id: organization } = own;
  return [
    { campaignids, organization },
    { ...owns, organization },
  ];
}

/**
 * @param all  what is read instead of too many ranges
 * @param named  what is read beside the ranges
 */
function scanRanges(
  read: Read,
  values: readonly string[],
  all: UpgradeFilter,
  filtersOf: (value: string) => readonly UpgradeFilter[],
  named: readonly UpgradeFilter[] = [],
): AsyncIterable<Upgrade> {
  const distinct = [...new Set(values)];
  if (distinct.length > RANGES_MAX) return read(all);
  return mergeNewestFirst([...named, ...distinct.flatMap(filtersOf)], read);
}

/** Several sequences, each newest first, as one; what is named by its own id comes once. */
async function* mergeNewestFirst(filters: readonly UpgradeFilter[], read: Read): AsyncGenerator<Upgrade> {
  const namedIds = new Set<string>(filters.flatMap(({ ids }) => ids ?? []));
  const sources = filters.map((filter) => read(filter)[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(sources.map((source) => source.next()));
    for (;;) {
      const newest = indexOfNewest(heads);
      const head = heads[newest];
      const source = sources[newest];
      if (head === undefined || head.done === true || source === undefined) return;
      if (filters[newest]?.ids !== undefined || !namedIds.has(head.value.id)) yield head.value;
      heads[newest] = await source.next();
    }
  } finally {
    for (const source of sources) await source.return?.();
  }
}

/** -1 where every sequence is at its end. */
function indexOfNewest(heads: readonly IteratorResult<Upgrade, unknown>[]): number {
  let newest = -1;
  let found: Upgrade | null = null;
  for (const [index, head] of heads.entries()) {
    if (head.done === true || (found !== null && newestFirst(found, head.value) <= 0)) continue;
    newest = index;
    found = head.value;
  }
  return newest;
}

/** Rules whose count key is remembered while one list is made. */
const COUNT_KEYS_MAX = 1_000;

/** Whether an upgrade was of the file and target its rule has now; where the rule is gone, every one counts. */
function currentCheck(rules: Rules): (upgrade: Upgrade) => Promise<boolean> {
  const countKeys = new Map<RuleId, CountKey | null>();
  return async ({ campaignid, countKey }) => {
    let current = countKeys.get(campaignid);
    if (current === undefined) {
      const stored = await rules.get(campaignid);
      current = stored === null ? null : rules.countKey(stored.rule);
      if (countKeys.size >= COUNT_KEYS_MAX) countKeys.clear();
      countKeys.set(campaignid, current);
    }
    return current === null || current === countKey;
  };
}
