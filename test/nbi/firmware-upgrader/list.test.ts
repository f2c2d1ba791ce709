import test from 'ava';
import type { Request } from 'express';
import type { Turn } from '../../../common/index.js';
import { type ListSource, listPage } from '../../../nbi/firmware-upgrader/manners/list.js';
import { UpgraderError } from '../../../nbi/firmware-upgrader/manners/upgrader-error.js';

interface Item {
  readonly id: string;
  readonly modified: number;
}

const ORDERING = { keys: ['modified'], byDefault: '-modified' };
const turn: Turn = (work) => work();

/** Items of which several share what they are sorted by, and how often all of them are looked through. */
function listOf(length: number, isCounted: boolean) {
  const items = Array.from({ length }, (_, at): Item => {
    return { id: String((at * 7) % length).padStart(6, '0'), modified: at % 5 };
  });
  const seen = { scans: 0 };
  const source: ListSource<Item> = {
    idOf: ({ id }) => id,
    sortedBy: ({ modified }) => modified,
    async *scan() {
      seen.scans++;
      yield* items;
    },
    read: async (ids) => items.filter(({ id }) => ids.includes(id)),
    ...(isCounted && { count: async () => length }),
  };
  const page = (query: string) => listPage({ originalUrl: `/?${query}` } as Request, source, ORDERING, turn);
  const sorted = items.toSorted((a, b) => b.modified - a.modified || (a.id < b.id ? -1 : 1));
  return { page, sorted, seen };
}

test('every page of a list is cut from the same order, from whichever end it is read', async (t) => {
  for (const isCounted of [true, false]) {
    const { page, sorted } = listOf(23, isCounted);
    for (const at of [1, 2, 3, 4, 5]) {
      const { items, count } = await page(`page_size=5&page=${at}`);
      t.is(count, 23);
      t.deepEqual(items, sorted.slice(5 * (at - 1), 5 * at), `page ${at}`);
    }
    t.deepEqual((await page('page_size=5&page=last')).items, sorted.slice(20));
    await t.throwsAsync(page('page_size=5&page=6'), { instanceOf: UpgraderError });
  }
});

test('the last pages of a long list are as near as the first', async (t) => {
  const { page, sorted, seen } = listOf(40_001, true);
  t.deepEqual((await page('page=last')).items, sorted.slice(40_000));
  t.is(seen.scans, 1);
  t.deepEqual((await page('page=3999')).items, sorted.slice(39_980, 39_990));
  t.is(seen.scans, 2);
});
