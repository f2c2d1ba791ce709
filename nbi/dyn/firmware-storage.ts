import { type RuleId, SECOND_MS, withoutQueryValues } from '../../common/index.js';
import type { OrganizationsNow } from '../../organizations/index.js';
import { ruleNameOf } from '../../rollout/index.js';
import { pinOf, type Rule, type RuleFindings, type Rules, ruleIdIn, ruleOf } from '../../rules/index.js';
import type { JsonObject } from '../http/index.js';
import { READ_SHORT_ITEMS_MAX } from '../limits.js';
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
  requireSignature: { requireSignature: 'boolean' },
  notBefore: { notBefore: 'string' },
  notAfter: { notAfter: 'string' },
};

/** What Ferry found out about a rule, and what made it: shown where there is something, and never written. */
const FINDINGS: Fields = {
  'lastError.at': 'number',
  'lastError.cpeid': 'string',
  'lastError.code': 'string',
  'lastError.message': 'string',
  'owner.kind': 'string',
  'owner.id': 'string',
  'stopped.message': 'string',
  'suspended.at': 'number',
  'suspended.message': 'string',
  'warning.code': 'string',
  'warning.message': 'string',
};

/** Whose rules are shown. */
export type RulesShown =
  /** Those of one organization, by its id; undefined: the installation's own. */
  | { readonly organization: string | undefined }
  /** Everybody's, each with the slug of its organization. */
  | { readonly organizations: OrganizationsNow };

/**
 * The rules. To whom may not write them the query of a `file` is shown, filtered and sorted by without its values, which may be a key to the file. Beside
 * a rule's own fields one can ask for `cpeid`: those pinned to that CPE.
 */
export function firmwareStorage(
  rules: Rules,
  shown: RulesShown,
  reader: 'author' | 'viewer' = 'author',
): Storage {
  return 'organizations' in shown
    ? rulesOfEverybody(rules, shown.organizations, reader)
    : rulesOfOne(rules, shown.organization, reader);
}

export const LISTED_FIELDS: Fields = Object.assign(
  { cpeid: 'string', ...FINDINGS },
  ...Object.values(RULE_FIELDS),
);

const LISTING = {
  name: 'FirmwareStorage',
  fields: LISTED_FIELDS,
  idNames: ['id', 'campaignid'],
  order: 'descending',
} as const;

/** Nothing in it, nor in the places where its pages end, is of others: ids are as they are written. */
function rulesOfOne(rules: Rules, owner: string | undefined, reader: 'author' | 'viewer'): Storage {
  return {
    ...LISTING,
    async *candidates(selection, after, turn) {
      const place = after && { createdAtMs: Number(after.value), id: ruleIdIn(owner, after.id) };
      const filter = { ...narrow(selection), organization: owner ?? null, ...(place && { after: place }) };
      for await (const findings of rules.withFindings(rules.scan(filter, turn)))
        yield toEntry(findings, reader);
    },
  };
}

/** Of rules that are called the same each is told apart by the id that it is stored under. */
function rulesOfEverybody(
  rules: Rules,
  organizations: OrganizationsNow,
  reader: 'author' | 'viewer',
): Storage {
  return {
    ...LISTING,
    // For each id a rule of everybody's is looked up.
    looksAtListed(selection) {
      const ids = listedIds(selection);
      return ids !== null && ids.length * (1 + organizations.all.length) <= READ_SHORT_ITEMS_MAX;
    },
    async *candidates(selection, after, turn) {
      const { pattern } = selection;
      const place = after && { createdAtMs: Number(after.value), id: after.id };
      const filter =
        pattern.isOfKeys === true && pattern.ids !== null
          ? { storedIds: pattern.ids.map((key) => key as RuleId) }
          : narrow(selection);
      for await (const findings of rules.withFindings(
        rules.scan({ ...filter, ...(place && { after: place }) }, turn),
      )) {
        const entry = toEntry(findings, reader);
        const { id: key } = findings.rule;
        const { organization } = ruleNameOf(key, null, organizations);
        if (organization === undefined) yield { ...entry, key };
        else yield { ...entry, key, view: { ...entry.view, organization } };
      }
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
function toEntry({ rule, lastError, stopped, warning }: RuleFindings, reader: 'author' | 'viewer'): Entry {
  const { owner, suspended } = rule;
  const written = ruleOf(rule);
  const view: JsonObject = {
    ...written,
    ...(reader === 'viewer' && { file: withoutQueryValues(written.file) }),
    ...(owner !== undefined && { owner }),
    ...(lastError !== null && { lastError: at(lastError) }),
    ...(suspended !== undefined && { suspended: at(suspended) }),
    ...(stopped !== null && { stopped: { message: stopped } }),
    ...(warning !== null && { warning }),
  };
  const cpeid = pinOf(rule);
  const facts = cpeid === undefined ? view : { ...view, cpeid };
  return { id: written.id, view, facts, rank: rule.createdAtMs };
}

/** With its time in epoch seconds, as everywhere in this API. */
function at<T extends { readonly atMs: number }>({ atMs, ...rest }: T): JsonObject {
  return { at: Math.floor(atMs / SECOND_MS), ...rest };
}
