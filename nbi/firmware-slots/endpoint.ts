import type { Device } from '../../acs/index.js';
import { SlotError } from '../../rollout/index.js';
import { DEVICE_PREFIX } from '../device-apis/index.js';
import {
  type Answer,
  ApiError,
  announcedBody,
  type BodyKind,
  type Exchange,
  failures,
  type JsonObject,
  jsonAnswer,
  type Parameter,
  type Route,
  ref,
  route,
  type Scope,
  scopeOf,
} from '../http/index.js';
import type { Role } from '../users/index.js';
import { MANNERS } from './dialect.js';
import { API_ROOT, type Href, hrefsOf } from './links.js';
import type { FirmwareSlotsParts } from './parts.js';
import { noResource, noRoom, notAllowed } from './slots-error.js';

/** One request for a device that is there. */
export interface Call<Body> {
  readonly device: Device;
  readonly href: Href;
  /** What stands for `{id}` or `{key}` at the end of the path; empty where it has none. */
  readonly key: string;
  readonly exchange: Exchange;
  body(): Promise<Body>;
  send(status: number, body: JsonObject, headers?: Readonly<Record<string, string>>): void;
}

/** What one method does at an endpoint. */
export interface Method<Body> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Null: whoever asks shows who he is by the request itself, see `who`. */
  readonly role: Role | null;
  /** Whose things he sees who asks, where no session says it. @throws ApiError 401, 403, 429 */
  readonly who?: (exchange: Exchange) => Promise<Scope>;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** It changes something though it is a GET. */
  readonly changes?: true;
  readonly body?: BodyKind<Body>;
  /** Of success, and which failures there are beside those that every call can have. */
  readonly answer: { readonly status: number; readonly description: string; readonly schema: string };
  readonly fails?: readonly Parameters<typeof failures>[1][];
  handle(call: Call<Body>): Promise<void>;
}

/** A path of the API, and what can be done there. @param path  as its clients write it behind `/api`: `/firmware/slots/{id}` */
export interface Endpoint {
  readonly path: string;
  readonly methods: readonly Method<unknown>[];
}

/** A method whose handler is given what its own body kind reads. */
export function method<Body = undefined>(definition: Method<Body>): Method<unknown> {
  return { ...definition, handle: (call) => definition.handle(call as Call<Body>) };
}

/** The routes of an endpoint: each finds its device before anything else is looked at. */
export function routesOf(
  { path, methods }: Endpoint,
  { addressed }: Pick<FirmwareSlotsParts, 'addressed'>,
): readonly Route[] {
  const allow = methods.map((each) => each.method).join(', ');
  return methods.map((each) =>
    route({
      method: each.method,
      path: `${DEVICE_PREFIX}${API_ROOT}${path}`,
      parameters: [DEVICE, ...namesIn(path).map(keyParameter)],
      role: each.role,
      concerns: each.role === null ? 'everyone' : 'organizations',
      // The device says whose things it is about.
      namesOrganization: false,
      operationId: each.operationId,
      summary: each.summary,
      ...(each.description !== undefined && { description: each.description }),
      ...(each.changes === true && { changes: true }),
      ...(each.body !== undefined && { body: each.body }),
      answers: answersOf(each),
      async handle(exchange: Exchange) {
        const { request, response, parameters } = exchange;
        const scope = (await each.who?.(exchange)) ?? scopeOf(exchange);
        const device = await addressed.of(exchange, scope);
        const key = parameters['id'] ?? parameters['key'] ?? '';
        await inWords(mountPointOf(path), key, () =>
          each.handle({
            device,
            href: hrefsOf(addressed.addressOf(exchange)),
            key,
            exchange,
            body() {
              if (announcedBody(request) === null) throw new ApiError(411, [LENGTH]);
              return exchange.body();
            },
            send(status, body, headers = {}) {
              response.status(status).set({ Allow: allow });
              // Not express's `set`, which has its own mind of charsets.
              for (const [name, value] of Object.entries({ ...MANNERS, ...headers }))
                response.setHeader(name, value);
              response.send(Buffer.from(JSON.stringify(body)));
            },
          }),
        );
      },
    }),
  );
}

const DEVICE: Parameter = {
  name: 'device',
  in: 'path',
  required: true,
  description: 'The cpeid of a CPE; else its UUID, or its serial number in lower case.',
  schema: { type: 'string', format: 'device' },
};

function keyParameter(name: string): Parameter {
  return {
    name,
    in: 'path',
    required: true,
    description: 'A key, as lists have it.',
    schema: { type: 'string' },
  };
}

function namesIn(path: string): readonly string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

const LENGTH = { field: 'Content-Length', expected: 'the length of the body in bytes' };
const ERROR = 'FirmwareSlotsError';

function answersOf({
  answer: { status, description, schema },
  body,
  fails = [],
}: Method<unknown>): Readonly<Record<string, Answer>> {
  const { 400: wrong, ...others } = failures(ERROR, '404', ...fails);
  const failed = (what: string) => jsonAnswer(what, ref(ERROR));
  return {
    [status]: jsonAnswer(description, ref(schema)),
    ...others,
    // Nothing but a body can be wrong.
    ...(body !== undefined &&
      wrong !== undefined && { 400: wrong, 411: failed('No length of the body is told') }),
    421: failed('Several devices have the name; details has the path of each'),
  };
}

/** As errors name it: `/firmware/slots` of `/firmware/slots/{id}`. */
function mountPointOf(path: string): string {
  return path.replace(/\/\{\w+\}$/, '');
}

/** Does what the slots may refuse, and words that as this API does. */
async function inWords(mountPoint: string, key: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw error instanceof SlotError ? worded(error, mountPoint, key) : error;
  }
}

function worded({ code, key: slot, message }: SlotError, mountPoint: string, key: string): Error {
  switch (code) {
    case 'no-slot':
    case 'empty-slot':
    case 'no-fetch':
      return noResource(mountPoint, slot ?? key);
    case 'in-use':
      return notAllowed(mountPoint, slot ?? key, message);
    case 'no-empty-slot':
      return noRoom('NoEmptySlot', 'There is no empty slot', message);
    case 'too-many-fetches':
      return noRoom('TooManyFetches', 'There are too many fetches', message);
    default:
      return code satisfies never;
  }
}
