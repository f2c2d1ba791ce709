import { SECOND_MS, withoutQueryValues } from '../../common/index.js';
import { pinOf, type Rule, type RuleFindings, type Rules, ruleOf } from '../../rules/index.js';
import type { JsonObject } from '../http/index.js';
import type { Entry } from './entry.js';
import { type Fields, stringsOf } from './fields.js';
import { listedIds, type Selection, type Storage } from './storage.js';

/** Every field of a rule an author can write; the compiler sees to it that none is missing. */
const RULE_FIELDS: Readonly<Record<keyof Rule, Fields>> = {
  id: { id: 'string' },
  enabled: { enabled: 'boolean' },
  automatic: { automatic: 'boolean' },
  file: { file: 'string' },
  fileType: { fileType: 'string' },
  username: { username: 'string' },
  password: {},
  condition: { condition: 'string', 'condition.*': 'any' },
  executions: { executions: 'number' },
  priority: { priority: 'number' },
  author: { author: 'string' },
  description: { description: 'string' },
  target: { 'target.softwareVersion': 'string' },
  force: { force: 'boolean' },
  window: {
    'window.cron': 'string',
    'window.durationMinutes': 'number',
    'window.timezone': 'string',
    'window.wakePerSecond': 'number',
  },
  limits: { 'limits.concurrent': 'number', 'limits.total': 'number', 'limits.stopAfterFailures': 'number' },
  retry: { 'retry.afterMinutes': 'number', 'retry.factor': 'number', 'retry.maxHours': 'number' },
  deadlines: {
    'deadlines.sentMinutes': 'number',
    'deadlines.acceptedMinutes': 'number',
    'deadlines.transferredMinutes': 'number',
  },
  onDoubt: { onDoubt: 'string' },
};

/** What Ferry found out about a rule: shown where there is something, and never written. */
const FINDINGS: Fields = {
  'lastError.at': 'number',
  'lastError.cpeid': 'string',
  'lastError.code': 'string',
  'lastError.message': 'string',
  'suspended.at': 'number',
  'suspended.message': 'string',
  'warning.code': 'string',
  'warning.message': 'string',
};

/**
 * The rules. To whom may not write them the query of a `file` is shown, filtered and sorted by without its values, which may be a key to the file. Beside
 * a rule's own fields one can ask for `cpeid`: those pinned to that CPE.
 */
export function firmwareStorage(rules: Rules, reader: 'author' | 'viewer' = 'author'): Storage {
  return {
    name: 'FirmwareStorage',
    fields: Object.assign({ cpeid: 'string', ...FINDINGS }, ...Object.values(RULE_FIELDS)),
    idNames: ['id', 'campaignid'],
    order: 'descending',
    async *candidates(selection, after, turn) {
      const from = after === null ? {} : { after: { createdAtMs: Number(after.value), id: after.id } };
      const found = rules.withFindings(rules.scan({ ...narrow(selection), ...from }, turn));
      for await (const findings of found) yield toEntry(findings, reader);
    },
  };
}

function narrow(selection: Selection): Parameters<Rules['scan']>[0] {
  const ids = listedIds(selection);
  if (ids !== null) return { ids };
  const [pin, ...otherPins] = stringsOf(selection.filters, 'cpeid') ?? [];
  // Several pins would be several sequences, each in order but not together.
  if (pin !== undefined && otherPins.length === 0) return { cpeid: pin };
  return selection.pattern.prefix === '' ? {} : { idPrefix: selection.pattern.prefix };
}

/**
 * A rule as its author wrote it, with the defaults filled in, so that it can be posted again as it is; and where there is something
 * amiss with it, what: POST takes no notice of that.
 */
function toEntry({ rule, lastError, warning }: RuleFindings, reader: 'author' | 'viewer'): Entry {
  const { suspended } = rule;
  const written = ruleOf(rule);
  const view: JsonObject = {
    ...written,
    ...(reader === 'viewer' && { file: withoutQueryValues(written.file) }),
    ...(lastError !== null && { lastError: at(lastError) }),
    ...(suspended !== undefined && { suspended: at(suspended) }),
    ...(warning !== null && { warning }),
  };
  const cpeid = pinOf(rule);
  const facts = cpeid === undefined ? view : { ...view, cpeid };
  return { id: rule.id, view, facts, rank: rule.createdAtMs };
}

/** With its time in epoch seconds, as everywhere in this API. */
function at<T extends { readonly atMs: number }>({ atMs, ...rest }: T): JsonObject {
  return { at: Math.floor(atMs / SECOND_MS), ...rest };
}
