export { sessionApis } from './api.js';
export { sessionSchemas } from './session.js';
export { type SessionLife, USER_SESSIONS, type UserSession } from './user-session.js';
export { UserSessions } from './user-sessions.js';
