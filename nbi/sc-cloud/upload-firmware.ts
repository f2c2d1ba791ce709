import { type Image, ImageError, type ImageErrorCode, UNLISTED_MAX } from '../../firmware/index.js';
import {
  actorOf,
  closedQuery,
  type Exchange,
  type FileForm,
  formBody,
  objectBody,
  type Route,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import { checkFormSize, freeName, otherName, sameAs, storedName } from '../images/index.js';
import { CODES } from './codes.js';
import { answerSchema, answers, CloudError, PREFIX } from './dialect.js';
import { firmwareInfo } from './firmware-view.js';
import type { CloudParts } from './parts.js';
import { Products } from './products.js';
import { makeRoomForUnlisted, tooManyUnlisted, UNLISTED_HOURS } from './unlisted.js';

const METHOD = 'add-firmware';
const PATH_CHARACTERS_MAX = 256;

/** `POST /sc_cloud/uploadFirmware` */
export function uploadRoute(parts: CloudParts): Route {
  return route({
    method: 'POST',
    path: `${PREFIX}/uploadFirmware`,
    role: 'admin',
    concerns: 'organizations',
    operationId: 'scCloudUploadFirmware',
    summary: 'Uploads a file of firmware, which firmware/add then lists',
    description: `A file that is in the library already is that one. What nobody adds within ${UNLISTED_HOURS} hours is removed, and at most ${UNLISTED_MAX} may wait.`,
    query: closedQuery(),
    body: formBody([]),
    answers: answers(
      'Uploaded',
      answerSchema({
        'file-path': { type: 'string', description: 'What firmware/add calls it.' },
        'file-size': { type: 'integer', description: 'In bytes.' },
        'firmware-info': { type: 'object' },
      }),
      { concerns: 'organizations', changes: true, hasBody: true },
    ),
    async handle(exchange) {
      checkFormSize(parts.uploads, exchange.request);
      const scope = scopeOf(exchange);
      await makeRoomForUnlisted(parts, exchange, scope);
      const image = await uploaded(parts, exchange, scope, await exchange.body());
      const products = new Products(parts.images);
      exchange.response.json({
        result: CODES.done,
        'file-path': image.name,
        'file-size': image.sizeBytes,
        'firmware-info': firmwareInfo(await products.ofImage(image), products),
      });
    },
  });
}

async function uploaded(
  { images, uploads, places }: CloudParts,
  exchange: Exchange,
  { organization }: Scope,
  { fileName, content }: FileForm,
): Promise<Image> {
  const by = actorOf(exchange);
  const owner = organization?.id;
  const owned = owner === undefined ? {} : { organization: owner };
  const name = await freeName(images, storedName(fileName), owner);
  const outcome = await places.run(by.name, exchange.over, () =>
    uploads
      .upload({ metadata: { name }, ...owned, content, by, uploadedBy: by.name, unlisted: true, otherName })
      .catch((error: unknown) => {
        throw inCodes(error);
      }),
  );
  const same = await sameAs(images, outcome, owner);
  if (same === null) return outcome.image;
  await images.remove(outcome.image.name, by, owner);
  return same;
}

const WRONG_FILES: ReadonlySet<ImageErrorCode> = new Set(['empty', 'invalid', 'contradiction']);

function inCodes(error: unknown): unknown {
  if (!(error instanceof ImageError)) return error;
  // Others came while this did.
  if (error.code === 'too-many-unlisted') return tooManyUnlisted();
  if (!WRONG_FILES.has(error.code)) return error;
  return new CloudError(CODES.wrongFile, 'file', error.message);
}

/** `POST /sc_cloud/firmware/add` */
export function addRoute({ images }: Pick<CloudParts, 'images'>): Route {
  return route({
    method: 'POST',
    path: `${PREFIX}/firmware/add`,
    role: 'admin',
    concerns: 'organizations',
    operationId: 'scCloudAddFirmware',
    summary: 'Lists a file of firmware that was uploaded; 1 where it is listed already',
    query: closedQuery(),
    body: objectBody({
      required: ['file-path'],
      properties: {
        'file-path': {
          type: 'string',
          minLength: 1,
          maxLength: PATH_CHARACTERS_MAX,
          expected: 'the file-path that uploadFirmware has answered',
        },
      },
      example: { 'file-path': 'hgw-2.1.mwf' },
    }),
    answers: answers(
      'Listed',
      answerSchema({ method: { const: METHOD } }),
      { concerns: 'organizations', changes: true, hasBody: true },
      {
        method: METHOD,
        result: 0,
      },
    ),
    async handle(exchange) {
      const { 'file-path': path } = await exchange.body();
      const owner = scopeOf(exchange).organization?.id;
      const done = await images.unlisted.list(path, actorOf(exchange), owner);
      if (done === null)
        throw new CloudError(CODES.noFirmware, 'file-path', 'that of a file which was uploaded');
      const result = done === 'listed' ? CODES.done : CODES.repeated;
      exchange.response.json({ method: METHOD, result });
    },
  });
}
