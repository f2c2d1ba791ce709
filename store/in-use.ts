import { randomUUID } from 'node:crypto';
import {
  type Clock,
  DAY_MS,
  type Logger,
  ownProcessMark,
  processState,
  SECOND_MS,
  stillHolds,
} from '../common/index.js';
import type { Change, Collection, Store, Stored } from './collection.js';
import { LEASES, type LeaseDocument } from './lease.js';

/** How long a lease holds after it was last renewed, where nobody can look whether its process runs. */
const LEASE_MS = 60 * SECOND_MS;
/** Three renewals may fail before a lease runs out, and clocks of nodes may differ by half of what is left. */
const RENEWED_EVERY_MS = 15 * SECOND_MS;
/** A node that is this late may still come back, and would stop where its lease is gone. */
const DEAD_AFTER_MS = DAY_MS;
const EXCLUSIVE_ID = 'exclusive';
const IN_USE_PREFIX = 'in-use:';
const ATTEMPTS_MAX = 20;

interface UseDocument extends LeaseDocument {
  /** Whose it is, for processes of the same machine. */
  readonly process: string;
}

/** The store is in use, or kept by one process for itself. Its message says by whom. */
export class StoreInUseError extends Error {
  override readonly name = 'StoreInUseError';
}

/** A hold on the store, renewed until it is released. */
export interface Hold {
  /** Resolves where another process took this one for dead and has the store for itself. */
  readonly lost: Promise<void>;
  release(): Promise<void>;
}

/** The store for one process alone. */
export interface ExclusiveHold extends Hold {
  /**
   * Commits where it still is so.
   * @throws StoreInUseError
   */
  commit(changes: readonly Change[]): Promise<void>;
}

export interface UseParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether every process on the store is one of this machine. Where not, it can be seen of those that are whether they have ended. */
  readonly isOneMachine: boolean;
}

/**
 * Says that this process works on the store, beside any number of others that do; to be held by whoever serves, before
 * anything listens. The condition is in the same commit, so nobody can have taken the store for itself by then.
 * @throws StoreInUseError where one process has the store for itself
 */
export async function takeInUse(parts: UseParts): Promise<Hold> {
  const leases = parts.store.collection<UseDocument>(LEASES);
  const document = await newDocument(`${IN_USE_PREFIX}${randomUUID()}`, parts);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const exclusive = await leases.get(EXCLUSIVE_ID);
    if (exclusive !== null && (await isAlive(exclusive.document, parts))) throw restoring();
    const outcome = await parts.store.commit([
      exclusive === null
        ? leases.requiring(EXCLUSIVE_ID, null)
        : leases.deleting(EXCLUSIVE_ID, exclusive.revision),
      leases.inserting(document),
    ]);
    if (outcome.committed) {
      await endDead(parts);
      return new KeptHold(document, parts);
    }
  }
  throw restoring();
}

/** Those of processes that were killed: a loop of crashes would fill the store with them. */
async function endDead(parts: UseParts): Promise<void> {
  const leases = parts.store.collection<UseDocument>(LEASES);
  for await (const { document, revision } of leases.scan({ prefix: IN_USE_PREFIX })) {
    const isLong = !stillHolds(document.untilMs + DEAD_AFTER_MS, LEASE_MS + DEAD_AFTER_MS, parts.clock());
    const isDead = (await stateOf(document, parts)) === 'ended' || (!parts.isOneMachine && isLong);
    if (isDead) await leases.delete(document.id, revision);
  }
}

/**
 * Takes the store for this process alone, and keeps those away that come later.
 * @throws StoreInUseError where anybody works on it
 */
export async function takeExclusively(parts: UseParts): Promise<ExclusiveHold> {
  const leases = parts.store.collection<UseDocument>(LEASES);
  const document = await newDocument(EXCLUSIVE_ID, parts);
  const found = await leases.get(EXCLUSIVE_ID);
  if (found !== null && (await isAlive(found.document, parts))) throw restoring();
  const taken =
    found === null ? await leases.insert(document) : await leases.replace(document, found.revision);
  if (taken === null) throw restoring();
  const hold = new KeptHold(document, parts);
  try {
    // Whoever is not seen here comes later, and sees the lease above.
    for await (const use of leases.scan({ prefix: IN_USE_PREFIX })) {
      if ((await isAlive(use.document, parts)) || !(await endUse(leases, use))) throw inUse(use.document);
    }
    return hold;
  } catch (error) {
    await hold.release();
    throw error;
  }
}

