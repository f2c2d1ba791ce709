import type { Stats } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
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
 * @returns once the answer is out, or its client or connection gone: then nothing of the content is open any more
 * @throws Error with a `status` (412, 416), or one of the content's
 */
export function sendImage(
  request: IncomingMessage,
  response: ServerResponse,
  {
    image,
    content,
    hasRanges = true,
  }: {
    readonly image: Image;
    readonly content: ImageContent;
    /** Whether a range can be had; default: true. */
    readonly hasRanges?: boolean;
  },
): Promise<void> {
  const { socket } = request;
  // Its client went while the content was looked for: no event will tell of it again.
  if (response.destroyed || socket.destroyed) return Promise.resolve();
  return new Promise((resolve, reject) => {
    let reading: Readable | null = null;
    const settled = (settle: () => void) => {
      socket.off('close', connectionClosed);
      settle();
    };
    const failed = (error: Error) => settled(() => (isGone(error) ? resolve() : reject(error)));
    // An answer that has no connection yet never closes by itself. Where it was the content that failed, it says so.
    const connectionClosed = () => {
      const error = reading?.errored ?? null;
      reading?.destroy();
      if (error === null) settled(resolve);
      else failed(error);
    };
    socket.once('close', connectionClosed);
    const stream = send(request, `/${image.name}`, {
      etag: false,
      lastModified: false,
      cacheControl: false,
      acceptRanges: hasRanges,
    });
    stream.on('error', failed);
    const sending: Sending = {
      res: response,
      stream(_path, range) {
        reading = content.read(range);
        // Also ends the reading where the client goes away.
        pipeline(reading, response).then(() => settled(resolve), failed);
      },
    };
    Object.assign(stream, sending);
    // Of the file's facts it reads no others, as it is not to make headers of them.
    const facts: Pick<Stats, 'size'> = { size: image.sizeBytes };
    stream.send(image.name, facts as Stats);
    // An answer without content (HEAD, 304). With content it is the reading that ends, and says how.
    if (reading === null) response.once('close', () => settled(resolve));
  });
}

function isGone(error: Error): boolean {
  return 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
