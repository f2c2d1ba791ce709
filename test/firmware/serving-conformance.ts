import test from 'ava';
import fc from 'fast-check';
import { BY } from '../support/actor.js';
import { nowMs, recorder, startDownload, startServer } from './serving.js';
import { ask, type LibraryOpener, MEBIBYTE, randomContent, type TestLibrary } from './support.js';

/** What the file server keeps to, wherever contents lie. @param where  what the titles begin with */
export function defineServingTests(where: string, open: LibraryOpener<TestLibrary>): void {
  test(`${where}: any range of bytes equals that slice of the image`, async (t) => {
    const { port, path, content } = await startServer(t, open, { content: randomContent(5_000) });
    const size = content.length;
    await fc.assert(
      fc.asyncProperty(fc.nat(size - 1), fc.option(fc.nat(size + 100)), async (start, extra) => {
        const end = extra === null ? null : start + extra;
        const { status, headers, body } = await ask(port, path, {
          headers: { Range: `bytes=${start}-${end ?? ''}` },
        });
        const last = Math.min(end ?? size - 1, size - 1);
        t.is(status, 206);
        t.true(body.equals(content.subarray(start, last + 1)));
        t.is(headers['content-range'], `bytes ${start}-${last}/${size}`);
        t.is(headers['content-length'], String(last + 1 - start));
      }),
      { numRuns: 60 },
    );
    const suffix = await ask(port, path, { headers: { Range: 'bytes=-100' } });
    t.true(suffix.body.equals(content.subarray(-100)));
  });

  test(`${where}: a download cut off is resumed where it stopped, while the ETag still holds`, async (t) => {
    const { port, path, content, image } = await startServer(t, open);
    const range = { Range: 'bytes=60000-' };
    for (const validator of [`"${image.sha256}"`, new Date(nowMs).toUTCString()]) {
      const resumed = await ask(port, path, { headers: { ...range, 'If-Range': validator } });
      t.is(resumed.status, 206);
      t.true(resumed.body.equals(content.subarray(60_000)));
    }
    for (const stale of [`"${'0'.repeat(64)}"`, new Date(nowMs - 60_000).toUTCString()]) {
      const whole = await ask(port, path, { headers: { ...range, 'If-Range': stale } });
      t.is(whole.status, 200);
      t.true(whole.body.equals(content));
    }
  });

  test(`${where}: a range outside the image is 416 and says how long it is`, async (t) => {
    const { port, path } = await startServer(t, open);
    const answer = await ask(port, path, { headers: { Range: 'bytes=100000-' } });
    t.is(answer.status, 416);
    t.is(answer.headers['content-range'], 'bytes */100000');
    t.is(answer.headers['content-length'], String(answer.body.length));
  });

  test(`${where}: an image whose content was lost or cut short by other hands is 500 and never served in part`, async (t) => {
    const { lines, logger } = recorder();
    const { port, path, opened, image } = await startServer(t, open, { logger });
    await opened.cutShort(image);
    t.is((await ask(port, path)).status, 500);
    await opened.lose(image);
    t.is((await ask(port, path)).status, 500);
    t.deepEqual(
      lines.map(({ event }) => event),
      ['files.content-damaged', 'files.content-damaged'],
    );
  });

  test(`${where}: an image removed while it is downloaded still arrives whole`, async (t) => {
    const { port, path, content, library } = await startServer(t, open, {
      content: randomContent(16 * MEBIBYTE),
    });
    const socket = await startDownload(port, path);
    t.true(await library.remove('a.bin', BY));
    let receivedBytes = 0;
    let headBytes = -1;
    for await (const chunk of socket) {
      if (headBytes < 0) headBytes = chunk.indexOf('\r\n\r\n') + 4;
      receivedBytes += chunk.length;
      if (receivedBytes - headBytes >= content.length) break;
    }
    t.is(receivedBytes - headBytes, content.length);
    t.is((await ask(port, path)).status, 404);
  });
}
