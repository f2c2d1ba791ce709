import { NDJSON, prefersNdjson } from '../ndjson.js';
import type { Schema } from '../schema.js';
import type { BodyKind } from './body-kind.js';
import { heldOfJson, JSON_TYPE, readJson } from './json-body.js';
import { requireMediaType } from './media-type.js';
import { ArraySplitter, LineSplitter, type RecordSplitter } from './records.js';

/** What has been read as a whole, or how records are cut from the body while it comes. */
export type RecordsBody =
  | { readonly kind: 'whole'; readonly value: unknown }
  | { readonly kind: 'records'; readonly unit: 'line' | 'item'; readonly splitter: RecordSplitter };

/**
 * One record or an array of them in JSON, read as a whole; or any number of them, left to the handler to read as they come: NDJSON,
 * and an array whose sender accepts NDJSON.
 * @param record  the schema of one
 * @param remedy  what to do about a body that is too large to be read as a whole
 */
export function recordsBody(record: Schema, example: unknown, remedy: string): BodyKind<RecordsBody> {
  return {
    content: {
      [JSON_TYPE]: { schema: { oneOf: [record, { type: 'array', items: record, minItems: 1 }] }, example },
      [NDJSON]: { schema: record },
    },
    heldBytesMax: (announced, limits) =>
      announced.mediaType === NDJSON
        ? Math.min(announced.bytes, limits.batchBytesMax)
        : heldOfJson(announced, limits.bodyBytesMax),
    async read({ request, limits }) {
      if (requireMediaType(request, [JSON_TYPE, NDJSON]) === NDJSON) {
        return { kind: 'records', unit: 'line', splitter: new LineSplitter(limits.recordBytesMax) };
      }
      if (prefersNdjson(request)) {
        return { kind: 'records', unit: 'item', splitter: new ArraySplitter(limits.recordBytesMax) };
      }
      const size = { bytesMax: limits.bodyBytesMax, remedy };
      return { kind: 'whole', value: await readJson({ request, limits }, size) };
    },
  };
}
