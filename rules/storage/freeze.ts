import { type Clock, SECOND_MS } from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import type { Change, Collection, CollectionDefinition, Revision, Store, Stored } from '../../store/index.js';
import type { FreezeState } from '../vocabulary/index.js';

export const SETTINGS: CollectionDefinition = { name: 'settings', indexes: {} };
const FREEZE_ID = 'freeze';
const ORGANIZATION_AT = `${FREEZE_ID}:`.length;
/** A semicolon comes after the colon that organizations stand behind. */
const BEHIND_FREEZES = `${FREEZE_ID};`;
const RACES_MAX = 20;

interface FreezeDocument extends FreezeState {
  readonly id: string;
}

/** A brake that is pulled, and whose it is: the installation's where nobody is named. */
export interface PulledBrake {
  readonly organization?: string;
  readonly state: FreezeState;
}

/** The brake as it was read. */
export interface BrakeRead {
  readonly state: FreezeState;
  /** Of the installation's: another one each time it is pulled or released. */
  readonly revision: Revision | null;
  /** Refuse a commit unless the brake is as it was read. */
  readonly unchanged: readonly Change[];
}

/**
 * The emergency brake: one document of the installation, read by every decision, so that it holds on every node at once; and one of each
 * organization that has pulled one of its own, for its CPEs and rules.
 */
export interface Freeze {
  /** The installation's, where it is pulled; else the organization's, where one is named. */
  read(organization?: string): Promise<BrakeRead>;
  /** Every brake that is pulled: the installation's, which names no organization, and organizations' own. */
  pulled(): Promise<readonly PulledBrake[]>;
  /** @param organization  whose brake it is; undefined: the installation's */
  write(next: {
    readonly frozen: boolean;
    readonly by: Actor;
    readonly reason?: string;
    readonly organization?: string | undefined;
  }): Promise<FreezeState>;
}

export function openFreeze(store: Store, clock: Clock): Freeze {
  const settings: Collection<FreezeDocument> = store.collection(SETTINGS);
  const events = new EventLog({ store, clock });
  const readOne = async (id: string): Promise<Brake> => brakeOf(await settings.get(id));
  return {
    async read(organization) {
      const id = organization === undefined ? null : idFor(organization);
      // One reading for both, as every decision that upgrades waits for it.
      const [all, its] = await settings.getMany(id === null ? [FREEZE_ID] : [FREEZE_ID, id]);
      const { state, revision } = brakeOf(all);
      const unchanged = [settings.requiring(FREEZE_ID, revision)];
      if (id === null || state.frozen) return { state, revision, unchanged };
      const own = brakeOf(its);
      return { state: own.state, revision, unchanged: [...unchanged, settings.requiring(id, own.revision)] };
    },
    async pulled() {
      const brakes: PulledBrake[] = [];
      // Of an organization's there is a document from the first time that it was pulled.
      for await (const { document } of settings.scan({ atLeast: FREEZE_ID, below: BEHIND_FREEZES })) {
        const { id, ...state } = document;
        if (!state.frozen) continue;
        brakes.push(id === FREEZE_ID ? { state } : { organization: id.slice(ORGANIZATION_AT), state });
      }
      return brakes;
    },
    async write({ frozen, by, reason, organization }) {
      const id = idFor(organization);
      for (let race = 0; race < RACES_MAX; race++) {
        const { state, revision } = await readOne(id);
        // Said twice, the first word stands: who froze first and when is what people ask.
        if (state.frozen === frozen) return state;
        const next: FreezeState = {
          frozen,
          by: by.name,
          sinceMs: clock(),
          ...(reason === undefined ? {} : { reason }),
        };
        const document: FreezeDocument = { id, ...next };
        const { committed } = await store.commit([
          revision === null ? settings.inserting(document) : settings.replacing(document, revision),
          events.noting({
            action: frozen ? 'frozen' : 'lifted',
            subject: 'freeze',
            subjectId: 'upgrades',
            by,
            ...(organization !== undefined && { organization }),
            before: shown(state),
            after: shown(next),
          }),
        ]);
        if (committed) return next;
      }
      throw new Error('Upgrades were frozen and thawed by others all the time; try again');
    },
  };
}

type Brake = { readonly state: FreezeState; readonly revision: Revision | null };

function brakeOf(stored: Stored<FreezeDocument> | null | undefined): Brake {
  if (stored === null || stored === undefined) return { state: { frozen: false }, revision: null };
  const { id: _, ...state } = stored.document;
  return { state, revision: stored.revision };
}

function idFor(organization: string | undefined): string {
  return organization === undefined ? FREEZE_ID : `${FREEZE_ID}:${organization}`;
}

/** As FreezeUpgrades tells it. */
function shown({ sinceMs, ...state }: FreezeState) {
  return { ...state, ...(sinceMs !== undefined && { since: Math.floor(sinceMs / SECOND_MS) }) };
}
