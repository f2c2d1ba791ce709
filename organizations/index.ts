export { belongsTo, OrganizationDirectory, OrganizationsNow, type Placed } from './directory.js';
export {
  DEFAULT_SLUG,
  type MembershipRule,
  ORGANIZATION_COLLECTIONS,
  ORGANIZATIONS,
  type Organization,
  type OrganizationFields,
  RULES_EACH_MAX,
  RULES_IN_ALL_MAX,
} from './organization.js';
export {
  OrganizationError,
  type OrganizationErrorCode,
  type OrganizationProblem,
} from './organization-error.js';
export { Organizations } from './organizations.js';
export type { CheckCondition } from './validation.js';
