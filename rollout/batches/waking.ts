import type { Device, Devices } from '../../acs/index.js';
import {
  type BatchId,
  type Clock,
  type CpeId,
  MINUTE_MS,
  type MonotonicClock,
  type OperationId,
  SECOND_MS,
} from '../../common/index.js';
import type { Rules } from '../../rules/index.js';
import type { Operation, OperationPlace, Operations } from '../operations/index.js';
import type { Batch } from './batch.js';
import type { BatchStore } from './batch-store.js';
import { isBegun, whyOver } from './state.js';

/** A CPE is called so often for one batch, so long apart. */
const ATTEMPTS_MAX = 3;
const RETRY_MS = 10 * MINUTE_MS;
/** CPEs remembered as called; beyond that the first are forgotten, and may be called again. */
const REMEMBERED_MAX = 100_000;
/** Operations looked at in one tick, of one batch and of all together. */
const LOOKS_PER_BATCH_MAX = 500;
const LOOKS_MAX = 2_000;
/** Batches that are open at a time and call; those beyond wait until others have ended. */
const CALLING_MAX = 10_000;
/** From the beginning of one pass over what waits of a batch to that of the next. */
const PASS_MS_MIN = MINUTE_MS / 6;
/** Where nothing tells of changes batches are looked for so often. */
const LOOK_AGAIN_MS = SECOND_MS;

/** Sends connection requests and waits for none of them. */
export interface Calling {
  /** How many more may be called now. */
  readonly free: number;
  isCalling(cpeid: CpeId): boolean;
  call(cpeid: CpeId, onEnd: (code: number) => void): void;
}

export interface WakingParts {
  readonly kept: BatchStore;
  readonly operations: Pick<Operations, 'scan'>;
  readonly devices: Pick<Devices, 'get' | 'isWaiting'>;
  readonly rules: Pick<Rules, 'freezeState'>;
  readonly calling: Calling;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
}

interface Attempts {
  readonly count: number;
  readonly lastAtMs: number;
  /** `updatedAtMs` of the operation that it was called for: one that waits again is called anew. */
  readonly waitsSinceMs: number;
}

/** How far the calling for one batch has come. */
interface Pass {
  /** Calls that are due and were not made, and since when that is reckoned. */
  due: number;
  atMs: number;
  begunAtMs: number;
  /** Goes on from here; null: the pass is over. */
  place: OperationPlace | null;
  isOver: boolean;
}

