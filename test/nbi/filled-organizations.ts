import type { ExecutionContext } from 'ava';
import { call, type Reply, type RequestOptions } from './support.js';
import { startWithTwo, type TwoOrganizations } from './two-organizations.js';

export const PASSWORD = 'a test password';

export type Entry = Readonly<Record<string, unknown>>;

export const entriesOf = ({ body }: Reply) => (body as { readonly details: readonly Entry[] }).details;
export const detailsOf = ({ body }: Reply) => (body as { readonly details: Entry }).details;

export interface Things {
  readonly north: string;
  readonly south: string;
  readonly installation: string;
}

export interface Filled extends TwoOrganizations {
  readonly tokens: Things;
  readonly sessionIds: Things;
  readonly dyn: (
    path: string,
    as: string,
    options?: Pick<RequestOptions, 'method' | 'json'>,
  ) => Promise<Reply>;
}

/** With a token and a session of a viewer of each. */
export async function filled(t: ExecutionContext): Promise<Filled> {
  const nbi = await startWithTwo(t);
  const dyn: Filled['dyn'] = (path, as, options = {}) => nbi.call(`/v1/dyn/${path}`, { as, ...options });
  const tokenOf = async (user: string, as: string) =>
    String(
      detailsOf(await dyn('TokenStorage/.*', as, { method: 'POST', json: { name: 'job', user } }))['id'],
    );
  const sessionOf = async (credentials: string) => String((await logIn(nbi.url, credentials)).session);
  const { as } = nbi;
  return {
    ...nbi,
    dyn,
    tokens: {
      north: await tokenOf('viewer@north', as.north.admin),
      south: await tokenOf('viewer@south', as.south.admin),
      installation: await tokenOf('viewer.all', as.installation.admin),
    },
    sessionIds: {
      north: await sessionOf(as.north.viewer),
      south: await sessionOf(as.south.viewer),
      installation: await sessionOf(as.installation.viewer),
    },
  };
}

export async function logIn(url: string, credentials: string) {
  const [name, password] = credentials.split(':');
  const reply = await call(`${url}/v1/session`, { method: 'POST', as: null, json: { name, password } });
  const { session, csrfToken, organization } = detailsOf(reply);
  const [cookie = ''] = (reply.headers.get('Set-Cookie') ?? '').split(';');
  return {
    status: reply.status,
    session,
    organization,
    headers: { Cookie: cookie, 'X-CSRF-Token': String(csrfToken) },
  };
}
