import { setImmediate as yieldToEvents } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type CountKey, type CpeId, isAhead, MINUTE_MS } from '../../common/index.js';
import { NO_COUNT, type OpenRule, type StoredRule } from '../../rules/index.js';
import type { Device } from '../device/device.js';
import { type Called, hasComeSince } from './called.js';
import { Pace } from './pace.js';
import { type Prospect, prospectOf } from './prospect.js';
import type { WakeParts } from './wake-parts.js';
import { editionOf, type WakeProgress } from './wake-progress.js';

/** A CPE that did not come is called so often in one window, a pass over all CPEs apart. */
const PASSES_MAX = 3;
/** From the beginning of one pass to that of the next. */
const PASS_MS_MIN = 10 * MINUTE_MS;
/** So long a CPE that answered is expected; then its place under the limits is another's. */
const AWAITED_MS = MINUTE_MS;
/** So long the session of one that has come may take to decide. */
const DECIDING_MS = MINUTE_MS / 6;
/** Between pages everything else in the process has its turn. */
const PAGE_DEVICES = 50;

interface Awaited extends Called {
  /** Executions of the rule that it had behind it when it was called. */
  readonly executions: number;
  untilMs: number;
  hasCome: boolean;
}

/** The waking of the CPEs of one fleet rule while its window is open: a few passes over all devices, a page at a time. */
export class FleetRound {
  readonly edition: string;
  readonly openedAtMs: number;
  readonly #parts: WakeParts;
  readonly #rule: Pick<StoredRule, 'id' | 'organization'>;
  /** By the wall's clock, as what CPEs informed at. */
  readonly #begunAtMs: number;
  /** The same by the monotonic clock. */
  readonly #begunElapsedMs: number;
  readonly #pace: Pace;
  /** CPEs that are being called or expected, with when that ends; kept only where limits must be reckoned with. */
  readonly #awaited = new Map<CpeId, Awaited>();
  readonly #counts = { called: 0, answered: 0 };
  #savedAtMs: number | undefined;
  #pass: number;
  /** By the monotonic clock. */
  #passBegunAtMs: number;
  #after: CpeId | null;
  #page: readonly Device[] = [];
  #passDone = false;

  constructor(parts: WakeParts, open: OpenRule, progress: WakeProgress | null) {
    const nowMs = parts.clock();
    const elapsedMs = parts.monotonic();
    this.#parts = parts;
    this.#rule = open.rule;
    this.edition = editionOf(open);
    this.openedAtMs = open.openedAtMs;
    this.#pace = new Pace(open.wakePerSecond, elapsedMs);
    this.#begunAtMs = Math.min(progress?.begunAtMs ?? nowMs, nowMs);
    this.#begunElapsedMs = elapsedMs - (nowMs - this.#begunAtMs);
    this.#pass = progress?.pass ?? 1;
    this.#passBegunAtMs = elapsedMs - Math.max(0, nowMs - (progress?.passBegunAtMs ?? nowMs));
    this.#after = progress?.after ?? null;
  }

  get counts(): { readonly called: number; readonly answered: number } {
    return this.#counts;
  }

  /** When its progress was asked for last; undefined before. */
  get savedAtMs(): number | undefined {
    return this.#savedAtMs;
  }

  progress(): WakeProgress {
    this.#savedAtMs = this.#parts.clock();
    return {
      id: this.#rule.id,
      edition: this.edition,
      openedAtMs: this.openedAtMs,
      begunAtMs: this.#begunMs(),
      savedAtMs: this.#savedAtMs,
      pass: this.#pass,
      passBegunAtMs: this.#savedAtMs - (this.#parts.monotonic() - this.#passBegunAtMs),
      after: this.#after,
    };
  }

