import { type Answer, type DynDialect, jsonAnswer, ref } from '../http/index.js';

/** A list: `details` carries the entries; as NDJSON, where `Accept` prefers it, they come an entry a line and nothing else. */
export function listAnswer(description: string, schema: string, example?: unknown): Answer {
  const list = {
    allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref(schema) } } }],
  };
  const json = { schema: list, ...(example === undefined ? {} : { example }) };
  return {
    description: `${description}; as NDJSON an entry a line`,
    content: { 'application/json': json, 'application/x-ndjson': { schema: ref(schema) } },
  };
}

/** What is changed, or deleted, has nothing more to be said of it. */
export function doneAnswer(description: string, dialect: DynDialect): Answer {
  return jsonAnswer(description, ref('Answer'), dialect.answer(204, ''));
}

/** What is stored together, or batch by batch while it comes. */
export function storedAnswer(dialect: DynDialect): Answer {
  return {
    description: 'Stored; or, as NDJSON, the report on each batch and at its end the sum',
    content: {
      'application/json': { schema: ref('Answer'), example: dialect.answer(204, '') },
      'application/x-ndjson': { schema: ref('BulkReport') },
    },
  };
}

export function nothingAnswer(dialect: DynDialect): Answer {
  return jsonAnswer('Nothing matched', ref('Answer'), dialect.answer(404, ''));
}
