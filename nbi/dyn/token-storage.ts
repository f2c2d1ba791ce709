import { SECOND_MS } from '../../common/index.js';
import { type JsonObject, ownerShown, type Scope } from '../http/index.js';
import type { Token, Users } from '../users/index.js';
import { type Fields, stringsOf } from './fields.js';
import { listedIds, type Storage } from './storage.js';

export const TOKEN_FIELDS = {
  id: 'string',
  name: 'string',
  user: 'string',
  role: 'string',
  subnets: 'string',
  created: 'time',
  expiresAt: 'time',
  lastUsed: 'time',
  lastUsedFrom: 'string',
} as const satisfies Fields;

/** A token as the API shows it: nothing by which one could log in, and to users of the installation whose it is. Times in epoch seconds. */
export function tokenView(token: Token, scope: Scope): JsonObject {
  const { id, name, user, role, subnets, createdAtMs, expiresAtMs, lastUsedMs, lastUsedFrom } = token;
  const fields = {
    id,
    name,
    user,
    role,
    subnets,
    created: Math.floor(createdAtMs / SECOND_MS),
    expiresAt: expiresAtMs === null ? undefined : Math.floor(expiresAtMs / SECOND_MS),
    lastUsed: lastUsedMs === undefined ? undefined : Math.floor(lastUsedMs / SECOND_MS),
    lastUsedFrom,
  } satisfies Record<keyof typeof TOKEN_FIELDS, unknown>;
  return { ...fields, ...ownerShown(scope, token) };
}

/** The tokens of all users that a request sees, by id. */
export function tokenStorage(users: Pick<Users, 'tokens'>, scope: Scope): Storage {
  const within = scope.organization?.id ?? null;
  return {
    name: 'TokenStorage',
    fields: TOKEN_FIELDS,
    idNames: ['id'],
    order: 'ascending',
    async *candidates(selection, after, turn) {
      const ids = listedIds(selection);
      const owners = stringsOf(selection.filters, 'user');
      const [user] = owners?.length === 1 ? owners : [];
      const narrow = ids !== null ? { ids } : user !== undefined ? { user } : {};
      const from = after === null ? {} : { after: after.id };
      for await (const token of users.tokens.scan({ ...narrow, within, ...from }, turn)) {
        yield { id: token.id, view: tokenView(token, scope), rank: token.id };
      }
    },
  };
}
