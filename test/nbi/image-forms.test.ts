import test, { type ExecutionContext } from 'ava';
import { randomContent, sha256Of } from '../firmware/support.js';
import { type Reply, startNbi, type TestNbi, VIEWER } from './support.js';

const BOUNDARY = 'a-boundary';
const FORM = `multipart/form-data; boundary=${BOUNDARY}`;

interface Part {
  readonly name: string;
  readonly value: Buffer | string;
  readonly fileName?: string;
}

/** A form as curl sends it, byte by byte; `ends` false: without the last boundary. */
function formOf(parts: readonly Part[], ends = true): Buffer {
  const pieces = parts.flatMap(({ name, value, fileName }) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${fileName === undefined ? '' : `; filename="${fileName}"\r\nContent-Type: application/octet-stream`}\r\n\r\n`,
    ),
    Buffer.from(value),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(ends ? `--${BOUNDARY}--\r\n` : '')]);
}

function post({ call }: Pick<TestNbi, 'call'>, body: Buffer, type = FORM): Promise<Reply> {
  return call('/v1/images', { method: 'POST', body, headers: { 'Content-Type': type } });
}

async function refused(
  t: ExecutionContext,
  reply: Promise<Reply>,
  status: number,
  told: RegExp,
): Promise<void> {
  const { status: found, body } = await reply;
  t.is(found, status, JSON.stringify(body));
  t.regex(JSON.stringify(body), told);
}

test('an image comes by a form, with what is said of it before the file', async (t) => {
  const nbi = await startNbi(t);
  const content = randomContent(300_000);
  const reply = await post(
    nbi,
    formOf([
      { name: 'softwareVersion', value: '2.0' },
      { name: 'sha256', value: sha256Of(content) },
      { name: 'image', value: content, fileName: 'hgw-2.0.bin' },
    ]),
  );
  t.is(reply.status, 201, JSON.stringify(reply.body));
  t.like((reply.body as { readonly details: object }).details, {
    name: 'hgw-2.0.bin',
    softwareVersion: '2.0',
  });
  t.deepEqual((await nbi.call('/v1/images/hgw-2.0.bin/content')).body, content);

  const again = formOf([
    { name: 'name', value: 'hgw-2.0.bin' },
    { name: 'softwareVersion', value: '2.0' },
    { name: 'file', value: content, fileName: 'other' },
  ]);
  t.is((await post(nbi, again)).status, 200);
});

test('a form as fetch sends it is taken', async (t) => {
  const nbi = await startNbi(t);
  const form = new FormData();
  form.append('name', 'by-fetch.bin');
  form.append('file', new Blob([randomContent(70_000)]), 'x.bin');
  const response = new Response(form);
  const body = Buffer.from(await response.arrayBuffer());
  t.is((await post(nbi, body, response.headers.get('Content-Type') ?? '')).status, 201);
});

test('of a form that is not whole, or is none, nothing is kept, and it is told what is wrong', async (t) => {
  const nbi = await startNbi(t);
  const file: Part = { name: 'file', value: randomContent(50_000), fileName: 'a.bin' };
  await refused(t, post(nbi, formOf([file], false)), 400, /whole form|before all of it/);
  await refused(t, post(nbi, formOf([file, { name: 'softwareVersion', value: '2' }])), 400, /comes last/);
  await refused(t, post(nbi, formOf([file, file])), 400, /one file|at most/);
  await refused(t, post(nbi, formOf([{ name: 'name', value: 'a.bin' }])), 400, /a part with a file/);
  await refused(t, post(nbi, formOf([{ name: 'colour', value: 'red' }, file])), 400, /colour/);
  await refused(t, post(nbi, formOf([{ name: 'sha256', value: 'red' }, file])), 400, /64 hexadecimal/);
  await refused(t, post(nbi, formOf([{ ...file, fileName: '' }])), 400, /name|part with a file/);
  await refused(t, post(nbi, formOf([file]), 'multipart/form-data'), 415, /boundary/);
  await refused(t, post(nbi, formOf([file]), 'application/x-www-form-urlencoded'), 415, /multipart/);
  const many = Array.from({ length: 40 }, (_, n) => ({ name: `f${n}`, value: 'x' }));
  await refused(t, post(nbi, formOf([...many, file])), 400, /at most 32 fields/);
  await refused(
    t,
    post(nbi, formOf([{ name: 'name', value: 'x'.repeat(70_000) }, file])),
    400,
    /bytes together/,
  );
  t.is((await nbi.call('/v1/images/a.bin')).status, 404);
  t.deepEqual(((await nbi.call('/v1/images')).body as { readonly details: unknown }).details, []);
});

test('a form that is cut off anywhere is told so, whoever reads it by then, and the server goes on', async (t) => {
  const nbi = await startNbi(t);
  const parts: readonly Part[] = [
    { name: 'softwareVersion', value: '2.0' },
    { name: 'file', value: 'firmware', fileName: 'a.bin' },
  ];
  const whole = formOf(parts);
  // Without the last line break a form is whole all the same.
  for (let length = 0; length < whole.length - 2; length++) {
    const reply = await post(nbi, whole.subarray(0, length));
    t.is(reply.status, 400, `${length} bytes: ${JSON.stringify(reply.body)}`);
  }
  // Refused for what stands before the file, which nobody reads then.
  const refusedEarly = formOf([{ name: 'colour', value: 'red' }, ...parts]);
  for (let length = refusedEarly.length - 80; length < refusedEarly.length - 2; length++)
    t.is((await post(nbi, refusedEarly.subarray(0, length))).status, 400, `${length} bytes`);
  t.deepEqual(((await nbi.call('/v1/images')).body as { readonly details: unknown }).details, []);
  t.is((await post(nbi, whole)).status, 201);
});

test('a form with a part that has no name is refused, wherever it stands', async (t) => {
  const nbi = await startNbi(t);
  const named = formOf([{ name: 'file', value: 'firmware', fileName: 'a.bin' }], false);
  const nameless = (bytes: number) =>
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\n${'x'.repeat(bytes)}\r\n`);
  const end = Buffer.from(`--${BOUNDARY}--\r\n`);
  for (const form of [[nameless(1), named], [named, nameless(1)], [nameless(70_000)], [nameless(1)]])
    t.is((await post(nbi, Buffer.concat([...form, end]))).status, 400);
  t.is((await post(nbi, Buffer.concat([named, end]))).status, 201);
});

test('what is too large is refused, and viewers send no forms', async (t) => {
  const nbi = await startNbi(t, { imageBytesMax: 10_000 });
  const form = formOf([{ name: 'file', value: randomContent(20_000), fileName: 'a.bin' }]);
  await refused(t, post(nbi, form), 413, /at most 10000 bytes/);
  const asViewer = nbi.call('/v1/images', {
    method: 'POST',
    body: form,
    headers: { 'Content-Type': FORM },
    as: VIEWER,
  });
  t.is((await asViewer).status, 403);
});
