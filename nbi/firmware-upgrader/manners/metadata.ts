import type { JsonObject } from '../../http/index.js';
import { type Field, labelOf } from './field.js';

/** As OPTIONS calls the kinds of fields. */
const TYPES: Readonly<Record<Field['kind'], string>> = {
  string: 'string',
  reference: 'field',
  id: 'field',
  time: 'datetime',
  boolean: 'boolean',
  integer: 'integer',
  choice: 'choice',
  file: 'file upload',
  object: 'field',
  nested: 'nested object',
  list: 'field',
};

/** What OPTIONS tells of the fields of a body. */
export function fieldsMetadata(fields: readonly Field[]): JsonObject {
  return Object.fromEntries(fields.map((field) => [field.name, fieldMetadata(field)]));
}

function fieldMetadata(field: Field): JsonObject {
  const { kind, readOnly = false, required = false, help } = field;
  return {
    type: TYPES[kind],
    required,
    read_only: readOnly,
    label: labelOf(field),
    ...(help !== undefined && { help_text: help }),
    ...(kind === 'string' && field.charactersMax !== undefined && { max_length: field.charactersMax }),
    ...(kind === 'nested' && { children: fieldsMetadata(field.fields) }),
    ...(kind === 'choice' &&
      !readOnly && {
        choices: field.choices.map(({ value, label }) => ({ value, display_name: label })),
      }),
  };
}
