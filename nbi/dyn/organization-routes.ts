import type { OrganizationId } from '../../common/index.js';
import type { Organizations } from '../../organizations/index.js';
import {
  ApiError,
  actorOf,
  anyObjectBody,
  closedQuery,
  type DynDialect,
  failures,
  invalid,
  type JsonObject,
  openQuery,
  type Reading,
  type Route,
  route,
  withinOf,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { doneAnswer, listAnswer, nothingAnswer } from './answers.js';
import { changeSelected, inBatches, narrowedTo, requireIntent } from './changes.js';
import { countRoute } from './count-route.js';
import { type Deletion, deletionRoutes } from './deletion-routes.js';
import { parseIdPattern } from './id-pattern.js';
import { sendSelected } from './list.js';
import { ORGANIZATION_FIELDS, organizationStorage, organizationView } from './organization-storage.js';
import { ALL, fieldParameter, listOptions, PATTERN, PATTERN_OF_SOME } from './parameters.js';
import { parseQuery } from './query.js';
import { shownAlready, withoutShown } from './shown-rows.js';

export interface OrganizationRouteParts {
  readonly organizations: Organizations;
  readonly limits: NbiLimits;
  readonly reading: Reading;
}

const PATH = '/v1/dyn/OrganizationStorage/{pattern}';
const EXAMPLE = {
  name: 'North Ltd',
  slug: 'north',
  rules: [{ subnet: '192.0.2.0/24' }, { username: 'north-*' }],
};

/** What a list shows of one and nobody says. */
const SHOWN = ['isDefault', 'created'];

/** The organizations: they are listed, added, changed and deleted. */
export function organizationRoutes(parts: OrganizationRouteParts, dialect: DynDialect): Route[] {
  const { organizations, reading } = parts;
  return [
    listRoute(parts, dialect),
    countRoute({
      dialect,
      fields: ORGANIZATION_FIELDS,
      role: 'viewer',
      concerns: 'organizations',
      things: 'Organizations',
      reading,
      storage: (exchange) => organizationStorage(organizations, withinOf(exchange)),
    }),
    postRoute(parts, dialect),
    putRoute(parts, dialect),
    ...deletionRoutes(deletionOf(parts, dialect)),
  ];
}

function listRoute({ organizations, limits, reading }: OrganizationRouteParts, dialect: DynDialect): Route {
  const options = listOptions(limits.storagePageItemsMax, ORGANIZATION_FIELDS);
  return route({
    method: 'GET',
    path: PATH,
    parameters: [PATTERN],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listOrganizations',
    summary: 'Lists the organizations, in the order in which their rules are looked at',
    query: openQuery(...Object.values(options), fieldParameter(ORGANIZATION_FIELDS)),
    answers: {
      '200': listAnswer('The organizations', 'Organization'),
      ...failures('Answer'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const storage = organizationStorage(organizations, withinOf(exchange));
      const query = parseQuery(storage, exchange.parameters.pattern, exchange.query, options);
      await sendSelected(exchange, storage, query, dialect, { limits, reading });
    },
  });
}

function postRoute({ organizations, reading }: OrganizationRouteParts, dialect: DynDialect): Route {
  return route({
    method: 'POST',
    path: PATH,
    parameters: [PATTERN],
    role: 'admin',
    concerns: 'installation',
    operationId: 'addOrganization',
    summary: 'Adds an organization, and answers with it',
    description:
      '`name` and `slug` must be there; an `id`, a UUID of version 4, may be. One whose id or slug is taken is a conflict (409): PUT changes what there is. Just what the list shows changes nothing.',
    query: closedQuery(),
    body: anyObjectBody(EXAMPLE),
    answers: {
      '200': listAnswer('The organization', 'Organization'),
      ...failures('Answer', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { response, parameters, body } = exchange;
      const pattern = parseIdPattern(parameters.pattern);
      const said = await body();
      if (typeof said['id'] === 'string' && !pattern.matches(said['id']))
        throw invalid('id', 'an id that matches the pattern in the path; .* takes every id', said['id']);
      const storage = organizationStorage(organizations, null);
      const there = await shownAlready(storage, said, reading.turn(exchange));
      const add = async () =>
        organizationView(await organizations.add(withoutShown(said, SHOWN), actorOf(exchange)));
      response.json(dialect.answer(200, [there ?? (await add())]));
    },
  });
}

function putRoute({ organizations, reading }: OrganizationRouteParts, dialect: DynDialect): Route {
  return route({
    method: 'PUT',
    path: PATH,
    parameters: [PATTERN_OF_SOME],
    role: 'admin',
    concerns: 'organizations',
    operationId: 'changeOrganizations',
    summary: 'Merges fields into every organization that matches',
    description:
      '`name`, `slug`, `active`, `order` and `rules`, which are replaced as a whole. An id in the body narrows what is changed. Each is changed by itself. A slug that is taken or that names of others’ users end in, and the default deactivated, are conflicts (409). Within an organization `name` alone may be changed (403).',
    query: openQuery(ALL, fieldParameter(ORGANIZATION_FIELDS)),
    body: anyObjectBody({ active: false }),
    answers: {
      '200': doneAnswer('Changed', dialect),
      ...failures('Answer', '409', '413', '415', '507'),
      '404': nothingAnswer(dialect),
    },
    async handle(exchange) {
      const { response, parameters, query: text } = exchange;
      const { id, ...patch } = await exchange.body();
      if (Object.keys(patch).length === 0) throw invalid('', 'at least one field to change beside id');
      const within = withinOf(exchange);
      if (within !== null) requireOwnFields(patch);
      const storage = organizationStorage(organizations, within);
      const query = parseQuery(storage, parameters.pattern, text, { all: ALL });
      const selection = narrowedTo(query.selection, id, 'organization');
      requireIntent(query, selection);
      await changeSelected({ storage, selection, reading }, exchange, (turn) =>
        inBatches(storage, selection, turn, async (ids) => {
          for (const each of ids) await organizations.change(toId(each), patch, actorOf(exchange));
        }),
      );
      response.json(dialect.answer(204, ''));
    },
  });
}

function deletionOf({ organizations, reading }: OrganizationRouteParts, dialect: DynDialect): Deletion {
  const storage = organizationStorage(organizations, null);
  return {
    dialect,
    role: 'admin',
    concerns: 'installation',
    operationId: 'deleteOrganizations',
    summary: 'Deletes every organization that matches',
    description:
      'Refused (409) for the default, and for one that CPEs, users, rules, images or categories of them belong to: deactivate it instead. Each is deleted by itself, in their order, up to the first that is refused.',
    options: { all: ALL },
    parameters: [fieldParameter(ORGANIZATION_FIELDS)],
    example: { criteria: { slug: 'north' }, id: '00000000-0000-4000-8000-000000000001' },
    refusals: ['409', '507'],
    words: () => storage,
    async remove(exchange, { selection }) {
      await changeSelected({ storage, selection, reading }, exchange, (turn) =>
        inBatches(storage, selection, turn, async (ids) => {
          for (const each of ids) await organizations.remove(toId(each), actorOf(exchange));
        }),
      );
      exchange.response.json(dialect.answer(204, ''));
    },
  };
}

const INSTALLATIONS: ReadonlySet<string> = new Set(['slug', 'active', 'order', 'rules']);

/** @throws ApiError 403, field by field, where one is said that is the installation's to say */
function requireOwnFields(patch: JsonObject): void {
  const problems = Object.keys(patch)
    .filter((field) => INSTALLATIONS.has(field))
    .map((field) => ({
      field,
      code: 'installation-only',
      expected: 'as it is: an admin of the installation changes it, and names no organization meanwhile',
    }));
  if (problems.length > 0) throw new ApiError(403, problems);
}

// The storage has just given these ids.
const toId = (id: string) => id as OrganizationId;
