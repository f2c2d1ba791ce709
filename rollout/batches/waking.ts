import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { Device, Devices } from '../../acs/index.js';
import {
  type BatchId,
  type Clock,
  type CpeId,
  MINUTE_MS,
  type MonotonicClock,
  SECOND_MS,
} from '../../common/index.js';
import type { Rules } from '../../rules/index.js';
import type { Operation } from '../operations/index.js';
import type { Batch } from './batch.js';
import type { BatchStore } from './batch-store.js';
import { isBegun, whyOver } from './state.js';

/** What waits of a batch is gone through so often, from the end of one pass to the beginning of the next so long apart. */
const PASSES_MAX = 3;
const PASSES_APART_MS = 10 * MINUTE_MS;
/** A pass that met nobody does not count, as what is tried again waits a moment after its batch is open: the next is begun so much later. */
const EMPTY_APART_MS = 10 * SECOND_MS;
/** Operations looked at in one tick, of one batch and of all together. */
const LOOKS_PER_BATCH = 500;
/** Of a fast batch so many for each call, as not everybody who waits can be called. */
const LOOKS_PER_CALL = 2;
const LOOKS_MAX = 2_000;
/** Operations read at a time: about as many as are due. */
const PAGE_ITEMS_MIN = 10;
const PAGE_ITEMS_MAX = 100;
/** Batches that call at a time; those beyond wait until others have ended, or have called as often as they may. */
const CALLING_MAX = 10_000;
/** Where nothing tells of changes batches are looked for so often. */
const LOOK_AGAIN_MS = SECOND_MS;
/** After looking for batches so many times as long passes as it took: where very many are open it takes a small part of the time. */
const LOOK_REST = 10;

/** Sends connection requests and waits for none of them. */
export interface Calling {
  /** How many more may be called now. */
  readonly free: number;
  isCalling(cpeid: CpeId): boolean;
  call(cpeid: CpeId, onEnd: (code: number) => void): void;
}

export interface WakingParts {
  readonly kept: Pick<BatchStore, 'batches' | 'inPhase' | 'waiting'>;
  readonly devices: Pick<Devices, 'get' | 'isWaiting'>;
  readonly rules: Pick<Rules, 'freezeState'>;
  readonly calling: Calling;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
}

/** How far the calling for one batch has come: the same few words, however many CPEs wait. */
interface Pass {
  /** `updatedAtMs` of the batch: one that is tried again calls anew. */
  readonly batchAtMs: number;
  /** Calls that are due and were not made, and since when that is reckoned. */
  due: number;
  atMs: number;
  /** The last that was looked at; null: none yet. */
  place: Operation | null;
  /** When it came to its end; null: it goes on. */
  endedAtMs: number | null;
  /** How many have come to their end and met somebody. */
  count: number;
}

