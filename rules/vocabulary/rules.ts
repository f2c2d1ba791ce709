import type { CountKey, RuleId, Turn } from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import type { Change, Revision } from '../../store/index.js';
import type { Decision, DecisionInput, ImageFacts } from './decision.js';
import type { DecisionExplanation, ExplainOptions, Foreseen, MatchTarget, RuleMatch } from './explanation.js';
import type { RuleProblem } from './problems.js';
import type { LastError, RuleWarning, StoredRule } from './rule.js';

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
  /** The count of the address of a CPE that had not proved who it is, where the rule has limits. */
  readonly addressBucket?: number;
}

/** A place in the order in which rules are listed, newest first; ties go by id as it is stored, the last by its UTF-8 first. */
export interface RulePlace {
  readonly createdAtMs: number;
  readonly id: string;
}

/** A rule, and what its author should know of it. */
export interface RuleFindings {
  readonly rule: StoredRule;
  /** What its condition failed with last. */
  readonly lastError: LastError | null;
  /** Why it upgrades no more CPEs for its failures; null where it does. */
  readonly stopped: string | null;
  /** Its condition would not be taken today, or names what no CPE has. */
  readonly warning: RuleWarning | null;
}

/** What became of the rules of one `put`. */
export interface PutCounts {
  readonly written: number;
  /** Stored already as they were posted. */
  readonly unchanged: number;
  /** The first {@link WRITTEN_ANEW_MAX} of those written whose condition in object form may not be what its author means; absent where there are none. */
  readonly anew?: readonly WrittenAnew[];
}

export const WRITTEN_ANEW_MAX = 100;

/** A rule that has been written, of whose condition in object form its author may want to hear. */
export interface WrittenAnew {
  readonly rule: StoredRule;
  /** It was stored with the same condition before that was read with patterns. */
  readonly wasEquality: boolean;
  /** The single names by which it names CPEs in `cpeid` that have not the form of a cpeid. */
  readonly serialNumbers: readonly string[];
}

