import type { BatchId, Clock, Turn } from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import { gateIdOf, RULE_GATES, type RuleGate, type RuleOwner } from '../../rules/index.js';
import type { Change, Collection, Cursor, FindQuery, Page, Store, Stored } from '../../store/index.js';
import {
  countsOf,
  OPERATION_SHARES,
  OPERATIONS,
  type Operation,
  type OperationShare,
  type OperationState,
  shareIdsOf,
} from '../operations/index.js';
import { BATCHES, type Batch, type BatchPhase } from './batch.js';
import type { BatchFilter, BatchPlace } from './batches.js';

/** Operations that are looked at, and moved with their rules, in one commit. */
export const PORTION = 500;

export type BatchAction = 'added' | 'cancelled' | 'retried' | 'removed' | 'operation-cancelled';

/** What batches are kept in. It writes nothing itself: it makes the changes of those who do. */
export class BatchStore {
  readonly store: Store;
  readonly clock: Clock;
  readonly batches: Collection<Batch>;
  readonly #gates: Collection<RuleGate>;
  readonly #operations: Collection<Operation>;
  readonly #shares: Collection<OperationShare>;
  readonly #events: EventLog;

  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
    this.store = store;
    this.clock = clock;
    this.batches = store.collection<Batch>(BATCHES);
    this.#gates = store.collection<RuleGate>(RULE_GATES);
    this.#operations = store.collection<Operation>(OPERATIONS);
    this.#shares = store.collection<OperationShare>(OPERATION_SHARES);
    this.#events = new EventLog({ store, clock });
  }

  /** One that is there for whoever asks: what is being removed is not. */
  async seen(id: string): Promise<Stored<Batch> | null> {
    const stored = await this.batches.get(id);
    return stored === null || stored.document.phase === 'removing' ? null : stored;
  }

  /** Those that lists show, newest first. */
  async *listed(filter: BatchFilter, turn?: Turn): AsyncGenerator<Batch, void> {
    const { organization, after } = filter;
    const query = { ...listIndex(filter), order: 'descending' } as const;
    const from = after === undefined ? query : this.#behind(query, filter, after);
    for await (const { document } of this.batches.scan(from, turn)) {
      if (after !== undefined && !isBehind(document, after)) continue;
      if (document.phase === 'removing') continue;
      if (organization === null && document.organization !== undefined) continue;
      if (typeof organization === 'string' && document.organization !== organization) continue;
      yield document;
    }
  }

  #behind(
    query: Omit<FindQuery, 'limit' | 'after'>,
    { build, organization }: BatchFilter,
    { createdAtMs, id }: BatchPlace,
  ): Omit<FindQuery, 'limit'> {
    const fields = { id, listedAtMs: createdAtMs, what: { build }, organization };
    const place = this.batches.cursorAt(query, fields);
    return place === null ? query : { ...query, after: place };
  }

  /** Those in a phase, the one that has been in it longest first. */
  inPhase(phase: BatchPhase, turn?: Turn): AsyncIterable<Stored<Batch>> {
    return this.batches.scan({ index: 'phase', equals: [phase] }, turn);
  }

  /**
   * How many of a batch's operations wait and run, by its counts: looked for by their states, one that goes from one of these to the other
   * meanwhile could be missed.
   */
  async live(batch: BatchId): Promise<Live> {
    const ids = shareIdsOf(batch);
    const found = await this.#shares.getMany(ids);
    const { byState } = countsOf(found.flatMap((stored) => stored?.document ?? []));
    const held = ids.map((id, index) => this.#shares.requiring(id, found[index]?.revision ?? null));
    return { pending: byState.pending, running: byState.running, held };
  }

  async hasOperations(batch: BatchId): Promise<boolean> {
    return (await this.#operations.find({ index: 'batch', equals: [batch], limit: 1 })).items.length > 0;
  }

  /** Some of those that wait, the oldest first. @param place  behind this one, as it was when it waited; null: from the first */
  waiting(batch: BatchId, place: Operation | null, limit: number): Promise<Page<Operation>> {
    const query = { index: 'batchState', equals: [batch, 'pending'] };
    const after = place === null ? null : this.#operations.cursorAt(query, place);
    return this.#operations.find({ ...query, limit, ...(after !== null && { after }) });
  }

  operation(id: string): Promise<Stored<Operation> | null> {
    return this.#operations.get(id);
  }

  /** In their order; null where there is none. @param ids  at most {@link PORTION} */
  operationsWith(ids: readonly string[]): Promise<(Stored<Operation> | null)[]> {
    return this.#operations.getMany(ids);
  }

  /** Portion after portion, none of them empty; of what is moved meanwhile each is in at most one. */
  async *portions(which: OperationPortions, turn?: Turn): AsyncGenerator<readonly Stored<Operation>[], void> {
    const query = portionQuery(which);
    let after: Cursor | null = null;
    do {
      const page: FindQuery = after === null ? query : { ...query, after };
      const read = () => this.#operations.find(page);
      const { items, next } = await (turn === undefined ? read() : turn(read));
      if (items.length > 0) yield items;
      after = next;
    } while (after !== null);
  }

  /** The gate of a batch's rules; null where there is none, which is as good as closed. */
  gate(id: BatchId): Promise<Stored<RuleGate> | null> {
    return this.#gates.get(gateIdOf(ownerOf(id)));
  }

  /** Moves the gate from how it was read, or makes it where there was none. */
  gateFrom(gate: Stored<RuleGate> | null, id: BatchId, state: RuleGate['state']): Change {
    return gate === null ? this.gatePut(id, state) : this.gateMoved(gate, state);
  }

  /** Makes the gate, or moves it. Whoever has required it as it was is refused from then on, also where it stays as it is. */
  gatePut(id: BatchId, state: RuleGate['state']): Change {
    return this.#gates.putting({ id: gateIdOf(ownerOf(id)), state });
  }

  /** Moves the gate from where it was read: refused where somebody has moved it since. */
  gateMoved(gate: Stored<RuleGate>, state: RuleGate['state']): Change {
    return this.#gates.replacing({ ...gate.document, state }, gate.revision);
  }

  /** Refuses a commit once somebody has moved the gate. */
  gateHeld({ document, revision }: Stored<RuleGate>): Change {
    return this.#gates.requiring(document.id, revision);
  }

  gateRemoved({ document }: Stored<RuleGate>): Change {
    return this.#gates.deleting(document.id);
  }

  /** Whether a refused change is one of a gate. */
  isOfGate({ collection }: Change): boolean {
    return collection === this.#gates.name;
  }

  /** Goes into the commit by which something happens to a batch. */
  noting(
    action: BatchAction,
    { id, organization }: Pick<Batch, 'id' | 'organization'>,
    said: {
      readonly by: Actor | null;
      readonly before?: Readonly<Record<string, unknown>>;
      readonly after?: Readonly<Record<string, unknown>>;
    },
  ): Change {
    return this.#events.noting({
      action,
      subject: 'batch',
      subjectId: id,
      organization: organization ?? null,
      ...said,
    });
  }
}

