import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import type { CpeId } from '../../common/index.js';
import { isObject, type JsonObject } from '../../nbi/http/index.js';
import { APIS, openApiDocument } from './declared.js';
import { outcomeAt, ownLogInsAt } from './own-log-ins.js';
import { ruleBody, startNbi, type TestNbi } from './support.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly value: JsonObject;
}

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function operations(): Operation[] {
  return Object.entries(asObject(openApiDocument.paths)).flatMap(([path, item]) =>
    Object.entries(asObject(item))
      .filter(([method]) => METHODS.includes(method))
      .map(([method, value]) => ({ path, method, value: asObject(value) })),
  );
}

/** The shape of the parts of OpenAPI 3.1 that the document uses. */
const OPENAPI_SCHEMA = {
  type: 'object',
  required: ['openapi', 'info', 'servers', 'tags', 'paths', 'components', 'security'],
  properties: {
    openapi: { const: '3.1.0' },
    info: { type: 'object', required: ['title', 'version'] },
    servers: { type: 'array', minItems: 1 },
    tags: { type: 'array', items: { type: 'object', required: ['name', 'description'] } },
    paths: {
      type: 'object',
      propertyNames: { pattern: '^/' },
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: {
          ...Object.fromEntries(METHODS.map((method) => [method, { $ref: '#/$defs/operation' }])),
        },
      },
    },
  },
  $defs: {
    operation: {
      type: 'object',
      required: ['operationId', 'summary', 'responses'],
      additionalProperties: false,
      properties: {
        operationId: { type: 'string' },
        tags: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 1 },
        summary: { type: 'string' },
        description: { type: 'string' },
        security: { type: 'array' },
        parameters: { $ref: '#/$defs/parameters' },
        requestBody: { type: 'object', required: ['content'] },
        responses: {
          type: 'object',
          minProperties: 1,
          propertyNames: { pattern: '^[1-5][0-9][0-9]$' },
          additionalProperties: { type: 'object', required: ['description', 'headers'] },
        },
      },
    },
    parameters: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'in', 'schema'],
        properties: { in: { enum: ['path', 'query', 'header'] } },
        if: { properties: { in: { const: 'path' } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: { required: ['required'] },
      },
    },
  },
};

test('the document is OpenAPI 3.1, and its schemas and references are sound', (t) => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const isDocument = ajv.compile(OPENAPI_SCHEMA);
  t.true(isDocument(openApiDocument), JSON.stringify(isDocument.errors));
  const ids = operations().map(({ value }) => value['operationId']);
  t.is(new Set(ids).size, ids.length);
  const names = Object.keys(openApiDocument.components.schemas);
  for (const [, name] of JSON.stringify(openApiDocument).matchAll(/#\/components\/schemas\/(\w+)/g)) {
    t.true(names.includes(name ?? ''), name);
  }
  for (const schema of Object.values(openApiDocument.components.schemas)) t.true(ajv.validateSchema(schema));
});

/** Of what lets in by tokens alone, and takes nothing but UUIDs in its paths. */
const UPGRADER = '/api/v1/firmware-upgrader/';
const callable = (path: string) =>
  path.startsWith(UPGRADER)
    ? path.replaceAll(/\{\w+\}/g, '0b8b1f0e-9e0b-4c51-9d43-0e5f2f6b7a11')
    : path.replace(/\{\w+\}/, 'x');
/** What is served wherever something is. */
const ALWAYS: ReadonlySet<string> = new Set(['HEAD', 'OPTIONS']);

