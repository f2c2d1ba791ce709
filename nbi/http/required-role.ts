import type { Request } from 'express';
import { mayActAs, type Principal, type Users } from '../users/index.js';
import { ApiError } from './api-error.js';
import type { Demand } from './authentication.js';

/**
 * Lets in whoever has the role that a route needs.
 * @param why  what would give it him, where that is not an admin's to do
 * @throws ApiError 403 naming the role
 */
export function requireRole(
  { logIns }: Pick<Users, 'logIns'>,
  request: Request,
  principal: Principal,
  { role, address }: Demand,
  { remedy = 'ask an admin for it', headers = {} }: Refusal = {},
): void {
  if (mayActAs(principal.role, role)) return;
  const { name, how, credential, organization } = principal;
  const requestId = requestIdOf(request);
  logIns.refuse({
    reason: 'wrong-role',
    name,
    how,
    ...(credential !== undefined && { credential }),
    ...(organization !== undefined && { organization }),
    address,
    ...(requestId !== undefined && { requestId }),
    needed: role,
  });
  throw new ApiError(
    403,
    [{ field: 'role', expected: `${role}: ${remedy}`, found: principal.role }],
    headers,
  );
}

interface Refusal {
  readonly remedy?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the answer to a request is known by. */
export function requestIdOf({ res }: Request): string | undefined {
  const id = res?.getHeader('X-Request-Id');
  return id === undefined ? undefined : String(id);
}
