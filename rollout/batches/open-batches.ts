import { randomUUID } from 'node:crypto';
import {
  type BatchId,
  type Clock,
  type CpeId,
  type Logger,
  type MonotonicClock,
  type OperationId,
  type OrganizationId,
  systemClock,
  type Turn,
} from '../../common/index.js';
import type { Actor } from '../../events/index.js';
import { type Build, BuildError } from '../../firmware/index.js';
import { OrganizationError, requiringOrganization } from '../../organizations/index.js';
import { InvalidRuleError, type OwnedRules, type Rules } from '../../rules/index.js';
import type { Change, Store } from '../../store/index.js';
import { type OperationLedger, type Operations, operationIdOf } from '../operations/index.js';
import { type Aim, Aims, type AimsParts, buildOf } from './aims.js';
import type { Batch, BatchState, BatchWhom, Progress } from './batch.js';
import { fleetRule, MeantImages, sentOf } from './batch-rules.js';
import { BatchStore, ownerOf, shown } from './batch-store.js';
import { BatchError, type Batches, type BatchFilter, type NewBatch, type RetryFilter } from './batches.js';
import { Cancelling, type UnderWay } from './cancelling.js';
import { Ending } from './ending.js';
import { batchFields, ofRule } from './fields.js';
import { Hold } from './hold.js';
import { Housekeeping } from './housekeeping.js';
import { Maker, type Making } from './maker.js';
import { Removing } from './removing.js';
import { busy, Retrying } from './retrying.js';
import { batchState, endOfWaiting } from './state.js';
import { Strays } from './strays.js';
import { BatchWaking, type Calling } from './waking.js';

export interface BatchesParts extends AimsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  /** When each page of what is looked for in the background is read: sessions go first. */
  readonly turn: Turn;
  readonly rules: Pick<Rules, 'check' | 'scan' | 'freezeState'> & { readonly owned: OwnedRules };
  readonly operations: Operations;
  readonly ledger: Pick<OperationLedger, 'adding' | 'moving' | 'removing' | 'droppingCounts'>;
  /** By what CPEs are called; null in a process without sessions: those that have some see to it. */
  readonly calling: Calling | null;
  /** By what upgrades under way are given up; null likewise. */
  readonly underWay: UnderWay | null;
  /** For how many days batches that have ended are kept. */
  readonly resultDays: number;
}

/** Batches, and what is due of them from time to time. */
export interface OpenedBatches extends Batches {
  /** Calls CPEs that wait; to be called about once a second, by one process of the installation. Never throws. */
  wake(): Promise<void>;
  /** Ends what waits for CPEs that will never come for it, as {@link Batches.round} does now and then. */
  endStrays(): Promise<void>;
}

/**
 * Opens the batches of an installation. Any number of processes may.
 * @example const batches = openBatches({ store, clock, rules, … }); await batches.create({ name, what: { image }, whom: { kind: 'all' } }, by)
 */
export function openBatches(parts: BatchesParts): OpenedBatches {
  return new StoredBatches(parts);
}

/** Batches as they are stored, to be read alone. */
export function batchesIn(store: Store): Pick<Batches, 'get'> {
  const kept = new BatchStore({ store, clock: systemClock });
  return { get: async (id) => (await kept.seen(id))?.document ?? null };
}

