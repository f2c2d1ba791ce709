import type { IncomingMessage } from 'node:http';
import { type ImageLibrary, SIGNATURE_BYTES_MAX, SIGNATURE_EXPECTED } from '../../firmware/index.js';
import {
  ApiError,
  actorOf,
  closedQuery,
  failures,
  fileBody,
  invalid,
  type Parameter,
  type Route,
  route,
  scopeOf,
} from '../http/index.js';
import { dialect, findOwnImage, imageAnswer, imageView, NAME, SIGNATURE_PATH } from './image.js';

/** In base64, as a header has no lines. */
const HEADER_CHARACTERS_MAX = Math.ceil(SIGNATURE_BYTES_MAX / 3) * 4;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A signature that comes with an upload. */
export const SIGNATURE_HEADER = {
  name: 'X-Image-Signature',
  in: 'header',
  description: `In base64: ${SIGNATURE_EXPECTED}. One that does not verify by a key that holds is refused (422).`,
  schema: { type: 'string', maxLength: HEADER_CHARACTERS_MAX, contentEncoding: 'base64' },
} as const satisfies Parameter;

/** What the header of an upload brings; undefined where there is none. @throws ApiError 400 */
export function signatureIn({ headers }: IncomingMessage): Buffer | undefined {
  const text = headers['x-image-signature'];
  if (text === undefined) return undefined;
  if (typeof text === 'string' && text.length <= HEADER_CHARACTERS_MAX && BASE64.test(text)) {
    return Buffer.from(text, 'base64');
  }
  throw invalid(
    SIGNATURE_HEADER.name,
    `the file of the signature in base64, at most ${HEADER_CHARACTERS_MAX} characters`,
  );
}

/** `/v1/images/{name}/signature`: a signature that comes after its image, and goes before it. */
export function signatureRoutes(images: ImageLibrary): Route[] {
  return [
    route({
      method: 'PUT',
      path: SIGNATURE_PATH,
      parameters: [NAME],
      role: 'operator',
      concerns: 'organizations',
      operationId: 'signImage',
      summary: 'Adds a signature to an image: the body is the file of the signature itself',
      description:
        'In place of any that the image has. It must be of its content, by a key of the organization that the image belongs to or of the installation.',
      query: closedQuery(),
      body: fileBody(SIGNATURE_BYTES_MAX, 'send the file of the signature alone'),
      answers: {
        '200': imageAnswer('The image, signed'),
        ...failures('Answer', '404', '413', '415', '422', '507'),
      },
      async handle(exchange) {
        const scope = scopeOf(exchange);
        const signature = await exchange.body();
        const { name, organization } = await findOwnImage(images, exchange.parameters.name, scope);
        const image = await images.sign(name, signature, actorOf(exchange), organization);
        if (image === null) throw new ApiError(404);
        exchange.response.json(dialect.answer(200, imageView(image, scope)));
      },
    }),
    route({
      method: 'DELETE',
      path: SIGNATURE_PATH,
      parameters: [NAME],
      role: 'operator',
      concerns: 'organizations',
      operationId: 'unsignImage',
      summary: 'Takes the signature from an image',
      query: closedQuery(),
      answers: {
        '200': imageAnswer('The image, without a signature'),
        ...failures('Answer', '404', '507'),
      },
      async handle(exchange) {
        const scope = scopeOf(exchange);
        const { name, organization } = await findOwnImage(images, exchange.parameters.name, scope);
        const image = await images.unsign(name, actorOf(exchange), organization);
        if (image === null) throw new ApiError(404);
        exchange.response.json(dialect.answer(200, imageView(image, scope)));
      },
    }),
  ];
}
