import type { Turn } from '../../common/index.js';
import type { Rules } from '../../rules/index.js';
import {
  ApiError,
  actorOf,
  closedQuery,
  failures,
  jsonAnswer,
  queryParameter,
  type Route,
  ref,
  route,
} from '../http/index.js';
import { dialect, findImage, IMAGE_PATH, type ImageParts, NAME } from './image.js';

const NAMING_RULES_SHOWN_MAX = 10;

/** `DELETE /v1/images/{name}` */
export function deleteRoute({ images, rules, reading }: ImageParts): Route {
  return route({
    method: 'DELETE',
    path: IMAGE_PATH,
    parameters: [NAME],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'deleteImage',
    summary: 'Deletes an image',
    query: closedQuery(
      queryParameter('force', 'true: also while an enabled rule names it.', {
        type: 'boolean',
        expected: 'true or false',
      }),
    ),
    answers: {
      '200': jsonAnswer('Deleted', ref('Answer'), dialect.answer(204, '')),
      ...failures('Answer', '404', '409', '507'),
    },
    async handle(exchange) {
      const { response, parameters, query } = exchange;
      const { force = false } = query;
      const { id } = await findImage(images, parameters.name);
      const ids = force ? [] : await reading.long(exchange, (turn) => rulesNaming(rules, id, turn));
      if (ids.length > 0) {
        const expected = 'an image that no enabled rule names: disable these rules, or add force=true';
        throw new ApiError(409, [{ field: 'name', code: 'in-use', expected, ids }]);
      }
      if (!(await images.remove(id, actorOf(exchange)))) throw new ApiError(404);
      response.json(dialect.answer(204, ''));
    },
  });
}

async function rulesNaming(rules: Rules, file: string, turn: Turn): Promise<string[]> {
  const ids: string[] = [];
  for await (const rule of rules.scan({}, turn)) {
    if (rule.enabled && rule.file === file) ids.push(rule.id);
    if (ids.length >= NAMING_RULES_SHOWN_MAX) break;
  }
  return ids;
}
