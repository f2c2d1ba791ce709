import { IMAGE_NAME_PATTERN, type ImageLibrary } from '../../firmware/index.js';
import { closedQuery, failures, jsonAnswer, queryParameter, type Route, ref, route } from '../http/index.js';
import type { NbiLimits } from '../limits.js';
import { dialect, findImage, IMAGE_PATH, imageAnswer, imageView, LIST_PATH, NAME } from './image.js';

const PAGE_ITEMS_DEFAULT = 100;

/** `GET /v1/images` */
export function listRoute(images: ImageLibrary, { pageItemsMax }: NbiLimits): Route {
  return route({
    method: 'GET',
    path: LIST_PATH,
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listImages',
    summary: 'Lists the firmware library, by name',
    query: closedQuery(
      queryParameter('limit', 'Images a page.', {
        type: 'integer',
        minimum: 1,
        maximum: pageItemsMax,
        default: PAGE_ITEMS_DEFAULT,
        expected: `1 to ${pageItemsMax}`,
      }),
      queryParameter('after', 'The last name of the page before; Link and X-Next-After tell it.', {
        type: 'string',
        pattern: IMAGE_NAME_PATTERN.source,
        untold: ['pattern'],
        expected: 'the name of an image',
      }),
    ),
    answers: {
      '200': jsonAnswer('The images', {
        allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref('Image') } } }],
      }),
      ...failures('Answer'),
    },
    async handle({ request, response, query: { limit, after } }) {
      const page = await images.list({ limit, ...(after === undefined ? {} : { after }) });
      if (page.next !== null) {
        const url = new URL(request.originalUrl, 'http://host.invalid');
        url.searchParams.set('after', page.next);
        response.set('Link', `<${url.pathname}${url.search}>; rel="next"`).set('X-Next-After', page.next);
      }
      response.json(dialect.answer(200, page.items.map(imageView)));
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
    async handle({ response, parameters }) {
      response.json(dialect.answer(200, imageView(await findImage(images, parameters.name))));
    },
  });
}
