import { createHash } from 'node:crypto';
import type { ExecutionContext } from 'ava';
import type { Image, Upload } from '../../../firmware/index.js';
import { digestLogin } from '../../../nbi/users/digest-login.js';
import { hashPassword } from '../../../nbi/users/password.js';
import { type Role, USERS, type UserDocument } from '../../../nbi/users/user.js';
import { uploadOf } from '../../firmware/support.js';
import type { TestNbiOptions } from '../support.js';
import { startWithTwo, type TwoOrganizations } from '../two-organizations.js';

export const PASSWORD = 'a test password';
export const START_MS = Date.UTC(2026, 0, 1);
export const NOW_SECONDS = START_MS / 1_000;

/** Hashed once for all users of a file. */
const kept = hashPassword(PASSWORD).then(async (password) => ({
  password,
  digestLogin: await digestLogin(PASSWORD, password),
}));

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly cookies: readonly string[];
  readonly body: unknown;
}

export interface Asked {
  readonly method?: string;
  readonly json?: unknown;
  readonly body?: string | FormData | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Both cookies, as a script sends them; null: none. */
  readonly cookies?: string | null;
}

export type Whose = 'north' | 'south' | 'installation';

interface CloudCalls {
  /** The path stands behind `/sc_cloud/`. */
  ask(path: string, asked?: Asked): Promise<Answered>;
  /** Logs a user in. @returns both cookies as a script sends them */
  logIn(name: string, password?: string): Promise<string>;
  /** Those of a user of a role, logged in when first asked for. */
  as(whose: Whose, role?: Role): Promise<string>;
  /** Goes on with the clock. */
  tick(ms: number): void;
  /** An image of the library; shared unless told. */
  image(name: string, more?: Partial<Upload>): Promise<Image>;
}

export type Cloud = Omit<TwoOrganizations, 'as'> & CloudCalls;

/** The API with two organizations, whose users and those of the installation may log in to it. */
export async function startCloud(t: ExecutionContext, options: TestNbiOptions = {}): Promise<Cloud> {
  let nowMs = START_MS;
  const { as: users, ...nbi } = await startWithTwo(t, {
    clock: () => nowMs,
    monotonic: () => nowMs,
    ...options,
  });
  const nameOf = (whose: Whose, role: Role) => users[whose][role].split(':')[0] ?? '';
  const names = (['north', 'south', 'installation'] as const).flatMap((whose) =>
    (['viewer', 'operator', 'admin'] as const).map((role) => nameOf(whose, role)),
  );
  const known = nbi.store.collection<UserDocument>(USERS);
  for (const name of names) {
    const stored = await known.get(name);
    if (stored !== null) await known.put({ ...stored.document, ...(await kept) });
  }
  const ask = (path: string, asked: Asked = {}) => request(`${nbi.url}/sc_cloud/${path}`, asked);
  const logIn = async (name: string, password = PASSWORD) => {
    const { cookies } = await ask('login', { method: 'POST', body: form({ id: name, pass: md5(password) }) });
    if (cookies.length === 0) throw new Error(`${name} is not let in`);
    return cookies.map((each) => each.split(';')[0]).join('; ');
  };
  const loggedIn = new Map<string, Promise<string>>();
  return {
    ...nbi,
    ask,
    logIn,
    as(whose, role = 'admin') {
      const name = nameOf(whose, role);
      const cookies = loggedIn.get(name) ?? logIn(name);
      loggedIn.set(name, cookies);
      return cookies;
    },
    tick(ms) {
      nowMs += ms;
    },
    async image(name, more = {}) {
      const { image } = await nbi.images.upload(uploadOf(name, Buffer.from(`content of ${name}`), more));
      return image;
    },
  };
}

export function form(fields: Readonly<Record<string, string>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  return data;
}

/** A form with a file, as `curl -F file=@name` sends it. */
export function fileForm(name: string, content: string | Uint8Array): FormData {
  const data = new FormData();
  data.set('file', new Blob([typeof content === 'string' ? content : new Uint8Array(content)]), name);
  return data;
}

export async function request(url: string, asked: Asked = {}): Promise<Answered> {
  const { json, cookies = null } = asked;
  const headers = new Headers(asked.headers);
  if (cookies !== null) headers.set('Cookie', cookies);
  if (json !== undefined && !headers.has('Content-Type'))
    headers.set('Content-Type', 'application/json;charset=utf-8');
  const body = json === undefined ? asked.body : JSON.stringify(json);
  const method = asked.method ?? (body === undefined ? 'GET' : 'POST');
  const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    cookies: response.headers.getSetCookie(),
    body: text === '' ? null : JSON.parse(text),
  };
}

/** What an answer says, with its HTTP status. */
export function told({ status, body }: Answered): readonly [number, unknown] {
  return [status, body];
}

/** The same without the words that are for people. */
export function coded({ status, body }: Answered): readonly [number, unknown] {
  const { message: _, ...rest } = body as Readonly<Record<string, unknown>>;
  return [status, rest];
}

export function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? Object.entries(body).find(([key]) => key === name)?.[1]
    : undefined;
}
