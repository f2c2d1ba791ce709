import {
  ApiError,
  actorOf,
  closedQuery,
  failures,
  isClientGone,
  locationHeader,
  type Route,
  route,
  scopeOf,
} from '../http/index.js';
import { batchAnswer, detailedView, dialect, LIST_PATH, type MakingParts } from './batch.js';
import { batchBody } from './body.js';

/** `POST /v1/batches` */
export function createRoute(parts: MakingParts): Route {
  const { batches, places } = parts;
  return route({
    method: 'POST',
    path: LIST_PATH,
    role: 'operator',
    concerns: 'organizations',
    operationId: 'makeBatch',
    summary: 'Makes a batch: an image, or a build, for many CPEs',
    description:
      'Whom it is for is said by one of cpeids, all, condition and devices. A batch of a list is made when this answers, and where any of it is refused nothing is left; all others are made in the background (state preparing). Nothing is sent before all of it is there. CPEs that cannot be upgraded are skipped, and their operations say why.',
    query: closedQuery(),
    body: batchBody,
    answers: {
      '201': { ...batchAnswer('Made, or being made'), headers: locationHeader('Where it is.') },
      ...failures('Answer', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { request, response, user, over } = exchange;
      const by = actorOf(exchange);
      const scope = scopeOf(exchange);
      await places.run(user?.name ?? '', over, async () => {
        const { batch, end } = await exchange.body();
        try {
          const organization = scope.organization === null ? {} : { organization: scope.organization.id };
          const made = await batches.create({ ...batch, ...organization }, by);
          response
            .status(201)
            .set('Location', `${LIST_PATH}/${made.id}`)
            .json(dialect.answer(201, await detailedView(parts, made, scope)));
        } catch (error) {
          if (isClientGone(error)) return;
          // A client that has fallen silent would keep its connection until the time for the whole request is over.
          if (error instanceof ApiError && error.status === 408)
            response.once('finish', () => request.destroy());
          throw error;
        } finally {
          await end();
        }
      });
    },
  });
}
