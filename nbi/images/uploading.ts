import type { Readable } from 'node:stream';
import { type AskedUpload, BOARD_SEPARATOR, BOARDS_MAX, boardsIn } from '../../firmware/index.js';
import { actorOf, closedQuery, type Exchange, failures, queryParameter, scopeOf } from '../http/index.js';
import { dialect, type ImageParts, imageAnswer, imageView } from './image.js';
import { placeSaid } from './place.js';
import { signatureIn } from './signature.js';

/** What is said of the image is for the library to judge; what its content must hash to is not. */
export const SAID = [
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
] as const;

/** All of it, as a query says it. */
export const SAID_QUERY = closedQuery(...SAID);

type Said = ReturnType<(typeof SAID_QUERY)['read']>;

/** What any upload of a whole image is answered. */
export const UPLOAD_ANSWERS = {
  '200': imageAnswer('The library holds the same content and metadata under this name already'),
  '201': imageAnswer('Uploaded'),
  ...failures('Answer', '404', '409', '413', '415', '422', '507'),
};

/** What a request brings of an image. */
interface Brought {
  readonly name: string;
  readonly said: Said;
  /** Has what is sent; asked for once all that is said was found good. */
  content(): Promise<Readable>;
  /** Where it is known. */
  readonly sizeBytes?: number;
}

/** Uploads what a request brings, and answers it. @throws ApiError, ImageError, UploadError */
export async function answerUpload(
  { uploads, places }: Pick<ImageParts, 'uploads' | 'places'>,
  exchange: Exchange,
  { name, said, content, sizeBytes }: Brought,
): Promise<void> {
  const by = actorOf(exchange);
  const scope = scopeOf(exchange);
  const { sha256, boards, build, type, ...metadata } = said;
  const place = placeSaid(build, type);
  const signature = signatureIn(exchange.request);
  const upload: AskedUpload = {
    metadata: { name, ...metadata, ...(boards !== undefined && { boards: boardsIn(boards) }) },
    ...(scope.organization !== null && { organization: scope.organization.id }),
    content: await content(),
    by,
    uploadedBy: by.name,
    ...(place !== null && { place }),
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(signature !== undefined && { signature }),
    ...(sha256 !== undefined && { sha256: sha256.toLowerCase() }),
  };
  const { image, outcome, sameContentAs } = await places.run(by.name, exchange.over, () =>
    uploads.upload(upload),
  );
  const code = outcome === 'created' ? 201 : 200;
  exchange.response.status(code).json(dialect.answer(code, { ...imageView(image, scope), sameContentAs }));
}
