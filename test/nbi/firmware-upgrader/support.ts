import type { ExecutionContext } from 'ava';
import { ROLES, type Role } from '../../../nbi/users/user.js';
import type { TestNbiOptions } from '../support.js';
import { startWithTwo, type TwoOrganizations } from '../two-organizations.js';

export const PREFIX = '/api/v1/firmware-upgrader/';
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
export const NO_SUCH_ID = '0b8b1f0e-9e0b-4c51-9d43-0e5f2f6b7a11';
export const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;

/** An answer, its body as it came and, where that is JSON, read. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: unknown;
}

export interface Asked {
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  readonly body?: string | FormData | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** A token; null shows none. */
  readonly token?: string | null;
}

export interface TestUpgrader extends TwoOrganizations {
  /** Of a user of each role, of each organization and the installation. */
  readonly tokens: Readonly<Record<'north' | 'south' | 'installation', Readonly<Record<Role, string>>>>;
  /** Asks by the operator of north unless told; a path without a slash at its begin stands behind the prefix. */
  ask(method: string, path: string, asked?: Asked): Promise<Answered>;
}

/** The API with two organizations, and a token of every user. */
export async function startUpgrader(
  t: ExecutionContext,
  options: TestNbiOptions = {},
): Promise<TestUpgrader> {
  const nbi = await startWithTwo(t, options);
  const tokensOf = async (users: Readonly<Record<Role, string>>) => {
    const made: Partial<Record<Role, string>> = {};
    for (const role of ROLES) {
      const [user = ''] = users[role].split(':');
      made[role] = (await nbi.users.tokens.create({ name: 'test', user }, null)).text;
    }
    return made as Record<Role, string>;
  };
  const tokens = {
    north: await tokensOf(nbi.as.north),
    south: await tokensOf(nbi.as.south),
    installation: await tokensOf(nbi.as.installation),
  };
  return {
    ...nbi,
    tokens,
    ask(method, path, { token = tokens.north.operator, ...asked } = {}) {
      const url = path.startsWith('/') ? nbi.url + path : nbi.url + PREFIX + path;
      return ask(url, method, { token, ...asked });
    },
  };
}

/** One request, as a script sends it. */
export async function ask(url: string, method: string, asked: Asked = {}): Promise<Answered> {
  const { json, form, body, token = null } = asked;
  const headers = new Headers(asked.headers);
  if (token !== null) headers.set('Authorization', `Bearer ${token}`);
  if (json !== undefined && !headers.has('Content-Type')) headers.set('Content-Type', 'application/json');
  const sent =
    json !== undefined ? JSON.stringify(json) : form !== undefined ? new URLSearchParams(form) : body;
  const response = await fetch(url, {
    method,
    headers,
    redirect: 'manual',
    ...(sent === undefined ? {} : { body: sent }),
  });
  const text = await response.text();
  const isJson = response.headers.get('Content-Type') === 'application/json' && text !== '';
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : text };
}

/** The field of an answer that is an object. */
export function fieldOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null
    ? Object.entries(body).find(([key]) => key === name)?.[1]
    : undefined;
}

/** The id in an answer. */
export function idOf({ body }: Pick<Answered, 'body'>): string {
  return String(fieldOf(body, 'id'));
}

/** The results of a list. */
export function resultsOf({ body }: Pick<Answered, 'body'>): readonly Readonly<Record<string, unknown>>[] {
  const results = fieldOf(body, 'results');
  return Array.isArray(results) ? results : [];
}

interface Adding {
  readonly token?: string;
  /** The id of an organization; null: shared. North's unless told. */
  readonly organization?: string | null;
}

/** A category. @returns its id */
export async function addCategory(
  { ask: asking, north }: TestUpgrader,
  name: string,
  { organization = north.id, ...more }: Adding = {},
): Promise<string> {
  return idOf(await asking('POST', 'category/', { json: { name, organization }, ...more }));
}

/** A build of a category. @returns its id */
export async function addBuild(
  { ask: asking }: TestUpgrader,
  category: string,
  version: string,
  { os = null, ...more }: { readonly os?: string | null; readonly token?: string } = {},
): Promise<string> {
  return idOf(await asking('POST', 'build/', { json: { category, version, os }, ...more }));
}

/** A type of images of the reference. */
export const TYPE = 'ath79-generic-tplink_tl-wdr4300-v1-squashfs-sysupgrade.bin';

/** A form with an image. @param fields  in their order, before or behind the file as they stand */
export function imageForm(
  content: string | Uint8Array<ArrayBuffer>,
  fileName: string,
  type: string | null = TYPE,
  isFileFirst = false,
): FormData {
  const form = new FormData();
  const file = new Blob([content]);
  if (isFileFirst) form.set('file', file, fileName);
  if (type !== null) form.set('type', type);
  if (!isFileFirst) form.set('file', file, fileName);
  return form;
}
