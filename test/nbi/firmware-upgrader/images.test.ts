import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import {
  addBuild,
  addCategory,
  fieldOf,
  idOf,
  imageForm,
  NO_SUCH_ID,
  PREFIX,
  resultsOf,
  startUpgrader,
  TIME,
  TYPE,
  UUID,
} from './support.js';

const OTHER_TYPE = 'x86-64-generic-squashfs-combined.img.gz';

async function startWithBuild(
  t: Parameters<typeof startUpgrader>[0],
  options: Parameters<typeof startUpgrader>[1] = {},
) {
  const upgrader = await startUpgrader(t, options);
  const build = await addBuild(upgrader, await addCategory(upgrader, 'Gateways'), '1');
  const path = `build/${build}/image/`;
  const upload = (body: FormData, to = path) => upgrader.ask('POST', to, { body });
  return { ...upgrader, build, path, upload };
}

test('an image is uploaded, told, found and deleted, each in the fields of the reference and their order', async (t) => {
  const { ask, upload, build, path, url } = await startWithBuild(t);
  const made = await upload(imageForm('firmware', `openwrt ${TYPE}`));
  t.is(made.status, 201, made.text);
  const id = idOf(made);
  t.regex(id, UUID);
  const created = fieldOf(made.body, 'created');
  t.regex(String(created), TIME);
  const file = `${url}${PREFIX}${path}${id}/download/`;
  const expected = { id, created, modified: created, file, type: TYPE, build };
  t.is(made.text, JSON.stringify(expected));
  t.is(made.headers.get('Allow'), 'GET, POST, HEAD, OPTIONS');
  const told = await ask('GET', `${path}${id}/`);
  t.is(told.text, made.text);
  t.is(told.headers.get('Allow'), 'GET, DELETE, HEAD, OPTIONS');
  await upload(imageForm('other', 'other.img.gz', OTHER_TYPE));
  t.like((await ask('GET', path)).body, { count: 2 });
  t.deepEqual(
    resultsOf(await ask('GET', path)).map(({ type }) => type),
    [OTHER_TYPE, TYPE],
  );
  t.deepEqual(
    resultsOf(await ask('GET', `${path}?ordering=type`)).map(({ type }) => type),
    [TYPE, OTHER_TYPE],
  );
  t.deepEqual(resultsOf(await ask('GET', `${path}?type=${TYPE}`)), [expected]);
  t.deepEqual(resultsOf(await ask('GET', `${path}?organization=south`)), []);
  const bogus = await ask('GET', `${path}?type=bogus`);
  t.is(bogus.status, 400);
  t.is(bogus.text, '{"type":["Select a valid choice. bogus is not one of the available choices."]}');
  for (const method of ['PUT', 'PATCH']) {
    const refused = await ask(method, `${path}${id}/`, { json: {} });
    t.is(refused.status, 405);
    t.is(refused.text, `{"detail":"Method \\"${method}\\" not allowed."}`);
    t.is(refused.headers.get('Allow'), 'GET, DELETE, HEAD, OPTIONS');
  }
  t.is((await ask('DELETE', `${path}${id}/`)).status, 204);
  const gone = await ask('GET', `${path}${id}/`);
  t.is(gone.status, 404);
  t.is(gone.text, '{"detail":"No FirmwareImage matches the given query."}');
});

