import { newestFirst, type Upgrade, type UpgradeFilter, type Upgrades } from '../../acs/index.js';
import type { CountKey, RuleId } from '../../common/index.js';
import { SECOND_MS } from '../../common/index.js';
import type { Rules } from '../../rules/index.js';
import type { JsonObject } from '../http/index.js';
import type { Entry } from './entry.js';
import { type Fields, stringsOf, valuesAdmitted } from './fields.js';
import type { Selection, Storage } from './storage.js';

const RESULT_FIELDS: Fields = {
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

/** An upgrade as FirmwareResultStorage shows it, field for field. */
export function resultView(upgrade: Upgrade): JsonObject {
  return {
    id: upgrade.id,
    status: upgrade.status,
    ts: Math.floor(upgrade.updatedAtMs / SECOND_MS),
    cpeid: upgrade.cpeid,
    rule_description: upgrade.ruleDescription,
    campaignid: upgrade.campaignid,
    result: { code: upgrade.result.code, message: upgrade.result.message },
    // Beyond the document, and absent as a rule.
    ...(upgrade.matchedBy !== undefined && { matched_by: upgrade.matchedBy }),
    ...(upgrade.reportedBy !== undefined && { reported_by: upgrade.reportedBy }),
  };
}

/** Upgrades under way and ended; `id` means a result's own id or its rule's. */
export function firmwareResultStorage(upgrades: Upgrades, rules: Rules): Storage {
  return {
    name: 'FirmwareResultStorage',
    fields: RESULT_FIELDS,
    idNames: ['id'],
    order: 'descending',
    looksAtListed: ({ pattern }) => pattern.ids !== null,
    leavesOut: ({ everyRevision }) => !everyRevision,
    hasId: ({ id, view }, ids) => ids.has(id) || ids.has(String(view['campaignid'])),
    async *candidates(selection, after, turn) {
      const isCurrent = currentCheck(rules);
      const askedIds = new Set([...(selection.pattern.ids ?? []), ...selection.idLists.flat()]);
      const from = after === null ? {} : { after: { startedAtMs: Number(after.value), id: after.id } };
      for await (const upgrade of scan((filter) => upgrades.scan({ ...filter, ...from }, turn), selection)) {
        const shown = selection.everyRevision || askedIds.has(upgrade.id) || (await isCurrent(upgrade));
        if (shown) yield toEntry(upgrade);
      }
    },
  };
}

function toEntry(upgrade: Upgrade): Entry {
  return { id: upgrade.id, view: resultView(upgrade), rank: upgrade.startedAtMs };
}

const RESULT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Index ranges read side by side; for more of them, all results are walked instead. */
const RANGES_MAX = 16;

type Read = (filter: UpgradeFilter) => AsyncIterable<Upgrade>;

/** One index is enough: whatever else the selection asks for is checked entry by entry. */
function scan(read: Read, { pattern, idLists, filters }: Selection): AsyncIterable<Upgrade> {
  if (pattern.ids !== null) return read({ ids: pattern.ids.filter((id) => RESULT_ID.test(id)) });
  const [askedIds] = idLists;
  if (askedIds !== undefined) {
    // A rule's id may look like a result's, so such an id is looked for among both.
    const ids = askedIds.filter((id) => RESULT_ID.test(id));
    if (ids.length > 0 && askedIds.length <= RANGES_MAX) {
      return mergeNewestFirst([{ ids }, ...askedIds.map((id) => ({ campaignids: [id] }))], read);
    }
    return scanRanges(read, askedIds, (id) => ({ campaignids: [id] }));
  }
  const cpeids = stringsOf(filters, 'cpeid');
  if (cpeids !== null) return scanRanges(read, cpeids, (id) => ({ cpeids: [id] }));
  const campaignids = stringsOf(filters, 'campaignid');
  if (campaignids !== null) return scanRanges(read, campaignids, (id) => ({ campaignids: [id] }));
  const status = valuesAdmitted(filters, 'status');
  return read(status?.size === 1 ? { status: status.has(true) } : {});
}

function scanRanges(
  read: Read,
  values: readonly string[],
  filterOf: (value: string) => UpgradeFilter,
): AsyncIterable<Upgrade> {
  const distinct = [...new Set(values)];
  return distinct.length > RANGES_MAX ? read({}) : mergeNewestFirst(distinct.map(filterOf), read);
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