test('its paths and methods are exactly those that are declared and served', async (t) => {
  const declared = APIS.flatMap(({ routes }) => routes).map(({ method, path }) => `${method} ${path}`);
  t.deepEqual(
    declared.toSorted(),
    operations()
      .map(({ method, path }) => `${method.toUpperCase()} ${path}`)
      .toSorted(),
  );
  const nbi = await startNbi(t);
  const { text } = await nbi.users.tokens.create({ name: 'test', user: 'api' }, null);
  for (const path of new Set(operations().map((operation) => operation.path))) {
    const byToken = path.startsWith(UPGRADER) && { as: null, headers: { Authorization: `Bearer ${text}` } };
    const { status, headers } = await nbi.call(callable(path), { method: 'PROPFIND', ...byToken });
    t.is(status, 405, path);
    const allowed = headers.get('Allow')?.split(', ') ?? [];
    const served = path.startsWith('/api/v1/') ? allowed.filter((each) => !ALWAYS.has(each)) : allowed;
    // What is spelt out is by other methods what the pattern stands for.
    const pattern = path.replace(/^(\/v1\/dyn\/\w+)\/[^/{]+$/, '$1/{pattern}');
    const methodsAt = (at: string) =>
      declared.filter((each) => each.endsWith(` ${at}`)).map((each) => each.slice(0, each.indexOf(' ')));
    t.deepEqual(served, [...new Set([...methodsAt(pattern), ...methodsAt(path)])], path);
  }
});

test('an operation of no security is open, and every other one asks for credentials', async (t) => {
  const nbi = await startNbi(t);
  for (const { path, method, value } of operations()) {
    const reply = await nbi.call(callable(path), { method: method.toUpperCase(), as: null });
    const { security } = value;
    const isOpen = Array.isArray(security) && security.length === 0;
    t.is(outcomeAt(ownLogInsAt(path), reply) === '401', !isOpen, `${method} ${path}`);
  }
});

const ADMIN = 'root:a test password';

async function prepare(nbi: TestNbi): Promise<void> {
  const json = [ruleBody('UPGRADE_00A1B2-HGW-1'), ruleBody('x')];
  await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json });
}

test('what the document shows as the answer to its own example is what the server answers', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  let compared = 0;
  for (const { path, method, value } of operations()) {
    const request = asObject(asObject(asObject(value['requestBody'])['content'])['application/json']);
    for (const [status, response] of Object.entries(asObject(value['responses']))) {
      const media = asObject(asObject(asObject(response)['content'])['application/json']);
      const example = media['example'];
      // Those need a CPE, an upgrade, a batch, a token, a password or a session; the tests of their own calls compare them.
      const needsMore =
        path.endsWith('SendCNR') ||
        path.endsWith('ReadmitDevice') ||
        path.endsWith('ChangePassword') ||
        (path.includes('TokenStorage') && status === '200') ||
        path.includes('OrganizationStorage') ||
        ((path.includes('CategoryStorage') || path.includes('BuildStorage')) && status === '200') ||
        path.includes('/v1/session') ||
        path.startsWith('/v1/batches') ||
        path.startsWith('/sc_cloud/') ||
        /\/(count\.\*|delete_objects(_by_id)?)$/.test(path) ||
        (path.includes('FirmwareResult') && status === '200');
      if (example === undefined || needsMore || path.includes('/image')) continue;
      if (status === '200') await prepare(nbi);
      if (path.includes('CpeAuthStorage') && status === '200')
        await nbi.call(path.replace('{pattern}', '.*'), {
          method: 'POST',
          as: ADMIN,
          json: { cpeid: '00A1B2-HGW-x', username: 'x', password: 'p' },
        });
      if (/DeviceStorage|CpeDbService/.test(path) && status === '200') {
        await nbi.putDevice({ id: 'x' as CpeId, serialNumber: 'x' });
        const json = { name: 'North', slug: 'north' };
        await nbi.call('/v1/dyn/OrganizationStorage/.*', { method: 'POST', as: ADMIN, json });
      }
      const pattern = status === '404' ? 'nothing' : 'x%7CUPGRADE_00A1B2-HGW-1%7C00A1B2-HGW-1%7Coss';
      const reply = await nbi.call(path.replace('{pattern}', pattern), {
        method: method.toUpperCase(),
        as: ADMIN,
        ...(request['example'] === undefined ? {} : { json: request['example'] }),
      });
      t.is(reply.status, Number(status), `${method} ${path}`);
      t.deepEqual(reply.body, example, `${method} ${path}`);
      compared++;
    }
  }
  t.true(compared >= 8);
});

/** Wherever a key stands in a value, what is there. */
function allOf(key: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap((each) => allOf(key, each));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, each]) => [
    ...(name === key ? [each] : []),
    ...allOf(key, each),
  ]);
}

