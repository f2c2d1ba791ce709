import { setImmediate } from 'node:timers/promises';
import type { MembershipRule, Organization, OrganizationsNow } from '../../organizations/index.js';
import type { Condition, DecisionInput, StandingCondition, StandingConditions } from '../../rules/index.js';
import { SubnetIndex } from './subnet-index.js';
import { UsernameIndex } from './username-index.js';

/** So many conditions are compiled in one go: sessions must have their turn. */
const COMPILED_AT_ONCE = 20;

/** What of a CPE membership rules look at. */
export interface Looked {
  readonly ip: string;
  /** What it has logged in as; null where it was asked for nothing. */
  readonly username: string | null;
  readonly context: Omit<DecisionInput['context'], 'organization'>;
  readonly readParameters: DecisionInput['readParameters'];
}

interface Candidate {
  readonly rank: number;
  readonly condition: StandingCondition;
}

export interface MembershipRulesParts {
  readonly conditions: StandingConditions;
  /** Told of a condition that came to no result, for which its rule does not hold. */
  readonly onFailure: (failure: {
    readonly organization: Organization;
    readonly rule: number;
    readonly cpeid: string;
    readonly reason: string;
  }) => void;
}

/** The rules of all active organizations in one sequence, by which the first that holds is found without looking at each. */
export class MembershipRules {
  readonly organizations: OrganizationsNow;
  readonly #parts: MembershipRulesParts;
  /** Whose the rule of a rank is, and which of its rules. */
  readonly #places: { readonly organization: Organization; readonly rule: number }[] = [];
  readonly #subnets = new SubnetIndex();
  readonly #usernames = new UsernameIndex();
  /** By a field, by the value that it must have. */
  readonly #indexed = new Map<string, Map<unknown, Candidate[]>>();
  /** Those of which nothing is known that could be looked up. */
  readonly #others: Candidate[] = [];
  #readsAlwaysNew = false;

  private constructor(organizations: OrganizationsNow, parts: MembershipRulesParts) {
    this.organizations = organizations;
    this.#parts = parts;
  }

  static async of(organizations: OrganizationsNow, parts: MembershipRulesParts): Promise<MembershipRules> {
    const rules = new MembershipRules(organizations, parts);
    let compiled = 0;
    for (const organization of organizations.all) {
      if (!organization.active) continue;
      for (const [rule, membershipRule] of organization.rules.entries()) {
        rules.#add(organization, rule, membershipRule);
        if ('condition' in membershipRule && ++compiled % COMPILED_AT_ONCE === 0) await setImmediate();
      }
    }
    return rules;
  }

  /** A rule asks what CPEs have logged in as. */
  get readUsernames(): boolean {
    return !this.#usernames.isEmpty;
  }

  /** A condition looks at what is another in every session, such as the time. */
  get readsAlwaysNew(): boolean {
    return this.#readsAlwaysNew;
  }

  #add(organization: Organization, rule: number, membershipRule: MembershipRule): void {
    const rank = this.#places.push({ organization, rule }) - 1;
    if ('subnet' in membershipRule) this.#subnets.add(membershipRule.subnet, rank);
    else if ('username' in membershipRule) this.#usernames.add(membershipRule.username, rank);
    else this.#addCondition(membershipRule.condition as Condition, rank);
  }

  #addCondition(written: Condition, rank: number): void {
    const condition = this.#parts.conditions.compile(written);
    // What was taken once and would not be today holds for nobody.
    if (typeof condition === 'string') {
      this.#tell(rank, '', condition);
      return;
    }
    if (isAnotherEachTime(condition)) this.#readsAlwaysNew = true;
    const candidate = { rank, condition };
    const requirement = condition.requirements.find(
      ({ path }) => path.length === 1 && path[0] !== 'parameters',
    );
    const field = requirement?.path[0];
    if (requirement === undefined || field === undefined) {
      this.#others.push(candidate);
      return;
    }
    const byValue = this.#indexed.get(field) ?? new Map<unknown, Candidate[]>();
    this.#indexed.set(field, byValue);
    for (const value of new Set(requirement.values)) {
      const candidates = byValue.get(value);
      if (candidates === undefined) byValue.set(value, [candidate]);
      else candidates.push(candidate);
    }
  }

  /** Whose the first rule is that holds; null where none does. */
  async first(looked: Looked): Promise<Organization | null> {
    let least = this.#subnets.rankOf(looked.ip);
    if (looked.username !== null) least = Math.min(least, this.#usernames.rankOf(looked.username));
    const standing = this.#parts.conditions.about(looked);
    for (const { rank, condition } of this.#candidates(looked.context)) {
      if (rank >= least) break;
      const holds = await standing.holds(condition);
      if (holds === true) {
        least = rank;
        break;
      }
      if (holds !== false) this.#tell(rank, looked.context.cpeid, holds);
    }
    return this.#places[least]?.organization ?? null;
  }

  /** Conditions that may be true, by their rank; a list of values may lead to one more than once. */
  #candidates(context: Looked['context']): readonly Candidate[] {
    const found = new Set(this.#others);
    for (const [field, byValue] of this.#indexed) {
      const value: unknown = Object.hasOwn(context, field)
        ? (context as unknown as Readonly<Record<string, unknown>>)[field]
        : undefined;
      for (const each of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
        for (const candidate of byValue.get(each) ?? []) found.add(candidate);
      }
    }
    return [...found].sort((one, other) => one.rank - other.rank);
  }

  #tell(rank: number, cpeid: string, reason: string): void {
    const place = this.#places[rank];
    if (place !== undefined) this.#parts.onFailure({ ...place, cpeid, reason });
  }
}

/** Of all else an Inform that is as the last one gives what that gave. */
const ALWAYS_NEW: readonly string[] = ['events', 'lastInform', 'now'];

function isAnotherEachTime({ reads }: StandingCondition): boolean {
  return reads.mayReadMore || ALWAYS_NEW.some((field) => reads.names.has(field));
}
