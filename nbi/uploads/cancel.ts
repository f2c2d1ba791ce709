import { actorOf, closedQuery, failures, type Route, route, scopeOf, withinOf } from '../http/index.js';
import { dialect, ID, UPLOAD_PATH, type UploadParts, uploadAnswer, uploadView } from './upload.js';

/** `DELETE /v1/uploads/{id}` */
export function cancelRoute({ uploads }: UploadParts): Route {
  return route({
    method: 'DELETE',
    path: UPLOAD_PATH,
    parameters: [ID],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'cancelUpload',
    summary: 'Cancels an upload, also one that comes in one request: its bytes are removed',
    query: closedQuery(),
    answers: { '200': uploadAnswer('Cancelled'), ...failures('Answer', '404', '409', '507') },
    async handle(exchange) {
      const { response, parameters } = exchange;
      const upload = await uploads.cancel(parameters.id, withinOf(exchange), actorOf(exchange));
      response.json(dialect.answer(200, uploadView(upload, scopeOf(exchange))));
    },
  });
}
