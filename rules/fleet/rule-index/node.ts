import { inOrder } from '../candidate.js';
import type { Demand, Entry, Route, Slot } from './entry.js';

/** So many rules in one place are told apart by testing each: sooner done than looking for a way. */
const LOOSE_MAX = 8;
/** Rules that so many demands do not tell apart are tested, however many they are: what one rule costs stays bounded. */
const DEPTH_MAX = 6;
/** More than any number of rules: demands on parameters tell rules apart only where nothing else does. */
const PARAMETER_COST = Number.MAX_SAFE_INTEGER / 2;

/** What a value leads to: one rule takes no node of its own, as most values of long lists have just that. */
export type Bucket = Entry | Node;

/**
 * A place in the index: the rules that are there, and the ways on. It is a tree of hashes: where more than a few rules would share
 * a bucket, each goes on by another of its demands.
 */
export class Node {
  /** In order; may be sent on. */
  readonly loose: Entry[] = [];
  /** In order; have nothing (more) to be sent on by. */
  readonly fixed: Entry[] = [];
  branches: Map<Slot, Map<unknown, Bucket>> | null = null;
  /** Entries here and below. */
  size = 0;
  readonly #depth: number;

  constructor(
    private readonly parent: Node | null,
    private readonly slot: Slot | null,
    private readonly value: unknown,
  ) {
    this.#depth = parent === null ? 0 : parent.#depth + 1;
  }

  /** Whether what is here got here by this slot. */
  isBy(slot: Slot): boolean {
    return this.slot === slot || (this.parent?.isBy(slot) ?? false);
  }

  add(entry: Entry): void {
    this.size += 1;
    if (this.branches !== null) {
      this.#send(entry, null);
      return;
    }
    insert(this.loose, entry);
    if (this.loose.length > LOOSE_MAX && this.#depth < DEPTH_MAX) this.#split();
  }

  /** @param route  the entry's, from here */
  remove(entry: Entry, route: Route | undefined): void {
    this.size -= 1;
    if (route === undefined) {
      take(this.branches === null ? this.loose : this.fixed, entry);
    } else {
      const { slot, values } = route.demand;
      const buckets = this.branches?.get(slot);
      for (const value of buckets === undefined ? [] : values) {
        const bucket = buckets?.get(value);
        if (bucket instanceof Node) bucket.remove(entry, route.below?.get(value));
        if (bucket === entry || (bucket instanceof Node && bucket.size === 0)) buckets?.delete(value);
      }
      if (buckets?.size === 0) this.branches?.delete(slot);
    }
    if (this.size === 0) this.branches = null;
  }

  #split(): void {
    const entries = this.loose.splice(0);
    const tally = tallyOf(entries, (entry, demand) => this.#mayGoBy(entry, demand));
    this.branches = new Map();
    for (const entry of entries) this.#send(entry, tally);
  }

  #send(entry: Entry, tally: Tally | null): void {
    const demand = this.#mostSelective(entry, tally);
    if (demand === null) {
      insert(this.fixed, entry);
      return;
    }
    this.#setRoute(entry, { demand, below: null });
    entry.places += demand.values.length - 1;
    const { slot } = demand;
    let buckets = this.branches?.get(slot);
    if (buckets === undefined) {
      buckets = new Map();
      this.branches?.set(slot, buckets);
    }
    for (const value of demand.values) {
      const bucket = buckets.get(value);
      if (bucket === undefined) {
        buckets.set(value, entry);
        continue;
      }
      if (bucket instanceof Node) {
        bucket.add(entry);
        continue;
      }
      const node = new Node(this, slot, value);
      buckets.set(value, node);
      node.add(bucket);
      node.add(entry);
    }
  }

  /** The demand by which the entry would share its places with the fewest others; null where none is left or worth its memory. */
  #mostSelective(entry: Entry, tally: Tally | null): Demand | null {
    let best: Demand | null = null;
    let bestCost = Number.POSITIVE_INFINITY;
    for (const demand of entry.demands) {
      if (!this.#mayGoBy(entry, demand)) continue;
      const cost = this.#costOf(demand, tally?.get(demand.slot));
      if (cost < bestCost) [best, bestCost] = [demand, cost];
    }
    return best;
  }

  /** Every place of the entry may come to be here, so that each has as many values to spare as all places together allow. */
  #mayGoBy(entry: Entry, { slot, values }: Demand): boolean {
    return !this.isBy(slot) && entry.places * values.length <= entry.placesMax;
  }

  #costOf({ slot, values }: Demand, tally: ReadonlyMap<unknown, number> | undefined): number {
    const buckets = this.branches?.get(slot);
    // Every path costs each selection a look-up, so a new one must be worth it.
    let cost = (buckets === undefined ? LOOSE_MAX : 0) + (slot.ofParameters ? PARAMETER_COST : 0);
    for (const value of values) {
      const bucket = buckets?.get(value);
      cost += 1 + (bucket instanceof Node ? bucket.size : bucket === undefined ? 0 : 1);
      cost += tally?.get(value) ?? 0;
    }
    return cost;
  }

  #setRoute(entry: Entry, route: Route): void {
    const above = this.parent?.routeOf(entry);
    if (above === undefined) {
      entry.route = route;
    } else {
      above.below ??= new Map();
      above.below.set(this.value, route);
    }
  }

  /** By which demand the entry was sent on from here. */
  routeOf(entry: Entry): Route | undefined {
    return this.parent === null ? entry.route : this.parent.routeOf(entry)?.below?.get(this.value);
  }
}

/** How many of some entries demand each value. */
type Tally = ReadonlyMap<Slot, ReadonlyMap<unknown, number>>;

function tallyOf(entries: readonly Entry[], mayGoBy: (entry: Entry, demand: Demand) => boolean): Tally {
  const tally = new Map<Slot, Map<unknown, number>>();
  for (const entry of entries) {
    for (const demand of entry.demands) {
      // Nine rules for the same ten thousand CPEs meet at each of them, where these values are of no more use.
      if (!mayGoBy(entry, demand)) continue;
      const { slot, values } = demand;
      const counts = tally.get(slot) ?? new Map<unknown, number>();
      tally.set(slot, counts);
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
  }
  return tally;
}

/** Rules mostly come in order, the newest last, and then this moves nothing. */
function insert(list: Entry[], entry: Entry): void {
  list.splice(placeOf(list, entry), 0, entry);
}

function take(list: Entry[], entry: Entry): void {
  const place = placeOf(list, entry);
  if (list[place] === entry) list.splice(place, 1);
}

/** Where in an ordered list the entry stands, or would. */
function placeOf(list: readonly Entry[], { candidate }: Entry): number {
  let [low, high] = [0, list.length];
  const last = list.at(-1);
  if (last !== undefined && inOrder(last.candidate, candidate) < 0) return high;
  while (low < high) {
    const middle = (low + high) >> 1;
    const there = list[middle];
    if (there !== undefined && inOrder(there.candidate, candidate) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
