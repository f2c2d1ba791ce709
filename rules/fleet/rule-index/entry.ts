import { type Requirement, reach } from '../../condition/index.js';
import type { Candidate } from '../candidate.js';

/** Up to so many values are compared one by one; a set is faster beyond. */
const VALUES_COMPARED_MAX = 8;
/** A rule may stand in as many places as its requirements have values, and in this many whatever they have. */
const PLACES_MIN = 8;

/** What requirements are on: one path or either of two, whole values or so many of their first characters. */
export interface Place {
  readonly path: readonly string[];
  readonly orPath?: readonly string[];
  readonly prefixLength?: number;
}

/** A place that requirements are on. What a context has there is looked up once, however many rules ask. */
export class Slot {
  readonly ofParameters: boolean;
  /** How many requirements are on it. */
  uses = 0;
  #selection = 0;
  #found: readonly unknown[] = [];

  constructor(
    readonly key: string,
    readonly place: Place,
  ) {
    this.ofParameters = place.path[0] === 'parameters';
  }

  /** @param selection  a number of its own for each context */
  found(context: object, selection: number): readonly unknown[] {
    if (this.#selection !== selection) {
      this.#found = foundAt(context, this.place);
      this.#selection = selection;
    }
    return this.#found;
  }
}

function foundAt(context: object, { path, orPath, prefixLength }: Place): readonly unknown[] {
  const first = reach(context, path);
  const found = orPath === undefined ? first : [...first, ...reach(context, orPath)];
  if (prefixLength === undefined) return found;
  return found.flatMap((value) =>
    typeof value === 'string' && value.length >= prefixLength ? value.slice(0, prefixLength) : [],
  );
}

/** One requirement of one rule, or what is necessary for it. */
export class Demand {
  /** Each once. */
  readonly values: readonly unknown[];
  #set: ReadonlySet<unknown> | null = null;

  constructor(
    readonly slot: Slot,
    values: readonly unknown[],
  ) {
    const distinct = new Set(values);
    this.values = distinct.size === values.length ? values : [...distinct];
  }

  holds(context: object, selection: number): boolean {
    const found = this.slot.found(context, selection);
    if (this.values.length <= VALUES_COMPARED_MAX) return found.some((value) => this.values.includes(value));
    this.#set ??= new Set(this.values);
    const set = this.#set;
    return found.some((value) => set.has(value));
  }
}

/** By which demand an entry was sent on from a node; `below`: from the nodes under it, by value. Absent: it stayed there. */
export interface Route {
  readonly demand: Demand;
  below: Map<unknown, Route> | null;
}

/** A rule in the index. */
export class Entry {
  /** How many lists it is in: one for each value it was sent on by. */
  places = 1;
  readonly placesMax: number;
  route: Route | undefined;
  /** The last selection that met it: of a context with several values it may be met at each. */
  selection = 0;

  /** The first in each place: those that it may be placed by. */
  readonly demands: readonly Demand[];
  /** The others. */
  readonly further: readonly Demand[];
  /** Of what only a part, or nothing, is demanded that can be looked up. */
  readonly partly: readonly Requirement[];

  constructor(
    readonly candidate: Candidate,
    { demands, further, partly }: Pick<Entry, 'demands' | 'further' | 'partly'>,
  ) {
    this.demands = demands;
    this.further = further;
    this.partly = partly;
    const values = [...demands, ...further].reduce((sum, demand) => sum + demand.values.length, 0);
    this.placesMax = Math.max(PLACES_MIN, values);
  }
}