/** What of a batch is not over. */
export interface Live {
  readonly pending: number;
  readonly running: number;
  /** Refuse a commit once any of its operations was moved, or made. */
  readonly held: readonly Change[];
}

/** Which operations of a batch; without a state or a reason all. */
export interface OperationPortions {
  readonly batch: BatchId;
  readonly state?: OperationState;
  readonly reason?: string;
}

function portionQuery({ batch, state, reason }: OperationPortions): FindQuery {
  if (reason !== undefined) return { index: 'batchReason', equals: [batch, reason], limit: PORTION };
  return state === undefined
    ? { index: 'batch', equals: [batch], limit: PORTION }
    : { index: 'batchState', equals: [batch, state], limit: PORTION };
}

export function ownerOf(id: BatchId): RuleOwner {
  return { kind: 'batch', id };
}

/** Whose the rules are that a batch writes. */
export function ownedBy({ id, by, organization }: Pick<Batch, 'id' | 'by' | 'organization'>) {
  return { owner: ownerOf(id), author: by, ...(organization !== undefined && { organization }) };
}

/** What the log of events says of a batch. */
export function shown(batch: Batch): Readonly<Record<string, unknown>> {
  const { name, what, whom, notBefore, notAfter, persistent, limits, priority, wakePerSecond, options } =
    batch;
  const { through, note } = batch;
  return {
    name,
    what,
    whom,
    ...(notBefore !== undefined && { notBefore }),
    ...(notAfter !== undefined && { notAfter }),
    persistent,
    ...(limits !== undefined && { limits }),
    priority,
    wakePerSecond,
    options,
    ...(through !== undefined && { through }),
    ...(note !== undefined && { note }),
  };
}

function listIndex({ build, organization }: Pick<BatchFilter, 'build' | 'organization'>) {
  if (build !== undefined) return { index: 'build', equals: [build] } as const;
  if (typeof organization === 'string') return { index: 'organization', equals: [organization] } as const;
  return { index: 'list' } as const;
}

/** Newest first; ties as the index has them backwards. */
function isBehind(batch: Batch, after: { readonly createdAtMs: number; readonly id: string }): boolean {
  const listedAtMs = batch.listedAtMs ?? 0;
  return listedAtMs < after.createdAtMs || (listedAtMs === after.createdAtMs && batch.id < after.id);
}
