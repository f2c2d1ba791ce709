import type { Request, Response } from 'express';
import { SECOND_MS } from '../../common/index.js';
import {
  IMAGE_NAME_PATTERN,
  type Image,
  type ImageLibrary,
  sendImage,
  type Upload,
} from '../../firmware/index.js';
import type { Rules } from '../../rules/index.js';
import {
  ApiError,
  dynDialect,
  type Exchange,
  invalid,
  type JsonObject,
  type Route,
  refuseEncoding,
} from '../http/index.js';
import type { NbiLimits } from '../limits.js';

export interface ImageParts {
  readonly images: ImageLibrary;
  readonly rules: Rules;
  readonly limits: NbiLimits;
}

const dialect = dynDialect('images');
const LIST_PATH = '/v1/images';
const IMAGE_PATH = '/v1/images/{name}';
const PAGE_ITEMS_DEFAULT = 100;
const NAMING_RULES_SHOWN_MAX = 10;

/** What an upload's query may say of the image. */
const METADATA = ['softwareVersion', 'productClass', 'hardwareVersion', 'fileType'] as const;

/** `/v1/images`: the firmware library. */
export function imageRoutes(parts: ImageParts): Route[] {
  const { images } = parts;
  return [
    {
      method: 'get',
      path: LIST_PATH,
      role: 'viewer',
      dialect,
      handle: (exchange) => listImages(exchange, parts),
    },
    {
      method: 'get',
      path: IMAGE_PATH,
      role: 'viewer',
      dialect,
      async handle(exchange) {
        takeQuery(exchange.query, []);
        exchange.response.json(dialect.answer(200, imageView(await find(images, exchange.parameter))));
      },
    },
    {
      method: 'put',
      path: IMAGE_PATH,
      role: 'operator',
      dialect,
      handle: (exchange) => uploadImage(exchange, parts),
    },
    {
      method: 'delete',
      path: IMAGE_PATH,
      role: 'operator',
      dialect,
      handle: (exchange) => deleteImage(exchange, parts),
    },
    {
      method: 'get',
      path: `${IMAGE_PATH}/content`,
      role: 'viewer',
      dialect,
      async handle({ request, response, parameter, query }) {
        takeQuery(query, []);
        await sendContent(request, response, await find(images, parameter), images);
      },
    },
  ];
}

/** Times in epoch seconds, as everywhere in the API. */
export function imageView({ id, uploadedAtMs, ...image }: Image): JsonObject {
  return {
    name: id,
    sizeBytes: image.sizeBytes,
    sha256: image.sha256,
    fileType: image.fileType,
    softwareVersion: image.softwareVersion,
    productClass: image.productClass,
    hardwareVersion: image.hardwareVersion,
    uploaded: Math.floor(uploadedAtMs / SECOND_MS),
    uploadedBy: image.uploadedBy,
  };
}

async function find(images: ImageLibrary, name: string): Promise<Image> {
  const image = IMAGE_NAME_PATTERN.test(name) ? await images.get(name) : null;
  if (image === null) throw new ApiError(404);
  return image;
}

function takeQuery<Name extends string>(
  query: URLSearchParams,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const taken: Partial<Record<Name, string>> = {};
  for (const [key, value] of query) {
    const name = names.find((each) => each === key);
    if (name === undefined || taken[name] !== undefined) {
      throw invalid(
        key.slice(0, 100),
        names.length === 0 ? 'no query parameters' : `each of ${names.join(', ')} once`,
      );
    }
    taken[name] = value;
  }
  return taken;
}

async function listImages(
  { request, response, query }: Exchange,
  { images, limits }: ImageParts,
): Promise<void> {
  const { limit: limitText = String(PAGE_ITEMS_DEFAULT), after } = takeQuery(query, ['limit', 'after']);
  const limit = /^\d{1,9}$/.test(limitText) ? Number(limitText) : 0;
  if (limit < 1 || limit > limits.pageItemsMax)
    throw invalid('limit', `1 to ${limits.pageItemsMax}`, limitText);
  if (after !== undefined && !IMAGE_NAME_PATTERN.test(after))
    throw invalid('after', 'the name of an image', after);
  const page = await images.list({ limit, ...(after === undefined ? {} : { after }) });
  if (page.next !== null) {
    const url = new URL(request.originalUrl, 'http://host.invalid');
    url.searchParams.set('after', page.next);
    response.set('Link', `<${url.pathname}${url.search}>; rel="next"`).set('X-Next-After', page.next);
  }
  response.json(dialect.answer(200, page.items.map(imageView)));
}

