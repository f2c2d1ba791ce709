export type { Health, HealthStatus, PartStatus } from './health.js';
export { NBI_LIMITS, NBI_SERVER_OPTIONS, type NbiLimits } from './limits.js';
export { createNbi, type NbiParts } from './nbi.js';
export {
  type Credentials,
  checkPassword,
  FIRST_ADMIN_NAME,
  openUsers,
  ROLES,
  type Role,
  USERS,
  type User,
  UserError,
  type UserErrorCode,
  type Users,
  type Verification,
} from './users/index.js';
