import { BOARDS_MAX, SOURCE_URL_CHARACTERS_MAX } from '../../firmware/index.js';
import {
  actorOf,
  closedQuery,
  failures,
  locationHeader,
  objectBody,
  type Route,
  route,
  scopeOf,
} from '../http/index.js';
import { placeSaid, SIGNATURE_HEADER, signatureIn } from '../images/index.js';
import { dialect, LIST_PATH, type UploadParts, uploadAnswer, uploadView } from './upload.js';

const TEXT = { type: 'string', expected: 'a string' } as const;

/** What is said of the image is for the library to judge. */
const BODY = objectBody({
  required: ['name'],
  properties: {
    name: { ...TEXT, description: 'Of the image.' },
    url: {
      type: 'string',
      maxLength: SOURCE_URL_CHARACTERS_MAX,
      expected: `a URL of http or https, of at most ${SOURCE_URL_CHARACTERS_MAX} characters`,
      description:
        'Where Ferry fetches the file, in the background; only from where `--image-sources` permits it. Without it the file comes in parts.',
    },
    sizeBytes: {
      type: 'integer',
      minimum: 0,
      expected: 'a whole number of bytes',
      description: 'All there will be; without it the first part says so.',
    },
    sha256: {
      type: 'string',
      pattern: '^[0-9A-Fa-f]{64}$',
      expected: '64 hexadecimal digits',
      description: 'What the content must hash to.',
    },
    fileType: { ...TEXT, description: 'TR-069 FileType; "1 Firmware Upgrade Image" where it is left out.' },
    softwareVersion: { ...TEXT, description: 'What a CPE reports once it runs this image.' },
    productClass: { ...TEXT, description: 'The product class it fits; without: any.' },
    hardwareVersion: { ...TEXT, description: 'The hardware version it fits; without: any.' },
    boards: {
      type: 'array',
      maxItems: BOARDS_MAX,
      items: TEXT,
      expected: `an array of at most ${BOARDS_MAX} texts`,
      description: 'The boards it is for; without: what the file says.',
    },
    build: { ...TEXT, description: 'The id of the build that it is to be in, beside type.' },
    type: { ...TEXT, description: 'Which devices of the build it is for, beside build.' },
  },
  others:
    'name, url, sizeBytes, sha256, fileType, softwareVersion, productClass, hardwareVersion, boards, build, type',
  example: { name: 'hgw-2.0.0.bin', sizeBytes: 14_680_064, softwareVersion: '2.0.0' },
});

/** `POST /v1/uploads` */
export function beginRoute({ uploads }: UploadParts): Route {
  return route({
    method: 'POST',
    path: LIST_PATH,
    headers: [SIGNATURE_HEADER],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'beginUpload',
    summary:
      'Begins an upload of an image in parts, which goes on after a broken connection; or has it fetched',
    description:
      'Its parts are sent by PUT to its Location. Nothing that comes of it for 24 hours has it given up. A user may have 4 in parts that have not ended, and 100 that are fetched.',
    query: closedQuery(),
    body: BODY,
    answers: {
      '201': { ...uploadAnswer('Begun'), headers: locationHeader('Where its parts are sent.') },
      ...failures('Answer', '404', '409', '413', '415', '422', '507'),
    },
    async handle(exchange) {
      const { request, response, body } = exchange;
      const by = actorOf(exchange);
      const scope = scopeOf(exchange);
      const signature = signatureIn(request);
      const { name, url, sizeBytes, sha256, build, type, ...described } = await body();
      const place = placeSaid(build, type);
      const metadata = Object.fromEntries(
        Object.entries(described).filter(([, value]) => value !== undefined),
      );
      const asked = {
        metadata: { name, ...metadata },
        by,
        uploadedBy: by.name,
        ...(scope.organization !== null && { organization: scope.organization.id }),
        ...(sizeBytes !== undefined && { sizeBytes }),
        ...(place !== null && { place }),
        ...(signature !== undefined && { signature }),
        ...(sha256 !== undefined && { sha256: sha256.toLowerCase() }),
      };
      const upload = await uploads.begin(asked, url);
      response
        .status(201)
        .set('Location', `${LIST_PATH}/${upload.id}`)
        .json(dialect.answer(201, uploadView(upload, scope)));
    },
  });
}
