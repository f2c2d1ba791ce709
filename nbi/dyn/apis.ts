import { type Api, type Authentication, type DynDialect, dynDialect, type Route } from '../http/index.js';
import { type AuditRouteParts, auditRoutes } from './audit-routes.js';
import { type BuildRouteParts, buildRoutes, categoryRoutes } from './build-routes.js';
import { type CpeAuthRouteParts, cpeAuthRoutes } from './cpe-auth-routes.js';
import { type DeviceRouteParts, deviceRoutes } from './device-routes.js';
import { type OrganizationRouteParts, organizationRoutes } from './organization-routes.js';
import type { PostRulesParts } from './post-rules.js';
import { type ResultRouteParts, resultRoutes } from './result-routes.js';
import { ruleRoutes } from './rule-routes.js';
import { tokenRoutes } from './token-routes.js';
import { type UserRouteParts, userRoutes } from './user-routes.js';

export interface DynParts
  extends PostRulesParts,
    ResultRouteParts,
    DeviceRouteParts,
    CpeAuthRouteParts,
    UserRouteParts,
    OrganizationRouteParts,
    BuildRouteParts,
    AuditRouteParts {}

/**
 * `/v1/dyn/{storage}/{pattern}`: the rules, the results of their upgrades, the CPEs, what those log in with, the users and their tokens, the
 * organizations, the builds of firmware and their categories, and who has changed any of it. Each answers in its own name.
 */
export function dynApis(parts: DynParts, authentication: Authentication): Api[] {
  const apiOf = (
    name: string,
    description: string,
    routesOf: (parts: DynParts, dialect: DynDialect) => Route[],
  ): Api => {
    const dialect = dynDialect(name);
    const routes = routesOf(parts, dialect);
    return {
      name,
      description,
      prefixes: [`/v1/dyn/${name}/`],
      slashes: 'either',
      authentication,
      dialect,
      routes,
    };
  };
  return [
    apiOf('FirmwareStorage', 'Upgrade rules: which CPEs get which file, and when.', ruleRoutes),
    apiOf('FirmwareResultStorage', 'What became of upgrades: a result for each rule and CPE.', resultRoutes),
    apiOf(
      'DeviceStorage',
      'CPEs: what they have said of themselves, and what is known of them.',
      deviceRoutes,
    ),
    apiOf('CpeDbService', 'The same CPEs, by the name that scripts know.', deviceRoutes),
    apiOf('CpeAuthStorage', 'What CPEs log in with.', cpeAuthRoutes),
    apiOf('UserStorage', 'Who may use this interface.', userRoutes),
    apiOf('AuthStorage', 'The same users, by the name that scripts know.', userRoutes),
    apiOf('TokenStorage', 'Tokens by which programs log in for a user.', tokenRoutes),
    apiOf(
      'OrganizationStorage',
      'Organizations that share this installation, and which CPEs are theirs.',
      organizationRoutes,
    ),
    apiOf('CategoryStorage', 'Categories: builds of one firmware that follow one another.', categoryRoutes),
    apiOf(
      'BuildStorage',
      'Builds: one version of a firmware, with an image for each type of device.',
      buildRoutes,
    ),
    apiOf('AuditStorage', 'Who has done what, and when.', auditRoutes),
  ];
}
