import { Counter, collectDefaultMetrics, Registry } from 'prom-client';
import { type Acs, FleetAddresses } from '../acs/index.js';
import { monotonicClock, subnetList } from '../common/index.js';
import type { RuleEngine } from '../rules/index.js';
import { DutyRecords, takeInUse } from '../store/index.js';
import { refuseHalfRestored } from './backup/restoring.js';
import type { InstallationBatches } from './batches.js';
import { settleCpeIdentity } from './cpe-identity.js';
import type { Serving } from './health.js';
import { type Installation, openInstallation, usePartsOf } from './installation.js';
import type { Config } from './options.js';
import { acceptMoreATurn, FURTHER_ACCEPTORS } from './server/acceptors.js';
import { purgeAudit } from './server/audit.js';
import { serveBatches } from './server/batches.js';
import type { Building, FerryAmbient } from './server/building.js';
import { cpeAuthentication, openAcs } from './server/cwmp.js';
import { connectionShares, descriptorLimit } from './server/descriptors.js';
import { keepImagesClean, startFileServer } from './server/files.js';
import { listen, urlOf } from './server/listeners.js';
import { startNbi, watchClocks } from './server/northbound.js';
import { openRuleEngine, watchRules } from './server/rule-engine.js';
import { showKnownCpes, showStoreFigures } from './server/store-figures.js';
import { processName, watchDisk, watchDuties, watchWhatIsAmiss } from './server/watching.js';

/** What whoever started a Ferry should be told. */
export interface Started {
  readonly urls: { readonly cwmp: string; readonly nbi: string; readonly files: string };
  /** Shown to whoever started it, once: there was no user before. */
  readonly firstAdmin: { readonly name: string; readonly password: string } | null;
  /** Shown once: generated, because neither credentials nor anonymous CPEs were configured. */
  readonly newCpeCredentials: { readonly username: string; readonly password: string } | null;
}

/** A whole Ferry in this process, listening. */
export interface Ferry extends Started {
  readonly installation: Installation;
  readonly acs: Acs;
  readonly rules: RuleEngine;
  readonly upgrading: InstallationBatches;
  /** Resolves where a restore took this process for dead and has replaced what it works on: then it must end. */
  readonly replaced: Promise<void>;
  /** Looks at the rule files now, whatever the file system has told of them. */
  readonly reload: () => void;
  /** Stops taking requests, finishes what is under way, writes what waits. */
  close(): Promise<void>;
}

/**
 * Builds every part and hands it what it needs: the one place where the product is put together.
 * @throws ListenError where a listener's address is taken or not ours; StoreInUseError while a restore is under way
 */
export async function startFerry(config: Config, ambient: FerryAmbient): Promise<Ferry> {
  const closers: (() => Promise<unknown>)[] = [];
  let closed: Promise<void> | null = null;
  const serving: Serving = { state: 'starting' };
  const closeAll = () => {
    serving.state = 'stopping';
    closed ??= closeInTurn(closers);
    return closed;
  };
  try {
    return await start(config, ambient, { closers, serving }, closeAll);
  } catch (error) {
    await closeAll().catch((failure: unknown) =>
      ambient.logger.error('ferry.close-failed', { error: failure }),
    );
    throw error;
  }
}

/** The other way round than they were opened. */
async function closeInTurn(closers: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const close of [...closers].reverse()) await close().catch((error: unknown) => failures.push(error));
  // What could not be let go of must not keep the rest, the store above all, from being closed.
  if (failures.length > 0) throw failures[0];
}

async function start(
  config: Config,
  ambient: FerryAmbient,
  { closers, serving }: Pick<Building, 'closers' | 'serving'>,
  close: () => Promise<void>,
): Promise<Ferry> {
  const installation = await openInstallation(config, ambient);
  closers.push(() => installation.close());
  // Before anything listens, and before what a restore leaves is looked for: so none can begin in between.
  const hold = await takeInUse(usePartsOf(installation, ambient));
  closers.push(() => hold.release());
  await refuseHalfRestored(installation.store);
  await settleCpeIdentity(installation.store, config.cpeid);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const refused = new Counter({
    name: 'ferry_http_refused_total',
    help: 'Requests and connections that HTTP itself refused, by listener (cwmp, nbi, files) and reason',
    labelNames: ['listener', 'reason'],
    registers: [registry],
  });
  const { clock, logger, monotonic = monotonicClock } = ambient;
  const duties = new DutyRecords({ store: installation.store, clock, monotonic, logger, by: processName() });
  closers.push(() => duties.close());
  const building: Building = {
    config,
    ambient,
    installation,
    monotonic,
    duties,
    serving,
    fleetAddresses: new FleetAddresses({
      store: installation.store,
      clock,
      shared: subnetList(config.sharedAddress),
    }),
    registry,
    connections: connectionShares(config, descriptorLimit()),
    refused,
    closers,
  };
  watchDuties(building);
  watchDisk(building);

  purgeAudit(building);
  showStoreFigures(building);
  await keepImagesClean(building);
  const files = await startFileServer(building);
  const rules = await openRuleEngine(building, files.locator);
  const cpe = await cpeAuthentication(config, installation);
  // Closed after the ACS, which must take nothing new from the moment on at which this process is to stop.
  const afterAcs: (() => Promise<unknown>)[] = [];
  closers.push(() => closeInTurn(afterAcs));
  const acs = openAcs(building, rules, files.locator, cpe.authentication);
  showKnownCpes(building, acs);
  const upgrading = serveBatches({ ...building, closers: afterAcs }, acs, rules);
  const watcher = await watchRules(building, rules, acs.devices);
  const attention = await watchWhatIsAmiss(building, rules, watcher);
  const nbi = await startNbi(building, acs, rules, watcher, watchClocks(building), upgrading, attention);
  // CPEs come last: whatever they need is there when the first connects.
  const cwmpAt = await listen(acs.cwmp.server, config.cwmpListen, 'cwmp-listen');
  const further = ambient.furtherAcceptors ?? FURTHER_ACCEPTORS;
  const closeFurther = await acceptMoreATurn(
    [
      { server: nbi.server, more: further.nbi },
      { server: acs.cwmp.server, more: further.cwmp },
    ],
    logger,
  );
  closers.push(async () => closeFurther());
  // A password that was made is shown once: not before nothing can fail any more that would keep it from being shown.
  const firstAdmin = await installation.users.ensureFirstAdmin(config.adminPassword || null);

  const urls = { cwmp: urlOf(cwmpAt), nbi: urlOf(nbi.at), files: urlOf(files.at) };
  serving.state = 'serving';
  ambient.logger.info('ferry.started', urls);
  return {
    urls,
    installation,
    acs,
    rules,
    upgrading,
    replaced: hold.lost,
    firstAdmin,
    newCpeCredentials: cpe.generated,
    reload: () => void watcher?.scan(),
    close,
  };
}