test('fields stand before the file or behind it, and what is wrong with any of them is told', async (t) => {
  const { ask, upload, path, images, north } = await startWithBuild(t);
  t.is((await upload(imageForm('firmware', 'a.bin', TYPE, true))).status, 201);
  const none = new FormData();
  none.set('type', OTHER_TYPE);
  const elsewhere = new FormData();
  elsewhere.set('type', OTHER_TYPE);
  elsewhere.set('image', new Blob(['firmware']), 'b.bin');
  const text = new FormData();
  text.set('type', OTHER_TYPE);
  text.set('file', 'text');
  const empty = new FormData();
  empty.set('other', '1');
  for (const [form, problems] of [
    [none, { file: ['No file was submitted.'] }],
    [elsewhere, { file: ['No file was submitted.'] }],
    [text, { file: ['The submitted data was not a file. Check the encoding type on the form.'] }],
    [empty, { file: ['No file was submitted.'], type: ['This field is required.'] }],
    [imageForm('', 'b.bin', OTHER_TYPE), { file: ['The submitted file is empty.'] }],
    [imageForm('', 'b.bin', OTHER_TYPE, true), { file: ['The submitted file is empty.'] }],
    [
      imageForm('', 'b.bin', null),
      { file: ['The submitted file is empty.'], type: ['This field is required.'] },
    ],
    [imageForm('firmware', 'b.bin', null), { type: ['This field is required.'] }],
    [imageForm('firmware', 'b.bin', 'bogus'), { type: ['"bogus" is not a valid choice.'] }],
    [imageForm('firmware', 'b.bin', 'bogus', true), { type: ['"bogus" is not a valid choice.'] }],
    [
      imageForm('firmware', 'b.bin', TYPE),
      { __all__: ['Firmware Image with this Build and Type already exists.'] },
    ],
    [
      imageForm('firmware', 'b.bin', TYPE, true),
      { __all__: ['Firmware Image with this Build and Type already exists.'] },
    ],
    [imageForm('firmware', 'x.txt', ''), { type: ['Could not find boards for this type'] }],
    [imageForm('firmware', 'x-y.txt', '', true), { type: ['Could not find boards for this type'] }],
  ] as const) {
    const answer = await upload(form);
    t.is(answer.status, 400, JSON.stringify(problems));
    t.is(answer.text, JSON.stringify(problems));
  }
  for (const [json, problems] of [
    [{ file: null, type: OTHER_TYPE }, { file: ['This field may not be null.'] }],
    [{}, { file: ['No file was submitted.'], type: ['This field is required.'] }],
    [
      { file: 'x', type: 'bogus' },
      {
        file: ['The submitted data was not a file. Check the encoding type on the form.'],
        type: ['"bogus" is not a valid choice.'],
      },
    ],
  ] as const) {
    const answer = await ask('POST', path, { json });
    t.is(answer.status, 400);
    t.is(answer.text, JSON.stringify(problems));
  }
  t.is((await images.list({ limit: 10, organization: north.id })).items.length, 1);
});

test('an empty type is read from the name of the file as it was sent', async (t) => {
  const { ask, upload, build, path, images, north } = await startWithBuild(t);
  await images.upload({
    metadata: { name: `openwrt-${TYPE}` },
    organization: north.id,
    content: Readable.from([Buffer.from('taken')]),
    by: null,
    uploadedBy: 'test',
  });
  const made = await upload(imageForm('firmware', `openwrt-${TYPE}`, ''));
  t.is(made.status, 201, made.text);
  t.like(made.body, { type: TYPE, build });
  const [name] = (await images.list({ limit: 10, build, organization: north.id })).items.map(
    (each) => each.name,
  );
  t.regex(name ?? '', /^openwrt-ath79-generic-tplink_tl-wdr4300-v1-squashfs-sysupgrade_[A-Za-z0-9]{7}\.bin$/);
  t.is((await ask('GET', `${path}${idOf(made)}/download/`)).status, 200);
});

test('a file is called as it was sent, but for what cannot stand in a name', async (t) => {
  const { upload, ask, path } = await startWithBuild(t);
  for (const [sent, kept] of [
    ['a b(1).bin', 'a_b1.bin'],
    ['-x.txt', '_x.txt'],
    ['größe.bin', 'gre.bin'],
    ['...', 'image.bin'],
    [`${'x'.repeat(200)}.bin`, `${'x'.repeat(86)}.bin`],
  ] as const) {
    const made = await upload(imageForm('firmware', sent));
    t.is(made.status, 201, made.text);
    const file = await ask('GET', `${path}${idOf(made)}/download/`);
    t.is(file.headers.get('Content-Disposition'), `inline; filename="${kept}"`);
    t.is((await ask('DELETE', `${path}${idOf(made)}/`)).status, 204);
  }
});

test('a file of more bytes than it may have is refused, whether that is known before or not', async (t) => {
  const { upload } = await startWithBuild(t, {
    firmwareUpgrader: { imageBytesMax: 100_000 },
    imageBytesMax: 1_000_000,
  });
  const words = JSON.stringify({ file: ['The file may not be larger than 0.1\u00a0MB.'] });
  for (const bytes of [100_001, 300_000]) {
    const answer = await upload(imageForm(new Uint8Array(bytes), 'x.bin'));
    t.is(answer.status, 400);
    t.is(answer.text, words);
  }
  t.is((await upload(imageForm(new Uint8Array(100_000), 'x.bin'))).status, 201);
});

