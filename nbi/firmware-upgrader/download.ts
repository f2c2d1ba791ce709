import { SECOND_MS } from '../../common/index.js';
import { type Image, type ImageLibrary, sendImage } from '../../firmware/index.js';
import { ApiError } from '../http/index.js';
import { buildInPath, imageOf } from './build-images.js';
import { allowOf, type Call, detail, type Endpoint, mannersOf, noneOf, unnarrowed } from './manners/index.js';
import type { EndpointContext } from './parts.js';

const NEVER = 'Thu, 01 Jan 1970 00:00:00 GMT';
/** By the end of a name. What a browser could run is bytes to it, like all else. */
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  tar: 'application/x-tar',
  txt: 'text/plain',
  zip: 'application/zip',
};
const BYTES = 'application/octet-stream';

/** `build/{build}/image/{id}/download/` */
export function downloadEndpoint(context: EndpointContext): Endpoint {
  const endpoint: Endpoint = {
    path: 'build/{build}/image/{id}/download/',
    name: 'Firmware Image Download',
    fields: [],
    isNarrowed: false,
    methods: {
      GET: {
        operationId: 'downloadUpgraderImage',
        summary: 'Downloads an image of a build',
        description:
          'For those of the installation, and operators of the organization that the build belongs to. The whole of it, whatever range is asked for.',
        answers: {
          '200': { description: 'The file', content: { [BYTES]: {} } },
          '304': { description: 'It is as it was' },
        },
        handle: (call) => download(context, endpoint, call),
      },
    },
  };
  return endpoint;
}

async function download(context: EndpointContext, endpoint: Endpoint, call: Call): Promise<void> {
  const { images, downloads } = context;
  const { exchange, asking } = call;
  const image = await found(context, call);
  // In the words of the reference, which has none.
  if (!asking.mayWrite || (image.organization === undefined && !asking.isSuperuser)) throw detail(403, '');
  await downloads.run(asking.by.name, exchange.over, () => send(images, image, endpoint, call));
}

/** @throws UpgraderError 404 */
async function found(context: EndpointContext, { asking, parameters }: Call): Promise<Image> {
  const build = await buildInPath(context.images, { asking: unnarrowed(asking), parameters });
  const image = await imageOf(context, build, parameters['id'] ?? '');
  if (image === null) throw noneOf('Firmware Image');
  return image;
}

async function send(
  images: ImageLibrary,
  image: Image,
  endpoint: Endpoint,
  { request, response }: Call,
): Promise<void> {
  const content = await images.open(image);
  if (content === null) throw detail(404, 'File not found');
  const { type, encoding } = contentTypeOf(image.name);
  const modifiedMs = Math.floor(image.uploadedAtMs / SECOND_MS) * SECOND_MS;
  const known = request.headers['if-modified-since'];
  response.set({
    ...mannersOf(request, allowOf(endpoint)),
    'Content-Disposition': `inline; filename="${image.name}"`,
    'Last-Modified': new Date(modifiedMs).toUTCString(),
    'Cache-Control': 'max-age=0, no-cache, must-revalidate, proxy-revalidate',
    Expires: NEVER,
    ...(encoding !== null && { 'Content-Encoding': encoding }),
  });
  // Not express's `set`, which has its own mind of charsets.
  response.setHeader('Content-Type', type);
  // As the reference has it, whatever else is said of caches.
  if (known !== undefined && Date.parse(known) >= modifiedMs) {
    response.status(304).end();
    return;
  }
  try {
    await sendImage(request, response, { image, content, hasRanges: false });
  } catch (error) {
    for (const name of ['Content-Type', 'Content-Disposition', 'Content-Encoding', 'Last-Modified'])
      response.removeHeader(name);
    throw isPrecondition(error) ? new ApiError(412) : error;
  }
}

function isPrecondition(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 412;
}

function contentTypeOf(name: string): { readonly type: string; readonly encoding: 'gzip' | null } {
  const isGzip = name.endsWith('.gz');
  const ending = (isGzip ? name.slice(0, -'.gz'.length) : name).split('.').at(-1) ?? '';
  return { type: CONTENT_TYPES[ending] ?? BYTES, encoding: isGzip ? 'gzip' : null };
}
