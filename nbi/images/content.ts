import type { Response } from 'express';
import { type Image, type ImageLibrary, sendImage } from '../../firmware/index.js';
import {
  ApiError,
  closedQuery,
  type Exchange,
  FILE_HEADERS,
  failures,
  type Places,
  RANGE_HEADER,
  type Route,
  route,
  scopeOf,
  TAG_HEADER,
} from '../http/index.js';
import { findImage, IMAGE_PATH, NAME } from './image.js';

/**
 * `GET /v1/images/{name}/content`
 * @param downloads  one for each until its answer is out: whoever begins many at once and reads none would have all of them read from the
 *   disk as far as sockets take them
 */
export function downloadRoute(images: ImageLibrary, downloads: Places): Route {
  return route({
    method: 'GET',
    path: `${IMAGE_PATH}/content`,
    parameters: [NAME],
    role: 'viewer',
    concerns: 'organizations',
    operationId: 'downloadImage',
    summary: 'Downloads an image, or a range of it',
    query: closedQuery(),
    answers: {
      '200': {
        description: 'The file',
        headers: { ...FILE_HEADERS, ...TAG_HEADER },
        content: { 'application/octet-stream': {} },
      },
      '206': {
        description: 'The range that was asked for',
        headers: { ...FILE_HEADERS, ...TAG_HEADER, ...RANGE_HEADER },
        content: { 'application/octet-stream': {} },
      },
      '304': { description: 'It is as it was (If-None-Match, If-Modified-Since)', headers: TAG_HEADER },
      ...failures('Answer', '404', '412', '416'),
    },
    async handle(exchange) {
      const { user, over, parameters } = exchange;
      const image = await findImage(images, parameters.name, scopeOf(exchange));
      await downloads.run(user?.name ?? '', over, () => sendContent(exchange, image, images));
    },
  });
}

async function sendContent(
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  image: Image,
  images: ImageLibrary,
): Promise<void> {
  const content = await images.open(image);
  if (content === null) throw new ApiError(404);
  response.set({
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `attachment; filename="${image.name}"`,
    ETag: `"${image.sha256}"`,
    'Last-Modified': new Date(image.uploadedAtMs).toUTCString(),
  });
  try {
    await sendImage(request, response, { image, content });
  } catch (error) {
    throw error instanceof Error ? contentError(error, response) : error;
  }
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
