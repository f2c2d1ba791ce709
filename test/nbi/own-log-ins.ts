import type { SessionKindName } from '../../nbi/sessions/index.js';
import { USERS, type UserDocument } from '../../nbi/users/user.js';
import type { Reply, TestNbi } from './support.js';

/** What came of a call, as far as it says who may make it. */
export type Outcome = 'let in' | '401' | '403';

/** An API that knows its users by sessions of its own. */
export interface OwnLogIns {
  /** Its paths, and no others, begin so. */
  readonly prefix: string;
  readonly kind: Exclude<SessionKindName, 'page'>;
  readonly cookie: string;
  /** It takes a name and password with each request as well. */
  readonly takesBasic?: boolean;
  /** Where its refusals have another status than elsewhere. */
  readonly outcomeOf?: (reply: Reply) => Outcome;
  /** Has a user be one who may log in there. */
  readonly admit?: (nbi: Pick<TestNbi, 'store'>, name: string) => Promise<void>;
}

/** Of several that fit a path the first is meant. */
export const OWN_LOG_INS: readonly OwnLogIns[] = [
  {
    prefix: '/sc_cloud/',
    kind: 'sc-cloud',
    cookie: 'mwcloud-sid',
    outcomeOf: ({ status, body }) => {
      const { result } = body as { readonly result: number };
      // A page of another site, in HTTP's own words.
      if (status === 403) return '403';
      return status === 200 && result === -2 ? '401' : status === 200 && result === -3 ? '403' : 'let in';
    },
    // By whatever digest: nobody logs in by it.
    async admit({ store }, name) {
      const users = store.collection<UserDocument>(USERS);
      const document = (await users.get(name))?.document;
      if (document === undefined) throw new Error(`There is no user ${name}`);
      const { password } = document;
      await users.put({ ...document, digestLogin: { of: password.salt, hash: password } });
    },
  },
  ...['common/1.0', 'npm.system_update/2.0'].map((path) => ({
    prefix: `/devices/{device}/api/${path}`,
    kind: 'system-update' as const,
    cookie: 'system_update_session',
    takesBasic: true,
  })),
  { prefix: '/devices/{device}/api', kind: 'firmware-slots', cookie: 'session_id' },
];

/** Those of no path that there is. */
export function unusedLogIns(paths: readonly string[]): readonly OwnLogIns[] {
  return OWN_LOG_INS.filter(({ prefix }) => !paths.some((path) => path.startsWith(prefix)));
}

/** That of the API at a path of a route; null where it takes what Ferry's own take. */
export function ownLogInsAt(path: string): OwnLogIns | null {
  return OWN_LOG_INS.find(({ prefix }) => path.startsWith(prefix)) ?? null;
}

/** What somebody sends who has logged in there. */
export async function ownSession(
  nbi: Pick<TestNbi, 'sessions' | 'users' | 'store'>,
  { kind, cookie, admit }: OwnLogIns,
  name: string,
): Promise<{ readonly Cookie: string; readonly secret: string }> {
  const { sessions, users } = nbi;
  await admit?.(nbi, name);
  const user = await users.find(name);
  if (user === null) throw new Error(`There is no user ${name}`);
  const begun = await sessions
    .of(kind)
    .begin({ user, address: '127.0.0.1', userAgent: '', requestId: '', replaced: [] });
  return { Cookie: `${cookie}=${begun.cookie}`, secret: begun.cookie };
}

export function outcomeAt(own: OwnLogIns | null, reply: Reply): Outcome {
  if (own?.outcomeOf !== undefined) return own.outcomeOf(reply);
  return reply.status === 401 || reply.status === 403 ? `${reply.status}` : 'let in';
}
