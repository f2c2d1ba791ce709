import type { Request } from 'express';
import type { DeviceAddress } from '../device-apis/index.js';
import { arrivalOf, clearedApiCookie, givenApiCookie } from '../http/index.js';

/** By which a client that has logged in is known to this API, and to no other. */
export const SESSION_COOKIE = 'system_update_session';

type Addressed = Pick<DeviceAddress, 'prefix'>;

/** The `Set-Cookie` that gives a session. */
export function givenSession(request: Pick<Request, 'res'>, address: Addressed, value: string): string {
  return givenApiCookie(arrivalOf(request.res), { ...cookieOf(address), value });
}

/** The `Set-Cookie` that takes it away. */
export function clearedSession(request: Pick<Request, 'res'>, address: Addressed): string {
  return clearedApiCookie(arrivalOf(request.res), cookieOf(address));
}

function cookieOf({ prefix }: Addressed) {
  return { name: SESSION_COOKIE, path: `${prefix}/api` };
}
