import type { CpeId, RuleId } from '../../common/index.js';
import type { Change } from '../../store/index.js';
import type { Condition, Limits, RuleOwner } from '../vocabulary/index.js';

/**
 * Most owned rules of one commit. Each is up to three changes (itself, its number of restarts, what its errors become): beside them there is
 * room for six changes of its owner's for each.
 */
export const OWNED_RULES_PER_COMMIT_MAX = 500;

/** A rule that something other than an author makes. It is automatic and enabled. */
export interface OwnedRule {
  /** `{kind}:{uuid}[:{cpeid}]`, as an author of the organization would write it. */
  readonly id: string;
  /** The one CPE that it is for (its condition), or the condition of a fleet rule. */
  readonly whom: { readonly cpeid: CpeId } | { readonly condition: Condition };
  readonly file: string;
  readonly description: string;
  readonly priority: number;
  readonly executions: number;
  readonly target?: { readonly softwareVersion: string };
  readonly force?: boolean;
  readonly limits?: Limits;
  readonly notBefore?: string;
  readonly notAfter?: string;
}

/** What goes with a commit of owned rules, and whether that was done. */
export type OwnedOutcome =
  | { readonly committed: true }
  /** The change of `along` that was refused; null: something of the rules has moved, plan anew. */
  | { readonly committed: false; readonly refused: Change | null };

/** Rules that others than authors make: written, taken back and run again in the commits of their owners. No event tells of each. */
export interface OwnedRules {
  /**
   * Stores rules that are not there yet, with `along`, in one commit.
   * @param rules  at most {@link OWNED_RULES_PER_COMMIT_MAX}
   * @param options  `author`: who made the owner; `organization`: whose rules they become; `anew`: whatever one of that id has run on, and
   *   was taken back since, is run on again
   * @returns refused null also where one of them is there
   * @throws InvalidRuleError (a condition that does not compile, or that more CPEs match than can be meant; each with its `item`),
   *   OrganizationError, RangeError
   */
  put(
    rules: readonly OwnedRule[],
    options: {
      readonly owner: RuleOwner;
      readonly author: string;
      readonly organization?: string;
      readonly anew?: true;
      readonly along: readonly Change[];
    },
  ): Promise<OwnedOutcome>;
  /**
   * Some of the rules that an owner has for single CPEs, by their ids; none where there are no more.
   * @param organization  whose rules they are; undefined: the installation's
   * @returns at most {@link OWNED_RULES_PER_COMMIT_MAX}
   */
  some(owner: RuleOwner, organization: string | undefined): Promise<readonly RuleId[]>;
  /** Deletes those of these that are there, with `along`, in one commit. At most {@link OWNED_RULES_PER_COMMIT_MAX}. */
  withdraw(ids: readonly RuleId[], along: readonly Change[]): Promise<OwnedOutcome>;
  /**
   * Has rules run again on CPEs that they have run on, as RestartRule would, with `along`, in one commit.
   * @returns refused null also where one of them is not there
   */
  again(ids: readonly RuleId[], along: readonly Change[]): Promise<OwnedOutcome>;
}
