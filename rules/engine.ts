import { performance } from 'node:perf_hooks';
import {
  type Clock,
  type CpeId,
  type Logger,
  MINUTE_MS,
  type MonotonicClock,
  monotonicClock,
  type RuleId,
  type Secrets,
} from '../common/index.js';
import { type Lease, openLeases, type Store } from '../store/index.js';
import { lookAtRules, type RulesAmiss, unknownFieldIn } from './attention/index.js';
import { countedEnd, countKeyOf, hasRun, type OneAddress } from './campaign/index.js';
import {
  type ConditionCompiler,
  createConditionCompiler,
  createIsolate,
  loadGuards,
} from './condition/index.js';
import {
  boardParameterOf,
  createDrafts,
  createProbation,
  createStandingConditions,
  DECISION_WAIT_MS,
  type Decider,
  decide,
  explain,
  foresee,
  type IsolatedOutcome,
  mayRepeat,
  parametersNamed,
  type StandingConditions,
  takeUp,
  whyNotFitting,
} from './decision/index.js';
import { applyFileRules, type FileRules, rulesWithoutFile } from './files/index.js';
import { openFleet } from './fleet/index.js';
import { type OwnedRules, openOwnedRules } from './owned/index.js';
import {
  type FailureKind,
  IMAGE_MISSING,
  type KeepingFiles,
  openFreeze,
  openRepository,
  openRuleErrors,
  openSharedSerials,
  openTables,
  type PulledBrake,
  warningOf,
  withFindings,
} from './storage/index.js';
import { createRuleValidator } from './validation/index.js';
import {
  createPauses,
  type Decision,
  type FreezeState,
  type NamesakesOf,
  type ResolveFile,
  type Rules,
  type SigningOfFile,
} from './vocabulary/index.js';
import { createWindowClock, openWaking, type Waking } from './windows/index.js';

/** One rule's condition errors are logged this often. */
const QUIET_MS = MINUTE_MS;
const QUIET_RULES_MAX = 10_000;

export interface RulesOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** For what elapses; this process's own unless told. */
  readonly monotonic?: MonotonicClock;
  readonly logger: Logger;
  /** Seals what rules say of passwords for file servers. */
  readonly secrets: Pick<Secrets, 'seal' | 'open'>;
  readonly resolveFile: ResolveFile;
  /** The parameter by which CPEs tell their board (see {@link isBoardParameter}); empty or absent: none. */
  readonly boardParameter?: string;
  /** Whether what a rule's `file` names is signed; where nobody can say so, nothing is. */
  readonly signingOf?: SigningOfFile;
  /** What goes along with commits of rules that name files, see {@link KeepingFiles}; nothing unless told. */
  readonly keepingFiles?: KeepingFiles;
  /** Whether every rule's image must be signed, whatever the rule says; false unless told. */
  readonly requireSignature?: boolean;
  /**
   * Whether an address stands for so many CPEs (of IPv6 its /64) that none of a rule's places are kept from it; asked only where the room within a rule's
   * limits is short. Without it nobody knows where the fleet is, and none are kept from anybody.
   */
  readonly isSharedAddress?: (address: string) => Promise<boolean>;
  /** Which other CPEs go by the serial number of one; none unless told. */
  readonly namesakesOf?: NamesakesOf;
  /** Called for every CPE that gets nothing since the last places of a limit are kept from its address, for metrics. */
  readonly onHeldBack?: (limitName: OneAddress['limitName']) => void;
  /** Called after every decision, for metrics. */
  readonly onDecision?: (kind: Decision['kind'], durationMs: number) => void;
  /** How long one decision waits for others' conditions to be evaluated; half a second. */
  readonly conditionWaitMsMax?: number;
  /** Called for every condition that JSONata itself had to evaluate, for metrics. */
  readonly onIsolated?: (outcome: IsolatedOutcome) => void;
  /** Called for every condition that came to no result, for metrics. */
  readonly onFailure?: (kind: FailureKind) => void;
}

/** The rules with what belongs to one process. */
export interface RuleEngine extends Rules, FileRules {
  readonly waking: Waking;
  /** Rules that others than authors make. */
  readonly owned: OwnedRules;
  /** Conditions that are no rule's. */
  readonly standing: StandingConditions;
  /** Every brake that is pulled, by whichever process; the log is told of what is new of it, also of a brake that was let go. */
  pulledBrakes(): Promise<readonly PulledBrake[]>;
  /** What is amiss with the rules in force. */
  amiss(): Promise<RulesAmiss>;
  /** Waits for what decisions left behind: errors and suspensions to be written, an evaluator to be ready again. */
  settled(): Promise<void>;
  /** Lets go of what the engine holds of its own; the store stays open, it is the caller's. */
  close(): Promise<void>;
}

