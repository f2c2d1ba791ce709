import type { Request } from 'express';
import { byToken, mayActAs, type Principal, type Users } from '../users/index.js';
import { ApiError } from './api-error.js';
import type { AuthenticationMethod, Demand } from './authentication.js';
import { requestIdOf, requireRole } from './required-role.js';
import { throttled } from './throttled.js';

const BEARER = /^Bearer(?: +(.*))?$/i;

/** A token of a user with each request (RFC 6750, 2.1). */
export function bearerAuthentication(users: Users): AuthenticationMethod {
  return {
    schemes: [
      {
        name: 'token',
        description: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token, as `ferry token create` and TokenStorage make them.',
        },
      },
    ],
    isUsedBy: ({ headers }) => BEARER.test(headers.authorization ?? ''),
    async authenticate(request, demand) {
      const [, text = ''] = BEARER.exec(request.headers.authorization ?? '') ?? [];
      return authenticated(users, request, text, demand);
    },
  };
}

async function authenticated(
  users: Users,
  request: Request,
  text: string,
  demand: Demand,
): Promise<Principal> {
  const { address, mayBeStale, role } = demand;
  const requestId = requestIdOf(request);
  const verification = await users.verifyToken({
    text,
    address,
    mayBeStale,
    ...(requestId !== undefined && { requestId }),
  });
  switch (verification.kind) {
    case 'verified': {
      const { user, token } = verification;
      const principal = byToken(user, token);
      const isLimited = mayActAs(user.role, role);
      requireRole(users, request, principal, demand, {
        headers: { 'WWW-Authenticate': 'Bearer realm="Ferry", error="insufficient_scope"' },
        ...(isLimited && {
          remedy: `this token is limited to ${token.role}; ${user.name} may, by another one`,
        }),
      });
      return principal;
    }
    case 'denied':
      throw verification.why === 'expired' ? EXPIRED : WRONG;
    case 'throttled':
      throw throttled(verification.retryAfterSeconds);
    default:
      return verification satisfies never;
  }
}

/** Whoever sends no token that is right may still log in by name and password. */
const CHALLENGES = {
  'WWW-Authenticate': 'Bearer realm="Ferry", error="invalid_token", Basic realm="Ferry", charset="UTF-8"',
};

/** One for all, whatever is wrong: who has found a token does not learn where it would be right. */
const WRONG = new ApiError(
  401,
  [
    {
      field: 'Authorization',
      expected: 'a token of a user who is active, that has not been revoked, from where it may be used',
    },
  ],
  CHALLENGES,
);

/** Told only to whoever has shown all of it, from where it could be used. */
const EXPIRED = new ApiError(
  401,
  [{ field: 'Authorization', expected: 'a token that has not expired: have a new one made' }],
  CHALLENGES,
);
