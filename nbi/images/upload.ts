import { octetsBody, type Route, route } from '../http/index.js';
import { IMAGE_PATH, type ImageParts, NAME } from './image.js';
import { SIGNATURE_HEADER } from './signature.js';
import { answerUpload, SAID_QUERY, UPLOAD_ANSWERS } from './uploading.js';

/** `PUT /v1/images/{name}` */
export function uploadRoute(parts: ImageParts): Route {
  return route({
    method: 'PUT',
    path: IMAGE_PATH,
    parameters: [NAME],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'uploadImage',
    summary: 'Uploads an image: the body is the file itself',
    query: SAID_QUERY,
    headers: [SIGNATURE_HEADER],
    body: octetsBody,
    answers: UPLOAD_ANSWERS,
    handle(exchange) {
      const { request, parameters, query, body } = exchange;
      const sizeText = request.headers['content-length'];
      return answerUpload(parts, exchange, {
        name: parameters.name,
        said: query,
        content: body,
        ...(sizeText !== undefined && { sizeBytes: Number(sizeText) }),
      });
    },
  });
}
