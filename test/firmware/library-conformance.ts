import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import test from 'ava';
import { DAY_MS } from '../../common/index.js';
import {
  FIRMWARE_FILE_TYPE,
  type Image,
  ImageError,
  type ImageErrorCode,
  type ImageMetadata,
  type Upload,
} from '../../firmware/index.js';
import { BY } from '../support/actor.js';
import {
  contentOf,
  type LibraryOpener,
  listen,
  MEBIBYTE,
  randomContent,
  sha256Of,
  type TestLibrary,
  uploadOf,
} from './support.js';

async function refusal(attempt: Promise<unknown>): Promise<ImageError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
  throw new Error('should have been refused');
}

/** Every image can be read whole, and there is one file for each content and none besides. */
async function isConsistent(opened: TestLibrary): Promise<boolean> {
  const { items } = await opened.library.list({ limit: 1_000 });
  for (const image of items) {
    if (sha256Of(await contentOf(opened.library, image)) !== image.sha256) return false;
  }
  if ((await opened.files()).incoming.length > 0) return false;
  await opened.settle();
  const { incoming, content } = await opened.files();
  return incoming.length === 0 && content.length === new Set(items.map((image) => image.sha256)).size;
}

const BAD_METADATA: readonly (readonly [field: string, metadata: Partial<ImageMetadata>])[] = [
  ['name', { name: '' }],
  ['name', { name: '.hidden' }],
  ['name', { name: '../x' }],
  ['name', { name: 'a/b' }],
  ['name', { name: 'a\0b' }],
  ['name', { name: 'a b' }],
  ['name', { name: 'ä' }],
  ['name', { name: 'a\n' }],
  ['name', { name: 'n'.repeat(129) }],
  ['fileType', { fileType: '3 Vendor Configuration File' }],
  ['fileType', { fileType: '' }],
  ['fileType', { fileType: 'X 00a1b2 lower' }],
  ['fileType', { fileType: `X 00A1B2 ${'v'.repeat(60)}` }],
  ['softwareVersion', { softwareVersion: '' }],
  ['softwareVersion', { softwareVersion: ' 2.0' }],
  ['softwareVersion', { softwareVersion: '2\u0000' }],
  ['softwareVersion', { softwareVersion: '\ud800' }],
  ['productClass', { productClass: 'p'.repeat(129) }],
  ['hardwareVersion', { hardwareVersion: 'a\r\nb' }],
];

const REFUSED_CONTENT: readonly (readonly [title: string, code: ImageErrorCode, upload: () => Upload])[] = [
  ['nothing', 'empty', () => uploadOf('a', Buffer.alloc(0))],
  ['nothing announced', 'empty', () => uploadOf('a', Buffer.alloc(0), { sizeBytes: 0 })],
  ['more than the limit', 'too-large', () => uploadOf('a', randomContent(MEBIBYTE + 1))],
  [
    'more than the limit announced',
    'too-large',
    () => uploadOf('a', Readable.from([]), { sizeBytes: 2 ** 40 }),
  ],
  ['another hash', 'checksum-mismatch', () => uploadOf('a', Buffer.from('x'), { sha256: '0'.repeat(64) })],
  ['less than announced', 'incomplete', () => uploadOf('a', Buffer.from('x'), { sizeBytes: 2 })],
  ['more than announced', 'incomplete', () => uploadOf('a', Buffer.from('xyz'), { sizeBytes: 2 })],
  ['no hash', 'invalid-metadata', () => uploadOf('a', Buffer.from('x'), { sha256: 'beef' })],
  ['no size', 'invalid-metadata', () => uploadOf('a', Buffer.from('x'), { sizeBytes: -1 })],
];

