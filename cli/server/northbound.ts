import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gauge } from 'prom-client';
import type { Acs } from '../../acs/index.js';
import { RefusedRequests } from '../../common/index.js';
import { createNbi, NBI_LIMITS, NBI_SERVER_OPTIONS } from '../../nbi/index.js';
import type { RuleEngine, RuleFileWatcher } from '../../rules/index.js';
import { type ClockWatch, watchClock } from '../clock-watch.js';
import { healthCheck } from '../health.js';
import type { Building } from './building.js';
import { closeServer, listen } from './listeners.js';

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
  { config, ambient, installation, registry, refused, closers }: Building,
  acs: Acs,
  rules: RuleEngine,
  watcher: RuleFileWatcher | null,
  clockWatch: ClockWatch | null,
): Promise<AddressInfo> {
  const app = createNbi({
    rules,
    devices: acs.devices,
    upgrades: acs.upgrades,
    connectionRequests: acs.connectionRequests,
    images: installation.images,
    users: installation.users,
    metrics: registry,
    ...(ambient.allMetrics !== undefined && { allMetrics: ambient.allMetrics(registry) }),
    clock: ambient.clock,
    logger: ambient.logger,
    limits: NBI_LIMITS,
    health: healthCheck(rules, watcher, clockWatch),
  });
  // Behind a proxy log-in attempts are counted by client, not by proxy.
  if (config.trustedProxy.length > 0) app.set('trust proxy', [...config.trustedProxy]);
  const refusals = new RefusedRequests({
    listener: 'nbi',
    logger: ambient.logger,
    onRefused: (reason) => refused.inc({ listener: 'nbi', reason }),
  });
  const server = http.createServer(
    { ...NBI_SERVER_OPTIONS, requireHostHeader: false },
    refusals.requiringHost((request, response) => app(request, response)),
  );
  refusals.watch(server);
  const at = await listen(server, config.nbiListen, 'nbi-listen');
  closers.push(() => closeServer(server));
  return at;
}
