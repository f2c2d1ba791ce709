import { randomUUID } from 'node:crypto';
import { isAhead, type RuleId, SECOND_MS } from '../../common/index.js';
import type { OpenRule, Waking } from '../../rules/index.js';
import type { Collection } from '../../store/index.js';
import { FleetRound } from './fleet-round.js';
import { PinnedRound } from './pinned-round.js';
import type { WakeParts } from './wake-parts.js';
import { editionOf, WAKE_PROGRESS, type WakeProgress } from './wake-progress.js';

/** So long after a process died another wakes in its place. */
const LEASE_MS = 30 * SECOND_MS;
/** What one tick may cost: a decision for each device, a few of them a millisecond. */
const LOOKS_MAX = 2_000;
const LOOKS_PER_RULE_MIN = 50;
const PINNED_LOOKS = 500;

/**
 * Wakes CPEs by connection request while the windows of their rules are open. One process at a time does;
 * another takes over where it stopped.
 */
export class Waker {
  readonly #parts: WakeParts;
  readonly #progress: Collection<WakeProgress>;
  readonly #rounds = new Map<RuleId, FleetRound>();
  readonly #pinned: PinnedRound;
  readonly #holder = randomUUID();
  #lease: {
    readonly lease: Awaited<ReturnType<Waking['lease']>>;
    readonly sinceMs: number;
    readonly atMs: number;
  } | null = null;
  #ticking: Promise<void> | null = null;
  #isClosed = false;

  constructor(parts: WakeParts) {
    this.#parts = parts;
    this.#progress = parts.store.collection<WakeProgress>(WAKE_PROGRESS);
    this.#pinned = new PinnedRound(parts);
  }

  /** Calls whoever is due; to be called about once a second. Never throws. */
  tick(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#ticking ??= this.#tick()
      .catch((error: unknown) => this.#parts.logger.error('wake.failed', { error }))
      .finally(() => {
        this.#ticking = null;
      });
    return this.#ticking;
  }

  /** Ends what is under way and lets another process take over. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#ticking;
    await this.#parts.caller.close();
    const lease = this.#lease?.lease;
    this.#lease = null;
    if (lease) await this.#parts.waking.release(lease);
  }

  async #tick(): Promise<void> {
    const open = await this.#parts.waking.fleet();
    let isAnothers = false;
    const leads = async (): Promise<boolean> => {
      const isOurs = await this.#leads();
      isAnothers ||= !isOurs;
      return isOurs;
    };
    if (open.length > 0 && !(await leads())) this.#rounds.clear();
    else await this.#advanceFleet(open);
    await this.#pinned.advance(PINNED_LOOKS, leads);
    if (!isAnothers) this.#parts.onDone();
  }

  /** Whether it is this process that wakes; takes the lease where nobody has it. */
  async #leads(): Promise<boolean> {
    const nowMs = this.#parts.clock();
    const atMs = this.#parts.monotonic();
    const held = this.#lease;
    // By both, as in Duty: others go by the wall's clock, which may have been set, and ours stands still in a sleep.
    const heldMs =
      held === null ? Number.POSITIVE_INFINITY : Math.max(atMs - held.atMs, Math.abs(nowMs - held.sinceMs));
    if (heldMs < LEASE_MS / 3) return true;
    const lease = await this.#parts.waking.lease(this.#holder, LEASE_MS);
    if (heldMs > LEASE_MS) await this.#dropOvertaken();
    this.#lease = lease === null ? null : { lease, sinceMs: nowMs, atMs };
    return lease !== null;
  }

  /** After a pause that was longer than the lease another process may have gone on where this one was. */
  async #dropOvertaken(): Promise<void> {
    for (const [ruleId, round] of [...this.#rounds]) {
      const stored = await this.#progress.get(ruleId);
      if (stored?.document.savedAtMs !== round.savedAtMs) this.#rounds.delete(ruleId);
    }
  }

  async #advanceFleet(open: readonly OpenRule[]): Promise<void> {
    await this.#endOthers(open);
    const looksMax = Math.max(LOOKS_PER_RULE_MIN, Math.floor(LOOKS_MAX / Math.max(1, open.length)));
    for (const each of open) {
      const round = this.#rounds.get(each.rule.id) ?? (await this.#begin(each));
      if ((await round.advance(each, looksMax)) > 0) await this.#progress.put(round.progress());
    }
  }

  /** Rounds whose window has closed or whose rule is another now; an edit begins anew. */
  async #endOthers(open: readonly OpenRule[]): Promise<void> {
    const editions = new Map(open.map((each) => [each.rule.id, editionOf(each)]));
    for (const [ruleId, round] of this.#rounds) {
      const edition = editions.get(ruleId);
      if (edition === round.edition) continue;
      this.#rounds.delete(ruleId);
      const reason = edition === undefined ? 'closed' : 'edited';
      this.#parts.logger.info('wake.ended', { ruleId, reason, ...round.counts });
      // A clock that was set back has closed it before it opened: it goes on where it was when that time comes again.
      const isOver = reason === 'closed' && this.#parts.clock() >= (round.savedAtMs ?? 0);
      if (isOver) await this.#progress.delete(ruleId);
    }
  }

  async #begin(open: OpenRule): Promise<FleetRound> {
    const { id } = open.rule;
    const stored = (await this.#progress.get(id))?.document ?? null;
    const isOfThisWindow = isOfWindow(stored, open, this.#parts.clock());
    const round = new FleetRound(this.#parts, open, isOfThisWindow ? stored : null);
    this.#rounds.set(id, round);
    const { wakePerSecond } = open;
    this.#parts.logger.info('wake.begun', { ruleId: id, wakePerSecond, resumed: isOfThisWindow });
    return round;
  }
}

/** Whether the waking that has come so far was for this rule as it is, and for the window that is open now. */
function isOfWindow(stored: WakeProgress | null, open: OpenRule, nowMs: number): stored is WakeProgress {
  if (stored?.edition !== editionOf(open)) return false;
  // The same window, also where it has been closed meanwhile by a clock that was set back: it does not open twice.
  if (stored.openedAtMs === open.openedAtMs) return true;
  // One that was saved by a clock that was ahead may be of any window.
  return stored.savedAtMs >= open.openedAtMs && !isAhead(stored.savedAtMs, nowMs);
}
