import type { Revision } from '../../../store/index.js';
import type { SessionEntry } from '../sessions.js';
import type { SessionDocument } from './session-document.js';
import type { Remembered } from './session-memory.js';

/** What one request knows of a session. */
export interface SharedEntry extends SessionEntry {
  /** What is stored of it: at which revision (null: nothing, so that only this process knows it), and for how long. */
  revision: Revision | null;
  storedUntilMs: number;
  readonly claim: SessionDocument['claim'];
  /** Names this request's attempt to claim the step, until it is known to have succeeded. */
  claimedBy: string | null;
  /** It comes from this process's memory, and the store has not been asked. */
  readonly isUnchecked: boolean;
}

/** What is remembered, as one request goes on from there without asking the store. */
export function entryOf({ id, ip, session, revision, storedUntilMs }: Remembered): SharedEntry {
  return {
    id,
    ip,
    session,
    revision,
    storedUntilMs,
    claim: undefined,
    claimedBy: null,
    isUnchecked: true,
  };
}
