import type { CountKey, CpeId, RuleId } from '../common/index.js';
import type { Change, Revision } from '../store/index.js';
import type { DecisionExplanation, ExplainOptions, MatchTarget, RuleMatch } from './explanation.js';

/** A value a condition compares with. */
export type Scalar = string | number | boolean | null;

/** Object form: every key is a field path of the {@link Context}, all must hold. String form: JSONata. */
export type Condition = string | Readonly<Record<string, Scalar | readonly Scalar[]>>;

export interface MaintenanceWindow {
  readonly cron: string;
  readonly durationMinutes: number;
  readonly timezone: string;
  /** How many waiting CPEs a second are woken by connection request while the window is open. */
  readonly wakePerSecond?: number;
}

export interface Limits {
  readonly concurrent?: number;
  readonly total?: number;
  readonly stopAfterFailures?: number;
}

export interface Retry {
  readonly afterMinutes: number;
  readonly factor: number;
  readonly maxHours: number;
}

/** How long an upgrade may stay in a state before it counts as timed out. Fractions of a minute are allowed. */
export interface Deadlines {
  readonly sentMinutes: number;
  readonly acceptedMinutes: number;
  readonly transferredMinutes: number;
}

/** What becomes of an upgrade whose Download is not known to have reached its CPE, where the CPE does not have it queued either. */
export type OnDoubt = 'resend' | 'fail';

/** An entry of FirmwareStorage as its author sees it, with the defaults filled in. */
export interface Rule {
  readonly id: RuleId;
  readonly enabled: boolean;
  readonly automatic: boolean;
  /** The name of an image in the library, or an absolute http, https or ftp URL. */
  readonly file: string;
  readonly condition: Condition;
  readonly executions: number;
  readonly priority: number;
  readonly author: string;
  readonly description: string;
  readonly target?: { readonly softwareVersion: string };
  /** Download also to CPEs that are at the target already. */
  readonly force?: boolean;
  readonly window?: MaintenanceWindow;
  readonly limits?: Limits;
  readonly retry?: Retry;
  readonly deadlines?: Deadlines;
  /** `resend` where it is left out. */
  readonly onDoubt?: OnDoubt;
}

/** Why and when a rule was suspended. */
export interface Suspension {
  readonly atMs: number;
  readonly message: string;
}

/** What a rule's condition failed with last, since the rule was edited. */
export interface LastError {
  readonly atMs: number;
  readonly cpeid: CpeId;
  /** JSONata's where it has one. */
  readonly code: string;
  readonly message: string;
}

/** What the store keeps of a rule. */
export interface StoredRule extends Rule {
  /** The one CPE its condition can be true for; a rule without is a fleet rule. */
  readonly pin?: CpeId;
  /** Set on fleet rules only: the generation of the fleet that the rule was written in last, by which processes find what is new. */
  readonly fleetSeq?: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Set on a rule whose condition tripped for many CPEs: it is not considered until it is edited. */
  readonly suspended?: Suspension;
  /** Changes with every edit of `limits`, and only then: what was granted under other limits is counted anew. */
  readonly limitsTag?: string;
  /** How often RestartRule was called for this id: part of its count key. */
  readonly restarts: number;
  /** The rule file it was read from. The NBI may then switch `enabled` only. */
  readonly sourceFile?: string;
  /** The rule is no longer in its file: it was disabled, and may be deleted or taken over by another author. */
  readonly sourceMissing?: true;
  /** The NBI's word on `enabled` for a rule from a file: outlives re-reading the file until the file says the same. */
  readonly enabledOverride?: boolean;
}

export type ParameterValue = string | number | boolean;

/** What a condition sees of a CPE (design section 3). Times are epoch milliseconds. */
export interface Context {
  readonly cpeid: CpeId;
  readonly oui: string;
  readonly productClass: string;
  readonly serialNumber: string;
  readonly manufacturer: string;
  readonly modelName?: string;
  readonly softwareVersion?: string;
  readonly hardwareVersion?: string;
  readonly events: readonly string[];
  readonly tags: readonly string[];
  readonly organization?: string;
  readonly ip: string;
  readonly lastInform: number;
  readonly registered: number;
  readonly now: number;
  /** The known data model as a tree (`{ Device: { DeviceInfo: { … } } }`), read only when a condition asks for it. */
  readonly parameters?: ParameterTree;
}

export interface ParameterTree {
  readonly [step: string]: ParameterValue | ParameterTree;
}

/** What one CPE has behind it with one rule, file and target. Kept in the device document. */
export interface RuleCount {
  /** Upgrades started, by distinct CommandKey; what `executions` bounds. */
  readonly started: number;
  /** Ended other than verified, in a row; spaces the retries. */
  readonly failures: number;
  readonly verified: boolean;
  readonly lastEndedMs?: number;
  /** Downloads refused with 9004 that were given back (at most 5). */
  readonly givenBack: number;
}

export const NO_COUNT: RuleCount = { started: 0, failures: 0, verified: false, givenBack: 0 };

