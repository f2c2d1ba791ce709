import type { RuleId } from '../../common/index.js';
import type { Considered, Decision, DecisionInput, Verdict } from './decision.js';
import type { RuleWarning, StoredRule } from './rule.js';

/** What became of one conjunct of a condition, for one CPE. */
export interface ConjunctFinding {
  /** As the rule's author wrote it. */
  readonly text: string;
  /** Where it begins in the condition's text, from 1; absent in object form. */
  readonly column?: number;
  readonly outcome: 'true' | 'false' | 'error' | 'not-evaluated';
  /**
   * What stands at the field paths it reads, and what the calls that it compares come to (`$bucket(cpeid, "r1")`); without `value`
   * where the CPE has nothing there.
   */
  readonly found: readonly { readonly path: string; readonly value?: unknown }[];
  /** What JSONata or a bound said, where the outcome is `error`. */
  readonly message?: string;
}

/** One rule's part in a decision. */
export interface RuleExplanation extends Considered {
  readonly priority: number;
  /** Empty where whoever asks is not told. */
  readonly conjuncts: readonly ConjunctFinding[];
  /** Its condition would not be taken today. */
  readonly warning?: RuleWarning;
}

/** What would be decided for a CPE now, and why; nothing is changed by asking. */
export interface DecisionExplanation {
  readonly kind: Decision['kind'];
  /** Absent also where it is a rule that whoever asks is not told of. */
  readonly winner?: RuleId;
  /** Why the winner goes before the others whose conditions hold, as a sentence; or why there is none. */
  readonly reason: string;
  /**
   * Where the kind is `read`: what the CPE would be asked for first, as far as rules read it that whoever asks is told of. The rest is what
   * would be decided without.
   */
  readonly reads?: readonly string[];
  /** In the order they are considered. */
  readonly rules: readonly RuleExplanation[];
  /** How many more there are than are listed, of those that whoever asks is told of. */
  readonly omitted: number;
}

export interface ExplainOptions {
  /** List these only, also where they are pinned to another CPE; the winner is looked for among all. */
  readonly ids?: readonly RuleId[];
  /** Most rules listed, the telling ones rather than the others; 1 to 1,000, which is the default. */
  readonly limit?: number;
  /** A rule as its author would post it, considered as if it were stored (in place of the one with its id). */
  readonly draft?: unknown;
  /**
   * Who asks: the draft is its rule, and of what the installation's rules come to it is told only which of them hold, without why. Absent:
   * the installation, which is told all.
   */
  readonly organization?: string;
}

/** What a CPE would be upgraded by. */
export interface Foreseen {
  readonly rule: StoredRule;
  /** What the CPE must report to be verified; null where neither rule nor image says. */
  readonly targetVersion: string | null;
}

/** A stored rule, a rule that is not stored, or only its condition; and who asks, see {@link ExplainOptions}. */
export type MatchTarget = (
  | { readonly ruleId: RuleId }
  | { readonly draft: unknown }
  | {
      readonly condition: unknown;
      /** Only what it holds of in object form as that is read now, and did not as rules were read before: by equality alone. */
      readonly beyondEquality?: true;
    }
) &
  Pick<ExplainOptions, 'organization'>;

/** What the rule of a {@link RuleMatch} would come to for one CPE. */
export interface MatchFinding {
  /** Its condition is true. */
  readonly matches: boolean;
  /** `condition-true`: nothing but a condition was asked about; `parameters-unread`: the CPE would have to be asked for them first. */
  readonly verdict: Verdict | 'condition-true' | 'parameters-unread' | 'frozen';
  readonly detail?: string;
}

/** One rule, ready to be held against many CPEs, as though it were stored and enabled. */
export interface RuleMatch {
  /** Null where nothing but a condition was asked about. */
  readonly rule: StoredRule | null;
  /** The only names, cpeids, serial numbers or tags of which a CPE must have one; what is absent excludes nobody. */
  readonly narrowed: {
    /** It must be one's cpeid or serial number. */
    readonly names?: readonly string[];
    readonly cpeids?: readonly string[];
    readonly serialNumbers?: readonly string[];
    readonly tags?: readonly string[];
  };
  /** Changes nothing. */
  judge(input: DecisionInput): Promise<MatchFinding>;
}
