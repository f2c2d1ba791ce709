import { isUtf8 } from 'node:buffer';
import { invalid } from '../api-error.js';
import { parseQueryString } from '../query-string.js';
import type { Schema } from '../schema.js';
import type { BodyKind } from './body-kind.js';
import { requireMediaType } from './media-type.js';
import { readWholeBody } from './whole-body.js';

const URLENCODED_TYPE = 'application/x-www-form-urlencoded';
/** What a person types into a page, and a token beside it. */
const BYTES_MAX = 16 * 1024;
const FIELDS_MAX = 32;

/** The fields that there may be, by their names. */
export type UrlencodedFields = Readonly<Record<string, Schema>>;

/**
 * A form of a page without a file, as browsers send it. What its fields mean is for the handler to judge.
 * @param fields  as the document shows them
 */
export function urlencodedBody(fields: UrlencodedFields, example?: unknown): BodyKind<URLSearchParams> {
  return {
    content: {
      [URLENCODED_TYPE]: {
        schema: { type: 'object', properties: fields },
        ...(example !== undefined && { example }),
      },
    },
    heldBytesMax: ({ mediaType, bytes }) => (mediaType === URLENCODED_TYPE ? Math.min(bytes, BYTES_MAX) : 0),
    async read({ request, limits }) {
      requireMediaType(request, [URLENCODED_TYPE]);
      const body = await readWholeBody(request, limits, { bytesMax: BYTES_MAX, remedy: 'shorten the form' });
      if (!isUtf8(body)) throw invalid('', 'a form in UTF-8');
      const form = parseQueryString(`?${body}`);
      if (form.size > FIELDS_MAX) throw invalid('', `at most ${FIELDS_MAX} fields`, form.size);
      return form;
    },
  };
}