/** Calls CPEs of open batches that wait, each batch at its own pace. What it remembers is lost with the process: then some are called again. */
export class BatchWaking {
  readonly #parts: WakingParts;
  readonly #passes = new Map<BatchId, Pass>();
  readonly #attempts = new Map<OperationId, Attempts>();
  readonly #position: () => number | null;
  #calling: readonly Batch[] = [];
  #knownAt: number | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parts: WakingParts) {
    this.#parts = parts;
    const watch = parts.kept.batches.watch();
    this.#position = () => watch.position();
  }

  /** Calls whoever is due; to be called about once a second. */
  async tick(): Promise<void> {
    await this.#look();
    const nowMs = this.#parts.clock();
    const open = this.#calling.filter((batch) => isBegun(batch, nowMs) && whyOver(batch, nowMs) === null);
    const frozen = new Map<string | undefined, boolean>();
    let looks = LOOKS_MAX;
    for (const batch of inTurn(open, this.#parts.monotonic())) {
      if (looks <= 0 || this.#parts.calling.free < 1) return;
      const { organization } = batch;
      const isFrozen = frozen.get(organization) ?? (await this.#isFrozen(organization));
      frozen.set(organization, isFrozen);
      if (isFrozen) continue;
      looks -= await this.#advance(batch, Math.min(looks, LOOKS_PER_BATCH_MAX));
    }
  }

  /** Which batches call; nothing is read where none has changed. */
  async #look(): Promise<void> {
    const position = this.#position();
    const nowMs = this.#parts.monotonic();
    const isKnown = position === null ? nowMs - this.#lookedAtMs < LOOK_AGAIN_MS : position === this.#knownAt;
    if (isKnown) return;
    const found: Batch[] = [];
    for await (const { document } of this.#parts.kept.inPhase('made')) {
      if (document.wakePerSecond > 0) found.push(document);
      if (found.length >= CALLING_MAX) break;
    }
    this.#calling = found;
    this.#knownAt = position;
    this.#lookedAtMs = nowMs;
    const ids = new Set(found.map(({ id }) => id));
    for (const id of this.#passes.keys()) if (!ids.has(id)) this.#passes.delete(id);
  }

  /** @returns how many operations were looked at */
  async #advance(batch: Batch, looksMax: number): Promise<number> {
    const { operations, calling, monotonic } = this.#parts;
    const nowMs = monotonic();
    const pass = this.#passOf(batch, nowMs);
    pass.due = Math.min(
      Math.max(1, batch.wakePerSecond),
      pass.due + ((nowMs - pass.atMs) / SECOND_MS) * batch.wakePerSecond,
    );
    pass.atMs = nowMs;
    if (pass.isOver) {
      if (nowMs - pass.begunAtMs < PASS_MS_MIN) return 0;
      Object.assign(pass, { begunAtMs: nowMs, place: null, isOver: false });
    }
    if (pass.due < 1) return 0;
    let looks = 0;
    const after = pass.place === null ? {} : { after: pass.place };
    for await (const operation of operations.scan({ batch: batch.id, states: ['pending'], ...after })) {
      if (looks >= looksMax || pass.due < 1 || calling.free < 1) return looks;
      looks += 1;
      if (await this.#isCalled(operation, nowMs)) pass.due -= 1;
      pass.place = { createdAtMs: operation.createdAtMs, id: operation.id };
    }
    pass.isOver = true;
    return looks + 1;
  }

  #passOf({ id, wakePerSecond }: Batch, nowMs: number): Pass {
    const known = this.#passes.get(id);
    if (known !== undefined) return known;
    // The first go at once.
    const due = Math.max(1, wakePerSecond);
    const pass: Pass = { due, atMs: nowMs, begunAtMs: nowMs, place: null, isOver: false };
    this.#passes.set(id, pass);
    return pass;
  }

  /** Calls the CPE of an operation, where that is due. */
  async #isCalled({ id, cpeid, updatedAtMs }: Operation, nowMs: number): Promise<boolean> {
    const { devices, calling } = this.#parts;
    const known = this.#attempts.get(id);
    const before = known?.waitsSinceMs === updatedAtMs ? known : null;
    if (before !== null && (before.count >= ATTEMPTS_MAX || nowMs - before.lastAtMs < RETRY_MS)) return false;
    if (calling.isCalling(cpeid)) return false;
    const device = await devices.get(cpeid);
    if (device === null || !this.#canBegin(device)) return false;
    this.#remember(id, { count: (before?.count ?? 0) + 1, lastAtMs: nowMs, waitsSinceMs: updatedAtMs });
    calling.call(cpeid, () => {});
    return true;
  }

  #canBegin(device: Device): boolean {
    return (
      device.inFlight === undefined &&
      device.connectionRequestUrl !== undefined &&
      !this.#parts.devices.isWaiting(device)
    );
  }

  async #isFrozen(organization: string | undefined): Promise<boolean> {
    return (await this.#parts.rules.freezeState(organization)).frozen;
  }

  #remember(id: OperationId, attempts: Attempts): void {
    this.#attempts.delete(id);
    this.#attempts.set(id, attempts);
    for (const oldest of this.#attempts.keys()) {
      if (this.#attempts.size <= REMEMBERED_MAX) break;
      this.#attempts.delete(oldest);
    }
  }
}

/** So that none is always the last, where there are more than one tick can look at. */
function inTurn<T>(items: readonly T[], atMs: number): readonly T[] {
  if (items.length === 0) return items;
  const first = Math.floor(atMs / SECOND_MS) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