  /**
   * Calls whoever is due.
   * @param looksMax  how many devices may be looked at
   * @returns how many were
   */
  async advance({ rule }: OpenRule, looksMax: number): Promise<number> {
    const countKey = this.#parts.rules.countKey(rule);
    const nowMs = this.#parts.monotonic();
    if (this.#passDone && !this.#beginNextPass(nowMs)) return 0;
    let mayCall = Math.min(this.#pace.due(nowMs), this.#parts.caller.free);
    if (mayCall < 1) return 0;
    const isLimited = rule.limits !== undefined;
    if (isLimited) {
      await this.#forgetAwaited(countKey, nowMs);
      mayCall = Math.min(mayCall, (await this.#parts.waking.room(rule)) - this.#awaited.size);
    }
    for (let looks = 0; ; looks++) {
      if (mayCall < 1 || looks >= looksMax) return looks;
      const device = await this.#next();
      if (device === null) return looks;
      const due = await this.#due(device);
      // It is this one's turn again once what holds it up is gone.
      if (due === 'held-up') return looks + 1;
      this.#page = this.#page.slice(1);
      this.#after = device.id;
      if (due === 'no' || this.#parts.caller.isCalling(device.id)) continue;
      mayCall -= 1;
      this.#pace.spend();
      this.#call(due, isLimited ? countKey : null);
    }
  }

  #beginNextPass(nowMs: number): boolean {
    if (this.#pass >= PASSES_MAX || nowMs < this.#passBegunAtMs + PASS_MS_MIN) return false;
    this.#pass += 1;
    this.#passBegunAtMs = nowMs;
    this.#after = null;
    this.#passDone = false;
    return true;
  }

  /** The device whose turn it is; null where none is left in this pass. */
  async #next(): Promise<Device | null> {
    if (this.#page.length === 0) {
      await yieldToEvents();
      this.#page = await this.#parts.devices.page(this.#after, PAGE_DEVICES);
      this.#passDone = this.#page.length === 0;
    }
    return this.#page[0] ?? null;
  }

  /** @returns the device as it is now, where it is to be called: its page was read a while ago where the pace is slow */
  async #due(read: Device): Promise<Device | 'no' | 'held-up'> {
    const before = await this.#prospect(read);
    if (before !== 'yes') return before;
    const device = await this.#parts.devices.get(read.id);
    if (device === null) return 'no';
    const prospect = isDeepStrictEqual(device, read) ? before : await this.#prospect(device);
    return prospect === 'yes' ? device : prospect;
  }

  async #prospect(device: Device): Promise<Prospect> {
    return this.#hasCome(device) ? 'no' : prospectOf(this.#parts, this.#rule, device);
  }

  /** When it began, by the wall's clock as it was then or as it has been set since: whichever is earlier. */
  #begunMs(): number {
    const { clock, monotonic } = this.#parts;
    return Math.min(this.#begunAtMs, clock() - (monotonic() - this.#begunElapsedMs));
  }

  /** Who came since the first pass began has had its chance; in that pass nobody has been called before. */
  #hasCome(device: Device): boolean {
    if (this.#pass <= 1 || device.lastInformMs < this.#begunMs()) return false;
    return !isAhead(device.lastInformMs, this.#parts.clock());
  }

  /** @param countKey  of a rule with limits */
  #call(device: Device, countKey: CountKey | null): void {
    const { id } = device;
    this.#counts.called += 1;
    if (countKey !== null) {
      this.#awaited.set(id, {
        lastInformMs: device.lastInformMs,
        calledAtMs: this.#parts.clock(),
        executions: executionsOf(device, countKey),
        untilMs: Number.POSITIVE_INFINITY,
        hasCome: false,
      });
    }
    this.#parts.caller.call(id, (code) => {
      if (code === 200) this.#counts.answered += 1;
      const awaited = this.#awaited.get(id);
      if (awaited === undefined) return;
      if (code === 200) awaited.untilMs = Math.min(awaited.untilMs, this.#parts.monotonic() + AWAITED_MS);
      else if (!awaited.hasCome) this.#awaited.delete(id);
    });
  }

  /** Whose upgrade has begun is counted by the limits themselves. */
  async #forgetAwaited(countKey: CountKey, nowMs: number): Promise<void> {
    for (const [cpeid, awaited] of [...this.#awaited]) {
      const device = await this.#parts.devices.get(cpeid);
      const isCounted = device === null || executionsOf(device, countKey) > awaited.executions;
      if (isCounted || nowMs >= awaited.untilMs) this.#awaited.delete(cpeid);
      else if (!awaited.hasCome && hasComeSince(awaited, device)) {
        awaited.hasCome = true;
        awaited.untilMs = Math.min(awaited.untilMs, nowMs + DECIDING_MS);
      }
    }
  }
}

/** Grows with each upgrade that begins, also where that is given back. */
function executionsOf({ counts }: Device, countKey: CountKey): number {
  const { started, givenBack } = counts[countKey] ?? NO_COUNT;
  return started + givenBack;
}