test('a form whose fields are too large, or that breaks off, leaves no image', async (t) => {
  const { ask, upload, path, images, north } = await startWithBuild(t);
  const large = imageForm('firmware', 'x.bin', TYPE, true);
  for (let count = 0; count < 3; count++) large.set(`field ${count}`, 'x'.repeat(30_000));
  const refused = await upload(large);
  t.is(refused.status, 400);
  t.is(refused.text, '{"detail":"Multipart form parse error - its fields are too large"}');
  const head = '--end\r\nContent-Disposition: form-data; name="type"\r\n\r\n';
  const file = '--end\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\n\r\n';
  for (const body of [`${head}${TYPE}\r\n${file}firmw`, `${head}${TYPE}\r\n${file}firmware\r\n--end\r\n`]) {
    const headers = { 'Content-Type': 'multipart/form-data; boundary=end' };
    t.is((await ask('POST', path, { body, headers })).status, 400);
  }
  t.is((await images.list({ limit: 10, organization: north.id })).items.length, 0);
  t.is((await upload(imageForm('firmware', 'x.bin'))).status, 201);
});

test('an image is downloaded as a whole, with the header of the reference', async (t) => {
  const { ask, upload, path, tokens } = await startWithBuild(t);
  const id = idOf(await upload(imageForm('firmware', 'x.bin')));
  const file = `${path}${id}/download/`;
  const whole = await ask('GET', file, { headers: { Range: 'bytes=0-3' } });
  t.is(whole.status, 200);
  t.is(whole.text, 'firmware');
  const modified = whole.headers.get('Last-Modified') ?? '';
  for (const [name, value] of [
    ['Content-Disposition', 'inline; filename="x.bin"'],
    ['Content-Type', 'application/octet-stream'],
    ['Content-Length', '8'],
    ['Content-Encoding', null],
    ['Cache-Control', 'max-age=0, no-cache, must-revalidate, proxy-revalidate'],
    ['Expires', 'Thu, 01 Jan 1970 00:00:00 GMT'],
    ['ETag', null],
    ['Accept-Ranges', null],
    ['Allow', 'GET, HEAD, OPTIONS'],
  ] as const)
    t.is(whole.headers.get(name), value, name);
  const head = await ask('HEAD', file);
  t.is(head.status, 200);
  t.is(head.text, '');
  t.is(head.headers.get('Content-Length'), '8');
  const again = await ask('GET', file, { headers: { 'If-Modified-Since': modified } });
  t.is(again.status, 304);
  t.is((await ask('GET', file, { headers: { 'If-Modified-Since': new Date(0).toUTCString() } })).status, 200);
  const packed = gzipSync('packed');
  const gzip = await upload(imageForm(new Uint8Array(packed), 'x.tar.gz', OTHER_TYPE));
  const unpacked = await ask('GET', `${path}${idOf(gzip)}/download/`);
  t.is(unpacked.text, 'packed');
  t.is(unpacked.headers.get('Content-Type'), 'application/x-tar');
  t.is(unpacked.headers.get('Content-Encoding'), 'gzip');
  const picky = await ask('GET', file, { headers: { Accept: 'application/octet-stream' } });
  t.is(picky.status, 406);
  t.is(picky.text, '{"detail":"Could not satisfy the request Accept header."}');
  const viewer = await ask('GET', file, { token: tokens.north.viewer });
  t.is(viewer.status, 403);
  t.is(viewer.text, '{"detail":""}');
  const unknown = await ask('GET', `${path}${NO_SUCH_ID}/download/`);
  t.is(unknown.status, 404);
  t.is(unknown.text, '{"detail":"No Firmware Image found matching the query"}');
  const foreign = await ask('GET', file, { token: tokens.south.operator });
  const nowhere = await ask('GET', file.replace(/build\/[^/]+/, `build/${NO_SUCH_ID}`));
  t.is(foreign.status, 404);
  t.is(foreign.text, nowhere.text);
});

test('a build that there is not and one of another organization have no images, for any method', async (t) => {
  const { ask, build, path, tokens } = await startWithBuild(t);
  for (const method of ['GET', 'POST']) {
    const unknown = await ask(method, `build/${NO_SUCH_ID}/image/`);
    t.is(unknown.status, 404, method);
    t.is(unknown.text, '{"detail":"build not found"}');
    const foreign = await ask(method, path, { token: tokens.south.operator });
    t.is(foreign.text, unknown.text);
    t.is((await ask(method, path, { token: null })).status, 401);
  }
  for (const method of ['GET', 'DELETE']) {
    const unknown = await ask(method, `build/${build}/image/${NO_SUCH_ID}/`);
    t.is(unknown.status, 404);
    t.is(unknown.text, '{"detail":"No FirmwareImage matches the given query."}');
  }
});

