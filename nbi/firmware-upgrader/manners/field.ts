import type { Schema } from '../../http/index.js';

/** One of few values. */
export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A field of the objects of an endpoint: from it come the checks of bodies, what OPTIONS tells, the OpenAPI document, and forms of pages. */
export type Field = FieldFacts & FieldKind;

interface FieldFacts {
  readonly name: string;
  /** For people; without it, the name. */
  readonly label?: string;
  /** What of it is sent is ignored. */
  readonly readOnly?: true;
  /** It must be in a body that is no PATCH. */
  readonly required?: true;
  readonly mayBeNull?: true;
  readonly mayBeBlank?: true;
  readonly help?: string;
}

type FieldKind =
  /** Trimmed unless told; numbers are taken as text. */
  | {
      readonly kind: 'string';
      readonly charactersMax?: number;
      /** Not trimmed. */
      readonly isAsItIs?: true;
    }
  /** The id of another object. */
  | { readonly kind: 'reference' }
  | { readonly kind: 'boolean' }
  /** `isOpen`: what other APIs have stored may be something else. */
  | { readonly kind: 'choice'; readonly choices: readonly Choice[]; readonly isOpen?: true }
  | { readonly kind: 'file' }
  | { readonly kind: 'id' | 'time' | 'integer' | 'object' }
  | { readonly kind: 'nested'; readonly fields: readonly Field[] }
  | { readonly kind: 'list'; readonly fields: readonly Field[] };

/** What a field has been found to say. */
type ValueOf<F extends Field> = F extends { readonly kind: 'boolean' }
  ? boolean
  : F extends { readonly mayBeNull: true }
    ? string | null
    : string;

/** The fields of a body, as far as they were sent. */
export type Said<F extends readonly Field[]> = {
  readonly [Each in F[number] as Each extends { readonly readOnly: true } | { readonly kind: 'file' }
    ? never
    : Each['name']]?: ValueOf<Each>;
};

/** What people call it. */
export function labelOf({ name, label }: Field): string {
  const words = name.replaceAll('_', ' ');
  return label ?? words.charAt(0).toUpperCase() + words.slice(1);
}

/** The shape of the objects that have these fields, as answers show them. */
export function schemaOf(fields: readonly Field[]): Schema {
  return objectSchema(fields, 'answer');
}

/** Where a value stands: nothing of a form is null, and what is empty there means it. */
type Place = 'answer' | 'json' | 'form';

function objectSchema(fields: readonly Field[], place: Place): Schema {
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, valueSchemaOf(field, place)])),
  };
}

/** The shape of bodies. */
export function bodySchemaOf(fields: readonly Field[], isPartial: boolean, place: 'json' | 'form'): Schema {
  const written = fields.filter(({ readOnly }) => readOnly !== true);
  const required = isPartial ? [] : written.filter((each) => each.required === true).map(({ name }) => name);
  return { ...objectSchema(written, place), ...(required.length > 0 && { required }) };
}

/** What trimming takes away, written out: others know more white space, or less. */
const SPACE = '\\u0009-\\u000d \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff';
/** Something else than white space, and no NUL. */
const NOT_BLANK = `^[${SPACE}]*[^${SPACE}\\u0000][^\\u0000]*$`;
const NO_NUL = '^[^\\u0000]*$';

function valueSchemaOf(field: Field, place: Place): Schema {
  const description = field.help === undefined ? {} : { description: field.help };
  const mayBeNull = field.mayBeNull === true;
  const typed = (type: string, more: Schema = {}) => ({
    type: mayBeNull && place !== 'form' ? [type, 'null'] : type,
    ...more,
    ...description,
  });
  switch (field.kind) {
    case 'string':
      return typed('string', {
        ...(field.charactersMax !== undefined && { maxLength: field.charactersMax }),
        ...(place !== 'answer' && { pattern: patternOf(field, place) }),
      });
    case 'reference':
      if (mayBeNull && place === 'form')
        return {
          anyOf: [
            { type: 'string', format: 'uuid' },
            { type: 'string', maxLength: 0 },
          ],
          ...description,
        };
      return typed('string', { format: 'uuid' });
    case 'id':
      return typed('string', { format: 'uuid' });
    case 'time':
      return typed('string', { format: 'date-time' });
    case 'boolean':
      return typed('boolean');
    case 'integer':
      return typed('integer');
    case 'choice':
      if (field.isOpen === true && place === 'answer') return typed('string');
      return typed('string', {
        enum: [
          ...field.choices.map(({ value }) => value),
          ...(field.mayBeBlank === true ? [''] : []),
          ...(mayBeNull && place !== 'form' ? [null] : []),
          ...(mayBeNull && place === 'form' ? [''] : []),
        ],
      });
    case 'file':
      // In bodies; answers have its URL.
      return { type: 'string', ...description };
    case 'object':
      return typed('object');
    case 'nested':
      return { ...schemaOf(field.fields), ...description };
    case 'list':
      return { type: 'array', items: schemaOf(field.fields), ...description };
    default:
      return field satisfies never;
  }
}

function patternOf(field: Field & { readonly kind: 'string' }, place: 'json' | 'form'): string {
  // An empty field of a form is as good as null.
  if (field.mayBeBlank === true || (field.mayBeNull === true && place === 'form')) return NO_NUL;
  return field.isAsItIs === true ? '^[^\\u0000]+$' : NOT_BLANK;
}
