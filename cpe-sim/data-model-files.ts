import { readFile, stat } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { jsonSyntaxError } from '../common/index.js';
import { DataModel, DataModelError, MODEL_PARAMETERS_MAX, type ModelParameter } from './data-model.js';
import tr098 from './models/tr098.json' with { type: 'json' };
import tr181 from './models/tr181.json' with { type: 'json' };
import { XSD_TYPES, type XsdType } from './soap/index.js';

/** Largest file that a data model is read from. */
export const MODEL_FILE_BYTES_MAX = 32 * 1_024 * 1_024;

export const BUILT_IN_MODELS = ['tr181', 'tr098'] as const;
export type BuiltInModel = (typeof BUILT_IN_MODELS)[number];

/** A small residential gateway: `tr181` with the root `Device.`, `tr098` with `InternetGatewayDevice.`. */
export function builtInModel(name: BuiltInModel): DataModel {
  switch (name) {
    case 'tr181':
      return dataModelFromJson(tr181);
    case 'tr098':
      return dataModelFromJson(tr098);
    default:
      return noSuchModel(name);
  }
}

function noSuchModel(name: never): never {
  throw new DataModelError(`no such model: ${String(name)}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function typeOf(path: string, type: string): XsdType {
  const local = type.slice(type.indexOf(':') + 1).trim();
  const known = XSD_TYPES.find((one) => one === (local === 'base64Binary' ? 'base64' : local));
  if (known === undefined)
    throw new DataModelError(`${path}: its type must be one of ${XSD_TYPES.join(', ')}`);
  return known;
}

/**
 * Reads a data model from JSON: an object of full path to value, where a value is a string, number or boolean (its type is
 * guessed: string, int or unsignedInt, boolean; not writable) or `{ "value": …, "type": "string", "writable": true }`; a path
 * that ends in a dot is an object, `{ "writable": true }` where instances can be added.
 * @throws DataModelError
 */
export function dataModelFromJson(json: unknown): DataModel {
  if (!isRecord(json)) throw new DataModelError('a data model must be an object of path to value');
  const parameters = new Map<string, ModelParameter>();
  const objects = new Map<string, boolean>();
  for (const [path, entry] of Object.entries(json)) {
    const description = isRecord(entry) ? entry : { value: entry };
    const { value, type, writable } = {
      value: description['value'],
      type: description['type'],
      writable: description['writable'] ?? false,
    };
    if (typeof writable !== 'boolean') throw new DataModelError(`${path}: writable must be true or false`);
    if (path.endsWith('.')) {
      objects.set(path, writable);
      continue;
    }
    if (type !== undefined && typeof type !== 'string')
      throw new DataModelError(`${path}: type must be a string`);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
      throw new DataModelError(`${path}: value must be a string, a number or a boolean`);
    parameters.set(path, {
      value: String(value),
      type: type === undefined ? guessType(value) : typeOf(path, type),
      writable,
    });
  }
  return new DataModel(parameters, objects);
}

function guessType(value: string | number | boolean): XsdType {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  return value < 0 ? 'int' : 'unsignedInt';
}

/** The columns of the two forms, in lower case. */
const COLUMNS = {
  parameter: ['parameter', 'name', 'path'],
  object: ['object'],
  writable: ['writable'],
  value: ['value'],
  type: ['value type', 'type'],
} as const;

/**
 * Reads a data model from CSV with a header row: `parameter,type,writable,value`, or what GenieACS exports and its simulator reads
 * (`Parameter,Object,Object timestamp,Writable,Writable timestamp,Value,Value type,…`). Columns come in any order.
 * @throws DataModelError
 */
export function dataModelFromCsv(csv: string): DataModel {
  let rows: unknown;
  try {
    rows = parse(csv, {
      bom: true,
      skip_empty_lines: true,
      relax_column_count: true,
      to: MODEL_PARAMETERS_MAX + 2,
    });
  } catch (error) {
    throw new DataModelError(
      `not well-formed CSV: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  const [header, ...lines] = Array.isArray(rows) ? rows.filter(isRow) : [];
  const columns = columnsOf(header ?? []);
  const parameters = new Map<string, ModelParameter>();
  const objects = new Map<string, boolean>();
  for (const line of lines) {
    const cell = (column: number): string => line[column] ?? '';
    const name = cell(columns.parameter).trim();
    const writable = isTrue(cell(columns.writable));
    if (isTrue(cell(columns.object)) || name.endsWith('.')) {
      objects.set(name.endsWith('.') ? name : `${name}.`, writable);
    } else if (name !== '') {
      const type = cell(columns.type).trim();
      parameters.set(name, {
        value: cell(columns.value),
        type: type === '' ? 'string' : typeOf(name, type),
        writable,
      });
    }
  }
  return new DataModel(parameters, objects);
}

function isRow(row: unknown): row is readonly string[] {
  return Array.isArray(row) && row.every((cell) => typeof cell === 'string');
}

function isTrue(cell: string): boolean {
  return /^(?:true|1|yes)$/i.test(cell.trim());
}

function columnsOf(header: readonly string[]): Readonly<Record<keyof typeof COLUMNS, number>> {
  const names = header.map((name) => name.trim().toLowerCase());
  const find = (wanted: readonly string[]): number => names.findIndex((name) => wanted.includes(name));
  const found = {
    parameter: find(COLUMNS.parameter),
    object: find(COLUMNS.object),
    writable: find(COLUMNS.writable),
    value: find(COLUMNS.value),
    type: find(COLUMNS.type),
  };
  if (found.parameter < 0 || found.value < 0)
    throw new DataModelError('the first line must name the columns, parameter and value at least');
  return found;
}

/**
 * Finds a data model by name (`tr181`, `tr098`) or in a file that ends in .json or .csv.
 * @throws DataModelError
 */
export async function loadDataModel(nameOrFile: string): Promise<DataModel> {
  const name = BUILT_IN_MODELS.find((model) => model === nameOrFile);
  if (name !== undefined) return builtInModel(name);
  const kind = /\.(?<kind>json|csv)$/i.exec(nameOrFile)?.groups?.['kind']?.toLowerCase();
  if (kind === undefined)
    throw new DataModelError(
      `model ${JSON.stringify(nameOrFile)}: must be ${BUILT_IN_MODELS.join(', ')}, or a file ending in .json or .csv`,
    );
  const content = await readModelFile(nameOrFile);
  if (kind === 'csv') return dataModelFromCsv(content);
  let json: unknown;
  try {
    json = JSON.parse(content.replace(/^\ufeff/, ''));
  } catch {
    throw new DataModelError(`${nameOrFile}: is not JSON (${jsonSyntaxError(content)})`);
  }
  return dataModelFromJson(json);
}

async function readModelFile(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MODEL_FILE_BYTES_MAX)
      throw new DataModelError(`${file}: is larger than ${MODEL_FILE_BYTES_MAX} bytes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof DataModelError) throw error;
    throw new DataModelError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
