import { Counter, Gauge, Histogram } from 'prom-client';
import { type Devices, namesakesIn } from '../../acs/index.js';
import { SECOND_MS } from '../../common/index.js';
import type { DownloadLocator } from '../../firmware/index.js';
import {
  openRules,
  type RuleEngine,
  type RuleFilesStatus,
  type RuleFileWatcher,
  watchRuleDirectory,
} from '../../rules/index.js';
import { DUTY_AGE_MS_MAX } from '../../store/index.js';
import { resolvingBy, signingBy } from '../file-urls.js';
import type { Building } from './building.js';
import { ReadAnewLog } from './read-anew-log.js';

/** Opens the rules with their figures. @throws StoreError */
export async function openRuleEngine(
  { config, ambient, installation, monotonic, registry, closers, fleetAddresses }: Building,
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
  const heldBack = new Counter({
    name: 'ferry_rule_held_back_total',
    help: 'Sessions that got nothing since the last places of a limit are kept from their address, by limit: limits.total, limits.concurrent',
    labelNames: ['limit'],
    registers: [registry],
  });
  const rules = await openRules({
    store: installation.store,
    clock: ambient.clock,
    monotonic,
    logger: ambient.logger,
    secrets: installation.secrets,
    resolveFile: resolvingBy(locator),
    boardParameter: config.boardParameter,
    ...signingBy(locator, installation.images, config),
    keepingFiles: (files) => installation.images.going.keeping(files),
    namesakesOf: namesakesIn(installation.store),
    isSharedAddress: (address) => fleetAddresses.isShared(address),
    onHeldBack: (limit) => heldBack.inc({ limit }),
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

/** Whether this process has looked at the files, whatever it found; in `standby` that is another's to do. */
function hasLooked({ state }: RuleFilesStatus): boolean {
  return state === 'applied' || state === 'broken' || state === 'empty';
}

/** Applies the rule files of the configured directory, from now on; null where none is configured. */
export async function watchRules(
  { config, ambient, monotonic, duties, closers }: Building,
  rules: RuleEngine,
  devices: Devices,
): Promise<RuleFileWatcher | null> {
  if (config.rulesDir === '') return null;
  const { logger, clock } = ambient;
  const done = duties.expect({ id: 'ruleFiles', ageMsMax: DUTY_AGE_MS_MAX });
  const telling = new ReadAnewLog({ rules, devices, logger, clock, monotonic });
  const watcher = await watchRuleDirectory({
    directory: config.rulesDir,
    rules,
    logger,
    clock,
    monotonic,
    onReadAnew: (anew) => telling.tell(anew),
  });
  closers.push(async () => {
    await watcher.close();
    await telling.close();
  });
  const note = (status: RuleFilesStatus): void => {
    if (hasLooked(status)) done();
    // Never rejects; resolves no more once the watcher is closed.
    void watcher.nextScan().then(note);
  };
  note(watcher.status());
  return watcher;
}