class StoredBatches implements OpenedBatches {
  readonly #parts: BatchesParts;
  readonly #kept: BatchStore;
  readonly #maker: Maker;
  readonly #cancelling: Cancelling;
  readonly #retrying: Retrying;
  readonly #removing: Removing;
  readonly #strays: Strays;
  readonly #housekeeping: Housekeeping;
  readonly #waking: BatchWaking | null;
  /** What this process makes, or withdraws, in the background. */
  readonly #underWay = new Map<BatchId, Promise<unknown>>();
  #rounds: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: BatchesParts) {
    const { store, clock, monotonic, logger, rules, ledger, images, devices, calling, underWay } = parts;
    this.#parts = parts;
    const kept = new BatchStore({ store, clock });
    this.#kept = kept;
    const owned = rules.owned;
    this.#maker = new Maker({ kept, ledger, rules: owned });
    const moving = { kept, ledger, rules: owned };
    const hold = (id: BatchId) => Hold.take({ store, clock, logger }, id);
    const isOver = () => this.#isClosed;
    this.#cancelling = new Cancelling({ ...moving, underWay });
    const scan: Rules['scan'] = (filter, turn) => rules.scan(filter, turn);
    const again = { put: owned.put.bind(owned), again: owned.again.bind(owned), scan };
    this.#retrying = new Retrying({ kept, ledger, images, rules: again });
    this.#removing = new Removing(moving);
    const ending = new Ending(moving);
    this.#strays = new Strays({
      ...moving,
      devices,
      monotonic,
      turn: parts.turn,
      hold: ({ id }) => hold(id),
    });
    this.#housekeeping = new Housekeeping({
      kept,
      cancelling: this.#cancelling,
      ending,
      removing: this.#removing,
      strays: this.#strays,
      logger,
      resultDays: parts.resultDays,
      hold,
      goOn: (batch, taken) => this.#inBackground(batch, taken),
      isOver,
    });
    this.#waking =
      calling === null
        ? null
        : new BatchWaking({
            kept,
            operations: parts.operations,
            devices,
            rules,
            calling,
            clock,
            monotonic,
          });
  }

  async create(said: NewBatch, by: Actor): Promise<Batch> {
    const { clock, rules } = this.#parts;
    const nowMs = clock();
    const fields = await batchFields(said, { rules, nowMs });
    const build = await this.#requireWhat(said);
    const { what, whom, organization, listed = true } = said;
    const batch: Batch = {
      id: randomUUID() as BatchId,
      ...(organization !== undefined && { organization: organization as OrganizationId }),
      ...fields,
      what,
      whom: storedWhom(said),
      phase: whom.kind === 'condition' ? 'made' : 'preparing',
      ...(listed && { listedAtMs: nowMs }),
      ...(whom.kind === 'condition' && !fields.persistent && { endsAtMs: endOfWaiting(fields, nowMs) }),
      by: by.name,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
    };
    if (whom.kind === 'condition') return this.#createByCondition(batch, build, by);
    const hold = await this.#hold(batch.id);
    await this.#store(batch, hold, by);
    if (whom.kind !== 'list' && whom.kind !== 'targets') {
      this.#inBackground(batch, hold);
      return batch;
    }
    const aims = new Aims(this.#parts, batch);
    const portions = () =>
      whom.kind === 'list'
        ? aims.ofList(imageOf(batch), whom.cpeids)
        : aims.ofTargets(whom.targets(batch.id));
    return this.#createAtOnce(batch, build, portions, hold);
  }

  async made(id: BatchId): Promise<void> {
    await this.#underWay.get(id);
  }

  async get(id: BatchId): Promise<Batch | null> {
    return (await this.#kept.seen(id))?.document ?? null;
  }

  scan(filter: BatchFilter, turn?: Turn): AsyncIterable<Batch> {
    return this.#kept.listed(filter, turn);
  }

  async progress(id: BatchId): Promise<Progress | null> {
    const batch = await this.get(id);
    if (batch === null) return null;
    const { operations, clock } = this.#parts;
    const counts = await operations.counts(id);
    const examples = await operations.examples(id, Object.keys(counts.byReason));
    return { ...counts, state: batchState(batch, counts, clock()), examples };
  }

  async stateOf(batch: Batch): Promise<BatchState> {
    return batchState(batch, await this.#parts.operations.counts(batch.id), this.#parts.clock());
  }

  async cancel(id: BatchId, by: Actor): Promise<Batch> {
    const batch = await this.#cancelling.close(id, by);
    if (batch.phase === 'cancelled') this.#afterwards(id, () => this.#housekeeping.withdraw(batch));
    return batch;
  }

  cancelOne(id: OperationId, by: Actor): Promise<'cancelled' | 'running'> {
    return this.#cancelling.one(id, by);
  }

  async retry(id: BatchId, filter: RetryFilter, by: Actor): Promise<number> {
    const batch = await this.#retrying.check(id);
    // What this process withdraws of it in the background is nobody else's.
    await this.#underWay.get(id);
    const hold = await Hold.take(this.#parts, id);
    if (hold === null) throw busy();
    try {
      const portioning = { hold, isOver: () => this.#isClosed };
      if (batch.phase === 'cancelled' && !(await this.#cancelling.withdraw(batch, portioning))) throw busy();
      return await this.#retrying.run(id, filter, by, portioning);
    } finally {
      await hold.release();
    }
  }

  async remove(id: BatchId, by: Actor): Promise<void> {
    const batch = await this.#removing.hide(id, by);
    this.#afterwards(id, () => this.#housekeeping.remove(batch));
  }

  async operationOf(id: BatchId, cpeid: CpeId): Promise<OperationId> {
    return operationIdOf(id, cpeid);
  }

  round(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#rounds = this.#rounds.catch(() => {}).then(() => this.#housekeeping.round());
    return this.#rounds;
  }

  async wake(): Promise<void> {
    if (this.#isClosed) return;
    await this.#waking
      ?.tick()
      .catch((error: unknown) => this.#parts.logger.error('batches.wake-failed', { error }));
  }

  endStrays(): Promise<void> {
    return this.#strays.all();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#rounds.catch(() => {});
    await Promise.allSettled(this.#underWay.values());
  }

  /** The build that it sends, or null. @throws BatchError `no-image`, `no-build`, `invalid` */
  async #requireWhat({ what, whom, organization }: NewBatch): Promise<Build | null> {
    const { images } = this.#parts;
    if ('build' in what) {
      if (whom.kind !== 'build' && whom.kind !== 'targets')
        throw new BatchError('invalid', 'build', 'an image: a build is for its own devices');
      const build = await images.builds.get(what.build, organization ?? null);
      if (build === null) throw new BatchError('no-build', 'build', 'one that there is');
      return build;
    }
    if (whom.kind === 'build')
      throw new BatchError('invalid', 'image', 'a build, whose devices are to get it');
    // What targets are sent is looked up for each of them.
    if (whom.kind === 'targets') return null;
    const meant = await new MeantImages(images).named(what.image, organization);
    if (meant === null) throw new BatchError('no-image', 'image', 'the name of an image that there is');
    return null;
  }

  async #hold(id: BatchId): Promise<Hold> {
    const hold = await Hold.take(this.#parts, id);
    // Of an id that has just been made nobody has it.
    if (hold === null) throw busy();
    return hold;
  }

  async #store(batch: Batch, hold: Hold, by: Actor): Promise<void> {
    try {
      const { committed } = await this.#kept.store.commit([
        ...(await this.#ownerRequired(batch)),
        this.#kept.batches.inserting(batch),
        this.#kept.gatePut(batch.id, 'closed'),
        this.#kept.noting('added', batch, { by, after: shown(batch) }),
      ]);
      if (!committed) throw busy();
    } catch (error) {
      await hold.release();
      throw error;
    }
  }

  async #ownerRequired({ organization }: Batch): Promise<readonly Change[]> {
    if (organization === undefined) return [];
    return [(await requiringOrganization(this.#parts.store, organization)).isThere];
  }

  /** All of it is one rule, and so one commit. */
  async #createByCondition(batch: Batch, build: Build | null, by: Actor): Promise<Batch> {
    const { whom, organization, endsAtMs, notAfter } = batch;
    if (whom.kind !== 'condition') throw new TypeError('not by condition');
    const ends =
      endsAtMs === undefined || notAfter !== undefined ? {} : { notAfter: new Date(endsAtMs).toISOString() };
    try {
      const outcome = await this.#parts.rules.owned.put(
        [fleetRule({ ...batch, ...ends }, whom.condition, sentOf(imageOf(batch), build))],
        {
          owner: ownerOf(batch.id),
          author: batch.by,
          ...(organization !== undefined && { organization }),
          along: [
            this.#kept.batches.inserting(batch),
            this.#kept.gatePut(batch.id, 'open'),
            this.#kept.noting('added', batch, { by, after: shown(batch) }),
          ],
        },
      );
      if (!outcome.committed) throw busy();
      return batch;
    } catch (error) {
      if (!(error instanceof InvalidRuleError)) throw error;
      const [problem] = error.problems;
      throw problem === undefined ? error : ofRule(problem);
    }
  }

  /** Of what only the caller has: made to its end, or nothing is left of it. */
  async #createAtOnce(
    batch: Batch,
    build: Build | null,
    portions: () => AsyncIterable<readonly Aim[]>,
    hold: Hold,
  ): Promise<Batch> {
    const making = this.#maker
      .make(portions, { batch, hold, build, isOver: () => this.#isClosed, onMoved: 'throw' })
      .catch(async (error: unknown) => {
        await this.#unmake(batch.id, hold);
        throw error;
      })
      .finally(() => hold.release());
    this.#track(batch.id, making);
    const made = await making;
    const stored = await this.get(batch.id);
    if (stored !== null && (made === 'made' || stored.phase !== 'preparing')) return stored;
    throw new BatchError('state', null, 'a process that goes on: this one stops, and the batch is not made');
  }

  /** Others see to it where this does not come to its end. */
  async #unmake(id: BatchId, hold: Hold): Promise<void> {
    const { logger } = this.#parts;
    try {
      const hidden = await this.#removing.hide(id, null);
      await this.#removing.run(hidden, { hold, isOver: () => this.#isClosed });
    } catch (error) {
      logger.warn('batches.not-unmade', { batch: id, error });
    }
  }

  /** Makes what can be found again by whoever goes on with it. */
  #inBackground(batch: Batch, hold: Hold): void {
    const making = this.#find(batch, hold)
      .catch((error: unknown) => this.#failed(batch, error))
      .finally(() => hold.release());
    this.#track(batch.id, making);
  }

  async #find(batch: Batch, hold: Hold): Promise<Making> {
    const build = await buildOf(this.#parts, batch);
    const aims = new Aims(this.#parts, batch);
    const { turn } = this.#parts;
    const { whom } = batch;
    const portions = () =>
      whom.kind === 'build' && build !== null
        ? aims.ofBuild(build, whom.firmwareless, turn)
        : aims.ofAll(imageOf(batch), turn);
    return this.#maker.make(portions, { batch, hold, build, isOver: () => this.#isClosed, onMoved: 'again' });
  }

  async #failed({ id }: Batch, error: unknown): Promise<void> {
    this.#parts.logger.error('batches.making-failed', { batch: id, error });
    // What it was made of is gone: it would fail for ever.
    if (error instanceof BuildError || error instanceof OrganizationError)
      await this.#cancelling.close(id, null).catch(() => {});
  }

  /** Goes on with what was begun, once nothing else of this batch is done here. What fails a round takes up. */
  #afterwards(id: BatchId, work: () => Promise<void>): void {
    const before = this.#underWay.get(id) ?? Promise.resolve();
    const { logger } = this.#parts;
    this.#track(
      id,
      before
        .catch(() => {})
        .then(work)
        .catch((error: unknown) => logger.error('batches.withdrawing-failed', { batch: id, error })),
    );
  }

  #track(id: BatchId, work: Promise<unknown>): void {
    const tracked = work
      .catch(() => {})
      .finally(() => {
        if (this.#underWay.get(id) === tracked) this.#underWay.delete(id);
      });
    this.#underWay.set(id, tracked);
  }
}

function storedWhom({ whom }: NewBatch): BatchWhom {
  switch (whom.kind) {
    case 'list':
    case 'targets':
      return { kind: 'list' };
    case 'all':
      return { kind: 'all' };
    case 'condition':
      return { kind: 'condition', condition: whom.condition };
    case 'build':
      return { kind: 'build', firmwareless: whom.firmwareless };
    default:
      return whom satisfies never;
  }
}

/** The image of a batch that sends one; what a build's devices get is said of each. */
function imageOf({ what }: Batch): string {
  return 'image' in what ? what.image : '';
}
