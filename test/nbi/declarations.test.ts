import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { isObject, type Route, told } from '../../nbi/http/index.js';
import { APIS, openApiDocument } from './declared.js';
import type { Exchange } from './recorded/exchange.js';
import { readRecording, recordings } from './recorded/recordings.js';

// What holds of every declaration, of whatever API: a route that is added is held to it without a test of its own.

const ROUTES = APIS.flatMap(({ routes }) => routes);

const ajv = new Ajv2020({
  strict: false,
  formats: { 'date-time': true, binary: true, uuid: true },
});
ajv.addSchema({ $id: 'document', ...openApiDocument });

/** A schema of the document, compiled so that its references are those of the document. */
function compile(schema: unknown) {
  return ajv.compile(JSON.parse(JSON.stringify(told(schema)).replaceAll('"#/', '"document#/')));
}

const nameOf = ({ method, path }: Pick<Route, 'method' | 'path'>) => `${method} ${path}`;

/** The route that a recorded request goes to, as far as it is one that a path and a method can tell. */
function routeOf({ request }: Exchange): Route | undefined {
  const [, method = '', target = ''] = /^(\S+) (\S+) /.exec(request) ?? [];
  const path = target.replace(/[?#].*/, '');
  const fits = (route: Route) =>
    new RegExp(
      `^${route.path
        .replace(/[.*]/g, '\\$&')
        .replace('/{pattern}', '(/.*)?')
        .replace(/\{\w+\}/g, '[^/]+')}/?$`,
    ).test(path);
  const found = ROUTES.filter(
    (route) => fits(route) && (route.method === method || (method === 'HEAD' && route.method === 'GET')),
  );
  // What is spelt out goes before patterns; one path may be another's but for the slash at its end.
  const speltOut = found.find((route) => route.path === path);
  if (speltOut !== undefined) return speltOut;
  return found.find((route) => route.path.endsWith('/') === path.endsWith('/')) ?? found[0];
}

interface Answered {
  readonly exchange: Exchange;
  readonly route: Route;
  readonly status: string;
}

async function recordedAnswers(): Promise<readonly Answered[]> {
  const all: Exchange[] = [];
  for (const name of await recordings()) all.push(...(await readRecording(name)));
  return all.flatMap((exchange) => {
    const route = routeOf(exchange);
    // Of several on one connection nothing more is held here than that they are there.
    const [status, another] = [...exchange.answer.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map(
      ([, code]) => code,
    );
    // What node refuses by itself has not come to a route.
    const hasCome = exchange.answer.includes('\r\nX-Request-Id: ');
    return route === undefined || status === undefined || another !== undefined || !hasCome
      ? []
      : [{ exchange, route, status }];
  });
}

test('a declaration names the parameters of its path, and its schemas and examples are sound', (t) => {
  const ids = ROUTES.map(({ operationId }) => operationId);
  t.is(new Set(ids).size, ids.length);
  for (const route of ROUTES) {
    const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    t.deepEqual(route.parameters?.map(({ name }) => name) ?? [], inPath, nameOf(route));
    const parameters = [
      ...(route.parameters ?? []),
      ...(route.query?.parameters ?? []),
      ...(route.headers ?? []),
    ];
    for (const { schema } of parameters) t.notThrows(() => compile(schema), nameOf(route));
    for (const { schema, example } of Object.values(route.body?.content ?? {})) {
      const holds = compile(schema);
      t.true(example === undefined || holds(example), `${nameOf(route)} ${JSON.stringify(holds.errors)}`);
    }
    for (const [status, { content = {} }] of Object.entries(route.answers)) {
      for (const { schema = {}, example } of Object.values(content)) {
        const holds = compile(schema);
        t.true(
          example === undefined || holds(example),
          `${nameOf(route)} ${status} ${JSON.stringify(holds.errors)}`,
        );
      }
    }
  }
});

/** What any call may be answered without declaring it: a body that does not come, and a fault inside. */
const UNDECLARED: ReadonlySet<string> = new Set(['408', '500']);

/** Where what is recorded shows an answer that the document does not list. */
const UNLISTED: ReadonlySet<string> = new Set([
  // A condition of the request that holds leaves nothing to send.
  'GET /v1/images/{name}/content 304',
]);

test('what is recorded of a route is declared, and of the shape that is declared', async (t) => {
  const answers = await recordedAnswers();
  t.true(answers.length > 300, String(answers.length));
  for (const { exchange, route, status } of answers) {
    const answer = route.answers[status];
    if (answer === undefined) {
      t.true(
        UNDECLARED.has(status) || UNLISTED.has(`${nameOf(route)} ${status}`),
        `${exchange.title}: ${nameOf(route)} ${status}`,
      );
      continue;
    }
    const [, mediaType = ''] = /\r\nContent-Type: ([^;\r]*)/.exec(exchange.answer) ?? [];
    if (exchange.answer.includes('\r\nTransfer-Encoding: chunked') || mediaType !== 'application/json')
      continue;
    const body = exchange.answer.slice(exchange.answer.lastIndexOf('\r\n\r\n') + 4);
    if (body === '') continue;
    const holds = compile(answer.content?.[mediaType]?.schema ?? false);
    t.true(
      holds(JSON.parse(Buffer.from(body, 'latin1').toString())),
      `${exchange.title}: ${JSON.stringify(holds.errors)}`,
    );
  }
});

/** Declared, and not to be had from a Ferry that is well and has room, by users and rules like these. */
function isOutOfReach({ method, path, role }: Route, status: string): boolean {
  // Every user may read.
  if (status === '403' && role === 'viewer') return method === 'GET' || path.endsWith('/ChangePassword');
  // A hundred tokens, and a password that an admin changes at the same moment.
  if (status === '409' && /TokenStorage|ChangePassword/.test(path)) return true;
  // Rules from files cannot be changed; this Ferry has none.
  if (status === '409' && path.startsWith('/v1/dyn/FirmwareStorage/'))
    return method !== 'POST' || path.includes('/delete_objects');
  // The id of the default, which is no one's to delete, is drawn by lot.
  if (status === '409' && path === '/v1/dyn/OrganizationStorage/delete_objects_by_id') return true;
  // A batch whose image moves while it is made, or whose time is over.
  if (status === '409' && /^\/v1\/batches(\/\{id\}\/retry)?$/.test(path)) return true;
  // CPEs of one serial number, and an upload that is cancelled while it comes: test/nbi/system-update has both.
  if (path.includes('/api/npm.system_update/') || path.includes('/api/common/'))
    if (status === '421' || (status === '409' && path.endsWith('/upload'))) return true;
  // This Ferry may fetch nothing: test/nbi/system-update has it.
  if (status === '200' && path.endsWith('/images/fetch')) return true;
  // Nothing may be fetched from anywhere.
  if (
    ['200', '202'].includes(status) &&
    path.includes('/firmware/fetch') &&
    (method === 'POST' || path.endsWith('{key}'))
  )
    return true;
  return ['429', '503', '507'].includes(status);
}

/** Whether any request has a field in its body: of JSON, of a form with a file, or of one without. */
function isSaid(answers: readonly Answered[], name: string): boolean {
  return answers.some(({ exchange: { request } }) => {
    const body = request.slice(request.indexOf('\r\n\r\n') + 4);
    const fields = request.includes('application/x-www-form-urlencoded') ? new URLSearchParams(body) : null;
    return (
      body.includes(`"${name}":`) || body.includes(`form-data; name="${name}"`) || fields?.has(name) === true
    );
  });
}

test('every parameter, every field of a body and every answer that is declared has been recorded', async (t) => {
  const answers = await recordedAnswers();
  const missing: string[] = [];
  for (const route of ROUTES) {
    const ofRoute = answers.filter((each) => each.route === route);
    const says = (text: string) => ofRoute.some(({ exchange }) => exchange.request.includes(text));
    const statuses = Object.keys(route.answers).filter((status) => !isOutOfReach(route, status));
    const queried = route.query?.parameters.map(({ name }) => name).filter((name) => name !== 'field') ?? [];
    const fields = Object.values(route.body?.content ?? {}).flatMap(({ schema: { properties } }) =>
      Object.keys(isObject(properties) ? properties : {}),
    );
    missing.push(
      ...statuses
        .filter((status) => !ofRoute.some((each) => each.status === status))
        .map((status) => `${nameOf(route)} ${status}`),
      ...queried.filter((name) => !says(`${name}=`)).map((name) => `${nameOf(route)} ?${name}`),
      ...fields.filter((name) => !isSaid(ofRoute, name)).map((name) => `${nameOf(route)} ${name}`),
    );
  }
  t.deepEqual(missing, []);
});
