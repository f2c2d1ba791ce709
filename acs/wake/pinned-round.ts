import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { MINUTE_MS, type RuleId } from '../../common/index.js';
import { type OpenRule, pinOf } from '../../rules/index.js';
import type { Cursor } from '../../store/index.js';
import { cpeGoingBy } from '../device/namesakes.js';
import { type Called, hasComeSince } from './called.js';
import { Pace } from './pace.js';
import { prospectOf } from './prospect.js';
import type { WakeParts } from './wake-parts.js';

/** A CPE is called so often in one window, so long apart. */
const ATTEMPTS_MAX = 3;
const RETRY_MS = 10 * MINUTE_MS;
/** CPEs remembered as called; beyond that the first are forgotten, and may be called again within their window. */
const REMEMBERED_MAX = 100_000;
/** After so many everything else in the process has its turn. */
const LOOKS_AT_ONCE = 50;
const PACES_MAX = 100;
/** From the beginning of one pass over the rules to that of the next: how soon a window that has opened is seen. */
const PASS_MS_MIN = MINUTE_MS / 6;

interface Attempts extends Called {
  /** Which opening of the window they were made in. */
  readonly openedAtMs: number;
  readonly count: number;
  /** When it was called last, by the monotonic clock. */
  readonly lastAtMs: number;
}

/**
 * The waking for all rules that are pinned to one CPE: passes over those rules, a page at a time, however many they are. Rules
 * that say the same `wakePerSecond` share it, since a pace of its own means nothing to a rule for one CPE.
 */
export class PinnedRound {
  readonly #parts: WakeParts;
  readonly #attempts = new Map<RuleId, Attempts>();
  readonly #paces = new Map<number, Pace>();
  #after: Cursor | null = null;
  #passBegunAtMs = Number.NEGATIVE_INFINITY;
  #passDone = true;

  constructor(parts: WakeParts) {
    this.#parts = parts;
  }

  /**
   * Calls whoever is due.
   * @param looksMax  how many rules may be looked at
   * @param mayBegin  asked once there is somebody to call
   */
  async advance(looksMax: number, mayBegin: () => Promise<boolean>): Promise<void> {
    const nowMs = this.#parts.monotonic();
    if (this.#passDone) {
      if (nowMs - this.#passBegunAtMs < PASS_MS_MIN) return;
      this.#passBegunAtMs = nowMs;
      this.#after = null;
      this.#passDone = false;
    }
    const { items, next } = await this.#parts.waking.pinned(this.#after, looksMax);
    if (items.length > 0 && !(await mayBegin())) return;
    // Where somebody's turn is held up the page is read again, and those who were called are remembered.
    for (const [index, open] of items.entries()) {
      if (index % LOOKS_AT_ONCE === 0) await yieldToEvents();
      if (!(await this.#look(open, nowMs))) return;
    }
    this.#after = next;
    this.#passDone = next === null;
  }

  /** @returns false where its turn must wait */
  async #look(open: OpenRule, nowMs: number): Promise<boolean> {
    const { rule, openedAtMs } = open;
    const name = pinOf(rule);
    if (name === undefined) return true;
    const before = this.#attempts.get(rule.id);
    const attempts = before?.openedAtMs === openedAtMs ? before : null;
    if (attempts !== null) {
      if (attempts.count >= ATTEMPTS_MAX || nowMs - attempts.lastAtMs < RETRY_MS) return true;
    }
    const device = await cpeGoingBy(this.#parts.devices, name, rule.organization);
    if (device === null || this.#parts.caller.isCalling(device.id)) return true;
    // Who was called and came has had its chance.
    if (attempts !== null && hasComeSince(attempts, device)) return true;
    const prospect = await prospectOf(this.#parts, rule, device);
    if (prospect === 'no') return true;
    const pace = this.#paceOf(open, nowMs);
    // One rule's limits hold up that rule only, and its next turn comes with the next pass.
    if (prospect === 'held-up') return true;
    if (pace.due(nowMs) < 1 || this.#parts.caller.free < 1) return false;
    pace.spend();
    this.#remember(rule.id, {
      openedAtMs,
      count: (attempts?.count ?? 0) + 1,
      lastInformMs: device.lastInformMs,
      calledAtMs: attempts?.calledAtMs ?? this.#parts.clock(),
      lastAtMs: nowMs,
    });
    this.#parts.caller.call(device.id, () => {});
    return true;
  }

  #paceOf({ wakePerSecond }: OpenRule, nowMs: number): Pace {
    const known = this.#paces.get(wakePerSecond);
    if (known !== undefined) return known;
    if (this.#paces.size >= PACES_MAX) this.#paces.clear();
    const pace = new Pace(wakePerSecond, nowMs);
    this.#paces.set(wakePerSecond, pace);
    return pace;
  }

  #remember(ruleId: RuleId, attempts: Attempts): void {
    this.#attempts.delete(ruleId);
    this.#attempts.set(ruleId, attempts);
    for (const oldest of this.#attempts.keys()) {
      if (this.#attempts.size <= REMEMBERED_MAX) break;
      this.#attempts.delete(oldest);
    }
  }
}
