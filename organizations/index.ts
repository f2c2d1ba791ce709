export { belongsTo, OrganizationDirectory, OrganizationsNow, type Placed } from './directory.js';
export { endingOf, type NameClaim, NameEndings } from './name-endings.js';
export {
  DEFAULT_SLUG,
  type MembershipRule,
  ORGANIZATION_COLLECTIONS,
  ORGANIZATIONS,
  ORGANIZATIONS_MAX,
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
export { requiringOrganization } from './requiring.js';
export type { Belonging, OrganizationUsers } from './uses.js';
export type { CheckCondition } from './validation.js';
