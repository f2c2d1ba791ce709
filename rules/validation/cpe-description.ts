import { Ajv, type ValidateFunction } from 'ajv';
import { epochMsOf, ZONED_TIME_PATTERN } from '../../common/index.js';
import { type LocatedProblem, problemsOf } from './validate.js';

/** Longer than anything a session keeps of these. */
const TEXT_CHARACTERS_MAX = 400;
const LIST_ITEMS_MAX = 1_000;
const PARAMETERS_MAX = 10_000;

const text = (description: string) =>
  ({ type: 'string', maxLength: TEXT_CHARACTERS_MAX, description }) as const;
const texts = (description: string) =>
  ({
    type: 'array',
    maxItems: LIST_ITEMS_MAX,
    items: text(`a text of at most ${TEXT_CHARACTERS_MAX} characters`),
    description,
  }) as const;

/** JSON Schema of a time; {@link ajvWithTimes} knows its format. */
export const timeSchema = (what: string) =>
  ({
    type: 'string',
    maxLength: 40,
    format: 'date-time',
    pattern: ZONED_TIME_PATTERN,
    description: `${what}: a time with its zone such as "2026-01-31T02:30:00+01:00"`,
  }) as const;

/**
 * JSON Schema of a CPE that is described rather than known: the fields that a condition sees. It is one in a test of rules, in a file for
 * `ferry rules explain` and in the body of ExplainRules; what is left out means the same in all of them.
 */
export const CPE_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  properties: {
    cpeid: text('OUI-ProductClass-SerialNumber as a text; what identifies the CPE is then taken from it'),
    oui: text('the OUI it reports, a text; left out, 00A1B2'),
    productClass: text('the ProductClass it reports, a text; left out, HGW'),
    serialNumber: text('the SerialNumber it reports, a text; left out, 1'),
    manufacturer: text('the Manufacturer it reports, a text; left out, an empty one'),
    modelName: text('its ModelName, a text; leave it out where it has reported none'),
    softwareVersion: text('its SoftwareVersion, a text; leave it out where it has reported none'),
    hardwareVersion: text('its HardwareVersion, a text; leave it out where it has reported none'),
    events: texts('the event codes of its Inform, a list such as ["1 BOOT"]; left out, ["2 PERIODIC"]'),
    tags: texts('its tags, a list of texts; left out, none'),
    organization: text('the slug of the organization that it belongs to, a text; left out, default'),
    ip: text('where its Inform comes from, an address as a text; left out, 192.0.2.1'),
    identity: {
      type: 'object',
      additionalProperties: false,
      properties: { proven: { type: 'boolean', description: 'true or false; left out, false' } },
      required: ['proven'],
      description: 'whether it has proved who it is: {"proven": true}; left out, it has not',
    },
    lastInform: timeSchema('when it informed last; left out, now'),
    registered: timeSchema('when it was first heard of; left out, now'),
    parameters: {
      type: 'object',
      maxProperties: PARAMETERS_MAX,
      additionalProperties: {
        type: ['string', 'number', 'boolean', 'object'],
        description: 'a text, a number, true or false, or an object of those',
      },
      description:
        'what is known of its data model, by full name ({"Device.X.Y": 1}) or as a tree ({"Device": {"X": {"Y": 1}}})',
    },
  },
  description:
    'an object with what is known of the CPE, such as {"productClass": "HGW", "softwareVersion": "1.0.0"}',
} as const;

/** A CPE as whoever writes of it describes it; what it leaves out is filled in. */
export interface CpeFields {
  readonly cpeid?: string;
  readonly oui?: string;
  readonly productClass?: string;
  readonly serialNumber?: string;
  readonly manufacturer?: string;
  readonly modelName?: string;
  readonly softwareVersion?: string;
  readonly hardwareVersion?: string;
  readonly events?: readonly string[];
  readonly tags?: readonly string[];
  readonly organization?: string;
  readonly ip?: string;
  readonly identity?: { readonly proven: boolean };
  readonly lastInform?: string;
  readonly registered?: string;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export type ParsedCpe =
  | { readonly parsed: true; readonly fields: CpeFields }
  | { readonly parsed: false; readonly problems: readonly LocatedProblem[] };

/** An ajv for schemas with times: a pattern alone cannot tell that there is no 31 February. */
export function ajvWithTimes(): Ajv {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true, verbose: true });
  return ajv.addFormat('date-time', (time: string) => epochMsOf(time) !== null);
}

/** Compiled when it is first needed: most processes never are told of a CPE. */
let compiled: ValidateFunction<CpeFields> | null = null;

/** Holds a description to {@link CPE_SCHEMA}. */
export function parseCpe(description: unknown): ParsedCpe {
  compiled ??= ajvWithTimes().compile<CpeFields>(CPE_SCHEMA);
  if (compiled(description)) return { parsed: true, fields: description };
  return { parsed: false, problems: problemsOf(compiled.errors ?? []) };
}
