export type { ConnectionBounds } from './connections.js';
export {
  AUDIT_CSV,
  auditView,
  countSelectedDevices,
  csvRow,
  type DeviceCounts,
  type DeviceDeletion,
  DeviceFilterError,
  deleteSelectedDevices,
  deviceSelection,
  deviceStorage,
  deviceView,
  selectEntries,
} from './dyn/index.js';
export { UPGRADER_OPTIONS, type UpgraderOptions } from './firmware-upgrader/index.js';
export type { Health, HealthChecks, HealthStatus, PartStatus } from './health.js';
export { isWithin, otherSiteLog, type Scope } from './http/index.js';
export { NBI_LIMITS, type NbiLimits, nbiLimits, nbiMemory } from './limits.js';
export { createNbiServer, type NbiListenerParts, type NbiListenerTimes } from './listener.js';
export { createNbi, type NbiParts } from './nbi.js';
export { USER_SESSIONS, UserSessions } from './sessions/index.js';
export {
  type Credentials,
  checkPassword,
  FIRST_ADMIN_NAME,
  openUsers,
  ROLES,
  type Role,
  TOKEN_DAYS_DEFAULT,
  TOKEN_DAYS_MAX,
  TOKENS,
  type Token,
  TokenError,
  USERS,
  type User,
  UserError,
  type UserErrorCode,
  type Users,
  type Verification,
} from './users/index.js';
