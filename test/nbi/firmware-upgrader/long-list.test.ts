import test from 'ava';
import type { Request } from 'express';
import { type ListSource, listPage } from '../../../nbi/firmware-upgrader/manners/list.js';

interface Item {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
}

const ORDERING = { keys: ['name', 'created'], byDefault: '-name,-created' };
const ITEMS = 25_000;

/** Names that many share, and times that few do, in no order. */
const ALL: readonly Item[] = Array.from({ length: ITEMS }, (_, at) => ({
  id: `i${(at * 7_919) % ITEMS}`,
  name: `name ${(at * 31) % 97}`,
  createdAtMs: (at * 104_729) % 1_009,
}));

const BY_ID = new Map(ALL.map((item) => [item.id, item]));

function sourceOf(items: readonly Item[]): ListSource<Item> & { readonly scans: () => number } {
  let scans = 0;
  return {
    scans: () => scans,
    idOf: ({ id }) => id,
    sortedBy: ({ name, createdAtMs }, key) => (key === 'name' ? name : createdAtMs),
    async *scan() {
      scans++;
      yield* items;
    },
    read: async (ids) => ids.flatMap((id) => BY_ID.get(id) ?? []),
  };
}

const asking = (query: string) => ({ originalUrl: `/list/${query}` }) as Request;
const turn = <R>(work: () => Promise<R>) => work();

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const byDefault = [...ALL].sort(
  (a, b) => compare(b.name, a.name) || b.createdAtMs - a.createdAtMs || compare(a.id, b.id),
);

test('a page is that of the whole list sorted, however far it is, and what is held is bounded', async (t) => {
  for (const page of [1, 100, 101, 250]) {
    const source = sourceOf(ALL);
    const found = await listPage(asking(`?page_size=100&page=${page}`), source, ORDERING, turn);
    t.is(found.count, ITEMS);
    t.deepEqual(
      found.items.map(({ id }) => id),
      byDefault.slice((page - 1) * 100, page * 100).map(({ id }) => id),
      String(page),
    );
    // Ten thousand places are held at a time: further pages take further passes.
    t.true(source.scans() <= 1 + Math.ceil((page * 100) / 10_000), String(page));
  }
  const last = await listPage(asking('?page=last&page_size=7'), sourceOf(ALL), ORDERING, turn);
  t.deepEqual(
    last.items.map(({ id }) => id),
    byDefault.slice(-(ITEMS % 7)).map(({ id }) => id),
  );
  t.is(last.next, null);
});

test('a page behind the last is refused after the list was counted, and not looked for', async (t) => {
  const source = sourceOf(ALL);
  await t.throwsAsync(listPage(asking('?page=999999999999'), source, ORDERING, turn), {
    message: 'Invalid page.',
  });
  t.is(source.scans(), 1);
});

test('of a list that comes in the order asked, and is counted, no more is read than up to the page', async (t) => {
  let read = 0;
  const source: ListSource<Item> = {
    ...sourceOf(ALL),
    count: async () => ITEMS,
    inOrder: async function* () {
      for (const item of byDefault) {
        read++;
        yield item;
      }
    },
  };
  const found = await listPage(asking('?page=3'), source, ORDERING, turn);
  t.is(found.count, ITEMS);
  t.deepEqual(found.items, byDefault.slice(20, 30));
  t.is(read, 30);
});
