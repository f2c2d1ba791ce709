import type { CountKey, CpeId, RuleId } from '../../common/index.js';
import type { Change } from '../../store/index.js';
import type { StoredRule } from './rule.js';

export type ParameterValue = string | number | boolean;

/** What a condition sees of a CPE. Times are epoch milliseconds. */
export interface Context {
  readonly cpeid: CpeId;
  readonly oui: string;
  readonly productClass: string;
  readonly serialNumber: string;
  readonly manufacturer: string;
  readonly modelName?: string;
  /** What {@link modelOf} makes of the two above. */
  readonly model: string;
  readonly softwareVersion?: string;
  readonly hardwareVersion?: string;
  readonly events: readonly string[];
  readonly tags: readonly string[];
  /** The slug of the organization that it belongs to; of one that is only described, `default` unless that says another. */
  readonly organization: string;
  readonly ip: string;
  /** `proven`: the session began with credentials of this CPE alone. */
  readonly identity: { readonly proven: boolean };
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
  /** The image of a rule with an owner does not fit the CPE, or was not there, and the owner was told: it is not told again, and nothing is sent. */
  readonly refused?: true;
}

export const NO_COUNT: RuleCount = { started: 0, failures: 0, verified: false, givenBack: 0 };

/** What a decision needs to know of an image that a rule's `file` names. */
export interface ImageFacts {
  readonly softwareVersion?: string;
  readonly productClass?: string;
  readonly hardwareVersion?: string;
  /** The boards that it is for; absent: not known. */
  readonly boards?: readonly string[];
  /** Of its content, which alone is sent on a decision that saw it; absent where that is not known. */
  readonly sha256?: string;
  /** Which of these are read from the file, and typed by nobody. */
  readonly fromFile?: readonly ('softwareVersion' | 'hardwareVersion' | 'boards')[];
}

/**
 * Resolves a rule's `file`: null where it names an image that the library does not hold.
 * @param organization  whose rule it is, and so whose images it means; absent: the installation's
 */
export type ResolveFile = (file: string, organization?: string) => Promise<ImageFacts | null>;

/**
 * The other CPEs that go by a CPE's serial number, some of them: they have it too, or it is their cpeid.
 * @param cpe  `organization`: among whose CPEs alone; absent: among all
 */
export type NamesakesOf = (cpe: {
  readonly cpeid: CpeId;
  readonly serialNumber: string;
  readonly organization?: string;
}) => Promise<readonly CpeId[]>;

/** Whether what a rule's `file` names is an image that is signed by a key that holds now. */
export type FileSigning =
  | {
      readonly isSigned: true;
      /** For the commit that rests on it: refused where the image or the key was changed meanwhile. */
      readonly unchanged: readonly Change[];
    }
  | { readonly isSigned: false /** Why not, in words. */; readonly detail: string };

/** @param organization  as of {@link ResolveFile} */
export type SigningOfFile = (file: string, organization?: string) => Promise<FileSigning>;

/** Parts of a data model by their first two steps (`Device.WiFi`); null: all of it, as what will be read cannot be told. */
export type Subtrees = readonly string[] | null;

