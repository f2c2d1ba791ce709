import type { Device } from '../../acs/index.js';
import { type ImageMetadata, SOURCE_URL_CHARACTERS_MAX, type UploadRecord } from '../../firmware/index.js';
import {
  actorOf,
  closedQuery,
  objectBody,
  octetsBody,
  queryParameter,
  type Route,
  route,
} from '../http/index.js';
import { otherName, storedName } from '../images/index.js';
import { comingView, imageAnswer, imageView } from './image-view.js';
import { IMAGES_PATH } from './images.js';
import { DEVICE, deviceFailures, deviceOf, type SystemUpdateParts } from './parts.js';

/** What a file is called that comes without a name. */
const NAMELESS = 'update.bin';
const VERSION = 'What the device reports once it runs the image; without: what the file says, if it does.';

/** `images/upload` and `images/fetch`. */
export function comingImageRoutes(parts: SystemUpdateParts): readonly Route[] {
  return [uploadRoute(parts), fetchRoute(parts)];
}

function uploadRoute(parts: SystemUpdateParts): Route {
  const { uploads, fitting, places } = parts;
  return route({
    method: 'POST',
    path: `${IMAGES_PATH}/upload`,
    parameters: [DEVICE],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'uploadSystemUpdateImage',
    summary: 'Uploads an image: the body is the file itself',
    description:
      'It becomes an image of the organization of the device, for its product class. Meanwhile the list tells how far it is. What is wrong with the file is told by its state, INVALID.',
    query: closedQuery(queryParameter('version', VERSION)),
    body: octetsBody,
    answers: {
      '200': imageAnswer('It has come: VALID or INVALID'),
      ...deviceFailures('409', '413', '415', '507'),
    },
    async handle(exchange) {
      const { request, response, query, over } = exchange;
      const by = actorOf(exchange);
      const device = await deviceOf(parts, exchange);
      const organization = await fitting.organizationOf(device);
      const length = request.headers['content-length'];
      let begun: UploadRecord | null = null;
      try {
        const content = await exchange.body();
        const { image } = await places.run(by.name, over, () =>
          uploads.upload({
            metadata: metadataFor(device, NAMELESS, query.version),
            ...(organization !== null && { organization }),
            ...(length !== undefined && { sizeBytes: Number(length) }),
            content,
            by,
            uploadedBy: by.name,
            onBegun: (upload) => {
              begun = upload;
            },
          }),
        );
        response.json(imageView(image));
      } catch (error) {
        const invalidOne = await refusedAs(uploads, begun);
        if (invalidOne === null) throw error;
        response.json(invalidOne);
      }
    },
  });
}

/** What has come, and was found to be no image: its state tells the client, which waits for it. */
async function refusedAs(uploads: SystemUpdateParts['uploads'], begun: UploadRecord | null) {
  const upload = begun === null ? null : await uploads.get(begun.id, null).catch(() => null);
  return upload?.state === 'invalid' ? comingView(upload) : null;
}

function fetchRoute(parts: SystemUpdateParts): Route {
  const { uploads, fitting } = parts;
  return route({
    method: 'POST',
    path: `${IMAGES_PATH}/fetch`,
    parameters: [DEVICE],
    role: 'operator',
    concerns: 'organizations',
    operationId: 'fetchSystemUpdateImage',
    summary: 'Has Ferry fetch an image from a URL, in the background',
    description: 'Only from where `--image-sources` permits it. How far it is the image itself tells.',
    body: objectBody({
      required: ['url'],
      properties: {
        url: {
          type: 'string',
          maxLength: SOURCE_URL_CHARACTERS_MAX,
          expected: `a URL of http or https, of at most ${SOURCE_URL_CHARACTERS_MAX} characters`,
          description: 'Where the image is.',
        },
        version: { type: 'string', expected: 'a string', description: VERSION },
      },
      example: { url: 'http://files.example.net/hgw-2.0.0.bin' },
    }),
    answers: {
      '200': imageAnswer('It is on its way'),
      ...deviceFailures('413', '415', '507'),
    },
    async handle(exchange) {
      const by = actorOf(exchange);
      const device = await deviceOf(parts, exchange);
      const { url, version } = await exchange.body();
      const organization = await fitting.organizationOf(device);
      const upload = await uploads.begin(
        {
          metadata: metadataFor(device, fileNameIn(url), version),
          ...(organization !== null && { organization }),
          by,
          uploadedBy: by.name,
        },
        url,
      );
      exchange.response.json(comingView(upload));
    },
  });
}

/** A box is sent what is for boxes like it. Each image has a name of its own, as each has a number. */
function metadataFor({ productClass }: Device, fileName: string, version: string | undefined): ImageMetadata {
  return {
    name: otherName(storedName(fileName)),
    ...(productClass !== '' && { productClass }),
    ...(version !== undefined && { softwareVersion: version }),
  };
}

/** What stands last in the path of a URL. */
function fileNameIn(url: string): string {
  if (!URL.canParse(url)) return NAMELESS;
  const last = new URL(url).pathname.split('/').at(-1) ?? '';
  return last === '' ? NAMELESS : last;
}
