import { PassThrough } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { DAY_MS, silentLogger } from '../../common/index.js';
import { openImageLibrary, SharedContents } from '../../firmware/index.js';
import { openMongoStore, StoreError } from '../../store/index.js';
import { until } from '../support/ferry.js';
import { mongodbUrl, portOf, proxiedUrl, testDatabase } from '../support/mongodb.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { MEBIBYTE, opened, randomContent, sha256Of, uploadOf } from './support.js';

// What a bad network between a node and the database does to images in GridFS.
async function faulty(t: ExecutionContext, url: string, timeoutMs: number) {
  const database = testDatabase(t, url);
  const proxy = await startTcpProxy(t, portOf(url));
  const store = await openMongoStore({ url: proxiedUrl(url, proxy.port), database, timeoutMs });
  t.teardown(async () => {
    proxy.heal();
    await store.close();
  });
  const contents = new SharedContents(store.files);
  return { proxy, store, contents, library: opened(store, contents, {}).library };
}

function define(url: string): void {
  test('a download goes on where it was when the database is back', async (t) => {
    const { proxy, library } = await faulty(t, url, 5_000);
    const content = randomContent(3 * MEBIBYTE);
    const { image } = await library.upload(uploadOf('a', content));
    const found = await library.open(image);
    const received: Buffer[] = [];
    for await (const chunk of found?.read({ start: 0, end: image.sizeBytes - 1 }) ?? []) {
      received.push(chunk);
      if (received.length !== 2) continue;
      proxy.cut();
      setTimeout(() => proxy.heal(), 1_000);
    }
    t.is(sha256Of(Buffer.concat(received)), sha256Of(content));
  });

  test('an upload that the database is lost under is refused, and what it left is cleaned up', async (t) => {
    const { proxy, store, contents, library } = await faulty(t, url, 1_000);
    const content = new PassThrough();
    content.write(randomContent(MEBIBYTE));
    proxy.onRequest = (bytes) => {
      if (bytes.includes('ferry.files.chunks')) proxy.cut();
      return true;
    };
    await t.throwsAsync(library.upload(uploadOf('a', content)), { instanceOf: StoreError });
    proxy.onRequest = () => true;
    proxy.heal();
    // How soon the driver is connected again is its own affair.
    const image = await until('an upload is taken again', () =>
      library.upload(uploadOf('a', randomContent(1_000))).then(
        (done) => done.image,
        () => null,
      ),
    );
    const clock = () => Date.now() + DAY_MS;
    const limits = { imageBytesMax: MEBIBYTE };
    await openImageLibrary({ contents, store, limits, clock, logger: silentLogger }).cleanUp();
    for await (const { name } of contents.listIncoming()) t.fail(`${name} is left`);
    t.truthy(await library.open(image));
  });
}

const url = mongodbUrl();
if (url !== null) define(url);