export interface DecisionInput {
  readonly context: Omit<Context, 'parameters'>;
  /**
   * Reads the known data model; called at most once, and only where a candidate's condition needs it.
   * @param subtrees  what is read of it at least (`Device.WiFi`); left out or null: all
   */
  readonly readParameters: (subtrees?: Subtrees) => Promise<ParameterTree>;
  /**
   * Given the parameter paths (`Device.X.Y`, at most 256) that enabled rules which may concern this CPE read, says which of them the CPE should be
   * asked for before anything is decided. Where a condition fixes only the beginning of a path it is a partial one, with a dot at its end
   * (`Device.IP.Interface.`). Not called where no rule reads any.
   * @param of  `board`: the paths are no condition's, but those of the CPE's board, which an image is held against
   */
  readonly unread: (paths: readonly string[], of?: 'board') => Promise<readonly string[]>;
  /**
   * Whether the CPE was asked for one of these parameters and could not tell it, or has not answered: then it is not known, though `unread` does
   * not name it, and may be later. Left out: there are none.
   */
  readonly isUntold?: (paths: readonly string[]) => boolean;
  readonly counts: Readonly<Record<CountKey, RuleCount>>;
  /** An operator asked for this session (SendCNR): rules that are not automatic are considered too. */
  readonly requested: boolean;
  /**
   * What was decided last was refused when it was committed: so the rules are looked up, where they may otherwise be up to a second
   * old as long as this process has not changed them. (What is old can only be refused: the conditions of a decision say so.)
   */
  readonly afresh?: boolean;
  /** Rules that are left out, as what owns them does not wait for this CPE; they are not told of. */
  readonly passedOver?: ReadonlySet<RuleId>;
  /** The id of the organization that the CPE belongs to: its rules are looked at beside the installation's; absent: none but these. */
  readonly organization?: string;
  /** The CPE is made up: those that there are do not go by its serial number beside it. */
  readonly isDescribed?: true;
  /** A rule whose verdict is wanted, however many others there are to tell of, and although others would first have to know the CPE's board. */
  readonly about?: RuleId;
}

/** What can become of a rule in a decision, as explanations, tests of rules and the OpenAPI document name it. */
export const VERDICTS = [
  'chosen',
  'disabled',
  'suspended',
  'not-automatic',
  'other-organization',
  'condition-false',
  'condition-error',
  'ambiguous-serial',
  'executions-used-up',
  'already-verified',
  'at-target',
  'waiting-for-retry',
  'not-yet',
  'too-late',
  'window-closed',
  'held-by-owner',
  'limit-reached',
  'image-missing',
  'image-does-not-fit',
  'image-not-signed',
  'lower-priority',
] as const;
export type Verdict = (typeof VERDICTS)[number];

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
      /** The target is what the file says, see `runsTarget`. */
      readonly isTargetRead: boolean;
      /** SHA-256 of the image that was looked at; absent where the file is elsewhere. */
      readonly imageSha256?: string;
      /**
       * Goes into the same commit as the reservation: it is refused unless the rule is still as it was decided on, upgrades are
       * not frozen, and the rule's limits allow one more.
       */
      readonly conditions: readonly Change[];
      /** Which part of the rule's counts takes this upgrade; {@link Rules.ended} must be told. */
      readonly share: number;
      /** And which of the counts by address, where it is in one. */
      readonly addressBucket?: number;
      readonly considered: readonly Considered[];
    }
  | {
      /** A pinned rule whose CPE is at its target already: recorded, nothing is sent, and the rule is done. */
      readonly kind: 'at-target';
      readonly rule: StoredRule;
      readonly countKey: CountKey;
      readonly targetVersion: string;
      readonly isTargetRead: boolean;
      /** Goes into the commit that records it, as with an upgrade. */
      readonly conditions: readonly Change[];
      readonly considered: readonly Considered[];
    }
  /**
   * The image of a pinned rule with an owner does not fit its CPE, or is not there, or an owner's rule names the CPE by a serial number that
   * others have too: the owner is told, nothing is sent, and the rule is done with this CPE once that is recorded (`refused` in the count of `countKey`).
   */
  | {
      readonly kind: 'unfit';
      readonly rule: StoredRule;
      readonly countKey: CountKey;
      readonly verdict: Extract<Verdict, 'image-does-not-fit' | 'image-missing' | 'ambiguous-serial'>;
      /** Why not, in words. */
      readonly detail: string;
      /** Goes into the commit that records it, as with an upgrade. */
      readonly conditions: readonly Change[];
      readonly considered: readonly Considered[];
    }
  /** Conditions read parameters that the CPE was not asked for yet, or an image is for boards, and its board is not known. */
  | {
      readonly kind: 'read';
      readonly names: readonly string[];
    }
  /** A rule would have upgraded this CPE, but for the emergency brake. */
  | { readonly kind: 'frozen' }
  | { readonly kind: 'nothing'; readonly considered: readonly Considered[] };
