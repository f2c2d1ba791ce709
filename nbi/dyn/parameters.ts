import { type Parameter, queryParameter, type Schema } from '../http/index.js';
import { OFFSET_ITEMS_MAX } from '../limits.js';
import type { Fields, FieldType } from './fields.js';

export const PATTERN = {
  name: 'pattern',
  in: 'path',
  required: true,
  schema: { type: 'string', format: 're2' },
  example: '.*',
  description:
    'A regular expression (RE2 syntax) matched against the whole id of each entry: .* is all. A literal, literals separated by |, or a literal beginning are looked up in the index.',
} as const satisfies Parameter;

/** The same of what changes or deletes, where that of all entries asks for more than the pattern. */
export const PATTERN_OF_SOME = {
  ...PATTERN,
  example: 'UPGRADE_00A1B2-HGW-1',
} as const satisfies Parameter;

const AFTER = queryParameter(
  'after',
  'Where the page before ended: what its X-Next-After header said (Link has the whole URL).',
);

const OFFSET = queryParameter(
  'offset',
  'So many entries of the list come before the first that is sent. All of them are read: whoever wants many pages goes on by `after`, beside which it is refused, and by which Link names the next page.',
  {
    type: 'integer',
    minimum: 0,
    maximum: OFFSET_ITEMS_MAX,
    expected: `0 to ${OFFSET_ITEMS_MAX}; go on by after, as Link says`,
  },
);

function sortOf(fields: Fields) {
  const names = Object.keys(fields).filter((path) => !path.includes('.'));
  return queryParameter('sort', 'A top-level field, with - before it for descending.', {
    type: 'string',
    enum: names.flatMap((name) => [name, `-${name}`]),
  });
}

/** Parameters of every list. */
export function listOptions(pageItemsMax: number, fields: Fields) {
  const limit = queryParameter('limit', 'Entries a page; without it the whole list is sent.', {
    type: 'integer',
    minimum: 1,
    maximum: pageItemsMax,
    expected: `1 to ${pageItemsMax}; without limit the whole list is sent`,
  });
  return { limit, offset: OFFSET, after: AFTER, sort: sortOf(fields) };
}

const FIELD_SCHEMAS: Readonly<Record<FieldType, Schema>> = {
  string: { type: 'string' },
  number: { type: 'number' },
  time: { type: 'integer', description: 'In epoch seconds.' },
  boolean: { type: 'boolean' },
  any: { type: 'string' },
};

/** Stands for the fields that a list can be asked for by. */
export function fieldParameter(fields: Fields): Parameter {
  const all = Object.entries(fields);
  const below = all.filter(([path]) => path.endsWith('.*'));
  const just = all.filter(([path]) => !path.endsWith('.*'));
  return {
    name: 'field',
    in: 'query',
    description:
      'Any field by its dotted path, e.g. `enabled=true`, `result.code=500`. Equality; repeated: any of; on an array field: any element. Numbers compare too, as in `priority<5`, and times by epoch seconds or written out, as in `lastInform<=2026-11-29T00:00:00Z`.',
    schema: {
      type: 'object',
      properties: Object.fromEntries(just.map(([path, type]) => [path, FIELD_SCHEMAS[type]])),
      patternProperties: Object.fromEntries(
        below.map(([path, type]) => [`^${path.slice(0, -2)}\\..`, FIELD_SCHEMAS[type]]),
      ),
      additionalProperties: false,
    },
    style: 'form',
    explode: true,
  };
}

export const ALL = queryParameter('all', 'Must be true where every entry is meant.', {
  type: 'boolean',
  expected: 'true or false',
});

export const REVISION = queryParameter(
  'revision',
  'current: results of the file and target that their rule has now, and of rules that are gone; all: every one. A result asked for by its own id is always shown.',
  {
    enum: ['current', 'all'],
    default: 'current',
    expected: 'current (the file and target the rule has now) or all',
  },
);

export const PARAMETERS = queryParameter(
  'parameters',
  'true: with the data model; for a selection of one CPE.',
  { type: 'boolean', expected: 'true or false' },
);

export const DRY_RUN = queryParameter('dryRun', 'true: counts what would be deleted, and deletes nothing.', {
  type: 'boolean',
  expected: 'true or false',
});

export const CASCADE = queryParameter('cascade', 'true: with what is in them.', {
  type: 'boolean',
  expected: 'true or false',
});

/** Beside `Accept`, for whoever cannot say it, as a link. */
export const FORMAT = queryParameter('format', 'How the list is written; without it as Accept says.', {
  enum: ['json', 'ndjson', 'csv'],
  expected: 'json, ndjson or csv',
});

const A_TIME = 'epoch seconds, or a time as in 2026-11-29T00:00:00Z';
const TIME = { anyOf: [{ type: 'number' }, { type: 'string', format: 'date-time' }] } as const;
export const SINCE = queryParameter('since', `Not before then: ${A_TIME}.`, TIME);
export const UNTIL = queryParameter('until', `Before then: ${A_TIME}.`, TIME);

/** The query parameters that are not fields, as far as a call takes them. */
export interface Options extends Partial<ReturnType<typeof listOptions>> {
  readonly all?: typeof ALL;
  readonly revision?: typeof REVISION;
  readonly parameters?: typeof PARAMETERS;
  readonly dryRun?: typeof DRY_RUN;
  readonly cascade?: typeof CASCADE;
  readonly format?: typeof FORMAT;
  readonly since?: typeof SINCE;
  readonly until?: typeof UNTIL;
}
