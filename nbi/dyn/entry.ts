import type { JsonObject } from '../http/index.js';

/** One entry as the API shows it. */
export interface Entry {
  readonly id: string;
  /** What it is told apart by where several can have one id, as rules of different organizations. Default: `id`. */
  readonly key?: string;
  /** What it can be asked for by beside its id. */
  readonly otherId?: string;
  readonly view: JsonObject;
  /** What filters and `sort` look at, where that is more than the view. */
  readonly facts?: JsonObject;
  /** What the storage's own order goes by. */
  readonly rank: string | number;
}

export function keyOf({ id, key = id }: Entry): string {
  return key;
}

/** Whether any of what an entry can be asked for by holds. */
export function isCalled({ id, otherId }: Entry, holds: (id: string) => boolean): boolean {
  return holds(id) || (otherId !== undefined && holds(otherId));
}

export type SortValue = string | number | boolean | null;

/** Where an entry stands in an order; a page ends at one and the next begins after it. */
export interface Position {
  readonly value: SortValue;
  /** The entry's key. */
  readonly id: string;
}
