import type { IncomingMessage } from 'node:http';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import {
  ApiError,
  type BodyKind,
  type BodySource,
  isObject,
  JSON_TYPE,
  parseJson,
  readWholeBody,
} from '../../http/index.js';
import { bodySchemaOf, type Field } from './field.js';
import { detail, wrongFields } from './upgrader-error.js';

/** The fields of a body as they came. */
export interface BodyData {
  /** Of a form, where all is text, the last of several counts, and what is not sent may mean something. */
  readonly isForm: boolean;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Stands where a form has a file. */
export const A_FILE = Symbol('a file');

export const FORM_TYPE = 'application/x-www-form-urlencoded';
export const PARTS_TYPE = 'multipart/form-data';
/** What OPTIONS says can be read. */
export const PARSED_TYPES = [JSON_TYPE, FORM_TYPE, PARTS_TYPE] as const;

/** A changelog of the largest size, written in escapes. */
const BODY_BYTES_MAX = 512 * 1024;
const REMEDY = 'say less of it';
/** As many as the reference takes. */
const FIELDS_MAX = 1_000;
const NAME_BYTES_MAX = 200;
const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_MAX = 32;
const SHOWN_CHARACTERS_MAX = 100;

/** A body of these fields: JSON, or a form of either kind. What is wrong with it is told by 415 or 400, in the words of the reference. */
export function fieldsBody(fields: readonly Field[], isPartial: boolean): BodyKind<BodyData> {
  const schemaAs = (place: 'json' | 'form') => ({ schema: bodySchemaOf(fields, isPartial, place) });
  return {
    content: Object.fromEntries(
      PARSED_TYPES.map((type) => [type, schemaAs(type === JSON_TYPE ? 'json' : 'form')]),
    ),
    heldBytesMax: ({ bytes }) => Math.min(bytes, BODY_BYTES_MAX),
    read: readFields,
  };
}

async function readFields(source: BodySource): Promise<BodyData> {
  const { request, limits } = source;
  const type = mediaTypeOf(request);
  const isForm = type === FORM_TYPE || type === PARTS_TYPE;
  if (!hasBody(request)) return { isForm, values: {} };
  if (type !== JSON_TYPE && !isForm) throw unsupported(request);
  const bytes = await readWholeBody(request, limits, { bytesMax: BODY_BYTES_MAX, remedy: REMEDY });
  if (type === FORM_TYPE) return { isForm, values: formValues(bytes.toString()) };
  if (type === PARTS_TYPE) return { isForm, values: await partValues(request, bytes) };
  return { isForm, values: await jsonValues(bytes, limits) };
}

/** In lower case, without parameters. */
export function mediaTypeOf({ headers }: IncomingMessage): string {
  return headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

export function unsupported({ headers }: IncomingMessage): ApiError {
  const type = (headers['content-type'] ?? '').slice(0, SHOWN_CHARACTERS_MAX);
  return detail(415, `Unsupported media type "${type}" in request.`);
}

async function jsonValues(
  bytes: Buffer,
  limits: BodySource['limits'],
): Promise<Readonly<Record<string, unknown>>> {
  const value = await parsedJson(bytes, limits);
  if (isObject(value)) return value;
  if (value === null) throw wrongFields({ non_field_errors: ['No data provided'] });
  throw wrongFields({
    non_field_errors: [`Invalid data. Expected a dictionary, but got ${typeNameOf(value)}.`],
  });
}

async function parsedJson(bytes: Buffer, limits: BodySource['limits']): Promise<unknown> {
  try {
    return await parseJson(bytes, limits);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 400) throw error;
    const [problem] = error.problems;
    throw detail(400, `JSON parse error - ${problem?.expected ?? 'not JSON'}`);
  }
}

/** As Python calls it. */
function typeNameOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  return Number.isInteger(value) ? 'int' : 'float';
}

function formValues(text: string): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = Object.create(null);
  let fields = 0;
  for (const [name, value] of new URLSearchParams(text)) {
    if (++fields > FIELDS_MAX) throw detail(400, `Form parse error - more than ${FIELDS_MAX} fields`);
    values[name] = value;
  }
  return values;
}

/** The text fields of a form that is in memory; where it has a file, {@link A_FILE}. */
function partValues(request: IncomingMessage, bytes: Buffer): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    const values: Record<string, unknown> = Object.create(null);
    const parser = formParser(request);
    parser.on('field', (name: string | undefined, value) => {
      if (name !== undefined) values[name] = value;
    });
    parser.on('file', (name: string | undefined, stream) => {
      stream.on('error', () => {});
      stream.resume();
      if (name !== undefined) values[name] = A_FILE;
    });
    for (const limit of ['partsLimit', 'fieldsLimit', 'filesLimit'] as const)
      parser.on(limit, () => reject(multipartError('too many parts')));
    parser.on('error', (error) =>
      reject(multipartError(error instanceof Error ? error.message : String(error))),
    );
    parser.on('finish', () => resolve(values));
    parser.end(bytes);
  });
}

/**
 * What takes a form apart.
 * @param fieldBytesMax  of each of its fields; a longer one is cut
 * @throws UpgraderError 400 for one without a boundary
 */
export function formParser(request: IncomingMessage, fieldBytesMax = BODY_BYTES_MAX): BusboyInstance {
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      limits: {
        fields: FIELDS_MAX,
        files: FIELDS_MAX,
        parts: FIELDS_MAX,
        fieldNameSize: NAME_BYTES_MAX,
        fieldSize: fieldBytesMax,
        headerPairs: HEADERS_MAX,
        headerSize: HEADER_BYTES_MAX,
      },
    });
  } catch {
    throw multipartError('Invalid boundary in multipart: None');
  }
}

export function multipartError(what: string): ApiError {
  return detail(400, `Multipart form parse error - ${what}`);
}