/** @returns false where its holder has renewed it meanwhile, and so is not dead at all */
async function endUse(leases: Collection<UseDocument>, use: Stored<UseDocument>): Promise<boolean> {
  return (await leases.delete(use.document.id, use.revision)) || (await leases.get(use.document.id)) === null;
}

async function newDocument(id: string, { clock }: UseParts): Promise<UseDocument> {
  return { id, holder: randomUUID(), untilMs: clock() + LEASE_MS, process: await ownProcessMark() };
}

async function isAlive(use: UseDocument, parts: UseParts): Promise<boolean> {
  const state = await stateOf(use, parts);
  if (state === 'ended') return false;
  // One that is stopped keeps what it has where nobody else may come from elsewhere and take it.
  if (state === 'running' && parts.isOneMachine) return true;
  return stillHolds(use.untilMs, LEASE_MS, parts.clock());
}

function stateOf({ process }: UseDocument, { isOneMachine }: UseParts): ReturnType<typeof processState> {
  return processState(process ?? '', isOneMachine);
}

function inUse({ untilMs }: UseDocument): StoreInUseError {
  return new StoreInUseError(
    'A server works on this store: stop it first. One that was killed where nobody can look whether it still runs counts ' +
      `until ${new Date(untilMs).toISOString()}.`,
  );
}

function restoring(): StoreInUseError {
  return new StoreInUseError(
    'A restore into this store is under way: wait until it has ended, then start again.',
  );
}

class KeptHold implements ExclusiveHold {
  readonly lost: Promise<void>;
  readonly #leases: Collection<UseDocument>;
  readonly #parts: UseParts;
  readonly #document: UseDocument;
  readonly #timer: NodeJS.Timeout;
  #onLost: () => void = () => {};
  #renewing: Promise<void> = Promise.resolve();

  constructor(document: UseDocument, parts: UseParts) {
    this.#document = document;
    this.#parts = parts;
    this.#leases = parts.store.collection<UseDocument>(LEASES);
    this.lost = new Promise((resolve) => {
      this.#onLost = resolve;
    });
    this.#timer = setInterval(() => {
      this.#renewing = this.#renewing.then(() => this.#renew());
    }, RENEWED_EVERY_MS);
    this.#timer.unref();
  }

  async commit(changes: readonly Change[]): Promise<void> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const own = await this.#own();
      if (own === null) break;
      const { store } = this.#parts;
      const outcome = await store.commit([
        this.#leases.requiring(this.#document.id, own.revision),
        ...changes,
      ]);
      // Refused where it was renewed meanwhile.
      if (outcome.committed) return;
    }
    throw new StoreInUseError('Another process has taken this one for dead, and works on the store.');
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing;
    try {
      const own = await this.#own();
      if (own !== null) await this.#leases.delete(this.#document.id, own.revision);
    } catch (error) {
      // It ends by itself, with the process or a minute later; nothing else must fail for that.
      this.#parts.logger.warn('store.hold-not-released', { id: this.#document.id, error });
    }
  }

  async #renew(): Promise<void> {
    try {
      const own = await this.#own();
      const untilMs = this.#parts.clock() + LEASE_MS;
      const renewed =
        own !== null && (await this.#leases.replace({ ...own.document, untilMs }, own.revision));
      if (typeof renewed === 'number') return;
      clearInterval(this.#timer);
      this.#parts.logger.error('store.hold-lost', { id: this.#document.id });
      this.#onLost();
    } catch (error) {
      this.#parts.logger.warn('store.hold-not-renewed', { id: this.#document.id, error });
    }
  }

  /** Null where another process has it, or took it away. */
  async #own(): Promise<Stored<UseDocument> | null> {
    const found = await this.#leases.get(this.#document.id);
    return found?.document.holder === this.#document.holder ? found : null;
  }
}
