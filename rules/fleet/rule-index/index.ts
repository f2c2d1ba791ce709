import type { RuleId } from '../../../common/index.js';
import { meets, type Requirement } from '../../condition/index.js';
import type { Subtrees } from '../../vocabulary/index.js';
import { type Candidate, inOrder } from '../candidate.js';
import { type Demanded, demandedBy } from './demanded.js';
import { Demand, Entry, Slot } from './entry.js';
import { type Bucket, Node } from './node.js';

export { demandedBy };

/** Most parameter paths that one decision asks for. */
export const PARAMETERS_READ_MAX = 256;

/** A field path cannot contain it, so that joined paths stay apart. */
const PATH_SEPARATOR = '\0';

/**
 * Rules in memory, found by what their conditions demand of a context. Selecting costs about the same however many there are, and
 * adding, replacing or removing one costs what that one rule is large; nothing is ever rebuilt.
 *
 * @example
 * index.set(candidate)
 * index.select(context, null) // → the candidates whose demands hold, in order
 */
export class RuleIndex {
  readonly #all = new Map<RuleId, Candidate>();
  /** Those that a decision looks at: a disabled rule costs none of them anything. */
  readonly #entries = new Map<RuleId, Entry>();
  readonly #slots = new Map<string, Slot>();
  readonly #root = new Node(null, null, null);
  /** How many enabled rules read each parameter path. */
  readonly #parameterUses = new Map<string, number>();
  #parameterPaths: readonly string[] | null = null;
  /** How many enabled rules look at each subtree of the data model, and how many may look at any. */
  readonly #subtreeUses = new Map<string, number>();
  #readingAll = 0;
  #parameterSubtrees: readonly string[] | null = null;
  #selections = 0;

  get size(): number {
    return this.#all.size;
  }

  get(id: RuleId): Candidate | undefined {
    return this.#all.get(id);
  }

