import {
  ApiError,
  closedQuery,
  failures,
  jsonAnswer,
  linkNext,
  ownerShown,
  type Parameter,
  queryParameter,
  type Route,
  ref,
  route,
  scopeOf,
  withinOf,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { mayActAs } from '../users/index.js';
import { dialect, ITEM_PATH, LIST_PATH, sessionView } from './session.js';
import type { UserSessions } from './user-sessions.js';

const PAGE_ITEMS_DEFAULT = 100;
const ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string', pattern: '^[0-9a-f]{32}$' },
} as const satisfies Parameter;

/** `GET /v1/sessions` */
export function listRoute(sessions: UserSessions, { pageItemsMax }: NbiLimits): Route {
  return route({
    method: 'GET',
    path: LIST_PATH,
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listSessions',
    summary: "Lists sessions: one's own, and by admins everybody's or another user's",
    description: 'Within an organization those of its users alone.',
    query: closedQuery(
      queryParameter('user', "Whose; without it one's own, and for admins everybody's.", {
        type: 'string',
        minLength: 1,
        maxLength: 64,
        expected: 'the name of a user',
      }),
      queryParameter('limit', "Of everybody's, sessions a page.", {
        type: 'integer',
        minimum: 1,
        maximum: pageItemsMax,
        default: PAGE_ITEMS_DEFAULT,
        expected: `1 to ${pageItemsMax}`,
      }),
      queryParameter(
        'after',
        "Of everybody's, the last id of the page before; Link and X-Next-After tell it.",
        {
          type: 'string',
          pattern: ID.schema.pattern,
          expected: 'the id of a session',
        },
      ),
    ),
    answers: {
      '200': jsonAnswer('The sessions, of one user the oldest first, else by id', {
        allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref('Session') } } }],
      }),
      ...failures('Answer', '404'),
    },
    async handle(exchange) {
      const { request, response, user, query } = exchange;
      const { user: name, limit, after } = query;
      const within = withinOf(exchange);
      if (user === null) throw new ApiError(401);
      const isAdmin = mayActAs(user.role, 'admin');
      if (!isAdmin && name !== undefined && name !== user.name) {
        throw new ApiError(403, [
          { field: 'user', expected: `${user.name}: only admins see the sessions of others` },
        ]);
      }
      const whose = name ?? (isAdmin ? null : user.name);
      const page =
        whose === null
          ? await sessions.page(limit, after, within)
          : { items: await sessions.ofUser(whose, within), hasMore: false };
      const last = page.items.at(-1)?.id;
      if (page.hasMore && last !== undefined) linkNext(request, response, last);
      const views = page.items.map((each) => ({
        ...sessionView(each, sessions.lifeOf(each), each.id === user.credential),
        ...ownerShown(scopeOf(exchange), each),
      }));
      response.json(dialect.answer(200, views));
    },
  });
}

/** `DELETE /v1/sessions/{id}` */
export function revokeRoute(sessions: UserSessions): Route {
  return route({
    method: 'DELETE',
    path: ITEM_PATH,
    parameters: [ID],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'revokeSession',
    summary: "Ends a session, on all nodes at once: one's own, and by admins anybody's",
    query: closedQuery(),
    answers: {
      '200': jsonAnswer('Ended', ref('Answer'), dialect.answer(204, '')),
      ...failures('Answer', '404', '507'),
    },
    async handle(exchange) {
      const { response, user, by, parameters } = exchange;
      const { id } = parameters;
      if (user === null || by === null) throw new ApiError(401);
      // Another's is as unknown as one that never was.
      const whose = { user: mayActAs(user.role, 'admin') ? null : user.name, within: withinOf(exchange) };
      const isThere =
        new RegExp(ID.schema.pattern).test(id) && (await sessions.end(id, 'revoked', by, whose));
      if (!isThere) throw new ApiError(404);
      response.json(dialect.answer(204, ''));
    },
  });
}