/** What a decision needs to know of an image that a rule's `file` names. */
export interface ImageFacts {
  readonly softwareVersion?: string;
  readonly productClass?: string;
  readonly hardwareVersion?: string;
}

/** Resolves a rule's `file`: null where it names an image that the library does not hold. */
export type ResolveFile = (file: string) => Promise<ImageFacts | null>;

export interface DecisionInput {
  readonly context: Omit<Context, 'parameters'>;
  /** Reads the known data model; called at most once, and only where a candidate's condition needs it. */
  readonly readParameters: () => Promise<ParameterTree>;
  /**
   * Given the parameter paths (`Device.X.Y`, at most 256) that enabled rules which may concern this CPE read, says which of them the CPE should be
   * asked for before anything is decided. Where a condition fixes only the beginning of a path it is a partial one, with a dot at its end
   * (`Device.IP.Interface.`). Not called where no rule reads any.
   */
  readonly unread: (paths: readonly string[]) => Promise<readonly string[]>;
  readonly counts: Readonly<Record<CountKey, RuleCount>>;
  /** An operator asked for this session (SendCNR): rules that are not automatic are considered too. */
  readonly requested: boolean;
  /**
   * What was decided last was refused when it was committed: so the rules are looked up, where they may otherwise be up to a second
   * old as long as this process has not changed them. (What is old can only be refused: the conditions of a decision say so.)
   */
  readonly afresh?: boolean;
  /** A rule whose verdict is wanted, however many others there are to tell of. */
  readonly about?: RuleId;
}

export type Verdict =
  | 'chosen'
  | 'disabled'
  | 'suspended'
  | 'not-automatic'
  | 'condition-false'
  | 'condition-error'
  | 'executions-used-up'
  | 'already-verified'
  | 'at-target'
  | 'waiting-for-retry'
  | 'window-closed'
  | 'limit-reached'
  | 'image-missing'
  | 'image-does-not-fit'
  | 'lower-priority';

/** Why a rule did or did not win, for logs and `explain`. */
export interface Considered {
  readonly ruleId: RuleId;
  readonly verdict: Verdict;
  readonly detail?: string;
}

export type Decision =
  | {
      readonly kind: 'upgrade';
      readonly rule: StoredRule;
      readonly countKey: CountKey;
      /** What the CPE must report to be verified; null where neither rule nor image says. */
      readonly targetVersion: string | null;
      /**
       * Goes into the same commit as the reservation: it is refused unless the rule is still as it was decided on, upgrades are
       * not frozen, and the rule's limits allow one more.
       */
      readonly conditions: readonly Change[];
      /** Which part of the rule's counts takes this upgrade; {@link Rules.ended} must be told. */
      readonly share: number;
      readonly considered: readonly Considered[];
    }
  | {
      /** A pinned rule whose CPE is at its target already: recorded, nothing is sent, and the rule is done. */
      readonly kind: 'at-target';
      readonly rule: StoredRule;
      readonly countKey: CountKey;
      readonly targetVersion: string;
      readonly considered: readonly Considered[];
    }
  /** Conditions read parameters that the CPE was not asked for yet. */
  | { readonly kind: 'read'; readonly names: readonly string[] }
  /** A rule would have upgraded this CPE, but for the emergency brake. */
  | { readonly kind: 'frozen' }
  | { readonly kind: 'nothing'; readonly considered: readonly Considered[] };

/** Rules were named that do not exist. */
export class UnknownRuleError extends Error {
  override readonly name = 'UnknownRuleError';
  constructor(readonly ids: readonly RuleId[]) {
    super(`There is no rule ${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ' …' : ''}`);
  }
}

/** Something wrong with a rule: which field, what stood there and what should. */
export interface RuleProblem {
  /** Dotted path of the field (`limits.concurrent`); empty for the rule as a whole. */
  readonly field: string;
  readonly code: string;
  /** What it should be, with the remedy, as a sentence fit for a person. */
  readonly expected: string;
  /** The value found, as short JSON. */
  readonly found?: string;
  /** Which rule of an array, counted from 0. */
  readonly item?: number;
  readonly line?: number;
  readonly column?: number;
}

export class InvalidRuleError extends Error {
  override readonly name = 'InvalidRuleError';
  constructor(readonly problems: readonly RuleProblem[]) {
    super(problems.map((problem) => `${problem.field || 'rule'}: ${problem.expected}`).join('; '));
  }
}

/** A change that what is stored forbids: the rule exists, comes from a file, or moved meanwhile. */
export class RuleConflictError extends Error {
  override readonly name = 'RuleConflictError';
  constructor(
    readonly ruleId: RuleId,
    readonly reason: 'exists' | 'from-file' | 'changed-meanwhile',
    message: string,
  ) {
    super(message);
  }
}

export interface FreezeState {
  readonly frozen: boolean;
  readonly by?: string;
  readonly reason?: string;
  readonly sinceMs?: number;
}

