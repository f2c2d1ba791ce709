import type { Devices, Upgrades } from '../../acs/index.js';
import type { CpeId, ResultId, RuleId } from '../../common/index.js';
import type { Rules } from '../../rules/index.js';
import {
  ApiError,
  type DynDialect,
  dynDialect,
  type Exchange,
  invalid,
  type Route,
  readJsonObject,
  runningError,
} from '../http/index.js';
import { BATCH_ITEMS_MAX, type NbiLimits } from '../limits.js';
import { deviceStorage } from './device-storage.js';
import { firmwareResultStorage } from './firmware-result-storage.js';
import { firmwareStorage } from './firmware-storage.js';
import { sendEntries } from './list.js';
import { type Position, takeEntries } from './order.js';
import { postRules } from './post-rules.js';
import { type Option, parseQuery, type Query } from './query.js';
import { type Entry, type Selection, type Storage, selectEntries } from './storage.js';

export interface DynParts {
  readonly rules: Rules;
  readonly devices: Devices;
  readonly upgrades: Upgrades;
  readonly limits: NbiLimits;
}

const LIST_OPTIONS = ['limit', 'after', 'sort'] as const;

/** `/v1/dyn/{storage}/{pattern}`: the rules, the results of their upgrades, and the CPEs. */
export function dynRoutes(parts: DynParts): Route[] {
  return [...ruleRoutes(parts), ...resultRoutes(parts), ...deviceRoutes(parts)];
}

function ruleRoutes({ rules, limits }: DynParts): Route[] {
  const storage = firmwareStorage(rules);
  const dialect = dynDialect(storage.name);
  const path = pathOf(storage);
  return [
    { method: 'get', path, role: 'viewer', dialect, handle: list(storage, dialect, limits, LIST_OPTIONS) },
    {
      method: 'post',
      path,
      role: 'operator',
      dialect,
      handle: (exchange) => postRules(exchange, rules, dialect, limits),
    },
    {
      method: 'put',
      path,
      role: 'operator',
      dialect,
      async handle(exchange) {
        const { id, ...patch } = await readJsonObject(exchange.request, limits);
        if (Object.keys(patch).length === 0) throw invalid('', 'at least one field to change beside id');
        const query = queryOf(storage, exchange, limits, ['all']);
        const selection = narrowedTo(query.selection, id);
        requireIntent(query, selection);
        await inBatches(storage, selection, (ids) => rules.merge(ids.map(toRuleId), patch));
        exchange.response.json(dialect.answer(204, ''));
      },
    },
    {
      method: 'delete',
      path,
      role: 'operator',
      dialect,
      async handle(exchange) {
        const query = queryOf(storage, exchange, limits, ['all']);
        requireIntent(query, query.selection);
        await inBatches(storage, query.selection, (ids) => rules.remove(ids.map(toRuleId)));
        exchange.response.json(dialect.answer(204, ''));
      },
    },
  ];
}

function resultRoutes({ upgrades, rules, limits }: DynParts): Route[] {
  const storage = firmwareResultStorage(upgrades, rules);
  const dialect = dynDialect(storage.name);
  const path = pathOf(storage);
  const handleGet = list(storage, dialect, limits, [...LIST_OPTIONS, 'revision']);
  return [
    { method: 'get', path, role: 'viewer', dialect, handle: handleGet },
    {
      method: 'delete',
      path,
      role: 'operator',
      dialect,
      async handle(exchange) {
        const query = queryOf(storage, exchange, limits, ['all', 'revision']);
        requireIntent(query, query.selection);
        await refuseRunning(storage, query.selection);
        await inBatches(storage, query.selection, (ids) => upgrades.remove(ids.map(toResultId)));
        exchange.response.json(dialect.answer(204, ''));
      },
    },
  ];
}

function deviceRoutes({ devices, limits }: DynParts): Route[] {
  const storage = deviceStorage(devices);
  const dialect = dynDialect(storage.name);
  return [
    {
      method: 'get',
      path: pathOf(storage),
      role: 'viewer',
      dialect,
      async handle(exchange) {
        const query = queryOf(storage, exchange, limits, [...LIST_OPTIONS, 'parameters']);
        if (!query.parameters) return send(storage, dialect, limits, exchange, query);
        const [device, another] = await takeEntries(selectEntries(storage, query.selection), 2);
        if (device === undefined) throw new ApiError(404);
        if (another !== undefined) throw invalid('parameters', 'a selection of one CPE: name its id');
        const parameters = await devices.parameters(device.id as CpeId);
        exchange.response.json(dialect.answer(200, [{ ...device.view, parameters }]));
      },
    },
  ];
}

function pathOf({ name }: Storage): string {
  return `/v1/dyn/${name}/{pattern}`;
}

function list(
  storage: Storage,
  dialect: DynDialect,
  limits: NbiLimits,
  options: readonly Option[],
): Route['handle'] {
  return (exchange) => send(storage, dialect, limits, exchange, queryOf(storage, exchange, limits, options));
}

function send(
  storage: Storage,
  dialect: DynDialect,
  limits: NbiLimits,
  { request, response }: Exchange,
  query: Query,
): Promise<void> {
  const select = (after: Position | null) => selectEntries(storage, query.selection, after);
  return sendEntries(request, response, dialect, select, query, limits);
}

function queryOf(
  storage: Storage,
  { parameter, query }: Exchange,
  limits: NbiLimits,
  options: readonly Option[],
): Query {
  return parseQuery(storage, parameter, query, options, limits.pageItemsMax);
}

/** An `id` in the body of a PUT narrows what is changed; it never renames. */
function narrowedTo(selection: Selection, id: unknown): Selection {
  if (id === undefined) return selection;
  if (typeof id !== 'string') throw invalid('id', 'the id of the rule to change, as a string', id);
  return { ...selection, idLists: [...selection.idLists, [id]] };
}

function requireIntent({ everything, all }: Query, { idLists }: Selection): void {
  if (everything && idLists.length === 0 && !all) {
    throw invalid('all', 'true, where every entry of the storage is meant; else name an id or a field');
  }
}

/**
 * Changes the selected entries page by page, each page atomically: a change to a million rules is never one transaction.
 * @throws ApiError 404 where nothing was selected
 */
async function inBatches(
  storage: Storage,
  selection: Selection,
  change: (ids: readonly string[]) => Promise<unknown>,
): Promise<void> {
  let batch: string[] = [];
  let changed = false;
  const flush = async () => {
    if (batch.length === 0) return;
    await change(batch);
    changed = true;
    batch = [];
  };
  for await (const { id } of selectEntries(storage, selection)) {
    batch.push(id);
    if (batch.length >= BATCH_ITEMS_MAX) await flush();
  }
  await flush();
  if (!changed) throw new ApiError(404);
}

/** Looks before anything is deleted, so that a refusal means nothing was. */
async function refuseRunning(storage: Storage, selection: Selection): Promise<void> {
  const running: Entry[] = [];
  for await (const entry of selectEntries(storage, selection)) {
    if (entry.view['status'] === false) running.push(entry);
    if (running.length >= BATCH_ITEMS_MAX) break;
  }
  if (running.length > 0) throw runningError(running.map(({ id }) => id));
}

// The storage has just given these ids.
const toRuleId = (id: string) => id as RuleId;
const toResultId = (id: string) => id as ResultId;
