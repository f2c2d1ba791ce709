import {
  type BodyKind,
  isObject,
  JSON_TYPE,
  type JsonObject,
  parseJson,
  readWholeBody,
  refuseEncoding,
  requireMediaType,
  type Schema,
} from '../http/index.js';
import { invalidBody } from './slots-error.js';

/** What `curl --data` says of what it sends, whatever that is. */
const CURL_TYPE = 'application/x-www-form-urlencoded';
const REMEDY = 'there is little to say';

/** A JSON object, also where the client calls it a form or nothing at all; what it has beside what is looked at is passed over. */
export function jsonBody(schema: Schema, example: JsonObject): BodyKind<JsonObject> {
  const content = { schema, example };
  return {
    content: { [JSON_TYPE]: content, [CURL_TYPE]: content },
    heldBytesMax: ({ bytes }, { callBytesMax }) => Math.min(bytes, callBytesMax),
    async read({ request, limits }) {
      if (request.headers['content-type'] === undefined) refuseEncoding(request);
      else requireMediaType(request, [JSON_TYPE, CURL_TYPE]);
      const bytes = await readWholeBody(request, limits, { bytesMax: limits.callBytesMax, remedy: REMEDY });
      // An empty body says nothing, and so lacks everything.
      const body = bytes.length === 0 ? {} : await parseJson(bytes, limits);
      if (!isObject(body)) throw invalidBody('', 'a JSON object');
      return body;
    },
  };
}
