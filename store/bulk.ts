import { type Change, type Collection, type CommitOutcome, type Document, StoreError } from './collection.js';

const CHANGES = 500;

/**
 * {@link Store.clear} by ordinary commits.
 * @throws StoreError `unavailable` where somebody else writes to the collection
 */
export async function clearByCommits(
  collection: Collection<Document>,
  commit: (changes: readonly Change[]) => Promise<CommitOutcome>,
): Promise<void> {
  let page = await collection.find({ limit: CHANGES });
  for (;;) {
    const deleting = page.items.map(({ document, revision }) => collection.deleting(document.id, revision));
    if (!(await commit(deleting)).committed) {
      throw new StoreError('unavailable', `Somebody else writes to ${collection.name} while it is cleared`);
    }
    if (page.next === null) return;
    page = await collection.find({ limit: CHANGES, after: page.next });
  }
}
