import type { Turn } from '../../common/index.js';
import {
  type Answer,
  type Concern,
  type DynDialect,
  type Exchange,
  failures,
  jsonAnswer,
  openQuery,
  type Parameter,
  type Reading,
  type Route,
  ref,
  route,
} from '../http/index.js';
import type { Role } from '../users/index.js';
import type { Fields } from './fields.js';
import { fieldParameter, type Options } from './parameters.js';
import { parseQuery } from './query.js';
import { readSelected, type Selection, type Storage, selectEntries } from './storage.js';

/** What a storage says of counting. */
export interface Counting {
  readonly dialect: DynDialect;
  readonly role: Role;
  readonly concerns: Concern;
  /** `Rules`: as its operations are called. */
  readonly things: string;
  /** By which its lists can be asked for. */
  readonly fields: Fields;
  /** Parameters by which it is asked for more than a field. Default: none. */
  readonly options?: Pick<Options, 'revision' | 'since' | 'until'>;
  /** Parameters beside these, for the document. */
  readonly parameters?: readonly Parameter[];
  readonly reading: Reading;
  storage(exchange: Pick<Exchange, 'user' | 'scope'>): Storage;
}

/**
 * `GET …/count.*`, so spelt: how many entries a list would have that is asked for in the same words. They are read as for a list, page by
 * page and in a place for lists, and none is held. Where an index knows how many there are in all, none is read for that.
 */
export function countRoute(counting: Counting): Route {
  const { dialect, role, concerns, things, fields, options = {}, parameters = [], reading } = counting;
  return route({
    method: 'GET',
    path: `/v1/dyn/${dialect.name}/count.*`,
    role,
    concerns,
    operationId: `count${things}`,
    summary: 'Counts what a list would have that is asked for by the same fields',
    description:
      'In `details`; 0 where there is nothing. The path is spelt just so: whoever looks for ids that begin with `count` writes another pattern for them, such as `(count.*)`, or names them by `id`.',
    query: openQuery(...Object.values(options), fieldParameter(fields), ...parameters),
    answers: { '200': countAnswer(dialect), ...failures('Answer') },
    async handle(exchange) {
      const storage = counting.storage(exchange);
      const { selection, everything } = parseQuery(storage, '.*', exchange.query, options);
      if (everything && storage.countAll !== undefined) {
        exchange.response.json(dialect.answer(200, await storage.countAll()));
        return;
      }
      const count = await readSelected({ storage, selection, reading }, exchange, (turn, meant) =>
        countSelected(storage, meant, turn),
      );
      exchange.response.json(dialect.answer(200, count));
    },
  });
}

function countAnswer(dialect: DynDialect): Answer {
  const schema = {
    allOf: [ref('Answer'), { properties: { details: { type: 'integer', minimum: 0 } } }],
  };
  return jsonAnswer('How many there are', schema, dialect.answer(200, 2));
}

/** How many entries are selected. */
export async function countSelected(storage: Storage, selection: Selection, turn: Turn): Promise<number> {
  let count = 0;
  for await (const _ of selectEntries(storage, selection, { turn })) count++;
  return count;
}
