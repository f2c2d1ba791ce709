import http, { type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Acs, type AcsOptions, type AcsParts, createAcs, DEFAULT_ACS_OPTIONS } from '../acs/index.js';
import { HOUR_MS, RefusedRequests, SECOND_MS } from '../common/index.js';
import { createDownloadLocator, createFileServer, type DownloadLocator } from '../firmware/index.js';
import { createNbi, NBI_LIMITS, NBI_SERVER_OPTIONS } from '../nbi/index.js';
import { openRules, type RuleEngine, type RuleFileWatcher, watchRuleDirectory } from '../rules/index.js';
import { refuseHalfRestored } from './backup/restoring.js';
import { type ClockWatch, watchClock } from './clock-watch.js';
import { type Config, parseCredentials, parseListen, workersOf } from './config.js';
import { fileAuth, publicUrls, resolvingBy } from './file-urls.js';
import { healthCheck } from './health.js';
import {
  type Ambient,
  generatedCpeCredentials,
  type Installation,
  openInstallation,
} from './installation.js';

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
  /** Stops taking requests, finishes what is under way, writes what waits. */
  close(): Promise<void>;
}

export interface FerryAmbient extends Ambient {
  readonly trace?: NonNullable<AcsParts['trace']>;
  /** Takes this process's own figures; gives what `/metrics` answers, where that is not only these. */
  readonly allMetrics?: (own: Registry) => () => Promise<string>;
  /** In place of what the configuration has no word for; for tests. */
  readonly acsOptions?: Partial<AcsOptions>;
}

/** A listener's address cannot be had, at least now. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Builds every part and hands it what it needs: the one place where the product is put together.
 * @throws ListenError where a listener's address is taken or not ours
 */
