import type { BuildPlace, ImageLibrary } from '../../firmware/index.js';
import {
  ApiError,
  actorOf,
  anyObjectBody,
  closedQuery,
  failures,
  invalid,
  type JsonObject,
  type Route,
  route,
  scopeOf,
} from '../http/index.js';
import { dialect, findOwnImage, IMAGE_PATH, imageAnswer, imageView, NAME } from './image.js';

/** `PATCH /v1/images/{name}` */
export function placeRoute(images: ImageLibrary): Route {
  return route({
    method: 'PATCH',
    path: IMAGE_PATH,
    parameters: [NAME],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'placeImage',
    summary: 'Puts an image into a build, into another place, or into none',
    description: '`build` and `type` say where it is to be; with `build` null it is in none.',
    query: closedQuery(),
    body: anyObjectBody({ build: '0b8b1f0e-9e0b-4c51-9d43-0e5f2f6b7a11', type: 'HGW-9000' }),
    answers: {
      '200': imageAnswer('The image as it is now'),
      ...failures('Answer', '404', '409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { response, parameters, body } = exchange;
      const scope = scopeOf(exchange);
      const { build, type } = fieldsOf(await body());
      const image = await findOwnImage(images, parameters.name, scope);
      const to = build === null ? null : placeSaid(build, type);
      const moved = await images.move(image.name, to, actorOf(exchange), image.organization);
      if (moved === null) throw new ApiError(404);
      response.json(dialect.answer(200, imageView(moved, scope)));
    },
  });
}

/** @throws ApiError 400 where the one is said without the other */
export function placeSaid(build: string | undefined, type: string | undefined): BuildPlace | null {
  if (build === undefined && type === undefined) return null;
  if (build === undefined) throw invalid('build', 'the id of a build, beside type');
  if (type === undefined) throw invalid('type', 'which devices of the build the image is for, beside build');
  return { build, type };
}

/** @throws ApiError 400 */
function fieldsOf(said: JsonObject): { readonly build: string | null; readonly type: string | undefined } {
  const { build, type, ...others } = said;
  const [other] = Object.keys(others);
  if (other !== undefined)
    throw invalid(other.slice(0, 100), 'no such field to change; there are build and type');
  if (build !== null && typeof build !== 'string')
    throw invalid('build', 'the id of a build, or null', build);
  const hasType = type !== undefined && type !== null;
  if (build === null && hasType) throw invalid('type', 'nothing, where build is null', type);
  if (hasType && typeof type !== 'string') throw invalid('type', 'a string', type);
  return { build, type: typeof type === 'string' ? type : undefined };
}
