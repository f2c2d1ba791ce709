import { IMAGE_NAME_PATTERN, type ImageLibrary } from '../../firmware/index.js';
import {
  closedQuery,
  failures,
  jsonAnswer,
  linkNext,
  queryParameter,
  type Route,
  ref,
  route,
  scopeOf,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { dialect, findImage, IMAGE_PATH, imageAnswer, imageView, LIST_PATH, NAME } from './image.js';

const PAGE_ITEMS_DEFAULT = 100;
/** The name of an image, for the list of everybody's after a slash and the id of its organization. */
const PLACE_PATTERN = IMAGE_NAME_PATTERN.source.replace('^', '^(?:/[0-9a-f-]{36}/)?');

/** `GET /v1/images` */
export function listRoute(images: ImageLibrary, { pageItemsMax }: NbiLimits): Route {
  return route({
    method: 'GET',
    path: LIST_PATH,
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listImages',
    summary: 'Lists the firmware library, by name',
    description:
      "Users of an organization see its own images, and the shared ones but for those whose name an own image has; users of the installation see everybody's: the shared ones first, then those of each organization.",
    query: closedQuery(
      queryParameter('limit', 'Images a page.', {
        type: 'integer',
        minimum: 1,
        maximum: pageItemsMax,
        default: PAGE_ITEMS_DEFAULT,
        expected: `1 to ${pageItemsMax}`,
      }),
      queryParameter(
        'after',
        'Where the page before ended, mostly its last name; Link and X-Next-After tell it.',
        {
          type: 'string',
          pattern: PLACE_PATTERN,
          expected: 'the name of an image',
        },
      ),
      queryParameter('build', 'The id of a build: only what is in it.'),
      queryParameter(
        'type',
        'Only what is of this type in its build. Without `build` a page may have fewer images than asked for, and another follow.',
      ),
    ),
    answers: {
      '200': jsonAnswer('The images', {
        allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref('Image') } } }],
      }),
      ...failures('Answer'),
    },
    async handle(exchange) {
      const { request, response, query } = exchange;
      const { limit, after, build, type } = query;
      const scope = scopeOf(exchange);
      const page = await images.list({
        limit,
        ...(after !== undefined && { after }),
        ...(build !== undefined && { build }),
        ...(type !== undefined && { type }),
        ...(scope.organization !== null && { organization: scope.organization.id }),
      });
      if (page.next !== null) linkNext(request, response, page.next);
      response.json(
        dialect.answer(
          200,
          page.items.map((image) => imageView(image, scope)),
        ),
      );
    },
  });
}

/** `GET /v1/images/{name}` */
export function imageRoute(images: ImageLibrary): Route {
  return route({
    method: 'GET',
    path: IMAGE_PATH,
    parameters: [NAME],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'getImage',
    summary: 'Tells what is known of an image',
    query: closedQuery(),
    answers: { '200': imageAnswer('The image'), ...failures('Answer', '404') },
    async handle(exchange) {
      const { response, parameters } = exchange;
      const scope = scopeOf(exchange);
      const image = await findImage(images, parameters.name, scope);
      response.json(dialect.answer(200, imageView(image, scope)));
    },
  });
}
