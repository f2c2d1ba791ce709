import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'ava';
import { createClient, FerryError } from '../../client/index.js';
import { ADMIN, startTestFerry } from '../support/ferry.js';

const RULE = {
  id: 'NIGHT a/b',
  file: 'https://files.example.net/hgw-2.0.0.bin',
  condition: { productClass: 'HGW' },
  target: { softwareVersion: '2.0.0' },
} as const;

test('rules, images and lists are written and read by the names of the document', async (t) => {
  const { urls } = await startTestFerry(t);
  const ferry = createClient({ url: `${urls.nbi}/`, credentials: ADMIN });

  const stored = await ferry.call('putRules', { path: { pattern: '.*' }, body: RULE });
  t.deepEqual(
    [stored.status, stored.body],
    [200, { code: 204, message: 'response from FirmwareStorage', details: '' }],
  );

  const listed = await ferry.call('listRules', {
    path: { pattern: 'NIGHT a/b' },
    query: { limit: 1, field: { enabled: true } },
  });
  t.like(listed.body, { details: [{ id: RULE.id, priority: 1 }] });
  t.regex(listed.headers.get('X-Request-Id') ?? '', /^[0-9a-f-]{36}$/);

  const bytes = new Uint8Array([1, 2, 3]);
  const uploaded = await ferry.call('uploadImage', {
    path: { name: 'hgw.bin' },
    query: { softwareVersion: '2.0.0' },
    body: bytes,
  });
  t.is(uploaded.status, 201);
  const content = await ferry.call('downloadImage', { path: { name: 'hgw.bin' } });
  t.deepEqual(content.body, bytes);
});

test('many rules are sent as lines, while they are made', async (t) => {
  const { urls } = await startTestFerry(t);
  const ferry = createClient({ url: urls.nbi, credentials: ADMIN });
  const lines = [1, 2].map((number) => `${JSON.stringify({ ...RULE, id: `R${number}` })}\n`);
  const body = new Blob(lines).stream();
  const report = await ferry.call('putRules', {
    path: { pattern: '.*' },
    contentType: 'application/x-ndjson',
    body,
  });
  t.regex(String(report.body), /"code":204,"message":"[^"]+","written":2/);
});

test('a refusal is an error that has all of the answer', async (t) => {
  const { urls } = await startTestFerry(t);
  const stranger = createClient({ url: urls.nbi });
  const refused = await t.throwsAsync(stranger.call('listImages'), { instanceOf: FerryError });
  t.like(refused, { operation: 'listImages', status: 401, body: { code: 401 } });
  t.regex(refused?.headers.get('WWW-Authenticate') ?? '', /^Basic /);

  const ferry = createClient({ url: urls.nbi, credentials: ADMIN });
  const missing = await t.throwsAsync(ferry.call('getImage', { path: { name: 'nothing' } }));
  t.is(
    missing?.message,
    'getImage was answered with HTTP 404: {"code":404,"message":"response from images","details":""}',
  );
});

test('a token logs in, and who goes by another way says so by headers', async (t) => {
  const { urls, installation } = await startTestFerry(t);
  const { text } = await installation.users.tokens.create({ name: 'script', user: ADMIN.name }, null);
  const byToken = createClient({ url: urls.nbi, credentials: { token: text } });
  t.is((await byToken.call('listImages')).status, 200);
  const headers = { Authorization: `Bearer ${text}` };
  const byHeaders = createClient({ url: urls.nbi, credentials: { headers } });
  t.is((await byHeaders.call('listImages')).status, 200);
});

test('what leads elsewhere is not followed, and a call can be given up', async (t) => {
  const { urls } = await startTestFerry(t);
  const ferry = createClient({ url: urls.nbi });
  const { status, headers } = await ferry.call('redocPage');
  t.deepEqual([status, headers.get('Location')], [302, '/api/v1/docs/']);

  // It takes requests, and answers none.
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const given = new AbortController();
  silent.once('request', () => given.abort(new Error('enough')));
  const waiting = createClient({ url: `http://127.0.0.1:${port}` });
  await t.throwsAsync(waiting.call('liveness', { signal: given.signal }), { message: 'enough' });
});