  /** All rules, also disabled ones, in the order they are considered. */
  all(): readonly Candidate[] {
    return [...this.#all.values()].sort(inOrder);
  }

  ids(): Iterable<RuleId> {
    return this.#all.keys();
  }

  /** The parameter paths that enabled rules read, at most {@link PARAMETERS_READ_MAX}, those known longest. */
  parameterPaths(): readonly string[] {
    this.#parameterPaths ??= firstOf(this.#parameterUses.keys(), PARAMETERS_READ_MAX);
    return this.#parameterPaths;
  }

  /** Of the data model what enabled rules look at; null where one of them may look at any of it. */
  parameterSubtrees(): Subtrees {
    if (this.#readingAll > 0) return null;
    this.#parameterSubtrees ??= [...this.#subtreeUses.keys()];
    return this.#parameterSubtrees;
  }

  /** Adds a rule, or puts it in the place of the one with its id. */
  set(candidate: Candidate): void {
    const { id, enabled } = candidate.rule;
    this.delete(id);
    this.#all.set(id, candidate);
    if (!enabled) return;
    const entry = this.#entryOf(candidate);
    this.#entries.set(id, entry);
    this.#root.add(entry);
    for (const path of parameterPathsOf(candidate)) {
      if (used(this.#parameterUses, path)) this.#parameterPaths = null;
    }
    const subtrees = subtreesOf(candidate);
    if (subtrees === null) this.#readingAll += 1;
    for (const subtree of subtrees ?? []) {
      if (used(this.#subtreeUses, subtree)) this.#parameterSubtrees = null;
    }
  }

  delete(id: RuleId): void {
    this.#all.delete(id);
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#root.remove(entry, entry.route);
    for (const { slot } of [...entry.demands, ...entry.further]) {
      slot.uses -= 1;
      if (slot.uses === 0) this.#slots.delete(slot.key);
    }
    for (const path of parameterPathsOf(entry.candidate)) {
      if (unused(this.#parameterUses, path)) this.#parameterPaths = null;
    }
    const subtrees = subtreesOf(entry.candidate);
    if (subtrees === null) this.#readingAll -= 1;
    for (const subtree of subtrees ?? []) {
      if (unused(this.#subtreeUses, subtree)) this.#parameterSubtrees = null;
    }
  }

  /**
   * The enabled rules whose demands hold, in the order they are considered: those whose conditions may be true.
   * @param parameters  the known data model; where it is null, demands on it are left open
   * @returns null where the rules cannot be told without the data model: ask again with it
   */
  select(context: object, parameters: object | null): readonly Candidate[] | null {
    this.#selections += 1;
    const seen = parameters === null ? context : { ...context, parameters };
    const selection = new Selection(seen, parameters !== null, this.#selections);
    return selection.visit(this.#root) ? selection.result() : null;
  }

  #entryOf(candidate: Candidate): Entry {
    const demands: Demand[] = [];
    const further: Demand[] = [];
    const partly: Requirement[] = [];
    const slots = new Set<Slot>();
    for (const requirement of requirementsOf(candidate)) {
      if ((requirement.patterns ?? []).length > 0) partly.push(requirement);
      const found = demandedBy(requirement);
      if (found === null) continue;
      const demand = new Demand(this.#slotOf(found), found.values);
      (slots.has(demand.slot) ? further : demands).push(demand);
      slots.add(demand.slot);
    }
    return new Entry(candidate, { demands, further, partly });
  }

  #slotOf(place: Demanded): Slot {
    const key = keyOf(place);
    const slot = this.#slots.get(key) ?? new Slot(key, place);
    this.#slots.set(key, slot);
    slot.uses += 1;
    return slot;
  }
}

/** One walk through the index. */
class Selection {
  readonly #taken: Candidate[] = [];
  #pieces = 0;

  constructor(
    private readonly context: object,
    private readonly hasParameters: boolean,
    private readonly number: number,
  ) {}

  /** @returns false where it needs the data model */
  visit(node: Node): boolean {
    this.#takeAll(node.loose, node);
    this.#takeAll(node.fixed, node);
    if (node.branches === null) return true;
    for (const [slot, buckets] of node.branches) {
      if (slot.ofParameters && !this.hasParameters) return false;
      for (const value of slot.found(this.context, this.number)) {
        if (!this.#enter(buckets.get(value), node, slot)) return false;
      }
    }
    return true;
  }

  result(): readonly Candidate[] {
    return this.#pieces > 1 ? this.#taken.sort(inOrder) : this.#taken;
  }

  #enter(bucket: Bucket | undefined, node: Node, slot: Slot): boolean {
    if (bucket instanceof Node) return this.visit(bucket);
    if (bucket !== undefined && this.#take(bucket, node, slot)) this.#pieces += 1;
    return true;
  }

  #takeAll(list: readonly Entry[], node: Node): void {
    const before = this.#taken.length;
    for (const entry of list) this.#take(entry, node, null);
    if (this.#taken.length > before) this.#pieces += 1;
  }

  /** @param by  the slot that led here from `node` */
  #take(entry: Entry, node: Node, by: Slot | null): boolean {
    if (entry.selection === this.number) return false;
    entry.selection = this.number;
    for (const demand of entry.demands) {
      const { slot } = demand;
      // What it was found by holds.
      if (slot !== by && !node.isBy(slot) && !this.#holds(demand)) return false;
    }
    for (const demand of entry.further) if (!this.#holds(demand)) return false;
    for (const requirement of entry.partly) if (!this.#isMet(requirement)) return false;
    this.#taken.push(entry.candidate);
    return true;
  }

  #holds(demand: Demand): boolean {
    return (demand.slot.ofParameters && !this.hasParameters) || demand.holds(this.context, this.number);
  }

  #isMet(requirement: Requirement): boolean {
    return (requirement.path[0] === 'parameters' && !this.hasParameters) || meets(this.context, requirement);
  }
}

/** One for each place: no step of a path has the separator. */
function keyOf({ path, orPath = [], prefixLength }: Demanded): string {
  const [key, orKey] = [path.join(PATH_SEPARATOR), orPath.join(PATH_SEPARATOR)];
  return prefixLength === undefined && orKey === ''
    ? key
    : [key, orKey, prefixLength].join(PATH_SEPARATOR + PATH_SEPARATOR);
}

function requirementsOf({ condition }: Candidate): readonly Requirement[] {
  return typeof condition === 'string' ? [] : condition.requirements;
}

function parameterPathsOf({ condition }: Candidate): ReadonlySet<string> {
  return new Set(typeof condition === 'string' ? [] : condition.parameterPaths);
}

function subtreesOf({ condition }: Candidate): Subtrees {
  return typeof condition === 'string' ? [] : condition.parameterSubtrees;
}

/** @returns whether it is the first use */
function used(uses: Map<string, number>, key: string): boolean {
  const before = uses.get(key) ?? 0;
  uses.set(key, before + 1);
  return before === 0;
}

/** @returns whether it was the last use */
function unused(uses: Map<string, number>, key: string): boolean {
  const before = uses.get(key) ?? 0;
  if (before > 1) uses.set(key, before - 1);
  else uses.delete(key);
  return before <= 1;
}

function firstOf<Item>(items: Iterable<Item>, count: number): readonly Item[] {
  const first: Item[] = [];
  for (const item of items) {
    if (first.length >= count) break;
    first.push(item);
  }
  return first;
}
