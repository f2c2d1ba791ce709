import type { NewBatch, NewWhom } from '../../rollout/index.js';
import type { Condition, Limits } from '../../rules/index.js';
import {
  ApiError,
  type BodyKind,
  type BodySource,
  checkFields,
  chunksOf,
  heldOfJson,
  invalid,
  isObject,
  JSON_TYPE,
  LineSplitter,
  NDJSON,
  type ObjectBody,
  type ObjectDeclaration,
  objectSchema,
  parseJson,
  readJson,
  requireMediaType,
  shortJson,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';

/** Longer than any id of a CPE. */
const CPEID_CHARACTERS_MAX = 512;
/** Of a line: the first has a condition of its own at most, the others one id. */
const LINE_BYTES_MAX = 64 * 1024;
/** A body that is one object. */
const LISTED_MAX = 10_000;
const MORE = `send them as NDJSON (Content-Type: ${NDJSON}), the batch on the first line and a CPE on each of the others: then there may be any number`;

const text = (expected: string, description: string) => ({ type: 'string', expected, description }) as const;
const CPEID = {
  type: 'string',
  minLength: 1,
  maxLength: CPEID_CHARACTERS_MAX,
  untold: ['minLength', 'maxLength'],
  expected: `the id of a CPE, or a serial number, of at most ${CPEID_CHARACTERS_MAX} characters`,
} as const;
const LIMIT = { type: 'integer', minimum: 1, expected: 'a whole number from 1' } as const;

/** What a batch is, but for a list of CPEs. What is said is for the batches to judge; here its types are. */
const PROPERTIES = {
  name: text('a text', 'Of at most 200 characters.'),
  image: text('the name of an image', 'The image that its CPEs are to get.'),
  build: text(
    'the id of a build',
    'Instead, beside `devices`: each CPE gets the image of this build that is for it.',
  ),
  all: {
    type: 'boolean',
    enum: [true],
    expected: 'true, or left out',
    description: 'Every CPE that is known now.',
  },
  condition: {
    type: ['string', 'object'],
    description: 'As that of a rule: whoever meets it, whenever it comes.',
  },
  devices: {
    type: 'string',
    enum: ['build'],
    expected: '"build", or left out',
    description: 'The devices of the build: those with a firmware of its category that do not run it.',
  },
  firmwareless: {
    type: 'boolean',
    expected: 'true or false',
    description: 'Beside `devices`: also CPEs without a firmware that fit one of its images.',
  },
  notBefore: text(
    'a time as in 2026-12-01T02:30:00Z',
    'RFC 3339 with an offset or Z: nothing is sent before.',
  ),
  notAfter: text('a time as in 2026-12-01T04:30:00Z', 'The same: nothing is sent from then on.'),
  persistent: {
    type: 'boolean',
    default: true,
    expected: 'true or false',
    description:
      'CPEs that are away are upgraded when they come; false: what was not sent within an hour fails.',
  },
  limits: {
    type: 'object',
    additionalProperties: false,
    properties: { concurrent: LIMIT, total: LIMIT, stopAfterFailures: LIMIT },
    expected: 'an object with "concurrent", "total" or "stopAfterFailures"',
    description: 'As those of a rule.',
  },
  priority: {
    type: 'integer',
    expected: 'a whole number from -1000000 to 1000000; the larger runs first',
    description: 'As that of a rule; 0 where it is left out.',
  },
  wakePerSecond: {
    type: 'integer',
    expected: 'a whole number from 0 to 1000',
    description: 'How many waiting CPEs a second are called; 10 where it is left out, 0: none is.',
  },
  options: {
    type: 'object',
    additionalProperties: { type: 'boolean', expected: 'true or false' },
    maxProperties: 20,
    untold: ['maxProperties'],
    expected: 'an object of at most 20 fields that are true or false',
    description: 'Whatever its maker wants to remember; nothing goes by it.',
  },
  note: text('a text', 'What is said of it, for people: at most 1000 characters.'),
} as const;

const NAMES = Object.keys(PROPERTIES).join(', ');

const LISTED = {
  properties: {
    ...PROPERTIES,
    cpeids: {
      type: 'array',
      items: CPEID,
      minItems: 1,
      maxItems: LISTED_MAX,
      expected: `an array of 1 to ${LISTED_MAX} ids of CPEs, or serial numbers; of more: ${MORE}`,
      description: 'The CPEs, by their ids or by serial numbers that are only one’s.',
    },
  },
  required: ['name'],
  others: `only ${NAMES}, cpeids`,
  example: { name: 'Gateways of Berlin', image: 'hgw-2.0.0.bin', cpeids: ['00A1B2-HGW-1', '00A1B2-HGW-2'] },
} as const satisfies ObjectDeclaration<Record<string, Record<string, unknown>>, string>;

const FIRST_LINE = {
  properties: PROPERTIES,
  required: ['name'],
  others: `only ${NAMES}: each CPE has a line of its own`,
  example: { name: 'Gateways of Berlin', image: 'hgw-2.0.0.bin' },
} as const satisfies ObjectDeclaration<Record<string, Record<string, unknown>>, string>;

/** What a batch is said to be, and the CPEs of a list as they come. */
export interface SaidBatch {
  readonly batch: NewBatch;
  /** Lets go of what is left of the body. */
  end(): Promise<void>;
}

/** A batch as one JSON object, or as NDJSON: the batch on the first line, a CPE on each of the others, which are read as they are wanted. */
export const batchBody: BodyKind<SaidBatch> = {
  content: {
    [JSON_TYPE]: { schema: objectSchema(LISTED), example: LISTED.example },
    [NDJSON]: {
      schema: {
        description:
          'The batch on the first line, without `cpeids`; on each of the others a CPE, as a text or as {"cpeid": …}.',
        anyOf: [objectSchema(FIRST_LINE), { type: 'object', properties: { cpeid: CPEID } }, CPEID],
      },
    },
  },
  heldBytesMax: (announced, limits) =>
    announced.mediaType === NDJSON
      ? Math.min(announced.bytes, LINE_BYTES_MAX)
      : heldOfJson(announced, limits.bodyBytesMax),
  async read(source) {
    if (requireMediaType(source.request, [JSON_TYPE, NDJSON]) === NDJSON) return readLines(source);
    const size = { bytesMax: source.limits.bodyBytesMax, remedy: MORE };
    const { cpeids, ...said } = checkFields(await readJson(source, size), LISTED, source.user);
    return { batch: { ...fieldsOf(said), whom: whomOf(said, cpeids ?? null) }, end: async () => {} };
  },
};

type Said = ObjectBody<typeof PROPERTIES, 'name'>;

/** @throws ApiError 400 where not just one of `image` and `build` is there */
function fieldsOf(said: Said): Omit<NewBatch, 'whom'> {
  const { name, image, build, notBefore, notAfter, persistent, limits, priority, wakePerSecond, options } =
    said;
  const { note } = said;
  if ((image === undefined) === (build === undefined))
    throw invalid(image === undefined ? 'image' : 'build', 'one of image and build, and only one');
  const what = image === undefined ? { build: build ?? '' } : { image };
  return {
    name,
    what,
    persistent,
    ...(notBefore !== undefined && { notBefore }),
    ...(notAfter !== undefined && { notAfter }),
    ...(priority !== undefined && { priority }),
    ...(wakePerSecond !== undefined && { wakePerSecond }),
    // Each of their fields has been checked to be a number, or true or false.
    ...(limits !== undefined && { limits: limits as Limits }),
    ...(options !== undefined && { options: options as Readonly<Record<string, boolean>> }),
    ...(note !== undefined && { note }),
    through: 'batches',
  };
}

/** Whom it is for, by the one field that says so. @throws ApiError 400 */
function whomOf(said: Said, cpeids: readonly unknown[] | AsyncIterable<string> | null): NewWhom {
  const { all, condition, devices, firmwareless, build } = said;
  const ways = { cpeids: cpeids ?? undefined, all, condition, devices };
  const [way, ...others] = Object.entries(ways)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (way === undefined || others.length > 0)
    throw invalid(others[0] ?? 'cpeids', `one of ${Object.keys(ways).join(', ')}, and only one`);
  if (devices !== undefined && build === undefined)
    throw invalid('devices', 'left out where there is no build: an image alone has no devices');
  if (devices === undefined && build !== undefined)
    throw invalid('build', 'an image, or "devices": "build" beside it: a build is for its own devices');
  if (firmwareless !== undefined && devices === undefined)
    throw invalid('firmwareless', 'left out, or beside "devices": "build"');
  if (cpeids !== null) return { kind: 'list', cpeids: cpeids as readonly string[] | AsyncIterable<string> };
  if (all !== undefined) return { kind: 'all' };
  if (devices !== undefined) return { kind: 'build', firmwareless: firmwareless ?? false };
  if (typeof condition !== 'string' && !isObject(condition))
    throw invalid(
      'condition',
      'a condition as that of a rule: an object, or a JSONata expression',
      condition,
    );
  return { kind: 'condition', condition: condition as Condition };
}

async function readLines({ request, limits, user }: BodySource): Promise<SaidBatch> {
  const lines = linesOf(chunksOf(request, limits.bodyMsMax), limits);
  const end = async () => void (await lines.return(undefined));
  try {
    const first = await lines.next();
    if (first.done === true)
      throw invalid('', 'the batch on the first line, and a CPE on each of the others');
    const said = checkFields(first.value.value, FIRST_LINE, user);
    return { batch: { ...fieldsOf(said), whom: whomOf(said, cpeidsOf(lines)) }, end };
  } catch (error) {
    await end();
    throw error;
  }
}

interface Line {
  readonly number: number;
  readonly value: unknown;
}

/** @throws ApiError 400 for a line that is too long, or no JSON; 408 */
async function* linesOf(chunks: AsyncIterable<Buffer>, limits: NbiLimits): AsyncGenerator<Line, undefined> {
  const splitter = new LineSplitter(LINE_BYTES_MAX);
  const read = (number: number, bytes: Buffer | null): unknown => {
    if (bytes !== null) return parseJson(bytes, limits, number);
    throw ofLine(number, '', `at most ${LINE_BYTES_MAX} bytes a line`);
  };
  for await (const chunk of chunks)
    for (const { number, bytes } of splitter.push(chunk)) yield { number, value: await read(number, bytes) };
  for (const { number, bytes } of splitter.end()) yield { number, value: await read(number, bytes) };
}

async function* cpeidsOf(lines: AsyncIterable<Line>): AsyncGenerator<string> {
  let isEmpty = true;
  for await (const { number, value } of lines) {
    const cpeid = isObject(value) ? value['cpeid'] : value;
    if (typeof cpeid !== 'string' || cpeid === '' || cpeid.length > CPEID_CHARACTERS_MAX)
      throw ofLine(number, 'cpeid', CPEID.expected, value);
    isEmpty = false;
    yield cpeid;
  }
  if (isEmpty) throw invalid('cpeid', 'at least one CPE, on a line of its own behind the first');
}

function ofLine(line: number, field: string, expected: string, found?: unknown): ApiError {
  return new ApiError(400, [
    { field, expected, line, ...(found !== undefined && { found: shortJson(found) }) },
  ]);
}