/** How an upgrade ended, for a rule's limits. */
export type UpgradeEnd = 'verified' | 'failed' | 'timed-out' | 'cancelled' | 'given-back';

/** Where an upgrade was counted when it was reserved. */
export interface Counted {
  readonly countKey: CountKey;
  readonly share?: number;
}

/** A place in the order in which rules are listed, newest first; ties go by id, the last by its UTF-8 first. */
export interface RulePlace {
  readonly createdAtMs: number;
  readonly id: string;
}

/** What became of the rules of one `put`. */
export interface PutCounts {
  readonly written: number;
  /** Stored already as they were posted. */
  readonly unchanged: number;
}

/** Whether the Download of an upgrade that was reserved before may be sent once more. */
export type Repeat =
  | {
      readonly kind: 'allowed';
      readonly rule: StoredRule;
      /** Goes into the same commit: it is refused unless the rule is as it was read and upgrades are not frozen. */
      readonly conditions: readonly Change[];
    }
  /** The rule says `onDoubt: "fail"`. */
  | { readonly kind: 'unwanted' }
  /** Not now: the rule is switched off or its window closed, upgrades are frozen, or its image is missing. */
  | { readonly kind: 'held'; readonly reason: string }
  /** Never: the rule is gone, or names another file or target now. */
  | { readonly kind: 'void'; readonly reason: string };

/** The rules of one installation: FirmwareStorage and the decisions made from it. */
export interface Rules {
  get(id: RuleId): Promise<{ readonly rule: StoredRule; readonly revision: Revision } | null>;
  /**
   * Newest first, ties by id. Served from an index where `id` or `cpeid` (the pin) is given, else in bounded pages.
   * @param filter  `after`: only what comes after this place, which costs no more than from the start
   */
  scan(filter: {
    readonly ids?: readonly string[];
    readonly idPrefix?: string;
    readonly cpeid?: string;
    readonly after?: RulePlace;
  }): AsyncIterable<StoredRule>;
  /** What `put` would refuse of these bodies by themselves, whatever is stored; at most 100 problems, each with its `item`. */
  check(bodies: readonly unknown[]): Promise<readonly RuleProblem[]>;
  /**
   * Creates or replaces rules, all or none: up to 2,000 are one commit; more are checked as a whole first, then committed in
   * portions of that size (`merge` and the others too). Posting what is stored already changes nothing (also no timestamp).
   * @param bodies  as they came from outside: objects that should be rules
   * @throws InvalidRuleError, RuleConflictError
   */
  put(
    bodies: readonly unknown[],
    options: { readonly author: string; readonly onlyNew: boolean },
  ): Promise<PutCounts>;
  /**
   * Merges `patch` into each of the rules, all or none.
   * @throws InvalidRuleError, RuleConflictError (a rule from a file takes only `enabled`)
   */
  merge(ids: readonly RuleId[], patch: Readonly<Record<string, unknown>>): Promise<void>;
  /**
   * Deletes what exists of these; counts and results stay.
   * @returns how many there were
   * @throws RuleConflictError for a rule that stands in a rule file
   */
  remove(ids: readonly RuleId[]): Promise<number>;
  /** Forgets what was counted against these rules (their current file and target). @returns how many there were */
  restart(ids: readonly RuleId[]): Promise<number>;
  countKey(rule: StoredRule): CountKey;
  decide(input: DecisionInput): Promise<Decision>;
  /**
   * Asked where a Download may not have reached its CPE. The upgrade is reserved and counted already, so neither executions nor
   * limits have a say, nor has the condition, which was true when it was decided.
   */
  mayRepeat(upgrade: { readonly campaignid: RuleId; readonly countKey: CountKey }): Promise<Repeat>;
  /** Each of the rules with what its condition failed with last, in the order they come. */
  withErrors(
    rules: AsyncIterable<StoredRule>,
  ): AsyncIterable<readonly [rule: StoredRule, lastError: LastError | null]>;
  /** How many rules are suspended. */
  suspendedCount(): Promise<number>;
  /**
   * What {@link decide} would say now, and why. Changes nothing, and goes on where `decide` would first have parameters read.
   * @throws UnknownRuleError for an id that is not stored, InvalidRuleError for a draft that could not be
   */
  explain(input: DecisionInput, options?: ExplainOptions): Promise<DecisionExplanation>;
  /**
   * Takes up a rule to find the CPEs that it would upgrade. It need not be enabled.
   * @throws UnknownRuleError, InvalidRuleError
   */
  match(target: MatchTarget): Promise<RuleMatch>;
  /**
   * Goes into the same commit as the end of an upgrade, so that the rule's limits count exactly.
   * @param previously  how it was counted before, where late evidence shows that it ended otherwise
   */
  ended(counted: Counted, end: UpgradeEnd, previously?: UpgradeEnd): readonly Change[];
  freeze(state: {
    readonly frozen: boolean;
    readonly by: string;
    readonly reason?: string;
  }): Promise<FreezeState>;
  freezeState(): Promise<FreezeState>;
}
