import { UPLOAD_ID_PATTERN } from '../../firmware/index.js';
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
  withinOf,
} from '../http/index.js';
import { dialect, ID, LIST_PATH, UPLOAD_PATH, type UploadParts, uploadAnswer, uploadView } from './upload.js';

const PAGE_ITEMS_DEFAULT = 100;

/** `GET /v1/uploads` */
export function listRoute({ uploads, limits: { pageItemsMax } }: UploadParts): Route {
  return route({
    method: 'GET',
    path: LIST_PATH,
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'listUploads',
    summary: 'Lists uploads of images, the latest first',
    description:
      'Those under way, and those that ended within 24 hours (of one organization at most 1,000). PUT /v1/images is among them.',
    query: closedQuery(
      queryParameter('limit', 'Uploads a page.', {
        type: 'integer',
        minimum: 1,
        maximum: pageItemsMax,
        default: PAGE_ITEMS_DEFAULT,
        expected: `1 to ${pageItemsMax}`,
      }),
      queryParameter('after', 'The id that the page before ended with; Link and X-Next-After tell it.', {
        type: 'string',
        pattern: UPLOAD_ID_PATTERN.source,
        expected: 'the id of an upload',
      }),
    ),
    answers: {
      '200': jsonAnswer('The uploads', {
        allOf: [ref('Answer'), { properties: { details: { type: 'array', items: ref('Upload') } } }],
      }),
      ...failures('Answer'),
    },
    async handle(exchange) {
      const { request, response, query } = exchange;
      const { limit, after } = query;
      const scope = scopeOf(exchange);
      // One more tells whether any follow.
      const found = await uploads.list(withinOf(exchange), {
        limit: limit + 1,
        ...(after !== undefined && { after }),
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      if (found.length > limit && last !== undefined) linkNext(request, response, last.id);
      const details = page.map((upload) => uploadView(upload, scope));
      response.json(dialect.answer(200, details));
    },
  });
}

/** `GET /v1/uploads/{id}` */
export function uploadRoute({ uploads }: UploadParts): Route {
  return route({
    method: 'GET',
    path: UPLOAD_PATH,
    parameters: [ID],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'getUpload',
    summary: 'Tells how far an upload has come',
    query: closedQuery(),
    answers: { '200': uploadAnswer('The upload'), ...failures('Answer', '404') },
    async handle(exchange) {
      const { response, parameters } = exchange;
      const upload = await uploads.get(parameters.id, withinOf(exchange));
      response.json(dialect.answer(200, uploadView(upload, scopeOf(exchange))));
    },
  });
}
