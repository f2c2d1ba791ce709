import type { Proof } from '../../events/index.js';
import type { Token } from './token.js';
import { lesserRole, type Role, type User } from './user.js';

/** Who a request is from, as far as it has been shown, and what he may do by it. */
export interface Principal {
  /** Of the user. */
  readonly name: string;
  /** At most the user's own: a token may be limited to less. */
  readonly role: Role;
  readonly how: Extract<Proof, 'password' | 'token' | 'session'>;
  /** The id of the token or the session that was shown. */
  readonly credential?: string;
  /** The organization that the user is of; absent: the installation's, who sees all. */
  readonly organization?: string;
}

/** Whoever has shown the user's password. */
export function byPassword(user: User): Principal {
  return { ...who(user), how: 'password' };
}

/** Whoever has shown a token of the user's: he may do what both may. */
export function byToken(user: User, token: Token): Principal {
  return { ...who(user), role: lesserRole(user.role, token.role), how: 'token', credential: token.id };
}

/** Whoever has shown the cookie of a session of the user's. @param role  what may be done by that session at most; as the user unless told */
export function bySession(user: User, session: string, role: Role = user.role): Principal {
  return { ...who(user), role: lesserRole(user.role, role), how: 'session', credential: session };
}

function who({ name, role, organization }: User): Pick<Principal, 'name' | 'role' | 'organization'> {
  return { name, role, ...(organization !== undefined && { organization }) };
}
