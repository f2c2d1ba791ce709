import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import { Gauge } from 'prom-client';
import { toApiError } from '../../nbi/http/index.js';
import { StoreError, type StoreErrorCode } from '../../store/index.js';
import { OPERATOR, ruleBody, startNbi, type TestNbi, until } from './support.js';

const RULES = '/v1/dyn/FirmwareStorage/.*';
const AUTHORIZATION = `Authorization: Basic ${Buffer.from(OPERATOR).toString('base64')}`;

/** Sends bytes as they are, and `next` once they are answered. @returns what came back until the connection ended or `enough` of it was there */
async function raw(
  nbi: TestNbi,
  text: string,
  enough: (answer: string) => boolean,
  next = '',
): Promise<string> {
  const socket = connect(Number(new URL(nbi.url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    // The next request comes once the first is answered.
    if (answer === '' && next !== '') socket.write(next);
    answer += chunk.toString('latin1');
    if (enough(answer)) socket.destroy();
  });
  socket.on('error', () => {});
  let closed = false;
  socket.on('close', () => {
    closed = true;
  });
  await once(socket, 'connect');
  socket.write(text);
  await until(() => closed);
  return answer;
}

test('a pattern that takes exponential time elsewhere is answered like any other', async (t) => {
  const nbi = await startNbi(t);
  await nbi.call(RULES, { method: 'POST', json: ruleBody('a'.repeat(200)) });
  t.is((await nbi.call('/v1/dyn/FirmwareStorage/(a+)+$')).status, 200);
  t.is((await nbi.call('/v1/dyn/FirmwareStorage/(a+)+b')).status, 404);
  t.is((await nbi.call(`/v1/dyn/FirmwareStorage/${'(a*)*'.repeat(100)}b`)).status, 404);
});

test('a pattern that is no regular expression is a 400 that says what is wrong with it', async (t) => {
  const nbi = await startNbi(t);
  for (const pattern of ['(', '[', '%5C1', '(%3F=a)', '', 'a'.repeat(1_025)]) {
    const { status, body } = await nbi.call(`/v1/dyn/FirmwareStorage/${pattern}`);
    t.is(status, 400, pattern);
    t.like(body, { code: 400, message: 'response from FirmwareStorage', details: [{ field: 'pattern' }] });
  }
});

test('a body that is too large is a 413, declared or not, and the connection goes on', async (t) => {
  const nbi = await startNbi(t);
  const body = Buffer.alloc(50 * 1024 * 1024, ' ');
  const headers = { 'Content-Type': 'application/json' };
  const declared = await nbi.call(RULES, { method: 'POST', body, headers });
  t.is(declared.status, 413);
  t.like(declared.body, { code: 413, message: 'response from FirmwareStorage' });
  t.regex(
    JSON.stringify(declared.body),
    /a body of at most 16777216 bytes: send it in several requests, or as NDJSON .*Accept: application\/x-ndjson/,
  );
  const small = await startNbi(t, { limits: { bodyBytesMax: 10 } });
  const chunked = await raw(
    small,
    `POST ${RULES} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n` +
      'b\r\n{"a":"bcdef\r\n0\r\n\r\n',
    () => false,
    'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  );
  t.regex(chunked, /^HTTP\/1\.1 413 [\s\S]*HTTP\/1\.1 200 OK/);
});

test('the body of a method has at most 256 KiB, and blanks are no more to it than their bytes', async (t) => {
  const nbi = await startNbi(t);
  const headers = { 'Content-Type': 'application/json' };
  const question = JSON.stringify({ cpe: { productClass: 'HGW', softwareVersion: '1' } });
  for (const method of [
    'ExplainRules',
    'MatchDevices',
    'SendCNR',
    'RestartRule',
    'ApproveDevices',
    'FreezeUpgrades',
  ]) {
    const body = Buffer.alloc(256 * 1_024 + 1, ' ');
    const { status } = await nbi.call(`/v1/method/${method}`, { method: 'POST', body, headers });
    t.is(status, 413, method);
  }
  const body = `${question.slice(0, 1)}${' '.repeat(256 * 1_024 - question.length)}${question.slice(1)}`;
  const { status } = await nbi.call('/v1/method/ExplainRules', { method: 'POST', body, headers });
  t.is(status, 200);
});

test('of thousands of broken rules in one body a hundred problems are told, and no more is looked for', async (t) => {
  const nbi = await startNbi(t);
  const json = Array.from({ length: 5_000 }, () => ({ a: 1, b: 2 }));
  const { status, body } = await nbi.call(RULES, { method: 'POST', json });
  t.is(status, 400);
  t.like(body, { details: { length: 100 } });
});

test('a body that is malformed, of another type, or compressed is refused with the reason', async (t) => {
  const nbi = await startNbi(t);
  const send = (body: string, headers: Record<string, string>) =>
    nbi.call(RULES, { method: 'POST', body, headers });
  const json = { 'Content-Type': 'application/json' };
  const malformed = await send('{"id": }', json);
  t.is(malformed.status, 400);
  t.deepEqual(malformed.body, {
    code: 400,
    message: 'response from FirmwareStorage',
    details: [
      { field: '', expected: 'a JSON body (ValueExpected); see line 1, column 8', line: 1, column: 8 },
    ],
  });
  t.is((await send('{"__proto__":{"enabled":true}}', json)).status, 400);
  t.is((await send('['.repeat(100_000), json)).status, 400);
  t.is((await send('', json)).status, 400);
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
  ]) {
    const { status, body } = await send('{}', { 'Content-Type': type });
    t.is(status, 415, type);
    t.like(body, { code: 415, details: [{ field: 'Content-Type' }] });
  }
  t.is((await send('{}', { ...json, 'Content-Type': 'application/json; charset=UTF-8' })).status, 400);
  t.is((await send('{}', { ...json, 'Content-Encoding': 'gzip' })).status, 415);
});

