import { SECOND_MS } from '../../common/index.js';
import { type JsonObject, ownerShown, type Scope } from '../http/index.js';
import type { User, Users } from '../users/index.js';
import type { Fields } from './fields.js';
import { listedIds, type Storage } from './storage.js';

export const USER_FIELDS = {
  id: 'string',
  name: 'string',
  role: 'string',
  active: 'boolean',
  scCloud: 'boolean',
  created: 'time',
} as const satisfies Fields;

/** A user as the API shows him: nothing of his password, and to users of the installation whose he is. */
function userView(user: User, scope: Scope): JsonObject {
  const { name, role, active, scCloud, createdAtMs } = user;
  const fields = {
    id: name,
    name,
    role,
    active,
    scCloud,
    created: Math.floor(createdAtMs / SECOND_MS),
  } satisfies Record<keyof typeof USER_FIELDS, unknown>;
  return { ...fields, ...ownerShown(scope, user) };
}

/** The users of the northbound interface that a request sees, by name. */
export function userStorage(name: string, users: Pick<Users, 'scan'>, scope: Scope): Storage {
  const within = scope.organization?.id ?? null;
  return {
    name,
    fields: USER_FIELDS,
    idNames: ['id', 'name'],
    order: 'ascending',
    async *candidates(selection, after, turn) {
      const names = listedIds(selection);
      const from = after === null ? {} : { after: after.id };
      for await (const user of users.scan({ ...(names !== null && { names }), within, ...from }, turn)) {
        yield { id: user.name, view: userView(user, scope), rank: user.name };
      }
    },
  };
}
