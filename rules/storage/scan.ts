import { type CpeId, compareText, type RuleId, type Turn } from '../../common/index.js';
import { PAGE_ITEMS_MAX, type Stored } from '../../store/index.js';
import {
  askedIdIn,
  namePinIn,
  ownedPinIn,
  pinIn,
  pinOf,
  type RulePlace,
  type Rules,
  type StoredRule,
  writtenId,
} from '../vocabulary/index.js';
import { ownersOfRules, readMany, type Tables } from './tables.js';

type ScanFilter = Parameters<Rules['scan']>[0];

const NEWEST_FIRST = { index: 'createdAt', order: 'descending' } as const;

/** See {@link Rules.scan}. */
export async function* scan(
  tables: Tables,
  { ids, storedIds, idPrefix, cpeid, organization, after }: ScanFilter,
  turn?: Turn,
): AsyncGenerator<StoredRule> {
  const written = ids === undefined ? null : new Set(ids);
  const matches = (rule: StoredRule): boolean =>
    (written === null || written.has(writtenId(rule.id))) &&
    (idPrefix === undefined || writtenId(rule.id).startsWith(idPrefix)) &&
    (cpeid === undefined || pinOf(rule) === cpeid) &&
    (organization === undefined || (rule.organization ?? null) === organization) &&
    (after === undefined || newestFirst(after, rule) < 0);
  const named = storedIds ?? (written === null ? null : await storedUnder(tables, written, organization));
  if (named !== null) {
    const distinct = [...new Set(named)];
    if (distinct.length <= PORTION_RULES) {
      yield* (await byIds(tables, distinct)).filter(matches).sort(newestFirst);
      return;
    }
    const places: RulePlace[] = [];
    for await (const rule of inPortions(tables, distinct, turn)) {
      if (matches(rule)) places.push({ id: rule.id, createdAtMs: rule.createdAtMs });
    }
    places.sort(newestFirst);
    const sorted = places.map(({ id }) => id);
    for await (const rule of inPortions(tables, sorted, turn)) if (matches(rule)) yield rule;
    return;
  }
  const few =
    cpeid !== undefined
      ? await pinnedInAny(tables, cpeid as CpeId, organization)
      : await fewWithPrefix(tables, idPrefix, organization);
  if (few !== null) {
    yield* few
      .map(({ document }) => document)
      .filter(matches)
      .sort(newestFirst);
    return;
  }
  const newest =
    typeof organization === 'string'
      ? ({ index: 'organization', equals: [organization], order: 'descending' } as const)
      : NEWEST_FIRST;
  const place = typeof organization === 'string' ? { organization, ...after } : after;
  const cursor = after === undefined ? null : tables.rules.cursorAt(newest, place as StoredRule);
  const from = cursor === null ? {} : { after: cursor };
  for await (const { document } of tables.rules.scan({ ...newest, ...from }, turn)) {
    if (matches(document)) yield document;
  }
}

/** So many ids are looked up where rules of whichever organization may have them; beyond that all rules are walked through. */
const LOOKUPS_MAX = 10_000;
/** The same of beginnings of ids, which cost a page each. */
const PREFIXES_MAX = 100;

/** The ids under which rules are stored that are called so; null where they are too many to be looked up. */
async function storedUnder(
  tables: Tables,
  written: ReadonlySet<string>,
  organization: string | null | undefined,
): Promise<readonly RuleId[] | null> {
  const owners = await ownersOf(tables, organization);
  if (owners.length > 1 && owners.length * written.size > LOOKUPS_MAX) return null;
  return owners.flatMap((owner) => [...written].flatMap((id) => askedIdIn(owner, id) ?? []));
}

/** Whose rules are meant, of those that may have any: under undefined the installation. */
async function ownersOf(
  tables: Tables,
  organization: string | null | undefined,
): Promise<readonly (string | undefined)[]> {
  if (organization !== undefined) return [organization ?? undefined];
  return [undefined, ...(await ownersOfRules(tables)).organizations];
}

/** So many rules are held of those that are named by their ids: each may have megabytes. */
const PORTION_RULES = 32;

/** In the order of the ids. */
async function* inPortions(
  tables: Tables,
  ids: readonly string[],
  turn: Turn = (read) => read(),
): AsyncGenerator<StoredRule> {
  for (let from = 0; from < ids.length; from += PORTION_RULES) {
    yield* await turn(() => byIds(tables, ids.slice(from, from + PORTION_RULES)));
  }
}

async function byIds(tables: Tables, ids: readonly string[]): Promise<StoredRule[]> {
  const found = await readMany(tables.rules, ids);
  return found.flatMap((stored) => (stored === null ? [] : [stored.document]));
}

/**
 * Rules pinned to one CPE, at most one page of each owner's.
 * @param organization  null: the installation's alone; undefined: whosever they are
 */
async function pinnedInAny(
  tables: Tables,
  cpeid: CpeId,
  organization: string | null | undefined,
): Promise<readonly Stored<StoredRule>[]> {
  const owners = await ownersOf(tables, organization);
  const pins = owners.flatMap((owner) => [
    ...new Set([pinIn(owner, cpeid), ownedPinIn(owner, cpeid), namePinIn(owner, cpeid)]),
  ]);
  return (await Promise.all(pins.map((pin) => pinnedAt(tables, pin)))).flat();
}

/** @param pin  as `pinIn` or `ownedPinIn` writes it. @returns at most one page */
export async function pinnedAt(tables: Tables, pin: string): Promise<readonly Stored<StoredRule>[]> {
  return (await tables.rules.find({ index: 'pin', equals: [pin], limit: PAGE_ITEMS_MAX })).items;
}

/** Null where there is no prefix, or more than a page of ids have it: then all rules are walked, newest first. */
async function fewWithPrefix(
  tables: Tables,
  prefix: string | undefined,
  organization: string | null | undefined,
): Promise<readonly Stored<StoredRule>[] | null> {
  if (prefix === undefined || prefix === '') return null;
  const owners = await ownersOf(tables, organization);
  if (owners.length > PREFIXES_MAX) return null;
  const found: Stored<StoredRule>[] = [];
  for (const owner of owners) {
    const stored = askedIdIn(owner, prefix);
    if (stored === null) continue;
    const { items, next } = await tables.rules.find({ prefix: stored, limit: PAGE_ITEMS_MAX });
    if (next !== null || found.length + items.length > PAGE_ITEMS_MAX) return null;
    found.push(...items);
  }
  return found;
}

/** As the index gives them. */
function newestFirst(left: RulePlace, right: RulePlace): number {
  return right.createdAtMs - left.createdAtMs || compareText(right.id, left.id);
}
