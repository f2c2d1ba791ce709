import { type Clock, SECOND_MS } from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import type { Change, Collection, CollectionDefinition, Revision, Store } from '../../store/index.js';
import type { FreezeState } from '../vocabulary/index.js';

export const SETTINGS: CollectionDefinition = { name: 'settings', indexes: {} };
const FREEZE_ID = 'freeze';
const RACES_MAX = 20;

interface FreezeDocument extends FreezeState {
  readonly id: typeof FREEZE_ID;
}

/** The emergency brake: one document, read by every decision, so that it holds on every node at once. */
export interface Freeze {
  read(): Promise<{ readonly state: FreezeState; readonly revision: Revision | null }>;
  write(next: {
    readonly frozen: boolean;
    readonly by: Actor;
    readonly reason?: string;
  }): Promise<FreezeState>;
  /** Refuses a commit unless the brake is as it was read. */
  unchangedSince(revision: Revision | null): Change;
}

export function openFreeze(store: Store, clock: Clock): Freeze {
  const settings: Collection<FreezeDocument> = store.collection(SETTINGS);
  const events = new EventLog({ store, clock });
  const read: Freeze['read'] = async () => {
    const stored = await settings.get(FREEZE_ID);
    if (stored === null) return { state: { frozen: false }, revision: null };
    const { id: _, ...state } = stored.document;
    return { state, revision: stored.revision };
  };
  return {
    read,
    async write({ frozen, by, reason }) {
      for (let race = 0; race < RACES_MAX; race++) {
        const { state, revision } = await read();
        // Said twice, the first word stands: who froze first and when is what people ask.
        if (state.frozen === frozen) return state;
        const next: FreezeState = {
          frozen,
          by: by.name,
          sinceMs: clock(),
          ...(reason === undefined ? {} : { reason }),
        };
        const document: FreezeDocument = { id: FREEZE_ID, ...next };
        const { committed } = await store.commit([
          revision === null ? settings.inserting(document) : settings.replacing(document, revision),
          events.noting({
            action: frozen ? 'frozen' : 'lifted',
            subject: 'freeze',
            subjectId: 'upgrades',
            by,
            before: shown(state),
            after: shown(next),
          }),
        ]);
        if (committed) return next;
      }
      throw new Error('Upgrades were frozen and thawed by others all the time; try again');
    },
    unchangedSince: (revision) => settings.requiring(FREEZE_ID, revision),
  };
}

/** As FreezeUpgrades tells it. */
function shown({ sinceMs, ...state }: FreezeState) {
  return { ...state, ...(sinceMs !== undefined && { since: Math.floor(sinceMs / SECOND_MS) }) };
}
