import type { Belonging } from '../../organizations/index.js';
import type { Store } from '../../store/index.js';
import { BATCHES, type Batch } from './batch.js';

/**
 * The batches of an organization, as what keeps it from being removed: those that lists show, and those that have not ended. Others nobody
 * could delete, and they go by themselves.
 */
export function batchesOfOrganizations(store: Store): Belonging {
  const batches = store.collection<Batch>(BATCHES);
  return {
    code: 'has-batches',
    what: 'batches',
    remedy: 'delete its batches',
    async isAnyOf(organization) {
      for await (const { document } of batches.scan({ index: 'owner', equals: [organization] }))
        if (document.listedAtMs !== undefined || !isOver(document)) return true;
      return false;
    },
  };
}

/** Whether the rules of a batch have done all that they are to do. */
export function isOver({ phase }: Pick<Batch, 'phase'>): boolean {
  return phase === 'ended' || phase === 'removing';
}
