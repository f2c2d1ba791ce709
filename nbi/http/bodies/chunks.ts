import type { IncomingMessage } from 'node:http';
import { SECOND_MS } from '../../../common/index.js';
import { ApiError } from '../api-error.js';

/** The body as it comes. @throws ApiError 408 where nothing does for so long */
export async function* chunksOf(request: IncomingMessage, idleMsMax: number): AsyncGenerator<Buffer> {
  const chunks = request.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await withinMs(chunks.next(), idleMsMax);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // What is left is dropped, so that the connection can go on. Not waited for: a client that is late may never send more.
    void chunks.return?.().then(() => request.resume());
  }
}

async function withinMs<T>(promise: Promise<T>, idleMsMax: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const expected = `more of the body within ${idleMsMax / SECOND_MS} seconds`;
    const error = new ApiError(408, [{ field: '', expected }], { Connection: 'close' });
    timer = setTimeout(() => reject(error), idleMsMax);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