/** Calls CPEs of open batches that wait, each batch at its own pace. What it remembers is lost with the process: then some are called again. */
export class BatchWaking {
  readonly #parts: WakingParts;
  readonly #passes = new Map<BatchId, Pass>();
  readonly #position: () => number | null;
  #calling: readonly Batch[] = [];
  #knownAt: number | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #lookTookMs = 0;

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
      const ofBatch = Math.max(LOOKS_PER_BATCH, LOOKS_PER_CALL * batch.wakePerSecond);
      looks -= await this.#advance(batch, Math.min(looks, ofBatch));
    }
  }

  /** Which batches call; nothing is read where none has changed. */
  async #look(): Promise<void> {
    const position = this.#position();
    const nowMs = this.#parts.monotonic();
    const sinceMs = nowMs - this.#lookedAtMs;
    const isKnown = position === null ? sinceMs < LOOK_AGAIN_MS : position === this.#knownAt;
    if (isKnown || sinceMs < this.#lookTookMs * LOOK_REST) return;
    const found: Batch[] = [];
    const open = new Set<BatchId>();
    for await (const { document } of this.#parts.kept.inPhase('made')) {
      if (document.wakePerSecond === 0) continue;
      // Those that have called as often as they may are remembered, and keep nobody from a place.
      open.add(document.id);
      if (found.length < CALLING_MAX && !this.#isUsedUp(document)) found.push(document);
    }
    this.#calling = found;
    this.#knownAt = position;
    this.#lookedAtMs = this.#parts.monotonic();
    this.#lookTookMs = this.#lookedAtMs - nowMs;
    for (const id of this.#passes.keys()) if (!open.has(id)) this.#passes.delete(id);
  }

  #isUsedUp({ id, updatedAtMs }: Batch): boolean {
    const pass = this.#passes.get(id);
    return pass !== undefined && pass.batchAtMs === updatedAtMs && pass.count >= PASSES_MAX;
  }

  /** @returns how many operations were looked at */
  async #advance(batch: Batch, looksMax: number): Promise<number> {
    const { kept, calling, monotonic } = this.#parts;
    const nowMs = monotonic();
    const pass = this.#passOf(batch, nowMs);
    pass.due = Math.min(
      Math.max(1, batch.wakePerSecond),
      pass.due + ((nowMs - pass.atMs) / SECOND_MS) * batch.wakePerSecond,
    );
    pass.atMs = nowMs;
    if (!goesOn(pass, nowMs)) return 0;
    let looks = 0;
    while (looks < looksMax && pass.due >= 1 && calling.free >= 1) {
      const limit = Math.min(looksMax - looks, pageItems(pass.due));
      const { items, next } = await kept.waiting(batch.id, pass.place, limit);
      for (const { document } of items) {
        if (pass.due < 1 || calling.free < 1) return looks;
        looks += 1;
        if (await this.#isCalled(document)) pass.due -= 1;
        pass.place = document;
      }
      if (next === null) {
        this.#end(pass, nowMs);
        return looks + 1;
      }
      await yieldToEvents();
    }
    return looks;
  }

  #passOf({ id, wakePerSecond, updatedAtMs }: Batch, nowMs: number): Pass {
    const known = this.#passes.get(id);
    if (known?.batchAtMs === updatedAtMs) return known;
    // The first go at once.
    const due = Math.max(1, wakePerSecond);
    const pass = { batchAtMs: updatedAtMs, due, atMs: nowMs, place: null, endedAtMs: null, count: 0 };
    this.#passes.set(id, pass);
    return pass;
  }

  #end(pass: Pass, nowMs: number): void {
    pass.endedAtMs = nowMs;
    if (pass.place !== null) pass.count += 1;
    if (pass.count < PASSES_MAX) return;
    // It is remembered for as long as the batch is open, and another may call instead.
    pass.place = null;
    this.#knownAt = null;
  }

  /** Calls the CPE of an operation, where it can come. */
  async #isCalled({ cpeid }: Operation): Promise<boolean> {
    const { devices, calling } = this.#parts;
    if (calling.isCalling(cpeid)) return false;
    const device = await devices.get(cpeid);
    if (device === null || !this.#canBegin(device)) return false;
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
}

/** Whether there is anybody to be called in a pass by now; begins the next one where that is due. */
function goesOn(pass: Pass, nowMs: number): boolean {
  if (pass.count >= PASSES_MAX) return false;
  if (pass.endedAtMs === null) return true;
  if (nowMs - pass.endedAtMs < (pass.place === null ? EMPTY_APART_MS : PASSES_APART_MS)) return false;
  Object.assign(pass, { place: null, endedAtMs: null });
  return true;
}

function pageItems(due: number): number {
  return Math.min(PAGE_ITEMS_MAX, Math.max(PAGE_ITEMS_MIN, Math.ceil(due)));
}

/** So that none is always the last, where there are more than one tick can look at. */
function inTurn<T>(items: readonly T[], atMs: number): readonly T[] {
  if (items.length === 0) return items;
  const first = Math.floor(atMs / SECOND_MS) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