test('a body that does not come is a 408, and the connection ends', async (t) => {
  const nbi = await startNbi(t, { limits: { bodyMsMax: 50 } });
  const answer = await raw(
    nbi,
    `POST ${RULES} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{`,
    () => false,
  );
  t.regex(answer, /^HTTP\/1\.1 408 /);
});

test('a text that is not Unicode is a 400 that names its field, wherever it stands', async (t) => {
  const nbi = await startNbi(t);
  await nbi.call(RULES, { method: 'POST', json: ruleBody('a') });
  const half = '\ud800';
  const bodies: readonly (readonly [string, string, Record<string, unknown>, string])[] = [
    ...['serialNumber', 'tags', 'cpe_id', 'productClass'].map(
      (field) =>
        [
          'POST',
          '/v1/method/SendCNR',
          { search_options: { [field]: half } },
          `search_options.${field}`,
        ] as const,
    ),
    ['POST', '/v1/method/SendCNR', { search_options: { tags: ['a', half] } }, 'search_options.tags'],
    ['POST', '/v1/method/SendCNR', { search_options: { [half]: 'a' } }, 'search_options'],
    ['POST', '/v1/method/RestartRule', { id: half }, 'id'],
    ['POST', '/v1/method/FreezeUpgrades', { frozen: true, reason: half }, 'reason'],
    ['POST', RULES, ruleBody(half), 'id'],
    ['POST', RULES, ruleBody('b', { description: half }), 'description'],
    ['POST', RULES, ruleBody('b', { condition: { tags: half } }), 'condition.tags'],
    ['PUT', RULES, { id: half, description: 'a' }, 'id'],
    ['PUT', RULES, { id: 'a', description: half }, 'description'],
  ];
  for (const [method, path, json, field] of bodies) {
    const { status, body } = await nbi.call(path, { method, json });
    t.is(status, 400, `${path} ${field}`);
    t.like(body, { details: [{ field }] }, `${path} ${field}`);
  }
  for (const [storage, field] of [
    ['DeviceStorage', 'tags'],
    ['DeviceStorage', 'serialNumber'],
    ['FirmwareStorage', 'id'],
    ['FirmwareResultStorage', 'cpeid'],
  ] as const) {
    for (const bytes of ['%ED%A0%80', '%ff', 'a%C3']) {
      const { status, body } = await nbi.call(`/v1/dyn/${storage}/.*?limit=1&${field}=${bytes}`);
      t.is(status, 400, `${storage} ${field}`);
      t.like(body, { details: [{ field }] });
    }
  }
  t.is((await nbi.call(`${RULES}?description=100%`)).status, 404);
});

