import { type Rule, type Rules, ruleOf, type StoredRule } from '../../rules/index.js';
import type { JsonObject } from '../http/index.js';
import { type Fields, stringsOf } from './fields.js';
import { type Entry, listedIds, type Selection, type Storage } from './storage.js';

/** Every field of a rule an author can write; the compiler sees to it that none is missing. */
const RULE_FIELDS: Readonly<Record<keyof Rule, Fields>> = {
  id: { id: 'string' },
  enabled: { enabled: 'boolean' },
  automatic: { automatic: 'boolean' },
  file: { file: 'string' },
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
};

/** The rules. Beside a rule's own fields one can ask for `cpeid`: those pinned to that CPE. */
export function firmwareStorage(rules: Rules): Storage {
  return {
    name: 'FirmwareStorage',
    fields: Object.assign({ cpeid: 'string' }, ...Object.values(RULE_FIELDS)),
    idNames: ['id', 'campaignid'],
    order: 'descending',
    async *candidates(selection, after) {
      const from = after === null ? {} : { after: { createdAtMs: Number(after.value), id: after.id } };
      for await (const rule of rules.scan({ ...narrow(selection), ...from })) yield toEntry(rule);
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

/** A rule as its author wrote it, with the defaults filled in: nothing more, so that it can be posted again as it is. */
function toEntry(rule: StoredRule): Entry {
  const view: JsonObject = { ...ruleOf(rule) };
  const facts = rule.pin === undefined ? view : { ...view, cpeid: rule.pin };
  return { id: rule.id, view, facts, rank: rule.createdAtMs };
}
