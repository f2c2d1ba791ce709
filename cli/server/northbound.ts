import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gauge } from 'prom-client';
import type { Acs } from '../../acs/index.js';
import { RefusedRequests, subnetList } from '../../common/index.js';
import { EventLog } from '../../events/index.js';
import { imageUuidsBy } from '../../firmware/index.js';
import { createNbi, createNbiServer, nbiLimits, nbiMemory, otherSiteLog } from '../../nbi/index.js';
import type { RuleEngine, RuleFileWatcher } from '../../rules/index.js';
import type { AttentionWatch } from '../attention.js';
import type { InstallationBatches } from '../batches.js';
import { type ClockWatch, watchClock } from '../clock-watch.js';
import { packageVersion } from '../command.js';
import { upgraderOptionsOf } from '../firmware-upgrader.js';
import { healthChecks } from '../health.js';
import type { Building } from './building.js';
import { serveDeviceSlots } from './device-slots.js';
import { closeServer, isProxyOf, listen } from './listeners.js';

const MIB = 1024 * 1024;

/** Null on the embedded store, which has no other clock than this machine's. */
export function watchClocks({ installation, ambient, registry, closers }: Building): ClockWatch | null {
  if (installation.shared === null) return null;
  const { shared } = installation;
  new Gauge({
    name: 'ferry_store_answering',
    help: '1, or 0 while the database is taken for gone because nothing has come from it for seconds',
    registers: [registry],
    aggregator: 'min',
    collect() {
      this.set(shared.isAnswering ? 1 : 0);
    },
  });
  const watch = watchClock(shared, ambient);
  closers.push(async () => watch.stop());
  return watch;
}

/**
 * Starts the northbound listener.
 * @throws ListenError
 */
export async function startNbi(
  {
    config,
    ambient,
    installation,
    monotonic,
    duties,
    serving,
    registry,
    refused,
    closers,
    connections,
  }: Building,
  acs: Acs,
  rules: RuleEngine,
  watcher: RuleFileWatcher | null,
  clockWatch: ClockWatch | null,
  upgrading: InstallationBatches,
  attention: AttentionWatch,
): Promise<{ readonly at: AddressInfo; readonly server: Server }> {
  const { clock, logger } = ambient;
  const app = createNbi({
    rules,
    devices: acs.devices,
    deviceIds: acs.deviceIds,
    upgrades: acs.upgrades,
    connectionRequests: acs.connectionRequests,
    approvals: acs.approvals,
    credentials: acs.credentials,
    organizations: acs.organizations,
    placements: acs.placements,
    images: installation.images,
    imageUuids: imageUuidsBy(installation.secrets),
    uploads: installation.uploads,
    ...upgrading,
    deviceSlots: serveDeviceSlots({ installation, ambient, closers }, acs, rules, upgrading),
    firmwareSlots: { requiresCommitLog: config.requireCommitLog },
    events: new EventLog({ store: installation.store, clock: ambient.clock }),
    users: installation.users,
    sessions: installation.sessions,
    firmwareUpgrader: upgraderOptionsOf(config),
    metrics: registry,
    version: packageVersion(),
    ...(ambient.allMetrics !== undefined && { allMetrics: ambient.allMetrics(registry) }),
    clock: ambient.clock,
    monotonic,
    logger: ambient.logger,
    // Behind a proxy clients are counted, not the proxy.
    trustedProxies: config.trustedProxy.length === 0 ? null : subnetList(config.trustedProxy),
    deviceDomain: config.deviceDomain || null,
    noteOtherSite: otherSiteLog({
      events: new EventLog({ store: installation.store, clock }),
      logger,
      monotonic,
    }),
    limits: {
      ...nbiLimits(config.nbiUserRequestsMax, config.nbiUserListsMax, config.nbiUserDownloadsMax),
      ...nbiMemory(config.nbiBodiesMibMax * MIB, config.nbiUnreadMibMax * MIB),
    },
    ...healthChecks({
      rules,
      store: installation.store,
      duties,
      serving,
      watcher,
      clockWatch,
      disk: installation.disk,
      attention,
    }),
  });
  const refusals = new RefusedRequests({
    listener: 'nbi',
    logger: ambient.logger,
    onRefused: (reason) => refused.inc({ listener: 'nbi', reason }),
  });
  const server = createNbiServer({
    app,
    monotonic,
    refused: refusals,
    connections: {
      inAllMax: connections.nbi,
      perAddressMax: Math.ceil(connections.nbi / 2),
      isShared: isProxyOf(config),
    },
  });
  const at = await listen(server, config.nbiListen, 'nbi-listen');
  closers.push(() => closeServer(server));
  return { at, server };
}
