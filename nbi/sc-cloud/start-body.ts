import { type BodyKind, heldOfJson, isObject, JSON_TYPE, readJson, shortJson } from '../http/index.js';
import { CODES } from './codes.js';
import { CloudError } from './dialect.js';
import { NUMBER } from './number-parameter.js';

/** Who is to get what. */
export interface StartBody {
  /** As they were named, each once. */
  readonly sn: readonly string[];
  /** The number of an image. */
  readonly firmware: number;
}

export const DEVICES_MAX = 10_000;
/** A cpeid has no more. */
const SN_CHARACTERS_MAX = 400;
/** As many names as may be of the length that they usually have, with room. */
const BYTES_MAX = 1024 * 1024;
const SN_EXPECTED = `1 to ${DEVICES_MAX} serial numbers or cpeids, each once`;

const EXAMPLE = { sn: ['A302190930002'], 'firmware-id': 21 };

/** The body of `upgrade/start`. Other fields are passed over. */
export const startBody: BodyKind<StartBody> = {
  content: {
    [JSON_TYPE]: {
      schema: {
        type: 'object',
        required: ['sn', 'firmware-id'],
        properties: {
          sn: {
            type: 'array',
            minItems: 1,
            maxItems: DEVICES_MAX,
            uniqueItems: true,
            items: { type: 'string', minLength: 1, maxLength: SN_CHARACTERS_MAX },
          },
          'firmware-id': { type: 'integer', description: '`id` of get-all-firmwares.' },
        },
      },
      example: EXAMPLE,
    },
  },
  heldBytesMax: (announced) => heldOfJson(announced, BYTES_MAX),
  async read(source) {
    const body = await readJson(source, { bytesMax: BYTES_MAX, remedy: 'name fewer devices at a time' });
    if (!isObject(body)) throw wrong('', 'a JSON object', body);
    const { sn, 'firmware-id': firmware } = body;
    return { sn: namesIn(sn), firmware: numberIn(firmware) };
  },
};

/** @throws CloudError */
function namesIn(sn: unknown): readonly string[] {
  if (!Array.isArray(sn) || sn.length === 0 || sn.length > DEVICES_MAX) throw wrong('sn', SN_EXPECTED, sn);
  const names = new Set<string>();
  for (const name of sn) {
    const isName = typeof name === 'string' && name !== '' && name.length <= SN_CHARACTERS_MAX;
    if (!isName || names.has(name)) throw wrong('sn', SN_EXPECTED, name);
    names.add(name);
  }
  return [...names];
}

/** @throws CloudError */
function numberIn(firmware: unknown): number {
  if (typeof firmware === 'number' && Number.isInteger(firmware)) return firmware;
  throw wrong('firmware-id', NUMBER.expected, firmware);
}

function wrong(field: string, expected: string, found: unknown): CloudError {
  return new CloudError(CODES.wrongBody, field, `${expected}; found ${shortJson(found)}`);
}
