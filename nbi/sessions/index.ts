export { sessionApis } from './api.js';
export {
  beginSession,
  type LogInParts,
  NAME_CHARACTERS_MAX,
  PASSWORD_CHARACTERS_MAX,
  userAgentOf,
} from './begin-session.js';
export { sessionSchemas } from './session.js';
export type { SessionKind, SessionKindName, SessionLife } from './session-kind.js';
export { USER_SESSIONS, type UserSession } from './user-session.js';
export {
  type KindSessions,
  type SessionBeginning,
  type SessionBegun,
  UserSessions,
} from './user-sessions.js';
