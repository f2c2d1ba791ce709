import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import test from 'ava';
import { uimage, withMetadata } from '../firmware/formats/images.js';
import { ruleBody, startNbi, type TestNbi, until } from './support.js';

const CONTENT = randomBytes(100_000);
const SHA256 = createHash('sha256').update(CONTENT).digest('hex');

const upload = (
  nbi: TestNbi,
  nameAndQuery: string,
  body: Uint8Array = CONTENT,
  headers: Record<string, string> = {},
) =>
  nbi.call(`/v1/images/${nameAndQuery}`, {
    method: 'PUT',
    body,
    headers: { 'Content-Type': 'application/octet-stream', ...headers },
  });

const NOTHING = { code: 404, message: 'response from images', details: '' };

test('an image is uploaded, shown, downloaded, listed and deleted', async (t) => {
  const nbi = await startNbi(t, { clock: () => 1_743_412_508_999 });
  const created = await upload(
    nbi,
    `hgw.bin?softwareVersion=2.0.0&productClass=HGW&hardwareVersion=B&sha256=${SHA256}`,
  );
  const { number } = (created.body as { readonly details: { readonly number: number } }).details;
  t.regex(String(number), /^[1-9]\d{8}$/);
  const image = {
    number,
    name: 'hgw.bin',
    sizeBytes: 100_000,
    sha256: SHA256,
    fileType: '1 Firmware Upgrade Image',
    softwareVersion: '2.0.0',
    productClass: 'HGW',
    hardwareVersion: 'B',
    uploaded: 1743412508,
    uploadedBy: 'api',
  };
  t.is(created.status, 201);
  t.deepEqual(created.body, {
    code: 201,
    message: 'response from images',
    details: { ...image, sameContentAs: [] },
  });
  t.deepEqual((await nbi.call('/v1/images/hgw.bin')).body, {
    code: 200,
    message: 'response from images',
    details: image,
  });
  t.deepEqual((await nbi.call('/v1/images')).body, {
    code: 200,
    message: 'response from images',
    details: [image],
  });
  t.deepEqual((await nbi.call('/v1/images/hgw.bin/content')).body, CONTENT);
  const deleted = await nbi.call('/v1/images/hgw.bin', { method: 'DELETE' });
  t.deepEqual(deleted.body, { code: 204, message: 'response from images', details: '' });
  t.deepEqual((await nbi.call('/v1/images/hgw.bin')).body, NOTHING);
  t.is((await nbi.call('/v1/images/hgw.bin', { method: 'DELETE' })).status, 404);
  t.is((await nbi.call('/v1/images/hgw.bin/content')).status, 404);
});

test('the same upload again is a 200, other content under the name a 409, other names of it are told', async (t) => {
  const nbi = await startNbi(t);
  t.is((await upload(nbi, 'a.bin?softwareVersion=1')).status, 201);
  t.is((await upload(nbi, 'a.bin?softwareVersion=1')).status, 200);
  t.is((await upload(nbi, 'a.bin?softwareVersion=1', randomBytes(10))).status, 409);
  t.like((await upload(nbi, 'b.bin?softwareVersion=1')).body, {
    details: { name: 'b.bin', sameContentAs: ['a.bin'] },
  });
});

test('a download takes ranges and conditions', async (t) => {
  const nbi = await startNbi(t);
  await upload(nbi, 'a.bin');
  const get = (headers: Record<string, string>) => nbi.call('/v1/images/a.bin/content', { headers });
  const whole = await get({});
  t.is(whole.headers.get('Content-Type'), 'application/octet-stream');
  t.is(whole.headers.get('Content-Length'), '100000');
  t.is(whole.headers.get('Content-Disposition'), 'attachment; filename="a.bin"');
  const part = await get({ Range: 'bytes=10-19' });
  t.is(part.status, 206);
  t.deepEqual(part.body, CONTENT.subarray(10, 20));
  // fetch would ask for the whole file with Cache-Control: no-cache where none is given.
  const condition = { 'If-None-Match': whole.headers.get('ETag') ?? '', 'Cache-Control': 'max-age=0' };
  t.is((await get(condition)).status, 304);
  t.is((await get({ 'If-Match': '"other"' })).status, 412);
  const outside = await get({ Range: 'bytes=200000-' });
  t.is(outside.status, 416);
  t.is(outside.headers.get('Content-Range'), 'bytes */100000');
  t.like(outside.body, { code: 416, message: 'response from images', details: [{ field: 'Range' }] });
  const head = await nbi.call('/v1/images/a.bin/content', { method: 'HEAD' });
  t.is(head.headers.get('Content-Length'), '100000');
});

test('an image that an enabled rule names is only deleted by force', async (t) => {
  const nbi = await startNbi(t);
  await upload(nbi, 'a.bin?softwareVersion=2');
  const json = [ruleBody('on', { file: 'a.bin' }), ruleBody('off', { file: 'a.bin', enabled: false })];
  await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json });
  const refused = await nbi.call('/v1/images/a.bin', { method: 'DELETE' });
  t.is(refused.status, 409);
  t.like(refused.body, { code: 409, details: [{ field: 'name', code: 'in-use', ids: ['on'] }] });
  t.is((await nbi.call('/v1/images/a.bin?force=yes', { method: 'DELETE' })).status, 400);
  t.is((await nbi.call('/v1/images/a.bin?force=true', { method: 'DELETE' })).status, 200);
});