/**
 * Opens the rules of an installation on its store. Any number of processes may.
 * @example const rules = await openRules({ store, clock: systemClock, logger, secrets, resolveFile })
 */
export async function openRules(options: RulesOptions): Promise<RuleEngine> {
  const { store, clock, logger, secrets: sealing, resolveFile, onDecision, onIsolated, onFailure } = options;
  const { isSharedAddress = async () => true, onHeldBack, boardParameter = '' } = options;
  const { signingOf = nothingIsSigned, requireSignature = false, namesakesOf = async () => [] } = options;
  const { conditionWaitMsMax = DECISION_WAIT_MS, monotonic = monotonicClock } = options;
  const compiler = createConditionCompiler(await loadGuards());
  const validator = createRuleValidator(compiler);
  const tables = openTables(store, clock, options.keepingFiles);
  const freeze = openFreeze(store, clock);
  const fleet = openFleet(tables, compiler);
  const leases = openLeases(store, clock);
  const windows = createWindowClock();
  const reportOneAddress = createOneAddressReport(logger, monotonic);
  const reportErrors = createErrorReport(logger, monotonic);
  const reportFlaws = createFlawReport(compiler, logger, monotonic);
  const errors = openRuleErrors({ tables, clock, monotonic, logger });
  const sharedSerials = openSharedSerials({ tables, logger });
  const isolate = createIsolate({ onStartFailed: () => logger.error('rules.evaluator-not-started') });
  const pauses = createPauses();
  const told = new ToldBrakes(logger);
  const decider: Decider = {
    tables,
    compiler,
    fleet,
    freeze,
    windows,
    resolveFile,
    board: boardParameterOf(boardParameter),
    signatures: { signingOf, requiredOfAll: requireSignature },
    namesakesOf,
    onSharedSerial: (shared) => sharedSerials.record(shared),
    isolate,
    pauses,
    probation: createProbation(monotonic),
    waitMsMax: conditionWaitMsMax,
    isSharedAddress,
    onOneAddress(rule, oneAddress, isHeldBack) {
      reportOneAddress(rule.id, oneAddress);
      if (isHeldBack) onHeldBack?.(oneAddress.limitName);
    },
    notesHeld: true,
    onImageMissing(rule, cpeid, message) {
      // What was made for a batch and the like fails there.
      if (rule.owner !== undefined) return;
      const { id: ruleId, updatedAtMs: ruleUpdatedAtMs } = rule;
      errors.record({ kind: 'error', code: IMAGE_MISSING, message, ruleId, ruleUpdatedAtMs, cpeid });
    },
    onIsolated: (outcome) => onIsolated?.(outcome),
    onFailure(failure) {
      onFailure?.(failure.kind);
      errors.record(failure);
    },
  };
  // Who only asks holds nothing against a rule. And other times may be asked about: what windows the sessions' clock remembers is
  // not to be lost over it.
  const aside: Decider = {
    ...decider,
    windows: createWindowClock(),
    probation: createProbation(monotonic),
    onOneAddress() {},
    onSharedSerial() {},
    onImageMissing() {},
    notesHeld: false,
    onIsolated() {},
    onFailure() {},
  };
  const drafts = createDrafts({ tables, validator, compiler, sealing, clock });
  return {
    ...openRepository({ tables, validator, sealing, clock }),
    owned: openOwnedRules({ tables, validator, sealing, clock }),
    countKey: countKeyOf,
    hasRun: (rule) => hasRun(tables, countKeyOf(rule)),
    async decide(input) {
      const startedMs = performance.now();
      const decision = await decide(decider, input);
      onDecision?.(decision.kind, performance.now() - startedMs);
      reportErrors(input.context.cpeid, decision);
      reportFlaws(input.context.cpeid, decision);
      return decision;
    },
    parametersNamed: (cpe, organization) => parametersNamed(decider, cpe, organization),
    ended: (counted, end, previously) => countedEnd(tables, counted, end, previously),
    mayRepeat: (upgrade, cpe) => mayRepeat(decider, upgrade, clock(), cpe),
    foresee: (input) => foresee(aside, input),
    explain: (input, asked) => explain(aside, drafts, input, asked),
    match: (target) => takeUp(aside, drafts, target),
    whyNotFitting: (image, input) => whyNotFitting(decider.board, image, input),
    async freeze(next) {
      const state = await freeze.write(next);
      const { organization } = next;
      told.tell(organization, state);
      return state;
    },
    async pulledBrakes() {
      const pulled = await freeze.pulled();
      told.tellAll(pulled);
      return pulled;
    },
    amiss: () => lookAtRules({ tables, fleet, resolveFile, pauses }),
    freezeState: async (organization) => (await freeze.read(organization)).state,
    leaseFiles: (holder, durationMs) => leases.acquire('rule-files', holder, durationMs),
    releaseFiles: (lease: Lease) => leases.release(lease),
    applyFiles: (bodies, applying) => applyFileRules({ tables, validator, sealing, clock }, bodies, applying),
    waking: openWaking(tables, windows, leases, clock),
    standing: createStandingConditions({
      validator,
      compiler,
      means: { ...aside, probation: createProbation(monotonic) },
    }),
    withoutFile: () => rulesWithoutFile(tables),
    withFindings: (stored) => withFindings(stored, { errors, compiler, pauses, tables, unknownFieldIn }),
    suspendedCount: () => tables.rules.count({ index: 'suspended' }),
    async settled() {
      await Promise.all([errors.settled(), sharedSerials.settled(), isolate.settled()]);
    },
    async close() {
      await isolate.close();
      await Promise.all([errors.settled(), sharedSerials.settled()]);
    },
  };
}

