import {
  anyObjectBody,
  type Concern,
  check,
  closedQuery,
  type DynDialect,
  type Exchange,
  failures,
  type JsonObject,
  openQuery,
  type Parameter,
  type Route,
  route,
  textListBody,
} from '../http/index.js';
import { IDS_DELETED_MAX } from '../limits.js';
import type { Role } from '../users/index.js';
import { doneAnswer, nothingAnswer } from './answers.js';
import { requireIntent } from './changes.js';
import { onlyKeys } from './id-pattern.js';
import { type ALL, type CASCADE, type DRY_RUN, PATTERN_OF_SOME, type REVISION } from './parameters.js';
import { parseQuery, type Query, selectionOf } from './query.js';
import type { Words } from './storage.js';

/** What deleting knows of a request. */
export type Deleting = Pick<Exchange, 'request' | 'response' | 'user' | 'by' | 'scope' | 'over'>;

/** What is deleted of a storage, and how. */
export interface Deletion {
  readonly dialect: DynDialect;
  readonly role: Role;
  readonly concerns: Concern;
  readonly operationId: string;
  readonly summary: string;
  /** What all three calls have in common. */
  readonly description: string;
  readonly options: {
    readonly all: typeof ALL;
    readonly dryRun?: typeof DRY_RUN;
    readonly cascade?: typeof CASCADE;
    readonly revision?: typeof REVISION;
  };
  /** Parameters beside the options, for the document. */
  readonly parameters: readonly Parameter[];
  readonly example: { readonly criteria: Readonly<Record<string, unknown>>; readonly id: string };
  /** What is done with what is deleted, as an answer. Default: nothing more is said of it. */
  readonly done?: ReturnType<typeof doneAnswer>;
  readonly refusals: readonly ('409' | '507')[];
  words(exchange: Deleting): Words;
  /** Deletes what is meant, and answers. @throws ApiError 404 where nothing is selected */
  remove(exchange: Deleting, query: Query): Promise<void>;
}

/**
 * `DELETE …/{pattern}`, `POST …/delete_objects` and `POST …/delete_objects_by_id`: three ways to say what is deleted, by the same roles and
 * with the same refusals. Everything is deleted only where `all=true` says so.
 */
export function deletionRoutes(deletion: Deletion): Route[] {
  return [byPattern(deletion), byCriteria(deletion), byIds(deletion)];
}

function byPattern(deletion: Deletion): Route {
  const { dialect, role, concerns, operationId, summary, description, options, refusals } = deletion;
  return route({
    method: 'DELETE',
    path: `/v1/dyn/${dialect.name}/{pattern}`,
    parameters: [PATTERN_OF_SOME],
    role,
    concerns,
    operationId,
    summary,
    description,
    query: openQuery(...Object.values(options), ...deletion.parameters),
    answers: {
      '200': doneOf(deletion),
      ...failures('Answer', ...refusals),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const query = parseQuery(
        deletion.words(exchange),
        exchange.parameters.pattern,
        exchange.query,
        options,
      );
      requireIntent(query, query.selection);
      await deletion.remove(exchange, query);
    },
  });
}

function byCriteria(deletion: Deletion): Route {
  const { dialect, operationId, example, summary, description } = deletion;
  return route({
    ...posted(deletion),
    path: `/v1/dyn/${dialect.name}/delete_objects`,
    operationId: `${operationId}ByFields`,
    summary: `${summary} an object of fields`,
    description: `Each key of the body is what a query of the list could ask for: a field by its dotted path (\`condition.cpeid\`), \`id\`, or a comparison (\`priority<\`, \`lastInform<=\`). Its value is one of the field's type, or an array of them, of which an entry must have one. An unknown key is refused (400), and so is \`{}\` unless \`all=true\` says that everything is meant. ${description}`,
    body: anyObjectBody(example.criteria),
    async handle(exchange) {
      const words = deletion.words(exchange);
      const body = await exchange.body();
      const said = parseQuery(words, EVERYTHING, exchange.query, deletion.options);
      const { selection, everything } = selectionOf(words, withoutRevision(deletion, body));
      const everyRevision = said.selection.everyRevision || asksForEveryRevision(deletion, body);
      const query = { ...said, everything, selection: { ...selection, everyRevision } };
      requireIntent(query, query.selection);
      await deletion.remove(exchange, query);
    },
  });
}

function byIds(deletion: Deletion): Route {
  const { dialect, operationId, example, summary, description } = deletion;
  return route({
    ...posted(deletion),
    path: `/v1/dyn/${dialect.name}/delete_objects_by_id`,
    operationId: `${operationId}ById`,
    summary: `${summary} a list of ids`,
    description: `An array of at most ${IDS_DELETED_MAX.toLocaleString('en')} ids of entries, whole and not patterns. Ids of which there is no entry are passed over; where there is none of any, that is a 404. \`[]\` is refused (400) unless \`all=true\` says that everything is meant. ${description}`,
    body: textListBody('ids', IDS_DELETED_MAX, [example.id]),
    async handle(exchange) {
      const ids = await exchange.body();
      const said = parseQuery(deletion.words(exchange), EVERYTHING, exchange.query, deletion.options);
      const pattern = ids.length === 0 ? said.selection.pattern : onlyKeys(ids);
      const query = { ...said, everything: pattern.all, selection: { ...said.selection, pattern } };
      requireIntent(query, query.selection);
      await deletion.remove(exchange, query);
    },
  });
}

/** What the calls that are posted have in common. */
function posted(deletion: Deletion) {
  const { dialect, role, concerns, options, refusals } = deletion;
  const closed = closedQuery(...Object.values(options));
  return {
    method: 'POST',
    role,
    concerns,
    query: {
      parameters: closed.parameters,
      read(query: URLSearchParams): URLSearchParams {
        closed.read(query);
        return query;
      },
    },
    answers: {
      '200': doneOf(deletion),
      ...failures('Answer', ...refusals, '413', '415'),
      '404': nothingAnswer(dialect),
    },
  } as const;
}

function doneOf({ done, dialect }: Deletion): ReturnType<typeof doneAnswer> {
  return done ?? doneAnswer('Deleted', dialect);
}

const EVERYTHING = '.*';

/** As in the query of a list it is asked for beside the fields. */
function withoutRevision({ options }: Deletion, body: JsonObject): JsonObject {
  const { revision: _, ...criteria } = body;
  return options.revision === undefined ? body : criteria;
}

function asksForEveryRevision({ options: { revision } }: Deletion, body: JsonObject): boolean {
  const said = body['revision'];
  if (revision === undefined || said === undefined) return false;
  return check(revision.schema, revision.name, said) === 'all';
}