/** What any library keeps to, wherever its contents lie. @param where  what the titles begin with */
export function defineLibraryTests(where: string, open: LibraryOpener): void {
  test(`${where}: an uploaded image is there with its hash, size and metadata`, async (t) => {
    const clock = () => 1_700_000_000_123;
    const opened = await open(t, { clock });
    const content = randomContent(300_000);
    const metadata = { softwareVersion: '2.0.0', productClass: 'HGW', hardwareVersion: 'rev B' };
    const upload = uploadOf('hgw-2.0.0.bin', content, { metadata, uploadedBy: 'ann' });

    const { image, outcome, sameContentAs } = await opened.library.upload(upload);

    t.is(outcome, 'created');
    t.deepEqual(sameContentAs, []);
    t.like(image, {
      id: 'hgw-2.0.0.bin',
      sha256: sha256Of(content),
      sizeBytes: 300_000,
      fileType: FIRMWARE_FILE_TYPE,
      ...metadata,
      uploadedAtMs: 1_700_000_000_123,
      uploadedBy: 'ann',
    });
    t.deepEqual(await opened.library.get('hgw-2.0.0.bin'), image);
    t.true(content.equals(await contentOf(opened.library, image)));
    t.true(await isConsistent(opened));
  });

  test(`${where}: the same name with the same content and metadata is unchanged`, async (t) => {
    const opened = await open(t);
    const content = randomContent(1_000);
    const first = await opened.library.upload(uploadOf('a', content, { uploadedBy: 'ann' }));
    const second = await opened.library.upload(uploadOf('a', content, { uploadedBy: 'bob' }));
    t.is(second.outcome, 'unchanged');
    t.deepEqual(second.image, first.image);
    t.true(await isConsistent(opened));
  });

  test(`${where}: the same name with other content or other metadata is taken`, async (t) => {
    const opened = await open(t);
    const content = randomContent(1_000);
    await opened.library.upload(uploadOf('a', content));
    const others: Upload[] = [
      uploadOf('a', randomContent(1_000)),
      uploadOf('a', content, { metadata: { softwareVersion: '2' } }),
      uploadOf('a', content, { metadata: { fileType: 'X 00A1B2 Bootloader' } }),
    ];
    for (const other of others) t.is((await refusal(opened.library.upload(other))).code, 'name-taken');
    t.true(await isConsistent(opened));
  });

  test(`${where}: what announces itself as other content for a taken name is refused unread`, async (t) => {
    const { library } = await open(t);
    await library.upload(uploadOf('a', randomContent(1_000)));
    for (const announced of [{ sizeBytes: 999 }, { sha256: '0'.repeat(64) }]) {
      const content = new PassThrough();
      t.is((await refusal(library.upload(uploadOf('a', content, announced)))).code, 'name-taken');
      t.false(content.destroyed);
    }
  });

  test(`${where}: names of one content share one file, which goes with the last of them`, async (t) => {
    const opened = await open(t);
    const content = randomContent(5_000);
    const { image: a } = await opened.library.upload(uploadOf('a', content));
    const { image: b, sameContentAs } = await opened.library.upload(uploadOf('b', content));
    t.deepEqual(sameContentAs, ['a']);
    t.is(a.contentFile, b.contentFile);
    t.true(await opened.library.remove('a', BY));
    t.is(await opened.library.get('a'), null);
    t.true(await isConsistent(opened));
    t.true(await opened.library.remove('b', BY));
    await opened.settle();
    t.deepEqual(await opened.files(), { incoming: [], content: [] });
    t.false(await opened.library.remove('b', BY));
  });

  test(`${where}: images are listed by name, in pages`, async (t) => {
    const { library } = await open(t);
    const names = ['a', 'a-1', 'a.1', 'a1', 'b', 'A', '_', '~'];
    for (const name of names) await library.upload(uploadOf(name, Buffer.from(name)));
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page: { items: readonly Image[]; next: string | null } = await library.list({
        limit: 3,
        ...(after === null ? {} : { after }),
      });
      seen.push(...page.items.map((image) => image.id));
      after = page.next;
    } while (after !== null);
    t.deepEqual(seen, [...names].sort());
    for (const page of [{ limit: 0 }, { limit: 1_001 }, { limit: 1.5 }, { limit: 1, after: '../x' }]) {
      t.is((await refusal(library.list(page))).code, 'invalid-metadata');
    }
  });

  for (const [field, metadata] of BAD_METADATA) {
    test(`${where}: metadata is refused by its field: ${JSON.stringify(metadata).slice(0, 60)}`, async (t) => {
      const { library } = await open(t);
      const error = await refusal(library.upload(uploadOf('a', Buffer.from('x'), { metadata })));
      t.is(error.code, 'invalid-metadata');
      t.is(error.field, field);
      t.true(error.message.startsWith(`${field} must be`));
    });
  }

  test(`${where}: the longest name and a vendor file type are accepted`, async (t) => {
    const { library } = await open(t);
    const metadata = { fileType: 'X 00A1B2 Boot loader', softwareVersion: 'ß'.repeat(128) };
    const { image } = await library.upload(uploadOf('n'.repeat(128), Buffer.from('x'), { metadata }));
    t.like(image, metadata);
  });

  for (const [title, code, upload] of REFUSED_CONTENT) {
    test(`${where}: content is refused and leaves nothing behind: ${title}`, async (t) => {
      const opened = await open(t, { imageBytesMax: MEBIBYTE });
      t.is((await refusal(opened.library.upload(upload()))).code, code);
      t.is(await opened.library.get('a'), null);
      t.deepEqual(await opened.files(), { incoming: [], content: [] });
    });
  }

  test(`${where}: the right hash is accepted in upper case too`, async (t) => {
    const { library } = await open(t);
    const content = randomContent(10);
    const upload = uploadOf('a', content, { sha256: sha256Of(content).toUpperCase(), sizeBytes: 10 });
    t.is((await library.upload(upload)).outcome, 'created');
  });

  test(`${where}: an endless stream is read no further than the limit and is left open for the answer`, async (t) => {
    const { library } = await open(t, { imageBytesMax: MEBIBYTE });
    let givenBytes = 0;
    const endless = new Readable({
      read() {
        givenBytes += 65_536;
        this.push(Buffer.alloc(65_536));
      },
    });
    t.is((await refusal(library.upload(uploadOf('a', endless)))).code, 'too-large');
    t.false(endless.destroyed);
    t.true(givenBytes < 2 * MEBIBYTE, `${givenBytes} bytes were taken`);
    endless.destroy();
  });

  test(`${where}: a sender that goes silent is given up`, async (t) => {
    const opened = await open(t, { uploadIdleMsMax: 50 });
    const silent = new PassThrough();
    silent.write('some bytes');
    const error = await refusal(opened.library.upload(uploadOf('a', silent)));
    t.is(error.code, 'incomplete');
    t.regex(error.message, /nothing came for 50 ms/);
    t.deepEqual(await opened.files(), { incoming: [], content: [] });
  });

  test(`${where}: an HTTP upload whose client goes away in the middle is incomplete`, async (t) => {
    const opened = await open(t);
    const server = createServer();
    const port = await listen(server);
    t.teardown(() => server.close());
    const requested = once(server, 'request');
    const socket = connect(port, '127.0.0.1');
    socket.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nsome bytes');
    const [request] = await requested;
    const refused = refusal(opened.library.upload(uploadOf('a', request)));
    socket.destroy();
    t.is((await refused).code, 'incomplete');
    t.deepEqual(await opened.files(), { incoming: [], content: [] });
  });

  test(`${where}: a stream that failed before it is read is incomplete`, async (t) => {
    const { library } = await open(t);
    const failing = new PassThrough();
    const upload = library.upload(uploadOf('a', failing));
    failing.destroy(new Error('no such file'));
    const error = await refusal(upload);
    t.is(error.code, 'incomplete');
    t.regex(error.message, /no such file/);
  });

  test(`${where}: of concurrent uploads under one name with one content one is created, the others are unchanged`, async (t) => {
    const opened = await open(t);
    const content = randomContent(200_000);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => opened.library.upload(uploadOf('a', content))),
    );
    t.is(outcomes.filter(({ outcome }) => outcome === 'created').length, 1);
    t.true(outcomes.every(({ image }) => image.sha256 === sha256Of(content)));
    t.true(await isConsistent(opened));
  });

  test(`${where}: of concurrent uploads under one name with several contents one wins, the others find it taken`, async (t) => {
    const opened = await open(t);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () => opened.library.upload(uploadOf('a', randomContent(100_000)))),
    );
    t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') t.like(outcome.reason, { code: 'name-taken' });
    }
    t.true(await isConsistent(opened));
  });

  test(`${where}: concurrent uploads of one content under several names keep it once`, async (t) => {
    const opened = await open(t);
    const content = randomContent(100_000);
    const names = Array.from({ length: 8 }, (_, index) => `n${index}`);
    await Promise.all(names.map((name) => opened.library.upload(uploadOf(name, content))));
    t.is((await opened.files()).content.length, 1);
    t.true(await isConsistent(opened));
  });

  test(`${where}: uploads and removals of one content by two libraries at once never lose an image that is there`, async (t) => {
    const opened = await open(t);
    // Two libraries share nothing but stores, as two processes do.
    const other = opened.another();
    const content = randomContent(2_000);
    const churn = async (library: typeof other, name: string) => {
      for (let round = 0; round < 30; round++) {
        const { image } = await library.upload(uploadOf(name, content));
        t.true(content.equals(await contentOf(library, image)));
        t.true(await library.remove(name, BY));
      }
      await library.upload(uploadOf(name, content));
    };
    await Promise.all([churn(opened.library, 'a'), churn(other, 'b'), churn(opened.library, 'c')]);
    t.true(await isConsistent(opened));
    t.is((await opened.files()).content.length, 1);
  });

  test(`${where}: uploading lost or damaged content again repairs every image that has it`, async (t) => {
    const opened = await open(t);
    const content = randomContent(10_000);
    const { image } = await opened.library.upload(uploadOf('a', content));
    await opened.lose(image);
    t.is((await opened.library.upload(uploadOf('b', content))).outcome, 'created');
    t.true(await isConsistent(opened));
    await opened.cutShort(image);
    t.is((await opened.library.upload(uploadOf('a', content))).outcome, 'unchanged');
    t.true(await isConsistent(opened));
  });

  test(`${where}: cleanUp removes old leftovers, and nothing that is young or named`, async (t) => {
    let nowMs = Date.now();
    const opened = await open(t, { clock: () => nowMs });
    const { image } = await opened.library.upload(uploadOf('a', randomContent(100)));
    const options = { bytesMax: MEBIBYTE, idleMsMax: 60_000, by: 'tester' };
    const leave = (text: string) => opened.contents.receive(Readable.from([Buffer.from(text)]), options);
    await leave('its upload ended here');
    const nameless = await leave('nobody names it');
    await opened.contents.move(nameless.name, `content/${nameless.sha256}.0123456789abcdef`);
    await opened.library.cleanUp();
    t.is((await opened.files()).incoming.length, 1);
    t.is((await opened.files()).content.length, 2);
    nowMs += DAY_MS;
    await opened.library.cleanUp();
    t.deepEqual(await opened.files(), { incoming: [], content: [image.contentFile] });
    t.is((await contentOf(opened.library, image)).length, 100);
  });
}