/** No classes but those written out, no looking around, no names, no flags: what ECMAScript, Python, RE2 and Rust read alike. */
const PORTABLE = /^(?:[^\\(]|\((?:\?:|(?!\?))|\\u(?!d[89a-f])[0-9a-f]{4}|\\[.*+?^${}()|[\]\\/-])*$/;

test('its patterns are read alike by whoever reads it', (t) => {
  const patterns = allOf('pattern', openApiDocument).filter((each) => typeof each === 'string');
  t.true(patterns.length > 10);
  for (const pattern of new Set(patterns)) {
    t.regex(pattern, PORTABLE);
    t.notThrows(() => new RegExp(pattern, 'u'));
    t.notThrows(() => new RegExp(pattern));
  }
  const others = ['\\p{L}', '\\d', '\\S', '(?<=a)b', '(?=a)', '(?i)a', '\\ud800', '\\u{1F600}'];
  for (const other of others) t.notRegex(other, PORTABLE);
});

test('of every list it says what is in it, without which no client can be made of an answer', (t) => {
  const without = (node: unknown, path: string): readonly string[] => {
    if (Array.isArray(node)) return node.flatMap((each, index) => without(each, `${path}/${index}`));
    if (!isObject(node)) return [];
    const isOpen =
      node['type'] === 'array' && node['items'] === undefined && node['prefixItems'] === undefined;
    const inside = Object.entries(node).flatMap(([key, value]) => without(value, `${path}/${key}`));
    return isOpen ? [path, ...inside] : inside;
  };
  t.deepEqual(without(openApiDocument, ''), []);
});

/** What clients of `npm.system_update` ask for before, and by, logging in: nobody learns of it which CPEs there are. */
const LOOK_FOR_NO_CPE = /\/api\/common\/1\.0\/(?:services|auth_info|login|logout|oauth\/token)$/;

test('an operation has the refusals that come of who may call it and of what it takes', (t) => {
  for (const { path, method, value } of operations()) {
    const { security, parameters, requestBody, responses } = value;
    const isOpen = Array.isArray(security) && security.length === 0;
    const names = Array.isArray(parameters)
      ? parameters.filter((each) => asObject(each)['in'] === 'path').map((each) => asObject(each)['name'])
      : [];
    const isRead = method === 'get';
    // Some say it in the body of a 200 what others say by a status.
    const saysByStatus = ownLogInsAt(path)?.outcomeOf === undefined;
    const wanted = [
      // Too much is under way, of one or of all.
      ...['429', '503'],
      ...(isOpen || !saysByStatus ? [] : ['401']),
      // Of a role, or of a page of elsewhere.
      ...(isRead && (isOpen || !saysByStatus) ? [] : ['403']),
      ...(requestBody === undefined || !saysByStatus ? [] : ['400']),
      ...(requestBody === undefined ? [] : ['413', '415']),
      // What is posted to a pattern need not be there, and some name a CPE without looking for it.
      ...(names.some((name) => name !== 'pattern' || method !== 'post') && !LOOK_FOR_NO_CPE.test(path)
        ? ['404']
        : []),
    ];
    const missing = wanted.filter((status) => asObject(responses)[status] === undefined);
    t.deepEqual(missing, [], `${method} ${path}`);
  }
});

test('every answer says which headers it has', (t) => {
  for (const { path, method, value } of operations()) {
    for (const [status, response] of Object.entries(asObject(value['responses']))) {
      const headers = Object.keys(asObject(asObject(response)['headers']));
      const says = (name: string) => t.true(headers.includes(name), `${method} ${path} ${status} ${name}`);
      says('X-Request-Id');
      if (status === '401') says('WWW-Authenticate');
      if (status === '429' || status === '503') says('Retry-After');
      if (status === '302') says('Location');
    }
  }
});

test('every way to log in is shown, and every call that is not open takes any of them', (t) => {
  t.deepEqual(openApiDocument.security, [{ token: [] }, { session: [] }, { basic: [] }]);
  t.like(openApiDocument.components.securitySchemes, {
    token: { type: 'http', scheme: 'bearer' },
    session: { type: 'apiKey', in: 'cookie' },
    basic: { type: 'http', scheme: 'basic' },
  });
});

test('what lets in otherwise than most says how', (t) => {
  for (const { path, value } of operations())
    if (path.startsWith(UPGRADER)) t.deepEqual(value['security'], [{ token: [] }, { upgraderSession: [] }]);
});

test('lists and answers are as their schemas say', async (t) => {
  const nbi = await startNbi(t);
  await prepare(nbi);
  await nbi.putDevice({ serialNumber: '1' });
  const ajv = new Ajv2020({ strict: false });
  ajv.addSchema({ $id: 'document', ...openApiDocument });
  const check = async (path: string, schema: string) => {
    const { body } = await nbi.call(path);
    const details = asObject(body)['details'];
    t.true(Array.isArray(details) && details.length > 0);
    const validate = ajv.compile({
      type: 'array',
      items: { $ref: `document#/components/schemas/${schema}` },
    });
    t.true(validate(details), JSON.stringify(validate.errors));
    t.true(ajv.compile({ $ref: 'document#/components/schemas/Answer' })(body));
  };
  await check('/v1/dyn/FirmwareStorage/.*', 'Rule');
  await check('/v1/dyn/DeviceStorage/.*', 'Device');
  await check('/v1/dyn/FirmwareStorage/.*?limit=0', 'Problem');
  const isReportLine = ajv.compile({ $ref: 'document#/components/schemas/BulkReport' });
  for (const body of [
    [ruleBody('y')],
    [ruleBody('x'), {}],
    [ruleBody('x'), ruleBody('x', { priority: 2 })],
  ]) {
    const report = await nbi.call('/v1/dyn/FirmwareStorage/.*', {
      method: 'POST',
      body: body.map((rule) => JSON.stringify(rule)).join('\n'),
      headers: { 'Content-Type': 'application/x-ndjson' },
    });
    const lines = String(report.body).trimEnd().split('\n');
    t.true(lines.length >= 2);
    for (const line of lines)
      t.true(isReportLine(JSON.parse(line)), `${line} ${JSON.stringify(isReportLine.errors)}`);
  }
});

test('of every call that needs the store it is said what comes where that cannot be reached, or is full', (t) => {
  // They ask what would be done, by POST only because of what they are told.
  const asking = ['explainRules', 'matchDevices', 'testFirmwareSlot'];
  const logIns = ['logInToFirmwareSlots'];
  for (const { path, method, value } of operations()) {
    const open = Array.isArray(value['security']) && value['security'].length === 0;
    const statuses = Object.keys(asObject(value['responses']));
    if (!open) t.true(statuses.includes('503'), `${method} ${path}`);
    const writes =
      (method !== 'get' || logIns.includes(String(value['operationId']))) &&
      !asking.includes(String(value['operationId']));
    t.is(statuses.includes('507'), writes, `${method} ${path}`);
  }
});

test('/healthz is 200 while every part is well, and 503 when one is not or cannot tell', async (t) => {
  t.like(await (await startNbi(t)).call('/healthz', { as: null }), {
    status: 200,
    body: { status: 'ok', parts: { store: 'ok' } },
  });
  const failing = await startNbi(t, {
    health: async () => ({ status: 'failing', parts: { store: 'failing' } }),
  });
  t.like(await failing.call('/healthz', { as: null }), {
    status: 503,
    body: { parts: { store: 'failing' } },
  });
  const broken = await startNbi(t, { health: () => Promise.reject(new Error('secret cause')) });
  t.like(await broken.call('/healthz', { as: null }), {
    status: 503,
    body: { status: 'failing', parts: {} },
  });
});

test('/readyz is 503 while CPEs should not be sent here, and /livez says only that the process turns', async (t) => {
  const nbi = await startNbi(t, {
    health: () => Promise.reject(new Error('secret cause')),
    ready: async () => ({ status: 'failing', parts: { process: 'failing' } }),
  });
  t.like(await nbi.call('/readyz', { as: null }), {
    status: 503,
    body: { status: 'failing', parts: { process: 'failing' } },
  });
  t.like(await nbi.call('/livez', { as: null }), { status: 200, body: { status: 'ok' } });
  t.like(await (await startNbi(t)).call('/readyz', { as: null }), { status: 200, body: { status: 'ok' } });
});

test('/metrics counts requests by route, so that ids do not multiply its series', async (t) => {
  const nbi = await startNbi(t);
  await nbi.call('/v1/dyn/FirmwareStorage/some-id');
  const { headers, body } = await nbi.call('/metrics');
  t.regex(headers.get('Content-Type') ?? '', /^text\/plain/);
  const text = String(body);
  t.regex(
    text,
    /ferry_nbi_request_seconds_count\{route="\/v1\/dyn\/FirmwareStorage\/\{pattern\}",method="GET",status="404"\} 1/,
  );
  t.false(text.includes('some-id'));
});
