import { type AskedUpload, BOARD_SEPARATOR, BOARDS_MAX, boardsIn } from '../../firmware/index.js';
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
import { dialect, IMAGE_PATH, type ImageParts, imageAnswer, imageView, NAME } from './image.js';
import { placeSaid } from './place.js';
import { SIGNATURE_HEADER, signatureIn } from './signature.js';

/** What is said of the image is for the library to judge; what its content must hash to is not. */
const QUERY = closedQuery(
  queryParameter(
    'softwareVersion',
    'What a CPE reports once it runs this image; without: what the file says, if it does.',
  ),
  queryParameter('productClass', 'The product class it fits; without: any.'),
  queryParameter('hardwareVersion', 'The hardware version it fits; without: any.'),
  queryParameter(
    'boards',
    `The boards it fits, at most ${BOARDS_MAX}, separated by "${BOARD_SEPARATOR}" as in vendor,model-1;vendor,model-2; without: what the file says, if it does.`,
  ),
  queryParameter('fileType', 'TR-069 FileType.', {
    type: 'string',
    default: '1 Firmware Upgrade Image',
  }),
  queryParameter('sha256', 'What the content must hash to.', {
    type: 'string',
    pattern: '^[0-9A-Fa-f]{64}$',
    expected: '64 hexadecimal digits',
  }),
  queryParameter(
    'build',
    'The id of the build that it is to be in, which belongs to whom the image belongs to.',
  ),
  queryParameter('type', 'Which devices of the build it is for; beside `build`, and only there.'),
);

/** `PUT /v1/images/{name}` */
export function uploadRoute({ uploads, places }: ImageParts): Route {
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
      ...failures('Answer', '404', '409', '413', '415', '422', '507'),
    },
    async handle(exchange) {
      const { request, response, parameters, query, body, over } = exchange;
      const by = actorOf(exchange);
      const scope = scopeOf(exchange);
      const { sha256, boards, build, type, ...metadata } = query;
      const place = placeSaid(build, type);
      const signature = signatureIn(request);
      const content = await body();
      const sizeText = request.headers['content-length'];
      const upload: AskedUpload = {
        metadata: {
          name: parameters.name,
          ...metadata,
          ...(boards !== undefined && { boards: boardsIn(boards) }),
        },
        ...(scope.organization !== null && { organization: scope.organization.id }),
        content,
        by,
        uploadedBy: by.name,
        ...(place !== null && { place }),
        ...(sizeText === undefined ? {} : { sizeBytes: Number(sizeText) }),
        ...(signature !== undefined && { signature }),
        ...(sha256 === undefined ? {} : { sha256: sha256.toLowerCase() }),
      };
      const { image, outcome, sameContentAs } = await places.run(by.name, over, () => uploads.upload(upload));
      const code = outcome === 'created' ? 201 : 200;
      response.status(code).json(dialect.answer(code, { ...imageView(image, scope), sameContentAs }));
    },
  });
}