test('images of shared builds are read by all, uploaded and downloaded by those of the installation', async (t) => {
  const upgrader = await startUpgrader(t);
  const { ask, tokens } = upgrader;
  const token = tokens.installation.admin;
  const category = await addCategory(upgrader, 'Shared', { organization: null, token });
  const path = `build/${await addBuild(upgrader, category, '1', { token })}/image/`;
  const refused = await ask('POST', path, { body: imageForm('firmware', 'x.bin') });
  t.is(refused.status, 403);
  t.is(refused.text, '{"detail":"You do not have permission to perform this action."}');
  const made = await ask('POST', path, { body: imageForm('firmware', 'x.bin'), token });
  t.is(made.status, 201);
  const image = `${path}${idOf(made)}/`;
  t.is((await ask('GET', image)).status, 200);
  const download = await ask('GET', `${image}download/`);
  t.is(download.status, 403);
  t.is(download.text, '{"detail":""}');
  t.is((await ask('DELETE', image)).status, 403);
  t.is((await ask('GET', `${image}download/`, { token })).text, 'firmware');
  t.is((await ask('DELETE', image, { token })).status, 204);
});

/** Sends a request whole before it reads a byte of the answer, as simple clients do. @returns all that came */
async function sendThenRead(url: string, head: readonly string[], body: Buffer): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.pause();
  const lines = [`POST ${pathname} HTTP/1.1`, 'Host: a', `Content-Length: ${body.length}`, ...head];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.write(body, (error) => (error == null ? resolve() : reject(error)));
  });
  let answer = '';
  for await (const chunk of socket) {
    answer += String(chunk);
    const bytes = Number(/^Content-Length: (\d+)/im.exec(answer)?.[1] ?? Number.NaN);
    const start = answer.indexOf('\r\n\r\n') + 4;
    if (Buffer.byteLength(answer.slice(start)) === bytes) break;
  }
  return answer;
}

/** A form as its bytes: some fields, and a file behind them. */
function formBytes(fields: readonly (readonly [string, string])[], file: Buffer): Buffer {
  const texts = fields.map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const before = `${texts.join('')}--b\r\nContent-Disposition: form-data; name="file"; filename="x.bin"\r\n\r\n`;
  return Buffer.concat([Buffer.from(before), file, Buffer.from('\r\n--b--\r\n')]);
}

test('who sends all of a form before he reads is told what is wrong with what stands before the file', async (t) => {
  const { upload, path, url, tokens } = await startWithBuild(t, { imageBytesMax: 32 * 1024 * 1024 });
  t.is((await upload(imageForm('firmware', 'a.bin', TYPE))).status, 201);
  const head = [
    `Authorization: Bearer ${tokens.north.operator}`,
    'Content-Type: multipart/form-data; boundary=b',
  ];
  const file = Buffer.alloc(16 * 1024 * 1024);
  for (const [fields, problem] of [
    [[['type', 'bogus']], '"bogus" is not a valid choice.'],
    [[['type', TYPE]], 'Firmware Image with this Build and Type already exists.'],
    [[['more', 'x'.repeat(65 * 1024)]], 'its fields are too large'],
    [Array.from({ length: 1_001 }, () => ['a', 'b'] as const), 'too many parts'],
  ] as const) {
    const answer = await sendThenRead(url + PREFIX + path, head, formBytes(fields, file));
    t.regex(answer, /^HTTP\/1\.1 400 /, problem);
    t.true(answer.replaceAll('\\"', '"').includes(problem), answer);
  }
});

test('two files of one name that come at once are both kept, the later under another name', async (t) => {
  const { upload, images, north, build } = await startWithBuild(t);
  const made = await Promise.all([
    upload(imageForm('one', 'a.bin', TYPE)),
    upload(imageForm('other', 'a.bin', OTHER_TYPE)),
  ]);
  for (const { status, text } of made) t.is(status, 201, text);
  const { items } = await images.list({ limit: 10, build, organization: north.id });
  t.is(items.length, 2);
  t.is(items.filter(({ name }) => name === 'a.bin').length, 1);
});
