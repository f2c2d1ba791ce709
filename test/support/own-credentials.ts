import type { ExecutionContext } from 'ava';
import { ferry as run } from '../cli/support.js';
import { startTestFerry, type TestFerry } from './ferry.js';
import { envelope, inform, RawCpe } from './raw-cpe.js';

/** What the fleet shares. */
export const SHARED = 'fleet:shared secret';
export const SET_DONE = envelope(
  '<cwmp:SetParameterValuesResponse><Status>0</Status></cwmp:SetParameterValuesResponse>',
);

/** An ACS whose CPEs may have credentials of their own, with what they and operators do in a line. */
export interface OwnCredentials {
  readonly ferry: TestFerry;
  /** `ferry cpe-auth set`. */
  set(cpeid: string, username: string, password: string): ReturnType<typeof run>;
  /** A CPE that logs in by Basic, closed with the test. */
  cpeWith(credentials: string): RawCpe;
  /** A session of its own, in which whatever is to be set is. @returns the status of its end, or that it got a Download */
  session(credentials: string, fields?: Parameters<typeof inform>[0]): Promise<number | 'Download'>;
  /** Its fields in DeviceStorage; none where it is not known. */
  device(cpeid?: string): Promise<Readonly<Record<string, unknown>>>;
  /** How often an event was logged. */
  said(event: string): number;
}

export async function startWithShared(
  t: ExecutionContext,
  config: object = {},
  options: { readonly dataDir?: string; readonly checksSchema?: boolean } = {},
): Promise<OwnCredentials> {
  const ferry = await startTestFerry(t, {
    ...options,
    config: { cpeAuth: SHARED, allowAnonymousCpe: false, ...config },
  });
  const store = 'store' in config ? [`--store=${String(config.store)}`] : [];
  const cpeWith = (credentials: string) => {
    const cpe = new RawCpe(ferry.urls.cwmp);
    t.teardown(() => cpe.close());
    cpe.headers = { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
    return cpe;
  };
  return {
    ferry,
    cpeWith,
    set: (cpeid, username, password) =>
      run(
        [
          'cpe-auth',
          'set',
          cpeid,
          `--username=${username}`,
          '--password-stdin',
          `--data-dir=${ferry.dataDir}`,
          ...store,
        ],
        { input: `${password}\n` },
      ),
    async session(credentials, fields = {}) {
      const cpe = cpeWith(credentials);
      const { status, body } = await cpe.post(inform(fields));
      if (status !== 200 || !body.includes('InformResponse')) return status;
      let answer = await cpe.post('');
      while (answer.body.includes('<cwmp:SetParameterValues>')) answer = await cpe.post(SET_DONE);
      return answer.body.includes('<cwmp:Download>') ? 'Download' : answer.status;
    },
    async device(cpeid = '00A1B2-HGW-1') {
      const { body } = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/${cpeid}`);
      const { details = [] } = body as { details?: readonly Record<string, unknown>[] };
      return details[0] ?? {};
    },
    said: (event) => ferry.events.filter((each) => each.event === event).length,
  };
}

/** What a SetParameterValues sets at a CPE. */
export function valueIn(body: string, name: string): string | undefined {
  return new RegExp(`<Name>[^<]*\\.${name}</Name>\\s*<Value[^>]*>([^<]*)<`).exec(body)?.[1];
}
