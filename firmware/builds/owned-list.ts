import { compareText, type Turn } from '../../common/index.js';
import { type Collection, type FindQuery, PAGE_ITEMS_MAX } from '../../store/index.js';
import { type Owned, SHARED } from './category.js';

/** Whose things are seen: an organization's own and the shared ones; {@link SHARED}: these alone; null: everybody's. */
export type Within = string | null;

/** Which of them a list has. */
export interface OwnedFilter<T extends Owned> {
  readonly within: Within;
  /** Of whom `within` says his own alone, which are what he may change. */
  readonly isOwnOnly?: boolean;
  /** Without: all. */
  readonly ids?: readonly string[];
  /** Only what comes after it, which may be gone: its id and what the list is sorted by. */
  readonly after?: Pick<T, 'id' | 'owner'> & Partial<T>;
}

/** Whether whoever asks sees it. */
export function isSeen(within: Within, owner: string): boolean {
  return within === null || owner === SHARED || owner === within;
}

/** Whether whoever asks may change it. */
export function isChangeable(within: Within, owner: string): boolean {
  return within === null || owner === within;
}

/**
 * The documents of a list: by owner, the shared ones first, and of each by what else the index `list` is sorted by, then by id. Nothing is
 * read of owners that are not seen.
 * @param rankOf  that second field, as text that sorts as it does
 */
export async function* ownedFrom<T extends Owned>(
  collection: Collection<T>,
  filter: OwnedFilter<T>,
  rankOf: (document: T) => string,
  turn?: Turn,
): AsyncGenerator<T, void> {
  const { within, isOwnOnly = false, ids, after } = filter;
  const mayBe = (owner: string) => (isOwnOnly ? isChangeable(within, owner) : isSeen(within, owner));
  if (ids !== undefined) {
    const found: T[] = [];
    for (let from = 0; from < ids.length; from += PAGE_ITEMS_MAX) {
      const portion = await collection.getMany(ids.slice(from, from + PAGE_ITEMS_MAX));
      for (const stored of portion)
        if (stored !== null && mayBe(stored.document.owner)) found.push(stored.document);
    }
    const compare = (a: T, b: T) =>
      compareText(a.owner, b.owner) || compareText(rankOf(a), rankOf(b)) || compareText(a.id, b.id);
    // It has what the list is sorted by, or is no position of it.
    const last = after as T | undefined;
    yield* found.sort(compare).filter((each) => last === undefined || compare(each, last) > 0);
    return;
  }
  for (const owner of within === null ? [null] : isOwnOnly ? [within] : new Set([SHARED, within])) {
    const query = { index: 'list', ...(owner !== null && { equals: [owner] }) } as const;
    const isBehind = owner !== null && after !== undefined && compareText(after.owner, owner) > 0;
    if (!isBehind) yield* scanned(collection, query, after, turn);
  }
}

/** The documents of a query behind a position, which is either within its range or before it. */
export async function* scanned<T extends Owned>(
  collection: Collection<T>,
  query: Omit<FindQuery, 'limit' | 'after'>,
  after: Pick<T, 'id' | 'owner'> | undefined,
  turn?: Turn,
): AsyncGenerator<T, void> {
  const cursor = after === undefined ? null : collection.cursorAt(query, after);
  for await (const { document } of collection.scan(
    { ...query, ...(cursor !== null && { after: cursor }) },
    turn,
  ))
    yield document;
}
