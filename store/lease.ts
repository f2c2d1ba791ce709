import { type Clock, stillHolds } from '../common/index.js';
import type { Change, CollectionDefinition, Document, Store } from './collection.js';

export interface LeaseDocument extends Document {
  readonly holder: string;
  readonly untilMs: number;
}

export const LEASES: CollectionDefinition = { name: 'leases', indexes: {} };

/** The right of one process to do something, for a while. */
export interface Lease {
  readonly id: string;
  readonly holder: string;
  /** Whether this holder had it before, and nobody else since: what it has done under it is as it left it. */
  readonly isContinued: boolean;
  /** Refuses a commit unless the lease is still this one: a process that slept through its end changes nothing. */
  readonly held: Change;
}

export interface Leases {
  /**
   * Takes the lease, or takes it again; null where another holder's has not run out. All who ask for one lease ask for it equally
   * long: one that would last longer was taken by a clock that was ahead, and keeps nobody out.
   */
  acquire(id: string, holder: string, durationMs: number): Promise<Lease | null>;
  /** Gives it back early, where it is still held. */
  release(lease: Lease): Promise<void>;
}

export function openLeases(store: Store, clock: Clock): Leases {
  const leases = store.collection<LeaseDocument>(LEASES);
  return {
    async acquire(id, holder, durationMs) {
      const now = clock();
      const document: LeaseDocument = { id, holder, untilMs: now + durationMs };
      const found = await leases.get(id);
      const isAnothers = found !== null && found.document.holder !== holder;
      if (isAnothers && stillHolds(found.document.untilMs, durationMs, now)) return null;
      const revision =
        found === null ? await leases.insert(document) : await leases.replace(document, found.revision);
      if (revision === null) return null;
      const isContinued = found?.document.holder === holder;
      return { id, holder, isContinued, held: leases.requiring(id, revision) };
    },
    async release({ id, holder }) {
      const found = await leases.get(id);
      if (found?.document.holder === holder) await leases.delete(id, found.revision);
    },
  };
}
