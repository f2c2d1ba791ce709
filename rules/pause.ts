import { setImmediate } from 'node:timers/promises';

/** So many rules are validated or compiled in one go: some milliseconds. */
const ITEMS_AT_ONCE = 50;

/** Like `items.map(map)`, but others get their turn in between: validating thousands of rules must not hold up the sessions. */
export async function mapWithPauses<Item, Result>(
  items: readonly Item[],
  map: (item: Item, index: number) => Result,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % ITEMS_AT_ONCE === 0) await setImmediate();
    results.push(map(item, index));
  }
  return results;
}
