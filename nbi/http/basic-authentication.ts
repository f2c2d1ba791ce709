import type { Request } from 'express';
import { byPassword, type Credentials, type Principal, type Users } from '../users/index.js';
import { ApiError } from './api-error.js';
import type { Authentication, Demand } from './authentication.js';
import { findingsOf } from './observe.js';
import { requestIdOf, requireRole } from './required-role.js';
import { throttled } from './throttled.js';

/** Name and password of a user with each request (RFC 7617). */
export function basicAuthentication(users: Users): Authentication {
  return {
    schemes: [{ name: 'basic', description: { type: 'http', scheme: 'basic' } }],
    async authenticate(request, demand) {
      const credentials = basicCredentials(request.headers.authorization ?? '');
      if (credentials === null) throw UNAUTHORIZED;
      const over = request.res === undefined ? undefined : findingsOf(request.res).over;
      return authenticated(users, request, { ...credentials, ...(over !== undefined && { over }) }, demand);
    },
  };
}

async function authenticated(
  users: Users,
  request: Request,
  credentials: Pick<Credentials, 'name' | 'password' | 'over'>,
  demand: Demand,
): Promise<Principal> {
  const { address, mayBeStale } = demand;
  const requestId = requestIdOf(request);
  const verification = await users.verify({
    ...credentials,
    address,
    mayBeStale,
    ...(requestId !== undefined && { requestId }),
  });
  switch (verification.kind) {
    case 'verified': {
      const principal = byPassword(verification.user);
      requireRole(users, request, principal, demand);
      return principal;
    }
    case 'denied':
      throw UNAUTHORIZED;
    case 'throttled':
      throw throttled(verification.retryAfterSeconds);
    default:
      return verification satisfies never;
  }
}

/** One for all: nothing in it is about a request. */
const UNAUTHORIZED = new ApiError(
  401,
  [{ field: 'Authorization', expected: 'the name and password of a user (Basic authentication)' }],
  { 'WWW-Authenticate': 'Basic realm="Ferry", charset="UTF-8"' },
);

/** Name and password in a header Authorization; null where it has none by Basic. */
export function basicCredentials(
  header: string,
): { readonly name: string; readonly password: string } | null {
  const base64 = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1];
  if (base64 === undefined) return null;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    return null;
  }
  const colon = text.indexOf(':');
  return colon < 0 ? null : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
