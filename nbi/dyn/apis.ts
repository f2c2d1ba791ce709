import { type Api, type Authentication, type DynDialect, dynDialect, type Route } from '../http/index.js';
import { type AuditRouteParts, auditRoutes } from './audit-routes.js';
import { type BuildRouteParts, buildRoutes, categoryRoutes } from './build-routes.js';
import { type CpeAuthRouteParts, cpeAuthRoutes } from './cpe-auth-routes.js';
import { type DeviceRouteParts, deviceRoutes } from './device-routes.js';
import { type OrganizationRouteParts, organizationRoutes } from './organization-routes.js';
import { type ResultRouteParts, resultRoutes } from './result-routes.js';
import { type RuleRouteParts, ruleRoutes } from './rule-routes.js';
import { tokenRoutes } from './token-routes.js';
import { type UserRouteParts, userRoutes } from './user-routes.js';

export interface DynParts
  extends RuleRouteParts,
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
  const apiOf = (name: string, routesOf: (parts: DynParts, dialect: DynDialect) => Route[]): Api => {
    const dialect = dynDialect(name);
    const prefixes = [`/v1/dyn/${name}/`];
    return { name, prefixes, slashes: 'either', authentication, dialect, routes: routesOf(parts, dialect) };
  };
  return [
    apiOf('FirmwareStorage', ruleRoutes),
    apiOf('FirmwareResultStorage', resultRoutes),
    apiOf('DeviceStorage', deviceRoutes),
    apiOf('CpeDbService', deviceRoutes),
    apiOf('CpeAuthStorage', cpeAuthRoutes),
    apiOf('UserStorage', userRoutes),
    apiOf('AuthStorage', userRoutes),
    apiOf('TokenStorage', tokenRoutes),
    apiOf('OrganizationStorage', organizationRoutes),
    apiOf('CategoryStorage', categoryRoutes),
    apiOf('BuildStorage', buildRoutes),
    apiOf('AuditStorage', auditRoutes),
  ];
}
