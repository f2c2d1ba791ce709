import type { ExecutionContext } from 'ava';
import {
  type Collection,
  type Cursor,
  type Document,
  type FindQuery,
  StoreError,
  type StoreErrorCode,
} from '../../store/index.js';

/** What the tests of the store keep. */
export interface Thing extends Document {
  readonly n?: unknown;
  readonly s?: unknown;
  readonly tags?: unknown;
  readonly deep?: unknown;
}

export const THINGS = {
  name: 'things',
  indexes: {
    n: ['n'],
    s: ['s'],
    tags: ['tags'],
    deep: ['deep.er.value'],
    's-n': ['s', 'n'],
    'tags-n': ['tags', 'n'],
  },
};

/** The same with a sequence. */
export const SEQUENCED_THINGS = { ...THINGS, sequenced: true };

/** The same without what costs more than a write each, as open sessions are kept. */
export const PASSING_THINGS = { name: 'passing-things', indexes: {}, passing: true };

export function given<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('Expected a value');
  return value;
}

export async function ids(things: Collection<Thing>, query: Omit<FindQuery, 'limit'>): Promise<string[]> {
  return (await collectPages(things, { limit: 1000, ...query })).flat();
}

export async function collectPages(things: Collection<Thing>, query: FindQuery): Promise<string[][]> {
  const pages: string[][] = [];
  let after: Cursor | null = null;
  do {
    const page: Awaited<ReturnType<typeof things.find>> = await things.find(
      after === null ? query : { ...query, after },
    );
    pages.push(page.items.map(({ document }) => document.id));
    after = page.next;
  } while (after !== null);
  return pages;
}

/** The same disorder every time. */
export function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item, at) => ({ item, at: ((at * 7919) % 104729) % 31 }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

export async function rejects(
  t: ExecutionContext,
  promise: Promise<unknown>,
  code: StoreErrorCode,
  message: RegExp,
): Promise<void> {
  const error = await t.throwsAsync(promise, { instanceOf: StoreError, message });
  t.is((error as StoreError | undefined)?.code, code);
}
