import http from 'node:http';
import type { ApiParts } from '../../../nbi/apis.js';
import { addressedDevices, DEVICE_PREFIX } from '../../../nbi/device-apis/index.js';
import {
  type Api,
  ApiError,
  anyOf,
  apiSessionAuthentication,
  arrivalOf,
  basicAuthentication,
  basicCredentials,
  clearedApiCookie,
  closedQuery,
  dynDialect,
  givenApiCookie,
  onlyCookie,
  route,
  scopeOf,
} from '../../../nbi/http/index.js';
import { beginSession, type SessionKindName } from '../../../nbi/sessions/index.js';

export const DOMAIN = 'cpe.example.net';
const CHALLENGE = 'Basic realm="box"';

/** A small API of a device, with a log-in by GET and what it was understood by; one for each kind of sessions. */
export function boxApi(parts: ApiParts, kind: Exclude<SessionKindName, 'page'>): Api {
  const sessions = parts.sessions.of(kind);
  const addressed = addressedDevices(parts);
  const dialect = dynDialect(kind);
  const name = `${kind}-id`;
  const base = `${DEVICE_PREFIX}/api/${kind}` as const;
  const cookieOf = (asked: Parameters<typeof addressed.addressOf>[0]) => ({
    name,
    path: `${addressed.addressOf(asked).prefix}/api`,
  });
  return {
    name: kind,
    description: 'For tests.',
    prefixes: [base],
    slashes: 'either',
    dialect,
    authentication: anyOf(
      [apiSessionAuthentication(parts.users, sessions, name, { scheme: kind, challenge: CHALLENGE })],
      basicAuthentication(parts.users),
    ),
    routes: [
      route({
        method: 'GET',
        path: `${base}/login`,
        role: null,
        concerns: 'everyone',
        changes: true,
        operationId: 'login',
        summary: 'Begins a session',
        query: closedQuery(),
        answers: {},
        async handle(exchange) {
          const { request, response } = exchange;
          const credentials = basicCredentials(request.headers.authorization ?? '');
          if (credentials === null) throw new ApiError(401);
          const organizations = { current: () => parts.organizations.directory.current() };
          const replaced = onlyCookie(request, name);
          const { cookie } = await beginSession(
            { users: parts.users, sessions, organizations, challenge: { 'WWW-Authenticate': CHALLENGE } },
            credentials,
            { request, response, replaced: replaced === null ? [] : [replaced] },
          );
          const given = { ...cookieOf(exchange), value: cookie };
          response.setHeader('Set-Cookie', givenApiCookie(arrivalOf(response), given));
          response.json(dialect.answer(200, 'in'));
        },
      }),
      route({
        method: 'DELETE',
        path: `${base}/login`,
        role: 'viewer',
        concerns: 'everyone',
        operationId: 'logout',
        summary: 'Ends it',
        query: closedQuery(),
        answers: {},
        async handle(exchange) {
          const { request, response, by } = exchange;
          const cookie = onlyCookie(request, name);
          if (cookie !== null && by !== null) await sessions.endOf(cookie, by);
          response.setHeader('Set-Cookie', clearedApiCookie(arrivalOf(response), cookieOf(exchange)));
          response.json(dialect.answer(200, 'out'));
        },
      }),
      route({
        method: 'GET',
        path: `${base}/box`,
        role: 'viewer',
        concerns: 'organizations',
        operationId: 'box',
        summary: 'Says which CPE it is',
        query: closedQuery(),
        answers: {},
        async handle(exchange) {
          const { form, prefix } = addressed.addressOf(exchange);
          const { id } = await addressed.of(exchange, scopeOf(exchange));
          exchange.response.json(dialect.answer(200, { id, form, prefix, user: exchange.user?.name }));
        },
      }),
    ],
  };
}

export interface HostReply {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: unknown;
}

/** One request as a client sends it that knows the server by another name; JSON is read. */
export function ask(
  url: string,
  path: string,
  {
    method = 'GET',
    headers = {},
    as = null,
  }: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly as?: string | null;
  },
): Promise<HostReply> {
  const { hostname, port } = new URL(url);
  const authorization = as === null ? {} : { Authorization: `Basic ${Buffer.from(as).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const request = http.request(
      { hostname, port, path, method, headers: { ...headers, ...authorization } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = response.headers['content-type']?.startsWith('application/json') ?? false;
          const body: unknown = isJson && text !== '' ? JSON.parse(text) : text;
          resolve({ status: response.statusCode, headers: response.headers, body });
        });
      },
    );
    request.on('error', reject);
    request.end();
  });
}
