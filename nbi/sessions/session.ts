import { SECOND_MS } from '../../common/index.js';
import type { Organization } from '../../organizations/index.js';
import { type Answer, dynDialect, type JsonObject, jsonAnswer, ref } from '../http/index.js';
import type { Role } from '../users/index.js';
import type { SessionLife } from './session-kind.js';
import { kindNameOf, type UserSession } from './user-session.js';

export const SESSION_PATH = '/v1/session';
export const LIST_PATH = '/v1/sessions';
export const ITEM_PATH = '/v1/sessions/{id}';

export const dialect = dynDialect('sessions');

/** Times in epoch seconds, as everywhere in the API. */
export function sessionView(
  session: UserSession,
  { idleMs, totalMs }: SessionLife,
  isCurrent: boolean,
): JsonObject {
  const { id, user, createdAtMs, lastUsedAtMs, address, userAgent } = session;
  const expiresAtMs = Math.min(createdAtMs + totalMs, lastUsedAtMs + idleMs);
  return {
    id,
    kind: kindNameOf(session),
    user,
    createdAt: Math.floor(createdAtMs / SECOND_MS),
    lastUsedAt: Math.floor(lastUsedAtMs / SECOND_MS),
    expiresAt: Math.floor(expiresAtMs / SECOND_MS),
    address,
    userAgent,
    current: isCurrent,
  };
}

/** What a page is told of its own session. */
export function ownView(
  { id, user, createdAtMs }: UserSession,
  { idleMs, totalMs }: SessionLife,
  own: { readonly role: Role; readonly csrfToken: string; readonly organization: Organization | null },
): JsonObject {
  return {
    name: user,
    role: own.role,
    ...(own.organization !== null && { organization: organizationView(own.organization) }),
    session: id,
    csrfToken: own.csrfToken,
    createdAt: Math.floor(createdAtMs / SECOND_MS),
    expiresAt: Math.floor((createdAtMs + totalMs) / SECOND_MS),
    idleSeconds: Math.floor(idleMs / SECOND_MS),
  };
}

function organizationView({ id, slug, name }: Organization): JsonObject {
  return { id, slug, name };
}

/** An answer that tells a page of its own session. */
export function ownAnswer(description: string): Answer {
  return jsonAnswer(description, {
    allOf: [ref('Answer'), { properties: { details: ref('OwnSession') } }],
  });
}

/** The shapes of sessions, under `#/components/schemas`. */
export const sessionSchemas = {
  OwnSession: {
    type: 'object',
    required: ['name', 'role', 'session', 'csrfToken', 'createdAt', 'expiresAt', 'idleSeconds'],
    properties: {
      name: { type: 'string', description: 'Of the user.' },
      role: { enum: ['viewer', 'operator', 'admin'] },
      organization: {
        type: 'object',
        description: 'That the user is of; absent: the installation’s.',
        required: ['id', 'slug', 'name'],
        properties: { id: { type: 'string' }, slug: { type: 'string' }, name: { type: 'string' } },
      },
      session: { type: 'string', description: 'Its id in /v1/sessions.' },
      csrfToken: {
        type: 'string',
        description:
          'To be sent as X-CSRF-Token with everything but GET. It stays the same as long as the session.',
      },
      createdAt: { type: 'integer', description: 'In epoch seconds.' },
      expiresAt: { type: 'integer', description: 'In epoch seconds, however much it is used.' },
      idleSeconds: { type: 'integer', description: 'How long it lasts without a request.' },
    },
  },
  Session: {
    type: 'object',
    required: [
      'id',
      'kind',
      'user',
      'createdAt',
      'lastUsedAt',
      'expiresAt',
      'address',
      'userAgent',
      'current',
    ],
    properties: {
      id: { type: 'string' },
      kind: {
        enum: ['page', 'firmware-slots', 'system-update', 'sc-cloud'],
        description: 'Of which log-in: of one it is of no use in another.',
      },
      user: { type: 'string' },
      createdAt: { type: 'integer', description: 'In epoch seconds.' },
      lastUsedAt: { type: 'integer', description: 'In epoch seconds, within a minute.' },
      expiresAt: { type: 'integer', description: 'In epoch seconds, where no more requests come by it.' },
      address: { type: 'string', description: 'Where it began.' },
      userAgent: { type: 'string', description: 'How the client that began it calls itself, cut.' },
      current: { type: 'boolean', description: 'Whether it is the one of this request.' },
      organization: {
        type: 'string',
        description: 'The slug of that whose user it is of; shown to users of the installation.',
      },
    },
  },
} as const;
