import type { RuleId } from '../../common/index.js';
import { type Rules, ruleIdIn } from '../../rules/index.js';
import {
  ApiError,
  actorOf,
  anyObjectBody,
  closedQuery,
  type DynDialect,
  type Exchange,
  failures,
  invalid,
  type JsonObject,
  openQuery,
  queryParameter,
  type Route,
  recordsBody,
  ref,
  route,
  scopeOf,
} from '../http/index.js';
import { mayActAs } from '../users/index.js';
import { doneAnswer, listAnswer, nothingAnswer, storedAnswer } from './answers.js';
import { changeSelected, inBatches, narrowedTo, requireIntent } from './changes.js';
import { countRoute } from './count-route.js';
import { type Deletion, deletionRoutes } from './deletion-routes.js';
import { firmwareStorage, LISTED_FIELDS } from './firmware-storage.js';
import { sendSelected } from './list.js';
import { ALL, fieldParameter, listOptions, PATTERN, PATTERN_OF_SOME } from './parameters.js';
import { IF_NONE_MATCH, MORE_RULES, type PostRulesParts, postRules } from './post-rules.js';
import { parseQuery } from './query.js';
import { ownerProblemOf, ruleOfRow } from './rule-rows.js';
import type { Storage } from './storage.js';
import { WrittenWarnings } from './written-warnings.js';

/** So many are told of rules that are changed together. */
const WARNINGS_MAX = 100;

const PATH = '/v1/dyn/FirmwareStorage/{pattern}';
const ID_MEANING = 'The id of a rule; campaignid means the same.';
const ID = queryParameter('id', ID_MEANING);
const CAMPAIGN_ID = queryParameter('campaignid', ID_MEANING);
const CPE_ID = queryParameter(
  'cpeid',
  'Rules whose condition can only be true for this CPE (an index look-up).',
);

const RULE_EXAMPLE = {
  id: 'UPGRADE_00A1B2-HGW-1',
  enabled: true,
  automatic: true,
  file: 'http://files.example.net/hgw-2.0.0.bin',
  condition: { cpeid: '00A1B2-HGW-1' },
  executions: 1,
  priority: 1,
  author: 'api',
};

/** The rules: they are listed, posted, changed and deleted. */
export function ruleRoutes(parts: PostRulesParts, dialect: DynDialect): Route[] {
  const { rules, reading } = parts;
  return [
    listRoute(parts, dialect),
    countRoute({
      dialect,
      fields: LISTED_FIELDS,
      role: 'viewer',
      concerns: 'organizations',
      things: 'Rules',
      parameters: [ID, CAMPAIGN_ID, CPE_ID],
      reading,
      storage: (exchange) => shownRules(exchange, rules),
    }),
    postRoute(parts, dialect),
    putRoute(parts, dialect),
    ...deletionRoutes(deletionOf(parts, dialect)),
  ];
}

function listRoute({ rules, limits, reading }: PostRulesParts, dialect: DynDialect): Route {
  const options = listOptions(limits.storagePageItemsMax, LISTED_FIELDS);
  return route({
    method: 'GET',
    path: PATH,
    parameters: [PATTERN],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listRules',
    summary: 'Lists upgrade rules, newest first',
    description:
      'An entry is the rule as its author wrote it with the defaults filled in, and can be posted again as it is. Viewers are shown `********` for the values in the query of a `file`, which may be a key to it.',
    query: openQuery(...Object.values(options), fieldParameter(LISTED_FIELDS), ID, CAMPAIGN_ID, CPE_ID),
    answers: {
      '200': listAnswer('The rules', 'Rule'),
      ...failures('Answer'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const storage = shownRules(exchange, rules);
      const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, options);
      await sendSelected(exchange, storage, query, dialect, { limits, reading });
    },
  });
}

function postRoute(parts: PostRulesParts, dialect: DynDialect): Route {
  return route({
    method: 'POST',
    path: PATH,
    parameters: [PATTERN],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'putRules',
    summary: 'Creates or replaces upgrade rules, all or none, or any number of them batch by batch',
    description:
      'The same content again changes nothing. With `If-None-Match: *` a rule that exists is a conflict (409). NDJSON (a rule a line), and an array whose sender has `Accept: application/x-ndjson`, may be of any length: it is stored while it comes, in batches of 1,000 rules (or 8 MiB), each all or none, and answered by a report in NDJSON. That begins before the end of the body, so its HTTP status is 200 whatever becomes of the rules. Of two rules with one id in different batches the later stays; in one batch they are an error. What is stored and may not be what is meant is said in `warnings`: a serial number in `cpeid` that is of no CPE yet (`unknown-serial`) or of several (`ambiguous-serial`), and a `*` that has come to be a pattern in a rule that was stored before it was one (`patterns`).',
    query: closedQuery(),
    headers: [IF_NONE_MATCH],
    body: recordsBody(ref('Rule'), RULE_EXAMPLE, MORE_RULES),
    answers: {
      '200': storedAnswer(dialect),
      ...failures('Answer', '409', '413', '415', '507'),
    },
    handle: (exchange) => postRules(exchange, parts, dialect),
  });
}