async function uploadImage(
  { request, response, user, parameter, query }: Exchange,
  { images }: ImageParts,
): Promise<void> {
  const { sha256, ...metadata } = takeQuery(query, [...METADATA, 'sha256']);
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(sha256))
    throw invalid('sha256', '64 hexadecimal digits', sha256);
  checkContent(request);
  const sizeText = request.headers['content-length'];
  const upload: Upload = {
    metadata: { name: parameter, ...metadata },
    content: request,
    uploadedBy: user?.name ?? '',
    ...(sizeText === undefined ? {} : { sizeBytes: Number(sizeText) }),
    ...(sha256 === undefined ? {} : { sha256: sha256.toLowerCase() }),
  };
  const { image, outcome, sameContentAs } = await images.upload(upload);
  const code = outcome === 'created' ? 201 : 200;
  response.status(code).json(dialect.answer(code, { ...imageView(image), sameContentAs }));
}

function checkContent(request: Request): void {
  const contentType = (request.headers['content-type'] ?? 'application/octet-stream').split(';', 1)[0] ?? '';
  if (contentType.trim().toLowerCase() !== 'application/octet-stream') {
    const found = contentType.slice(0, 100);
    throw new ApiError(415, [
      { field: 'Content-Type', expected: 'application/octet-stream and the file itself as the body', found },
    ]);
  }
  refuseEncoding(request);
}

async function deleteImage(
  { response, parameter, query }: Exchange,
  { images, rules }: ImageParts,
): Promise<void> {
  const { force = 'false' } = takeQuery(query, ['force']);
  if (force !== 'true' && force !== 'false') throw invalid('force', 'true or false', force);
  const { id } = await find(images, parameter);
  const ids = force === 'true' ? [] : await rulesNaming(rules, id);
  if (ids.length > 0) {
    const expected = 'an image that no enabled rule names: disable these rules, or add force=true';
    throw new ApiError(409, [{ field: 'name', code: 'in-use', expected, ids }]);
  }
  if (!(await images.remove(id))) throw new ApiError(404);
  response.json(dialect.answer(204, ''));
}

async function rulesNaming(rules: Rules, file: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const rule of rules.scan({})) {
    if (rule.enabled && rule.file === file) ids.push(rule.id);
    if (ids.length >= NAMING_RULES_SHOWN_MAX) break;
  }
  return ids;
}

async function sendContent(
  request: Request,
  response: Response,
  image: Image,
  images: ImageLibrary,
): Promise<void> {
  const content = await images.open(image);
  if (content === null) throw new ApiError(404);
  response.set({
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${image.id}"`,
    ETag: `"${image.sha256}"`,
    'Last-Modified': new Date(image.uploadedAtMs).toUTCString(),
  });
  await new Promise<void>((resolve, reject) => {
    response.once('close', resolve);
    sendImage(request, response, { image, content }, (error) => reject(contentError(error, response)));
  });
}

function contentError(error: Error & { readonly status?: unknown }, response: Response): Error {
  for (const header of ['Content-Type', 'Content-Disposition', 'ETag', 'Last-Modified'])
    response.removeHeader(header);
  switch (error.status) {
    case 404:
      return new ApiError(404);
    case 412:
      return new ApiError(412, [{ field: 'If-Match', expected: 'the image as it is: fetch it anew' }]);
    case 416: {
      const contentRange = response.getHeader('Content-Range');
      const headers = contentRange === undefined ? undefined : { 'Content-Range': String(contentRange) };
      return new ApiError(416, [{ field: 'Range', expected: 'a range within the image' }], headers);
    }
    default:
      return error;
  }
}
