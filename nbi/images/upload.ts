import type { ImageLibrary, Upload } from '../../firmware/index.js';
import {
  actorOf,
  closedQuery,
  failures,
  octetsBody,
  queryParameter,
  type Route,
  route,
  scopeOf,
} from '../http/index.js';
import { dialect, IMAGE_PATH, imageAnswer, imageView, NAME } from './image.js';
import { SIGNATURE_HEADER, signatureIn } from './signature.js';

/** What is said of the image is for the library to judge; what its content must hash to is not. */
const QUERY = closedQuery(
  queryParameter('softwareVersion', 'What a CPE reports once it runs this image.'),
  queryParameter('productClass', 'The product class it fits; without: any.'),
  queryParameter('hardwareVersion', 'The hardware version it fits; without: any.'),
  queryParameter('fileType', 'TR-069 FileType.', {
    type: 'string',
    default: '1 Firmware Upgrade Image',
  }),
  queryParameter('sha256', 'What the content must hash to.', {
    type: 'string',
    pattern: '^[0-9A-Fa-f]{64}$',
    expected: '64 hexadecimal digits',
  }),
);

/** `PUT /v1/images/{name}` */
export function uploadRoute(images: ImageLibrary): Route {
  return route({
    method: 'PUT',
    path: IMAGE_PATH,
    parameters: [NAME],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'uploadImage',
    summary: 'Uploads an image: the body is the file itself',
    query: QUERY,
    headers: [SIGNATURE_HEADER],
    body: octetsBody,
    answers: {
      '200': imageAnswer('The library holds the same content and metadata under this name already'),
      '201': imageAnswer('Uploaded'),
      ...failures('Answer', '409', '413', '415', '422', '507'),
    },
    async handle(exchange) {
      const { request, response, parameters, query, body } = exchange;
      const by = actorOf(exchange);
      const scope = scopeOf(exchange);
      const { sha256, ...metadata } = query;
      const signature = signatureIn(request);
      const content = await body();
      const sizeText = request.headers['content-length'];
      const upload: Upload = {
        metadata: { name: parameters.name, ...metadata },
        ...(scope.organization !== null && { organization: scope.organization.id }),
        content,
        by,
        uploadedBy: by.name,
        ...(sizeText === undefined ? {} : { sizeBytes: Number(sizeText) }),
        ...(signature !== undefined && { signature }),
        ...(sha256 === undefined ? {} : { sha256: sha256.toLowerCase() }),
      };
      const { image, outcome, sameContentAs } = await images.upload(upload);
      const code = outcome === 'created' ? 201 : 200;
      response.status(code).json(dialect.answer(code, { ...imageView(image, scope), sameContentAs }));
    },
  });
}