/** A rule as it is about to be stored, and as it was; the very same where nothing changes. */
export interface PlannedRule {
  readonly rule: StoredRule;
  readonly before: StoredRule | null;
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
   * Newest first, ties by id. Served from an index where `ids`, `storedIds` or `cpeid` (the pin) is given, else in bounded pages.
   * @param filter  `ids` and `idPrefix` are as authors write them: of several organizations there may be a rule for each; `after`: only
   *   what comes after this place, which costs no more than from the start
   * @param turn  see `Collection.scan`
   */
  scan(
    filter: {
      readonly ids?: readonly string[];
      /** The same as they are stored. */
      readonly storedIds?: readonly RuleId[];
      readonly idPrefix?: string;
      readonly cpeid?: string;
      /** Only the rules of this organization; null: only the installation's own; absent: all. */
      readonly organization?: string | null;
      readonly after?: RulePlace;
    },
    turn?: Turn,
  ): AsyncIterable<StoredRule>;
  /** What `put` would refuse of these bodies by themselves, whatever is stored; at most 100 problems, each with its `item`. */
  check(bodies: readonly unknown[], organization?: string): Promise<readonly RuleProblem[]>;
  /**
   * Creates or replaces rules, all or none: up to 1,600 are one commit; more are checked as a whole first, then committed in
   * portions of that size (`merge` and the others too). Posting what is stored already changes nothing (also no timestamp).
   * @param bodies  as they came from outside: objects that should be rules
   * @param options  `by`: also the author of rules that are new and do not say it
   * @throws InvalidRuleError, RuleConflictError (also where there is a rule from a file or one that has an owner)
   */
  put(
    bodies: readonly unknown[],
    options: {
      readonly by: Actor;
      readonly onlyNew: boolean;
      /** Whose rules they become, see {@link ruleIdIn}; absent: the installation's. */
      readonly organization?: string;
      /** Says which of the rules begin a new revision, as by {@link restart}; asked of all of them, and anew for every try. None does unless told. */
      readonly beginningAnew?: (planned: readonly PlannedRule[]) => Promise<ReadonlySet<RuleId>>;
    },
  ): Promise<PutCounts>;
  /**
   * Merges `patch` into each of the rules, all or none.
   * @param noting  told what is about to be stored, for every try
   * @throws InvalidRuleError, RuleConflictError (a rule from a file, or that has an owner, takes only `enabled`)
   */
  merge(
    ids: readonly RuleId[],
    patch: Readonly<Record<string, unknown>>,
    by: Actor,
    noting?: (planned: readonly PlannedRule[]) => Promise<void>,
  ): Promise<Pick<PutCounts, 'anew'>>;
  /**
   * Deletes what exists of these; counts and results stay.
   * @returns how many there were
   * @throws RuleConflictError for a rule that stands in a rule file, or has an owner
   */
  remove(ids: readonly RuleId[], by: Actor): Promise<number>;
  /**
   * Forgets what was counted against these rules (their current file and target).
   * @returns how many there were
   * @throws RuleConflictError for a rule that has an owner
   */
  restart(ids: readonly RuleId[], by: Actor): Promise<number>;
  countKey(rule: StoredRule): CountKey;
  /** Whether the rule, with this file and target and since it was last restarted, has run on any CPE. */
  hasRun(rule: StoredRule): Promise<boolean>;
  decide(input: DecisionInput): Promise<Decision>;
  /** The parameter paths that the conditions of enabled rules name which may concern this CPE, as {@link DecisionInput.unread} has them, and those of its board. */
  parametersNamed(
    cpe: Pick<DecisionInput['context'], 'cpeid' | 'serialNumber'>,
    organization?: string,
  ): Promise<readonly string[]>;
  /**
   * Asked where a Download may not have reached its CPE. The upgrade is reserved and counted already, so neither executions nor
   * limits have a say, nor has the condition, which was true when it was decided. Whether the image fits does: more may be known by now of
   * it and of the CPE.
   * @param upgrade  `imageSha256`: of the image that it was decided for; another that has its name by now is never sent instead
   */
  mayRepeat(
    upgrade: { readonly campaignid: RuleId; readonly countKey: CountKey; readonly imageSha256?: string },
    cpe: Pick<DecisionInput, 'context' | 'organization' | 'readParameters'>,
  ): Promise<Repeat>;
  /** Each of the rules with what there is to be said of it, in the order they come. */
  withFindings(rules: AsyncIterable<StoredRule>): AsyncIterable<RuleFindings>;
  /** How many rules are suspended. */
  suspendedCount(): Promise<number>;
  /**
   * What {@link decide} would say now, and why. Changes nothing, and goes on where `decide` would first have parameters read.
   * @throws UnknownRuleError for an id that is not stored, InvalidRuleError for a draft that could not be
   */
  explain(input: DecisionInput, options?: ExplainOptions): Promise<DecisionExplanation>;
  /**
   * Why an image does not fit a CPE, in words; null: it does as far as is known, though the CPE may have to be asked for its board first.
   */
  whyNotFitting(
    image: ImageFacts,
    input: Pick<DecisionInput, 'context' | 'readParameters' | 'unread' | 'isUntold'>,
  ): Promise<string | null>;
  /**
   * What a CPE would be upgraded by, by what is known of it: what a session would begin now, else the first rule that only time holds back
   * (its window, the wait after a failure, a time to come, the emergency brake). Limits that are reached hold back. Changes nothing.
   */
  foresee(input: DecisionInput): Promise<Foreseen | null>;
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
    readonly by: Actor;
    readonly reason?: string;
    /** Whose brake it is: of its CPEs and rules; absent: the installation's, of all. */
    readonly organization?: string;
  }): Promise<FreezeState>;
  /** The installation's, where it is pulled; else that of the organization that is named. */
  freezeState(organization?: string): Promise<FreezeState>;
}
