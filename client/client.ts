import { OPERATIONS, type OperationId, type Operations } from './operations.js';

/** What a body can be beside JSON: sent as it is, by the media type that the call takes, or that `contentType` says. */
export type RawBody = string | Uint8Array<ArrayBuffer> | Blob | FormData | URLSearchParams | ReadableStream;

/** How a client logs in: by a token, by name and password (Basic), or by headers of the caller's own, such as cookies. */
export type Credentials =
  | { readonly token: string }
  | { readonly name: string; readonly password: string }
  | { readonly headers: Readonly<Record<string, string>> };

/** Where the server is, and who asks. */
export interface ClientOptions {
  /** Of the northbound interface, such as `https://ferry.example.net`. */
  readonly url: string;
  /** Without them only what is open is answered. */
  readonly credentials?: Credentials;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
}

/** What a call says: the parameters of its path and query, its headers, its body. */
export type Input<Id extends OperationId> = Omit<Operations[Id], 'answer' | 'body'> &
  (Operations[Id] extends { readonly body: infer Body } ? { readonly body: Body | RawBody } : unknown) & {
    /** Of a body that is not JSON, where the call takes several kinds. */
    readonly contentType?: string;
    readonly signal?: AbortSignal;
  };

/** What came back. */
export interface Reply<Answer> {
  readonly status: number;
  readonly headers: Headers;
  /** JSON as it is declared; a text or the bytes of what is none; undefined where there is nothing. */
  readonly body: Answer;
}

/** A call was refused, or failed: any status from 400 on. */
export class FerryError extends Error {
  override readonly name = 'FerryError';
  constructor(
    readonly operation: OperationId,
    readonly status: number,
    readonly headers: Headers,
    /** What it was answered, as {@link Reply} has it. */
    readonly body: unknown,
  ) {
    super(`${operation} was answered with HTTP ${status}: ${shown(body)}`);
  }
}

/** Calls the northbound interface by the names that its OpenAPI document gives to what can be called. */
export interface FerryClient {
  /**
   * @throws FerryError where it is refused; TypeError where the server cannot be reached
   * @example await ferry.call('listDevices', { path: { pattern: '.*' }, query: { limit: 10 } })
   */
  call<Id extends OperationId>(
    id: Id,
    ...input: object extends Input<Id> ? [Input<Id>?] : [Input<Id>]
  ): Promise<Reply<Operations[Id]['answer']>>;
}

/** A client of one server. It keeps nothing of what is called, and no connection of its own. */
export function createClient({ url, credentials, fetch = globalThis.fetch }: ClientOptions): FerryClient {
  return {
    async call(id, ...[input]) {
      const said: AnyInput = input ?? {};
      const { method, path, body: kinds } = OPERATIONS[id];
      const { body, contentType } = bodyOf(said, kinds);
      const response = await fetch(url.replace(/\/+$/, '') + pathOf(path, said.path) + queryOf(said.query), {
        method,
        headers: {
          ...headersOf(credentials),
          ...(contentType !== null && { 'Content-Type': contentType }),
          ...(said.headers as Readonly<Record<string, string>> | undefined),
        },
        ...(body !== undefined && { body, duplex: 'half' as const }),
        ...(said.signal !== undefined && { signal: said.signal }),
        redirect: 'manual',
      });
      const { status, headers } = response;
      const answer = await answerOf(response);
      if (status >= 400) throw new FerryError(id, status, headers, answer);
      // What is declared is what the server answers: its tests hold it to that.
      return { status, headers, body: answer as Operations[typeof id]['answer'] };
    },
  };
}

/** What any call can say. */
interface AnyInput {
  readonly path?: object;
  readonly query?: object;
  readonly headers?: object;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

const JSON_TYPE = 'application/json';

function bodyOf(
  { body, contentType }: AnyInput,
  kinds: readonly string[],
): { readonly body: RawBody | undefined; readonly contentType: string | null } {
  if (body === undefined) return { body, contentType: null };
  // fetch says of which kind these are, with the boundary of their parts.
  if (body instanceof FormData || body instanceof URLSearchParams) return { body, contentType: null };
  const [kind = JSON_TYPE] = kinds;
  if (isRaw(body)) return { body, contentType: contentType ?? kind };
  return { body: JSON.stringify(body), contentType: contentType ?? JSON_TYPE };
}

function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> | Blob | ReadableStream {
  const isBytes = body instanceof Uint8Array || body instanceof Blob || body instanceof ReadableStream;
  return typeof body === 'string' || isBytes;
}

function pathOf(path: string, values: object = {}): string {
  const given = new Map<string, unknown>(Object.entries(values));
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(given.get(name))));
}

/** An object stands for parameters of its own, an array for one that is repeated. */
function queryOf(query: object = {}): string {
  const search = new URLSearchParams();
  const add = (name: string, value: unknown): void => {
    if (value === undefined || value === null) return;
    if (Array.isArray(value)) for (const each of value) add(name, each);
    else if (typeof value === 'object') for (const [key, each] of Object.entries(value)) add(key, each);
    else search.append(name, String(value));
  };
  for (const [name, value] of Object.entries(query)) add(name, value);
  return search.size === 0 ? '' : `?${search}`;
}

function headersOf(credentials: Credentials | undefined): Readonly<Record<string, string>> {
  if (credentials === undefined) return {};
  if ('headers' in credentials) return credentials.headers;
  if ('token' in credentials) return { Authorization: `Bearer ${credentials.token}` };
  const bytes = new TextEncoder().encode(`${credentials.name}:${credentials.password}`);
  return { Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

async function answerOf(response: Response): Promise<unknown> {
  const type = response.headers.get('Content-Type') ?? '';
  if (/^application\/(?:[\w.-]+\+)?json\b/.test(type)) return response.json();
  if (/^text\/|^application\/(?:x-ndjson|yaml)\b/.test(type)) return response.text();
  const bytes = new Uint8Array(await response.arrayBuffer());
  return bytes.length === 0 ? undefined : bytes;
}

const SHOWN_CHARACTERS_MAX = 1_000;

function shown(body: unknown): string {
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? 'nothing');
  return text.slice(0, SHOWN_CHARACTERS_MAX);
}