test('a rule names an image by its URL as well', async (t) => {
  const nbi = await startNbi(t);
  for (const name of ['a.bin', 'b.bin']) await upload(nbi, name);
  const json = ruleBody('on', { file: 'http://files.example.net/files/a%2Ebin?x=1' });
  t.is((await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json })).status, 200);
  const refused = await nbi.call('/v1/images/a.bin', { method: 'DELETE' });
  t.is(refused.status, 409);
  t.like(refused.body, { details: [{ code: 'in-use', ids: ['on'] }] });
  t.is((await nbi.call('/v1/images/b.bin', { method: 'DELETE' })).status, 200);
});

test('a wrong checksum, name, type, encoding, size or parameter is refused, and nothing is kept', async (t) => {
  const nbi = await startNbi(t);
  const refusals: readonly (readonly [number, ReturnType<typeof upload>])[] = [
    [400, upload(nbi, `a.bin?sha256=${'0'.repeat(64)}`)],
    [400, upload(nbi, 'a.bin?sha256=abc')],
    [400, upload(nbi, '-a.bin')],
    [400, upload(nbi, '%2e%2e%2fa.bin')],
    [400, upload(nbi, 'a.bin?version=1')],
    [400, upload(nbi, 'a.bin?softwareVersion=1&softwareVersion=2')],
    [400, upload(nbi, 'a.bin', new Uint8Array())],
    [415, upload(nbi, 'a.bin', CONTENT, { 'Content-Type': 'application/x-www-form-urlencoded' })],
    [415, upload(nbi, 'a.bin', CONTENT, { 'Content-Encoding': 'gzip' })],
    [413, upload(nbi, 'a.bin', new Uint8Array(2 * 1024 * 1024))],
  ];
  for (const [index, [status, reply]] of refusals.entries()) {
    const { status: found, body } = await reply;
    t.is(found, status, `refusal ${index}: ${JSON.stringify(body)}`);
    t.like(body, { code: status, message: 'response from images' });
  }
  t.deepEqual((await nbi.call('/v1/images')).body, {
    code: 200,
    message: 'response from images',
    details: [],
  });
});

test('an upload that breaks off leaves nothing', async (t) => {
  const nbi = await startNbi(t);
  const request = http.request(`${nbi.url}/v1/images/a.bin`, {
    method: 'PUT',
    headers: {
      Authorization: `Basic ${Buffer.from('api:correct horse').toString('base64')}`,
      'Content-Type': 'application/octet-stream',
      'Content-Length': '100000',
    },
  });
  request.on('error', () => {});
  await new Promise((resolve) => request.write(CONTENT.subarray(0, 50_000), resolve));
  request.destroy();
  await until(() => nbi.log.some(({ fields }) => fields['status'] === 'aborted' || fields['status'] === 400));
  t.deepEqual((await nbi.call('/v1/images/a.bin')).body, NOTHING);
});

test('images are listed in pages', async (t) => {
  const nbi = await startNbi(t);
  for (const name of ['c', 'a', 'b']) await upload(nbi, name);
  const first = await nbi.call('/v1/images?limit=2');
  t.like(first.body, { details: [{ name: 'a' }, { name: 'b' }] });
  const next = /<(.*)>; rel="next"/.exec(first.headers.get('Link') ?? '')?.[1] ?? '';
  const second = await nbi.call(next);
  t.like(second.body, { details: [{ name: 'c' }] });
  t.is(second.headers.get('Link'), null);
  for (const query of ['limit=0', 'limit=1001', 'after=%20', 'sort=name']) {
    t.is((await nbi.call(`/v1/images?${query}`)).status, 400, query);
  }
});

test('boards are given as a list, and what the file says is told with the image', async (t) => {
  const nbi = await startNbi(t);
  const openwrt = withMetadata(randomBytes(1_000));
  const told = {
    softwareVersion: '22.03.1',
    boards: ['tplink,archer-c7-v5', 'tplink,archer-c7-v4'],
    hardwareVersion: 'tplink_archer-c7-v5',
    fromFile: ['hardwareVersion'],
    formats: ['fwtool-metadata'],
  };
  const boards = encodeURIComponent('tplink,archer-c7-v5; tplink,archer-c7-v4');
  const created = await upload(nbi, `a.bin?softwareVersion=22.03.1&boards=${boards}`, openwrt);
  t.is(created.status, 201, JSON.stringify(created.body));
  t.like(created.body, { details: told });
  const { warnings } = (created.body as { details: { warnings: string[] } }).details;
  t.regex(
    warnings.join(),
    /^softwareVersion was given as "22\.03\.1", but the file says "23\.05\.3" \(.*\)$/,
  );
  t.like((await nbi.call('/v1/images/a.bin')).body, { details: { ...told, warnings } });
  t.like((await upload(nbi, 'b.bin?boards=%20;', openwrt)).body, {
    code: 400,
    details: [{ field: 'boards', code: 'invalid-metadata' }],
  });
});

test('a broken file is a 422 with the reason, and so is a contradiction where that is configured', async (t) => {
  const nbi = await startNbi(t, { strictImages: true });
  const broken = Buffer.from(uimage());
  broken.writeUInt8(broken.readUInt8(200) ^ 1, 200);
  const refused = await upload(nbi, 'a.bin', broken);
  t.is(refused.status, 422);
  t.like(refused.body, { code: 422, details: [{ field: '', code: 'invalid' }] });
  t.like((await upload(nbi, 'a.bin?softwareVersion=1', withMetadata(CONTENT))).body, {
    code: 422,
    details: [{ field: 'softwareVersion', code: 'contradiction' }],
  });
  t.is((await nbi.call('/v1/images/a.bin')).status, 404);
});
