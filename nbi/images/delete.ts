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
  scopeOf,
} from '../http/index.js';
import { dialect, findOwnImage, IMAGE_PATH, type ImageParts, NAME } from './image.js';
import { requireUnnamed } from './naming-rules.js';

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
      const scope = scopeOf(exchange);
      const image = await findOwnImage(images, parameters.name, scope);
      if (!force) {
        const remedy = ', or add force=true';
        await reading.long(exchange, (turn) =>
          requireUnnamed([image], { rules, images }, { scope, turn, remedy }),
        );
      }
      if (!(await images.remove(image.name, actorOf(exchange), image.organization))) throw new ApiError(404);
      response.json(dialect.answer(204, ''));
    },
  });
}
