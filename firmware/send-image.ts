import type { Stats } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import send from 'send';
import type { ImageContent } from './content-store.js';
import type { Image } from './image.js';

/** Of `send`'s stream: what it sets and calls itself once it has looked at a file of the disk. */
interface Sending {
  res: ServerResponse;
  stream(path: string, range: { readonly start: number; readonly end: number }): void;
}

/**
 * Answers GET or HEAD with an image's content, wherever that lies. Ranges and preconditions are `send`'s. The caller has set
 * ETag, Last-Modified and Content-Type.
 * @param onError  called with an error that has a `status` (412, 416), or with one of the content's
 */
export function sendImage(
  request: IncomingMessage,
  response: ServerResponse,
  { image, content }: { readonly image: Image; readonly content: ImageContent },
  onError: (error: Error) => void,
): void {
  const stream = send(request, `/${image.id}`, { etag: false, lastModified: false, cacheControl: false });
  stream.on('error', onError);
  const sending: Sending = {
    res: response,
    stream(_path, { start, end }) {
      // Also ends the reading where the client goes away.
      pipeline(content.read({ start, end }), response).catch((error: Error) => {
        if (!isGone(error)) onError(error);
      });
    },
  };
  Object.assign(stream, sending);
  // Of the file's facts it reads no others, as it is not to make headers of them.
  const facts: Pick<Stats, 'size'> = { size: image.sizeBytes };
  stream.send(image.id, facts as Stats);
}

function isGone(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