function putRoute({ rules, devices, clock, reading }: PostRulesParts, dialect: DynDialect): Route {
  return route({
    method: 'PUT',
    path: PATH,
    parameters: [PATTERN_OF_SOME],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'changeRules',
    summary: 'Merges fields into every rule that matches',
    description:
      'An id in the body narrows what is changed and never renames; null takes a field away; a condition is replaced as a whole, and what may not be what is meant by it is said in `warnings` as where rules are posted. Changed in steps of 1,000 rules, each atomic.',
    query: openQuery(ALL, ID, CAMPAIGN_ID),
    body: anyObjectBody({ id: 'UPGRADE_00A1B2-HGW-1', enabled: false, automatic: false }),
    answers: {
      '200': doneAnswer('Changed', dialect),
      ...failures('Answer', '409', '413', '415', '507'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const { response, parameters, query: text } = exchange;
      const { storage, storedIds } = ownRules(exchange, rules);
      const by = actorOf(exchange);
      const row = await exchange.body();
      const problem = ownerProblemOf(row, scopeOf(exchange));
      if (problem !== null) throw new ApiError(400, [problem]);
      const { id, ...patch } = ruleOfRow(row);
      if (Object.keys(patch).length === 0) throw invalid('', 'at least one field to change beside id');
      const query = parseQuery(storage, parameters.pattern, text, { all: ALL });
      const selection = narrowedTo(query.selection, id, 'rule');
      requireIntent(query, selection);
      const told: JsonObject[] = [];
      await changeSelected({ storage, selection, reading }, exchange, (turn) => {
        const warnings = new WrittenWarnings({ rules, devices, clock, scope: scopeOf(exchange), turn });
        return inBatches(storage, selection, turn, async (ids) => {
          const merged = await rules.merge(storedIds(ids), patch, by);
          if (told.length < WARNINGS_MAX) told.push(...(await warnings.of(merged)));
        });
      });
      response.json(dialect.answer(204, '', told.slice(0, WARNINGS_MAX)));
    },
  });
}

function deletionOf({ rules, reading }: PostRulesParts, dialect: DynDialect): Deletion {
  return {
    dialect,
    role: 'operator',
    concerns: 'organizations',
    operationId: 'deleteRules',
    summary: 'Deletes every rule that matches',
    description: 'Results and counts stay.',
    options: { all: ALL },
    parameters: [ID, CAMPAIGN_ID],
    example: { criteria: { enabled: false, 'condition.modelName': 'HGW' }, id: RULE_EXAMPLE.id },
    refusals: ['409', '507'],
    words: (exchange) => ownRules(exchange, rules).storage,
    async remove(exchange, { selection }) {
      const { storage, storedIds } = ownRules(exchange, rules);
      const by = actorOf(exchange);
      await changeSelected({ storage, selection, reading }, exchange, (turn) =>
        inBatches(storage, selection, turn, (ids) => rules.remove(storedIds(ids), by)),
      );
      exchange.response.json(dialect.answer(204, ''));
    },
  };
}

/** Those that a request sees, as it may see them. */
function shownRules(exchange: Pick<Exchange, 'user' | 'scope'>, rules: Rules): Storage {
  const isAuthor = exchange.user !== null && mayActAs(exchange.user.role, 'operator');
  const { organization, organizations } = scopeOf(exchange);
  const shown = organization === null ? { organizations } : { organization: organization.id };
  return firmwareStorage(rules, shown, isAuthor ? 'author' : 'viewer');
}

/** Those that a request may change: of the organization that it is about, else the installation's own. */
function ownRules(exchange: Pick<Exchange, 'scope'>, rules: Rules) {
  const organization = scopeOf(exchange).organization?.id;
  return {
    storage: firmwareStorage(rules, { organization }),
    storedIds: (ids: readonly string[]): readonly RuleId[] => ids.map((id) => ruleIdIn(organization, id)),
  };
}
