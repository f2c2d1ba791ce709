import type { Upgrade, Upgrades } from '../../acs/index.js';
import type { CountKey, ResultId, RuleId } from '../../common/index.js';
import { SECOND_MS } from '../../common/index.js';
import type { Rules } from '../../rules/index.js';
import type { JsonObject } from '../http/index.js';
import { type Fields, stringsOf } from './fields.js';
import { type Entry, listedIds, type Selection, type Storage } from './storage.js';

const RESULT_FIELDS: Fields = {
  id: 'string',
  status: 'boolean',
  ts: 'number',
  cpeid: 'string',
  rule_description: 'string',
  campaignid: 'string',
  'result.code': 'number',
  'result.message': 'string',
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
  };
}

/** Upgrades under way and ended; `id` means a result's own id or its rule's. */
export function firmwareResultStorage(upgrades: Upgrades, rules: Rules): Storage {
  return {
    name: 'FirmwareResultStorage',
    fields: RESULT_FIELDS,
    idNames: ['id'],
    order: 'descending',
    hasId: ({ id, view }, ids) => ids.has(id) || ids.has(String(view['campaignid'])),
    async *candidates(selection) {
      const isCurrent = currentCheck(rules);
      const askedIds = new Set([...(selection.pattern.ids ?? []), ...selection.idLists.flat()]);
      for await (const upgrade of scan(upgrades, selection)) {
        const shown = selection.everyRevision || askedIds.has(upgrade.id) || (await isCurrent(upgrade));
        if (shown) yield toEntry(upgrade);
      }
    },
  };
}

function toEntry(upgrade: Upgrade): Entry {
  return { id: upgrade.id, view: resultView(upgrade), rank: upgrade.updatedAtMs };
}

const RESULT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function* scan(upgrades: Upgrades, selection: Selection): AsyncGenerator<Upgrade> {
  const [askedIds] = selection.idLists;
  if (selection.pattern.ids !== null || askedIds === undefined) {
    yield* upgrades.scan(narrow(selection));
    return;
  }
  // A rule's id may look like a result's, so such an id is looked for among both.
  const byOwnId = await Promise.all(
    askedIds.filter((id) => RESULT_ID.test(id)).map((id) => upgrades.get(id as ResultId)),
  );
  const named = byOwnId.filter((upgrade) => upgrade !== null);
  yield* mergeNewestFirst(named, upgrades.scan({ campaignids: askedIds }));
}

/** One index is enough: whatever else the selection asks for is checked entry by entry. */
function narrow(selection: Selection): Parameters<Upgrades['scan']>[0] {
  if (selection.pattern.ids !== null) return { ids: listedIds({ ...selection, idLists: [] }) ?? [] };
  const { filters } = selection;
  const cpeids = stringsOf(filters, 'cpeid');
  if (cpeids !== null) return { cpeids };
  const campaignids = stringsOf(filters, 'campaignid');
  if (campaignids !== null) return { campaignids };
  const status = filters.find(({ path }) => path === 'status')?.anyOf;
  return status?.size === 1 ? { status: status.has(true) } : {};
}

async function* mergeNewestFirst(
  named: readonly Upgrade[],
  scanned: AsyncIterable<Upgrade>,
): AsyncGenerator<Upgrade> {
  const waiting = [...new Map(named.map((upgrade) => [upgrade.id, upgrade])).values()];
  const waitingIds = new Set(waiting.map(({ id }) => id));
  waiting.sort((a, b) => (isNewer(a, b) ? -1 : 1));
  for await (const upgrade of scanned) {
    for (let [next] = waiting; next !== undefined && isNewer(next, upgrade); [next] = waiting) {
      waiting.shift();
      yield next;
    }
    if (!waitingIds.has(upgrade.id)) yield upgrade;
  }
  yield* waiting;
}

function isNewer(a: Upgrade, b: Upgrade): boolean {
  return a.updatedAtMs === b.updatedAtMs ? a.id > b.id : a.updatedAtMs > b.updatedAtMs;
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
