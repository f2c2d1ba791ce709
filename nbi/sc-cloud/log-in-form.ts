import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import {
  type BodyKind,
  invalid,
  isObject,
  JSON_TYPE,
  parseJson,
  readWholeBody,
  requireMediaType,
} from '../http/index.js';

/** What a form of this API says, by name. */
export type FormFields = ReadonlyMap<string, string>;

const PARTS_TYPE = 'multipart/form-data';
const URLENCODED_TYPE = 'application/x-www-form-urlencoded';
const TYPES = [PARTS_TYPE, URLENCODED_TYPE, JSON_TYPE] as const;
/** A name and a digest, with what stands around them. */
const BYTES_MAX = 16 * 1024;
const FIELDS_MAX = 16;
const HEADERS_MAX = 16;

/** A few short fields: as the document has it a form in parts; a form as pages send it, or a JSON object, will do. */
export function logInForm(fields: readonly string[]): BodyKind<FormFields> {
  const properties = Object.fromEntries(fields.map((name) => [name, { type: 'string' }]));
  const schema = { type: 'object', required: fields, properties };
  return {
    content: Object.fromEntries(TYPES.map((type) => [type, { schema }])),
    heldBytesMax: ({ bytes }) => Math.min(bytes, BYTES_MAX),
    async read({ request, limits }) {
      const type = requireMediaType(request, TYPES);
      const body = await readWholeBody(request, limits, { bytesMax: BYTES_MAX, remedy: 'shorten the form' });
      if (!isUtf8(body)) throw invalid('', 'a form in UTF-8');
      if (type === PARTS_TYPE) return partsOf(request, body);
      if (type === URLENCODED_TYPE) return fieldsOf(new URLSearchParams(body.toString()));
      const value = await parseJson(body, limits);
      if (!isObject(value)) throw invalid('', 'a JSON object as the body', value);
      return fieldsOf(
        Object.entries(value).filter((each): each is [string, string] => typeof each[1] === 'string'),
      );
    },
  };
}

/** @throws ApiError 400 where one comes twice: nobody knows which is meant */
function fieldsOf(pairs: Iterable<readonly [string, string]>): FormFields {
  const fields = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (fields.has(name)) throw invalid(name.slice(0, 100), 'this field once');
    fields.set(name, value);
  }
  return fields;
}

/** The fields of a form that is in memory. @throws ApiError 400 */
function partsOf(request: IncomingMessage, body: Buffer): Promise<FormFields> {
  return new Promise((resolve, reject) => {
    const pairs: [string, string][] = [];
    const refuse = (expected: string) => reject(invalid('body', expected));
    const parser = parserOf(request);
    if (parser === null) return refuse(`${PARTS_TYPE} with a boundary`);
    parser.on('field', (name: string | undefined, value) => {
      if (name === undefined) refuse('a name for each field');
      else pairs.push([name, value]);
    });
    parser.on('file', (_name, stream) => {
      stream.on('error', () => {});
      stream.resume();
      refuse('fields without files');
    });
    for (const limit of ['partsLimit', 'fieldsLimit', 'filesLimit'] as const)
      parser.on(limit, () => refuse(`at most ${FIELDS_MAX} fields`));
    parser.on('error', (error) =>
      refuse(`a whole form: ${error instanceof Error ? error.message : String(error)}`),
    );
    parser.on('finish', () => {
      try {
        resolve(fieldsOf(pairs));
      } catch (error) {
        reject(error);
      }
    });
    parser.end(body);
  });
}

/** Null where nothing says where its parts begin. */
function parserOf(request: IncomingMessage): BusboyInstance | null {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: {
        fields: FIELDS_MAX,
        files: 1,
        parts: FIELDS_MAX,
        fieldSize: BYTES_MAX,
        headerPairs: HEADERS_MAX,
      },
    });
  } catch {
    return null;
  }
}