const nothingIsSigned: SigningOfFile = async () => ({
  isSigned: false,
  detail: 'there is no library of images here that could say so',
});

type Report = (cpeid: CpeId, decision: Decision) => void;

/** Logs rules whose condition failed, or that name several CPEs, each at most once in a while: a fleet meets a broken rule many times a second. */
function createErrorReport(logger: Logger, monotonic: MonotonicClock): Report {
  const isQuiet = createQuiet(monotonic);
  return (cpeid, decision) => {
    if (!('considered' in decision)) return;
    for (const { ruleId, verdict, detail } of decision.considered) {
      if ((verdict !== 'condition-error' && verdict !== 'ambiguous-serial') || isQuiet(ruleId)) continue;
      logger.warn(`rules.${verdict}`, { ruleId, cpeid, detail });
    }
  };
}

/** Logs addresses that have most of a rule's places, each rule at most once in a while. */
function createOneAddressReport(
  logger: Logger,
  monotonic: MonotonicClock,
): (ruleId: RuleId, oneAddress: OneAddress) => void {
  const isQuiet = createQuiet(monotonic);
  return (ruleId, oneAddress) => {
    if (!isQuiet(ruleId)) logger.warn('campaign.one-address', { ruleId, ...oneAddress });
  };
}

/** Logs rules that upgrade a CPE although more CPEs match their condition than can be meant: they were stored before that was refused. */
function createFlawReport(compiler: ConditionCompiler, logger: Logger, monotonic: MonotonicClock): Report {
  const isQuiet = createQuiet(monotonic);
  return (cpeid, decision) => {
    if (decision.kind !== 'upgrade') return;
    const warning = warningOf(decision.rule, compiler);
    if (warning === null || isQuiet(decision.rule.id)) return;
    logger.warn('rules.condition-flawed', { ruleId: decision.rule.id, cpeid, ...warning });
  };
}

/** Whether a rule was told of a short while ago; from then on it was. */
function createQuiet(monotonic: MonotonicClock): (id: RuleId) => boolean {
  const quietUntilMs = new Map<RuleId, number>();
  return (id) => {
    if ((quietUntilMs.get(id) ?? Number.NEGATIVE_INFINITY) > monotonic()) return true;
    if (quietUntilMs.size >= QUIET_RULES_MAX) quietUntilMs.clear();
    quietUntilMs.set(id, monotonic() + QUIET_MS);
    return false;
  };
}

/** Says of each brake once how it stands, whichever process has pulled it or let it go. */
class ToldBrakes {
  readonly #logger: Logger;
  /** Since when each is pulled, as was told; under the empty text the installation's. */
  readonly #pulled = new Map<string, number | undefined>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  tell(organization: string | undefined, state: FreezeState): void {
    const key = organization ?? '';
    const isTold = state.frozen
      ? this.#pulled.has(key) && this.#pulled.get(key) === state.sinceMs
      : !this.#pulled.has(key);
    if (isTold) return;
    if (state.frozen) this.#pulled.set(key, state.sinceMs);
    else this.#pulled.delete(key);
    this.#logger.warn('rules.freeze', { ...state, ...(organization !== undefined && { organization }) });
  }

  tellAll(pulled: readonly PulledBrake[]): void {
    for (const { organization, state } of pulled) this.tell(organization, state);
    const now = new Set(pulled.map(({ organization = '' }) => organization));
    for (const key of [...this.#pulled.keys()])
      if (!now.has(key)) this.tell(key === '' ? undefined : key, { frozen: false });
  }
}
