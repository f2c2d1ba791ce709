import type { RuleId } from '../../common/index.js';
import { namePinsOf, organizationOf, ownedPinsOf, type Subtrees } from '../vocabulary/index.js';
import { type Candidate, inOrder, mergeInOrder } from './candidate.js';
import { PARAMETERS_READ_MAX, RuleIndex } from './rule-index/index.js';

/** The fleet rules that may concern the CPEs of one organization. */
export type RuleSelection = Pick<
  RuleIndex,
  'size' | 'all' | 'parameterPaths' | 'parameterSubtrees' | 'select'
>;

/**
 * The fleet rules of the installation and of each organization, each in an index of their own: what one organization writes costs no CPE of
 * another anything, nor has it asked for any parameter.
 */
export class FleetRules {
  readonly #installation = new RuleIndex();
  /** Under undefined the installation's own. */
  readonly #byOwner = new Map<string | undefined, RuleIndex>([[undefined, this.#installation]]);
  #pinning: ReadonlySet<string> = new Set();
  readonly #together = new Map<string, Both>();

  /** @param pinning  who may have rules that are pinned to CPEs, as `Owners` has it */
  know(pinning: readonly string[]): void {
    this.#pinning = new Set(pinning);
  }

  /** Whether CPEs of an organization may have rules of its own pinned to them: else nobody need look for any. */
  pinsOf(organization: string | undefined): organization is string {
    return organization !== undefined && this.#pinning.has(organization);
  }

  /** The same of rules that have an owner; under undefined those of the installation. */
  pinsOwned(organization: string | undefined): boolean {
    return this.#pinning.has(ownedPinsOf(organization));
  }

  /** The same of rules that name CPEs by serial numbers. */
  pinsNamed(organization: string | undefined): boolean {
    return this.#pinning.has(namePinsOf(organization));
  }

  get(id: RuleId): Candidate | undefined {
    return this.#byOwner.get(organizationOf(id))?.get(id);
  }

  set(candidate: Candidate): void {
    const owner = organizationOf(candidate.rule.id);
    const index = this.#byOwner.get(owner) ?? new RuleIndex();
    this.#byOwner.set(owner, index);
    index.set(candidate);
  }

  /** Those of the installation and of every organization. */
  *everybodys(): Generator<Candidate> {
    for (const index of this.#byOwner.values()) yield* index.all();
  }

  delete(id: RuleId): void {
    this.#byOwner.get(organizationOf(id))?.delete(id);
  }

  /**
   * What concerns the CPEs of an organization: its own rules and the installation's.
   * @param organization  undefined: of none
   */
  of(organization: string | undefined): RuleSelection {
    const own = organization === undefined ? undefined : this.#byOwner.get(organization);
    if (organization === undefined || own === undefined || own.size === 0) return this.#installation;
    if (this.#installation.size === 0) return own;
    // The indexes of an owner stay the same, whatever becomes of its rules.
    const known = this.#together.get(organization);
    if (known !== undefined) return known;
    const together = new Both(this.#installation, own);
    this.#together.set(organization, together);
    return together;
  }
}

/** Two indexes as one. */
class Both implements RuleSelection {
  readonly #first: RuleIndex;
  readonly #second: RuleIndex;

  constructor(first: RuleIndex, second: RuleIndex) {
    this.#first = first;
    this.#second = second;
  }

  get size(): number {
    return this.#first.size + this.#second.size;
  }

  all(): readonly Candidate[] {
    return [...this.#first.all(), ...this.#second.all()].sort(inOrder);
  }

  parameterPaths(): readonly string[] {
    const [first, second] = [this.#first.parameterPaths(), this.#second.parameterPaths()];
    if (first.length === 0 || second.length === 0) return first.length === 0 ? second : first;
    return [...new Set([...first, ...second])].slice(0, PARAMETERS_READ_MAX);
  }

  parameterSubtrees(): Subtrees {
    const [first, second] = [this.#first.parameterSubtrees(), this.#second.parameterSubtrees()];
    if (first === null || second === null) return null;
    if (first.length === 0 || second.length === 0) return first.length === 0 ? second : first;
    return [...new Set([...first, ...second])];
  }

  select(context: object, parameters: object | null): readonly Candidate[] | null {
    const first = this.#first.select(context, parameters);
    const second = first === null ? null : this.#second.select(context, parameters);
    if (first === null || second === null) return null;
    if (first.length === 0 || second.length === 0) return first.length === 0 ? second : first;
    return [...mergeInOrder(first, second)];
  }
}