export async function startFerry(config: Config, ambient: FerryAmbient): Promise<Ferry> {
  const closers: (() => Promise<unknown>)[] = [];
  let closed: Promise<void> | null = null;
  const closeAll = () => {
    closed ??= closeInTurn(closers);
    return closed;
  };
  try {
    return await start(config, ambient, closers, closeAll);
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

/** What the parts are built from, and where each says how it is let go of. */
interface Building {
  readonly config: Config;
  readonly ambient: FerryAmbient;
  readonly installation: Installation;
  readonly registry: Registry;
  /** Clients that HTTP itself turns away. */
  readonly refused: Counter<'listener' | 'reason'>;
  /** Called the other way round when it stops. */
  readonly closers: (() => Promise<unknown>)[];
}

async function start(
  config: Config,
  ambient: FerryAmbient,
  closers: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<Ferry> {
  const installation = await openInstallation(config, ambient);
  closers.push(() => installation.close());
  await refuseHalfRestored(installation.store);
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const refused = new Counter({
    name: 'ferry_http_refused_total',
    help: 'Requests and connections that HTTP itself refused, by listener (cwmp, nbi, files) and reason',
    labelNames: ['listener', 'reason'],
    registers: [registry],
  });
  const building: Building = { config, ambient, installation, registry, refused, closers };

  await keepImagesClean(building);
  const files = await startFileServer(building);
  const rules = await openRuleEngine(building, files.locator);
  const cpe = await cpeAuthentication(config, installation);
  const acs = openAcs(building, rules, files.locator, cpe.authentication);
  const watcher = await watchRules(building, rules);
  const nbiAt = await startNbi(building, acs, rules, watcher, watchClocks(building));
  // CPEs come last: whatever they need is there when the first connects.
  const cwmpAt = await listen(acs.cwmp.server, config.cwmpListen, 'cwmp-listen');
  // A password that was made is shown once: not before nothing can fail any more that would keep it from being shown.
  const firstAdmin = await installation.users.ensureFirstAdmin(config.adminPassword || null);

  const urls = { cwmp: urlOf(cwmpAt), nbi: urlOf(nbiAt), files: urlOf(files.at) };
  ambient.logger.info('ferry.started', urls);
  return { urls, installation, acs, rules, firstAdmin, newCpeCredentials: cpe.generated, close };
}

async function keepImagesClean({ installation, ambient, closers }: Building): Promise<void> {
  const { images } = installation;
  await images.cleanUp();
  // After a quick restart what a crash left behind is still too young to be told from an upload under way.
  const cleaning = setInterval(() => {
    images.cleanUp().catch((error: unknown) => ambient.logger.error('images.clean-up-failed', { error }));
  }, HOUR_MS);
  cleaning.unref();
  closers.push(async () => clearInterval(cleaning));
}

async function startFileServer({ config, ambient, installation, registry, refused, closers }: Building) {
  const { clock, logger } = ambient;
  const { secrets, images: library } = installation;
  const auth = fileAuth(config);
  const downloads = new Counter({
    name: 'ferry_downloads_total',
    help: 'Requests to the file server, by outcome: complete, aborted, refused',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const files = createFileServer({
    library,
    secrets,
    // Only the paths of configured URLs matter here; the default has none.
    publicUrl: publicUrls(config, 'http://localhost'),
    auth,
    clock,
    logger,
    onEvent(event) {
      if (event.kind === 'ended') downloads.inc({ outcome: event.outcome });
      if (event.kind === 'refused') downloads.inc({ outcome: 'refused' });
    },
    onRefused: (reason) => refused.inc({ listener: 'files', reason }),
  });
  const at = await listen(files.server, config.fileListen, 'file-listen');
  closers.push(() => files.close());
  const publicUrl = publicUrls(config, `http://${publicHost(at)}:${at.port}`);
  return { at, locator: createDownloadLocator({ secrets, publicUrl, auth, library }) };
}

async function openRuleEngine(
  { ambient, installation, registry, closers }: Building,
  locator: DownloadLocator,
): Promise<RuleEngine> {
  const decisions = new Histogram({
    name: 'ferry_rule_decision_seconds',
    help: 'Time to decide which rule a session runs, by outcome',
    labelNames: ['outcome'],
    buckets: [0.00005, 0.0002, 0.001, 0.005, 0.02, 0.05, 0.2],
    registers: [registry],
  });
  const isolated = new Counter({
    name: 'ferry_rule_isolated_total',
    help: 'Conditions that JSONata itself had to evaluate, by what became of them: answered, out-of-time, out-of-memory, crashed, busy, on-probation, over-budget',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const failures = new Counter({
    name: 'ferry_rule_condition_errors_total',
    help: 'Conditions that came to no result, by kind: error, and the trips time, memory, stack, sequence, argument, crash',
    labelNames: ['kind'],
    registers: [registry],
  });
  const rules = await openRules({
    store: installation.store,
    clock: ambient.clock,
    logger: ambient.logger,
    secrets: installation.secrets,
    resolveFile: resolvingBy(locator),
    onDecision: (outcome, durationMs) => decisions.observe({ outcome }, durationMs / SECOND_MS),
    onIsolated: (outcome) => isolated.inc({ outcome }),
    onFailure: (kind) => failures.inc({ kind }),
  });
  new Gauge({
    name: 'ferry_rules_suspended',
    help: 'Rules that are not considered until they are edited, because their condition went beyond its bounds',
    registers: [registry],
    async collect() {
      // A store that does not answer must not keep the other figures from being shown.
      this.set(await rules.suspendedCount().catch(() => Number.NaN));
    },
  });
  closers.push(() => rules.close());
  return rules;
}

function openAcs(
  { config, ambient, installation, registry, refused, closers }: Building,
  rules: RuleEngine,
  locator: DownloadLocator,
  authentication: AcsOptions['cpeAuthentication'],
): Acs {
  const { clock, logger, trace } = ambient;
  // Whoever knows the shared secret, or needs none, can claim to be any CPE. An operator should have read that once.
  logger.warn('cpe.identity-not-proven', {
    credentials: authentication.kind === 'basic' ? 'shared' : 'none',
  });
  const acs = createAcs({
    store: installation.store,
    secrets: installation.secrets,
    rules,
    registry,
    clock,
    logger,
    locateFile: (file, options) => locator.locate(file, options),
    options: { ...acsOptions(config, authentication), ...ambient.acsOptions },
    ...(trace !== undefined && { trace }),
  });
  new RefusedRequests({
    listener: 'cwmp',
    logger,
    onRefused: (reason) => refused.inc({ listener: 'cwmp', reason }),
  }).watch(acs.cwmp.server);
  closers.push(() => acs.close());
  return acs;
}

async function watchRules(
  { config, ambient, closers }: Building,
  rules: RuleEngine,
): Promise<RuleFileWatcher | null> {
  if (config.rulesDir === '') return null;
  const { logger, clock } = ambient;
  const watcher = await watchRuleDirectory({ directory: config.rulesDir, rules, logger, clock });
  closers.push(() => watcher.close());
  return watcher;
}

/** Null on the embedded store, which has no other clock than this machine's. */
function watchClocks({ installation, ambient, registry, closers }: Building): ClockWatch | null {
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

async function startNbi(
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

async function cpeAuthentication(config: Config, installation: Installation) {
  if (config.allowAnonymousCpe) return { authentication: { kind: 'anonymous' } as const, generated: null };
  const configured = parseCredentials(config.cpeAuth);
  if (configured !== null)
    return { authentication: { kind: 'basic', ...configured } as const, generated: null };
  const { isNew, ...credentials } = await generatedCpeCredentials(installation);
  return {
    authentication: { kind: 'basic', ...credentials } as const,
    generated: isNew ? credentials : null,
  };
}

function acsOptions(config: Config, cpeAuthentication: AcsOptions['cpeAuthentication']): AcsOptions {
  const sharedCredentials = parseCredentials(config.connectionRequestAuth);
  return {
    ...DEFAULT_ACS_OPTIONS,
    cpeAuthentication,
    provisioning: {
      periodicInformSeconds: config.periodicInformSeconds,
      setCredentials: sharedCredentials === null,
    },
    connectionRequests: {
      ...DEFAULT_ACS_OPTIONS.connectionRequests,
      totalMsMax: config.connectionRequestSeconds * SECOND_MS,
      sharedCredentials,
    },
    connectionRequestSubnets: config.connectionRequestSubnet,
    trustedProxies: config.trustedProxy,
    bodyBytesMax: config.informKibMax * 1_024,
    sessionIdleMsMax: config.sessionIdleSeconds * SECOND_MS,
    shareSessions: config.shareSessions || config.store !== '' || workersOf(config) > 1,
    resultDays: config.resultDays,
  };
}

/** @throws ListenError that names the option and what is wrong with the address */
async function listen(server: Server, at: string, option: string): Promise<AddressInfo> {
  const { host, port } = parseListen(at);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = LISTEN_REASONS[error.code ?? ''] ?? error.message;
      reject(new ListenError(`--${option} ${at}: ${reason}`));
    });
    server.listen({ host, port, backlog: 4_096 }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP listener has no address');
  return address;
}

const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; stop it, or choose another port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'not permitted; ports below 1024 need privileges',
  ENOTFOUND: 'the host name cannot be resolved',
};

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 2 * SECOND_MS).unref();
  });
}

function publicHost({ address }: AddressInfo): string {
  return isAny(address) ? hostname() : bracketed(address);
}

function urlOf({ address, port }: AddressInfo): string {
  return `http://${isAny(address) ? 'localhost' : bracketed(address)}:${port}`;
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
