import type { OrganizationsNow } from '../../organizations/index.js';
import {
  isObject,
  type JsonObject,
  ORGANIZATION_PARAMETER,
  type Problem,
  type Scope,
  shortJson,
} from '../http/index.js';

/**
 * What a row of an export says of itself beside the rule: who has changed it and when, its name and its run state in the product whose
 * interface this is, and the pace of its campaigns. A row is taken with them, and they are not kept.
 */
const TAKEN: ReadonlySet<string> = new Set([
  'ts',
  'create_record_ts',
  'editor',
  'name',
  'active',
  'period',
  'batch',
]);

/** What such a row says nothing by while it is empty. Anything else there restricts the rule, which would not be restricted so here. */
const TAKEN_EMPTY: ReadonlySet<string> = new Set(['events', 'cron']);

const OWNER = 'organization';

/** The rule in a row of a list, of this server's or of an export: what only such a row has is left out. */
export function ruleOfRow(row: JsonObject): JsonObject;
export function ruleOfRow(row: unknown): unknown;
export function ruleOfRow(row: unknown): unknown {
  if (!isObject(row)) return row;
  const fields = Object.entries(row);
  const kept = fields.filter(([name, value]) => !isTaken(name, value));
  return kept.length === fields.length ? row : Object.fromEntries(kept);
}

function isTaken(name: string, value: unknown): boolean {
  return name === OWNER || TAKEN.has(name) || (TAKEN_EMPTY.has(name) && isEmpty(value));
}

function isEmpty(value: unknown): boolean {
  return value === '' || value === null || (Array.isArray(value) && value.length === 0);
}

/**
 * Whose rule it is stands in no rule but beside it, where everybody's are listed, and such an entry can be posted again. Where that is
 * somebody else than the request is about, the rule would become another's.
 */
export function ownerProblemOf(row: unknown, { organization, organizations }: Scope): Problem | null {
  const owner = isObject(row) ? row[OWNER] : undefined;
  if (owner === undefined || isOf(organization, owner, organizations)) return null;
  const expected = `left out, or the organization that the request is about: name it by ?${ORGANIZATION_PARAMETER.name}=`;
  return { field: OWNER, expected, found: shortJson(owner) };
}

function isOf(organization: Scope['organization'], owner: unknown, organizations: OrganizationsNow): boolean {
  return organization !== null && typeof owner === 'string' && organizations.find(owner) === organization;
}
