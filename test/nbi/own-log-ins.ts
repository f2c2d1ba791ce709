import type { SessionKindName } from '../../nbi/sessions/index.js';
import type { Reply, TestNbi } from './support.js';

/** What came of a call, as far as it says who may make it. */
export type Outcome = 'let in' | '401' | '403';

/** An API that knows its users by sessions of its own. */
export interface OwnLogIns {
  /** Its paths, and no others, begin so. */
  readonly prefix: string;
  readonly kind: Exclude<SessionKindName, 'page'>;
  readonly cookie: string;
  /** Where its refusals have another status than elsewhere. */
  readonly outcomeOf?: (reply: Reply) => Outcome;
}

/** Of several that fit a path the first is meant. */
export const OWN_LOG_INS: readonly OwnLogIns[] = [
  { prefix: '/devices/{device}/api/common/1.0', kind: 'system-update', cookie: 'system_update_session' },
  { prefix: '/devices/{device}/api/npm.', kind: 'system-update', cookie: 'system_update_session' },
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
  { sessions, users }: Pick<TestNbi, 'sessions' | 'users'>,
  { kind, cookie }: OwnLogIns,
  name: string,
): Promise<{ readonly Cookie: string; readonly secret: string }> {
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
