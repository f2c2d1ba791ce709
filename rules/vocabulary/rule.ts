import type { CpeId, RuleId } from '../../common/index.js';

/** A value a condition compares with. */
export type Scalar = string | number | boolean | null;

/** Object form: every key is a field path of the {@link Context}, all must hold. String form: JSONata. */
export type Condition = string | Readonly<Record<string, Scalar | readonly Scalar[]>>;

/**
 * What the object form means: that values are equal, and no more, as it did when older rules were written; or that a `*` in a text stands
 * for any run of characters (`\*` for a star), and that `cpeid` may be the serial number of one CPE alone.
 */
export type ObjectReading = 'equality' | 'patterns';

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
  /** The name of an image in the library, or an absolute http, https, ftp, sftp or tftp URL, as its author wrote it. */
  readonly file: string;
  /** FileType of Download; where it is left out the image's, else `1 Firmware Upgrade Image`. */
  readonly fileType?: string;
  /** Username and Password of Download (TR-069 A.3.2.8), where `file` is a URL. */
  readonly username?: string;
  /** {@link PASSWORD_KEPT} wherever it is shown; the store has it sealed. */
  readonly password?: string;
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
  /** Nothing is sent unless the image is signed by a key that holds; false where it is left out, unless the installation asks it of all rules. */
  readonly requireSignature?: boolean;
  /** From when on it may run (RFC 3339 with an offset or Z); half-open with {@link notAfter}. */
  readonly notBefore?: string;
  /** From when on it runs no more (RFC 3339 with an offset or Z); what was sent before goes on. */
  readonly notAfter?: string;
}

/** Who made a rule that nobody wrote: it acts through it, and alone changes it. */
export interface RuleOwner {
  readonly kind: 'batch';
  readonly id: string;
}

/** How the ids of rules begin that have an owner: no author may begin one so. */
export const OWNED_ID_BEGINNING: Readonly<Record<RuleOwner['kind'], string>> = { batch: 'batch:' };

/** Why and when a rule was suspended. */
export interface Suspension {
  readonly atMs: number;
  readonly message: string;
}

/**
 * What is wrong with the condition of a rule that was stored before such conditions were refused, or that a rule file has; or that it is read
 * as rules were before a star was a pattern.
 */
export interface RuleWarning {
  readonly code: string;
  /** What was found and what to write instead. */
  readonly message: string;
}

/** What a rule failed with last, since it was edited: its condition, or for want of its image. */
export interface LastError {
  readonly atMs: number;
  readonly cpeid: CpeId;
  /** JSONata's where it has one. */
  readonly code: string;
  readonly message: string;
}

/** What the store keeps of a rule. */
export interface StoredRule extends Omit<Rule, 'password'> {
  /** The password, sealed with the installation's master key. */
  readonly sealedPassword?: string;
  /** Whose rule it is: it concerns CPEs of that organization only, and its id begins with this; absent: the installation's, of all CPEs. */
  readonly organization?: string;
  /** Tells the one CPE its condition can be true for, as `pinIn`, `ownedPinIn` or `namePinIn` writes it (`pinOf`); a rule without is a fleet rule. */
  readonly pin?: string;
  /** Set on fleet rules only: the generation of the fleet that the rule was written in last, by which processes find what is new. */
  readonly fleetSeq?: number;
  /** The same of a fleet rule that has an owner. Apart from the others, as nodes of a version that knows no owners would run it without its gate. */
  readonly ownedSeq?: number;
  /** Its condition in object form is read with patterns ({@link readingOf}). Nodes of a version that knows none find such a rule true of nothing. */
  readonly patterns?: true;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Set on a rule whose condition tripped for many CPEs: it is not considered until it is edited. */
  readonly suspended?: Suspension;
  /** Changes with every edit of `limits`, and only then: what was granted under other limits is counted anew. */
  readonly limitsTag?: string;
  /** What made it, and alone may change it but for `enabled`; it runs only while its owner's gate is open. */
  readonly owner?: RuleOwner;
  /** How often RestartRule was called for this id: part of its count key. */
  readonly restarts: number;
  /** The rule file it was read from. The NBI may then switch `enabled` only. */
  readonly sourceFile?: string;
  /** The rule is no longer in its file: it was disabled, and may be deleted or taken over by another author. */
  readonly sourceMissing?: true;
  /** The NBI's word on `enabled` for a rule from a file: outlives re-reading the file until the file says the same. */
  readonly enabledOverride?: boolean;
}

/** How a stored rule's condition is read: as rules were when it was written. */
export function readingOf({ patterns }: Pick<StoredRule, 'patterns'>): ObjectReading {
  return patterns === true ? 'patterns' : 'equality';
}