test('whatever the store refuses to hold or to look for is a 400, never a 500', (t) => {
  const statusOf = (code: StoreErrorCode) => toApiError(new StoreError(code, 'why'))?.status;
  t.is(statusOf('bad-query'), 400);
  t.is(statusOf('bad-document'), 400);
  t.is(statusOf('no-space'), 507);
  for (const code of ['unavailable', 'closed'] as const) {
    t.is(statusOf(code), 503);
    t.is(toApiError(new StoreError(code, 'why'))?.headers['Retry-After'], '5');
  }
});

test('a path that does not decode, a storage or a method that does not exist: 400, 404, 405 in the dialect of the API', async (t) => {
  const nbi = await startNbi(t);
  const undecodable = await nbi.call('/v1/dyn/FirmwareStorage/%ff');
  t.is(undecodable.status, 400);
  t.like(undecodable.body, {
    code: 400,
    message: 'response from FirmwareStorage',
    details: [{ field: 'path' }],
  });
  t.is((await nbi.call('/v1/dyn/NoStorage/.*')).status, 404);
  t.is((await nbi.call('/V1/dyn/FirmwareStorage/.*')).status, 404);
  t.is((await nbi.call('/v1')).status, 404);
  const method = await nbi.call('/v1/method/SendCNR', { method: 'DELETE' });
  t.is(method.status, 405);
  t.is(method.headers.get('Allow'), 'POST');
  t.like(method.body, { result: { code: 405 } });
});

test('a client that goes away in the middle of a long list stops its reading', async (t) => {
  const nbi = await startNbi(t);
  const condition = 'softwareVersion = "1"';
  for (let post = 0; post < 4; post++) {
    const json = Array.from({ length: 900 }, (_, index) =>
      ruleBody(`r${post}-${index}`, { condition, description: 'x'.repeat(4_000) }),
    );
    t.is((await nbi.call(RULES, { method: 'POST', json })).status, 200);
  }
  await raw(nbi, `GET ${RULES} HTTP/1.1\r\nHost: x\r\n${AUTHORIZATION}\r\n\r\n`, (answer) =>
    answer.includes('details'),
  );
  await until(() => nbi.log.some(({ fields }) => fields['status'] === 'aborted'));
  t.false(nbi.log.some(({ event }) => event === 'nbi.failed'));
});

test('an error inside is a 500 that tells nothing, and its cause is in the log under the id of the request', async (t) => {
  const nbi = await startNbi(t);
  new Gauge({
    name: 'broken',
    help: 'fails when it is read',
    registers: [nbi.metrics],
    collect: () => {
      throw new Error('secret cause');
    },
  });
  const { status, headers, body } = await nbi.call('/metrics');
  t.is(status, 500);
  t.deepEqual(body, { code: 500, message: 'response from metrics', details: '' });
  const failed = nbi.log.find(({ event }) => event === 'nbi.failed');
  t.is(failed?.fields['id'], headers.get('X-Request-Id'));
  t.is(String(failed?.fields['error']), 'Error: secret cause');
});

test('while the store is out of reach calls are a 503 with Retry-After', async (t) => {
  const nbi = await startNbi(t);
  await nbi.store.close();
  const { status, headers, body } = await nbi.call(RULES);
  t.is(status, 503);
  t.is(headers.get('Retry-After'), '5');
  t.like(body, { code: 503, message: 'response from FirmwareStorage', details: [{ code: 'unavailable' }] });
});

test('answers carry the headers that keep browsers from guessing, framing and caching', async (t) => {
  const nbi = await startNbi(t);
  for (const path of ['/healthz', RULES, '/nowhere']) {
    const { headers } = await nbi.call(path);
    t.is(headers.get('X-Content-Type-Options'), 'nosniff');
    t.is(headers.get('Cache-Control'), 'no-store');
    t.is(headers.get('Content-Security-Policy'), "default-src 'none'; frame-ancestors 'none'");
    t.is(headers.get('X-Powered-By'), null);
  }
});
