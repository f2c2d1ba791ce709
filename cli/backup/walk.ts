import {
  type Collection,
  type Document,
  type FindQuery,
  PAGE_ITEMS_MAX,
  type Stored,
} from '../../store/index.js';

/** A scan in the largest pages there are: this process has nothing else to do, and a database is asked less often. */
export async function* walk<T extends Document>(
  collection: Pick<Collection<T>, 'find'>,
  query: Omit<FindQuery, 'limit' | 'after'> = {},
): AsyncGenerator<Stored<T>, void> {
  let page = await collection.find({ ...query, limit: PAGE_ITEMS_MAX });
  yield* page.items;
  while (page.next !== null) {
    page = await collection.find({ ...query, limit: PAGE_ITEMS_MAX, after: page.next });
    yield* page.items;
  }
}
