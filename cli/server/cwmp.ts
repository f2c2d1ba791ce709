import { type Acs, type AcsOptions, createAcs, DEFAULT_ACS_OPTIONS } from '../../acs/index.js';
import {
  cutIdleReaders,
  MINUTE_MS,
  RefusedRequests,
  SECOND_MS,
  shareConnections,
} from '../../common/index.js';
import type { DownloadLocator } from '../../firmware/index.js';
import { batchesOfOrganizations, OperationLedger } from '../../rollout/index.js';
import type { RuleEngine } from '../../rules/index.js';
import { parseCredentials, workersOf } from '../config.js';
import { generatedCpeCredentials, type Installation } from '../installation.js';
import type { Config } from '../options.js';
import type { Building } from './building.js';
import { AUTH_SCHEMES, isProxyOf } from './listeners.js';

/** A CPE that takes no byte of an answer for so long has gone away. */
const IDLE_MS_MAX = MINUTE_MS;

/** Puts the ACS together, which does not listen yet. */
export function openAcs(
  {
    config,
    ambient,
    installation,
    monotonic,
    duties,
    registry,
    fleetAddresses,
    refused,
    closers,
    connections,
  }: Building,
  rules: RuleEngine,
  locator: DownloadLocator,
  authentication: AcsOptions['cpeAuthentication'],
): Acs {
  const { clock, logger, trace } = ambient;
  // Whoever knows the shared secret, or needs none, can claim to be any CPE. An operator should have read that once.
  logger.warn('cpe.identity-not-proven', {
    credentials: authentication.kind === 'shared' ? 'shared' : 'none',
  });
  const acs = createAcs({
    store: installation.store,
    secrets: installation.secrets,
    rules,
    organizationUsers: installation.users.ofOrganizations,
    registry,
    clock,
    monotonic,
    duties,
    logger,
    fleetAddresses,
    belongings: [batchesOfOrganizations(installation.store)],
    owned: new OperationLedger({ store: installation.store, clock, images: installation.images }),
    locateFile: (file, options) => locator.locate(file, options),
    options: {
      ...acsOptions(config, authentication),
      ...ambient.acsOptions,
    },
    ...(trace !== undefined && { trace }),
  });
  const refusals = new RefusedRequests({
    listener: 'cwmp',
    logger,
    onRefused: (reason) => refused.inc({ listener: 'cwmp', reason }),
  });
  refusals.watch(acs.cwmp.server);
  shareConnections(acs.cwmp.server, { inAllMax: connections.cwmp, isShared: isProxyOf(config) }, refusals);
  cutIdleReaders(acs.cwmp.server, IDLE_MS_MAX, refusals);
  closers.push(() => acs.close());
  return acs;
}

/** How CPEs log in, and the credentials that were made for it where none were configured and none made before. */
export async function cpeAuthentication(config: Config, installation: Installation) {
  if (config.allowAnonymousCpe) return { authentication: { kind: 'anonymous' } as const, generated: null };
  const schemes = AUTH_SCHEMES[config.cpeAuthScheme];
  const configured = parseCredentials(config.cpeAuth);
  if (configured !== null)
    return { authentication: { kind: 'shared', ...configured, schemes } as const, generated: null };
  const { isNew, ...credentials } = await generatedCpeCredentials(installation);
  return {
    authentication: { kind: 'shared', ...credentials, schemes } as const,
    generated: isNew ? credentials : null,
  };
}

function acsOptions(config: Config, cpeAuthentication: AcsOptions['cpeAuthentication']): AcsOptions {
  const sharedCredentials = parseCredentials(config.connectionRequestAuth);
  return {
    ...DEFAULT_ACS_OPTIONS,
    cpeAuthentication,
    afterReset: config.afterReset,
    enrol: config.enrol,
    cpeIdentity: config.cpeid,
    newCpes: {
      perMinuteMax: config.newCpesPerMinute,
      inAllMax: config.cpesMax,
      exempt: config.sharedAddress,
    },
    provisioning: {
      periodicInformSeconds: config.periodicInformSeconds,
      setCredentials: sharedCredentials === null,
      // Where nobody is asked to log in there is nothing to log in with.
      giveLogins: config.bootstrapCredentials && !config.allowAnonymousCpe,
    },
    connectionRequests: {
      ...DEFAULT_ACS_OPTIONS.connectionRequests,
      totalMsMax: config.connectionRequestSeconds * SECOND_MS,
      sharedCredentials,
      basic: config.connectionRequestBasic,
    },
    connectionRequestSubnets: config.connectionRequestSubnet,
    trustedProxies: config.trustedProxy,
    bodyBytesMax: config.informKibMax * 1_024,
    bodiesBytesMax: config.cwmpBodiesMibMax * 1_024 * 1_024,
    requestsMax: config.cwmpRequestsMax,
    sessionIdleMsMax: config.sessionIdleSeconds * SECOND_MS,
    shareSessions: config.shareSessions || config.store !== '' || workersOf(config) > 1,
    cookieFromAnyAddress: config.cookieFromAnyAddress,
    resultDays: config.resultDays,
    deviceDays: config.deviceDays,
  };
}
