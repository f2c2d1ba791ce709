import { DOCUMENT_BYTES_MAX, type Document, ID_BYTES_MAX, StoreError } from './collection.js';

/** Deepest nesting of objects and arrays in a document; also what stops a cycle. */
export const DOCUMENT_DEPTH_MAX = 64;

/** A half of a surrogate pair without its other half: UTF-8, and with it every engine, cannot hold it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** True where `text` can be written as UTF-8 and read back the same. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** True where a document could have this id; what could not is simply not there for a reader. */
export function isPossibleId(id: string): boolean {
  if (id.length === 0 || id.length > ID_BYTES_MAX || id.includes('\0') || !isWellFormed(id)) return false;
  // Three bytes of UTF-8 are the most that one UTF-16 unit can need.
  return id.length * 3 <= ID_BYTES_MAX || Buffer.byteLength(id) <= ID_BYTES_MAX;
}

/** @throws StoreError `bad-document` */
export function checkId(id: unknown): asserts id is string {
  if (typeof id === 'string' && isPossibleId(id)) return;
  throw new StoreError(
    'bad-document',
    `id must be a string of 1 to ${ID_BYTES_MAX} bytes of UTF-8 without NUL, found ${
      typeof id === 'string' ? `${Buffer.byteLength(id)} bytes` : typeof id
    }`,
  );
}

/**
 * A document as the JSON that is stored. Properties that are undefined are dropped.
 *
 * @throws StoreError `bad-document` for an impossible id, anything JSON would alter (NaN, functions, Dates, lone
 *   surrogates …), nesting beyond {@link DOCUMENT_DEPTH_MAX} or more than {@link DOCUMENT_BYTES_MAX} bytes
 */
export function encodeDocument(document: Document): string {
  checkId(document.id);
  const problem = problemIn(document, 0);
  if (problem !== null) {
    const field = problem.path.length === 0 ? 'the document' : problem.path.join('.');
    throw new StoreError('bad-document', `${document.id}: ${field} ${problem.message}`);
  }
  const json = JSON.stringify(document);
  // JSON.stringify writes a lone surrogate as \udXXX, which is the only escape it ever makes that begins so.
  if (json.includes('\\ud') && /(?<!\\)(?:\\\\)*\\ud/.test(json)) {
    throw new StoreError('bad-document', `${document.id}: text must be well-formed Unicode (lone surrogate)`);
  }
  const sizeBytes = json.length > DOCUMENT_BYTES_MAX / 3 ? Buffer.byteLength(json) : 0;
  if (sizeBytes > DOCUMENT_BYTES_MAX) {
    throw new StoreError(
      'bad-document',
      `${document.id}: a document may have at most ${DOCUMENT_BYTES_MAX} bytes as JSON, found ${sizeBytes}`,
    );
  }
  return json;
}

interface Problem {
  readonly path: string[];
  readonly message: string;
}

/** What in `value` JSON could not say, or null; JSON.stringify would drop or alter it without a word. */
function problemIn(value: unknown, depth: number): Problem | null {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return null;
    case 'number':
      return Number.isFinite(value) ? null : { path: [], message: `must be a finite number, found ${value}` };
    case 'object':
      if (value === null) return null;
      if (depth >= DOCUMENT_DEPTH_MAX) {
        return { path: [], message: `is nested deeper than ${DOCUMENT_DEPTH_MAX} levels` };
      }
      return Array.isArray(value) ? problemInArray(value, depth) : problemInObject(value, depth);
    default:
      return { path: [], message: `must be a JSON value, found ${typeof value}` };
  }
}

function problemInArray(values: readonly unknown[], depth: number): Problem | null {
  for (let position = 0; position < values.length; position++) {
    const problem = problemIn(values[position], depth + 1);
    if (problem !== null) return { ...problem, path: [String(position), ...problem.path] };
  }
  return null;
}

function problemInObject(object: object, depth: number): Problem | null {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    return { path: [], message: 'must be a plain object or an array, found an instance of a class' };
  }
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined) continue;
    const problem = problemIn(value, depth + 1);
    if (problem !== null) return { ...problem, path: [name, ...problem.path] };
  }
  return null;
}
