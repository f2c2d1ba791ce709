export { type SessionParts, sessionApis } from './api.js';
export { sessionSchemas } from './session.js';
export { type SessionLife, USER_SESSIONS, type UserSession } from './user-session.js';
export {
  SESSIONS_MAX,
  SESSIONS_PER_USER_MAX,
  UserSessions,
  type UserSessionsParts,
} from './user-sessions.js';
