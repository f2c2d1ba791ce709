import { ApiError, invalid, shortJson } from '../api-error.js';
import type { BodyKind } from './body-kind.js';
import { heldOfJson, JSON_TYPE, readJson } from './json-body.js';

const REMEDY = 'send it in several requests';

/**
 * A body that is a JSON array of strings.
 * @param itemsMax  of a longer one nothing is taken (413)
 * @param what  they are, in a word
 */
export function textListBody(
  what: string,
  itemsMax: number,
  example: readonly string[],
): BodyKind<readonly string[]> {
  const expected = `a JSON array of at most ${itemsMax} ${what}`;
  return {
    content: {
      [JSON_TYPE]: { schema: { type: 'array', maxItems: itemsMax, items: { type: 'string' } }, example },
    },
    heldBytesMax: (announced, limits) => heldOfJson(announced, limits.bodyBytesMax),
    async read({ request, limits }) {
      const body = await readJson({ request, limits }, { bytesMax: limits.bodyBytesMax, remedy: REMEDY });
      if (!Array.isArray(body)) throw invalid('', expected, body);
      if (body.length > itemsMax)
        throw new ApiError(413, [{ field: '', expected: `${expected}: ${REMEDY}`, found: shortJson(body) }]);
      const items: readonly unknown[] = body;
      return items.map((each, item) => {
        if (typeof each === 'string') return each;
        throw new ApiError(400, [{ field: '', expected: 'a string', found: shortJson(each), item }]);
      });
    },
  };
}
