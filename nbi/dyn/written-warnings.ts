import type { Devices } from '../../acs/index.js';
import { type Clock, type MonotonicClock, monotonicClock, SECOND_MS, type Turn } from '../../common/index.js';
import { hitAnew, namedCpes } from '../../rollout/index.js';
import { type PutCounts, type Rules, type WrittenAnew, writtenId } from '../../rules/index.js';
import type { JsonObject, Scope } from '../http/index.js';

/** Serial numbers that are looked for, and rules whose CPEs are counted, for one request: it is to be answered. */
const NAMES_MAX = 20;
const COUNTED_MAX = 10;
const COUNTING_MS_MAX = 2 * SECOND_MS;

export interface WrittenWarningsParts {
  readonly rules: Rules;
  readonly devices: Devices;
  readonly clock: Clock;
  /** For how long is counted; this process's own unless told. */
  readonly monotonic?: MonotonicClock;
  readonly scope: Scope;
  readonly turn: Turn;
}

/** What the author of rules should hear of them though they are stored, within what one request may cost. */
export class WrittenWarnings {
  readonly #parts: WrittenWarningsParts;
  #names = 0;
  #counted = 0;
  #countingMs = 0;

  constructor(parts: WrittenWarningsParts) {
    this.#parts = parts;
  }

  async of({ anew = [] }: Pick<PutCounts, 'anew'>): Promise<readonly JsonObject[]> {
    const warnings: JsonObject[] = [];
    for (const each of anew) {
      const id = writtenId(each.rule.id);
      for (const warning of await this.#ofNames(each)) warnings.push({ id, ...warning });
      const patterns = each.wasEquality ? await this.#ofPatterns(each) : null;
      if (patterns !== null) warnings.push({ id, code: 'patterns', message: patterns });
    }
    return warnings;
  }

  async #ofNames({ serialNumbers }: WrittenAnew): Promise<readonly JsonObject[]> {
    const { devices, scope } = this.#parts;
    const looked = serialNumbers.slice(0, NAMES_MAX - this.#names);
    this.#names += looked.length;
    const named = looked.length === 0 ? [] : await namedCpes(devices, scope.organization, looked);
    return named.flatMap((each): JsonObject[] => {
      if (each.kind === 'cpe') return [];
      const name = JSON.stringify(each.named);
      return each.reason === 'unknown-device'
        ? [{ code: 'unknown-serial', message: `no CPE has the cpeid or serial number ${name} yet` }]
        : [{ code: 'ambiguous-serial', message: `${each.detail ?? name}; none of them is upgraded` }];
    });
  }

  async #ofPatterns({ rule }: WrittenAnew): Promise<string | null> {
    const { rules, devices, clock, scope, turn, monotonic = monotonicClock } = this.#parts;
    const before = 'its condition was read by equality alone before';
    if (this.#counted >= COUNTED_MAX || this.#countingMs >= COUNTING_MS_MAX) return before;
    this.#counted += 1;
    const begunMs = monotonic();
    const deadlineMs = begunMs + COUNTING_MS_MAX - this.#countingMs;
    const { more, isAll } = await hitAnew(rules, devices, rule, {
      organization: scope.organization,
      nowMs: clock(),
      isOver: () => monotonic() >= deadlineMs,
      turn,
    });
    this.#countingMs += monotonic() - begunMs;
    return isAll && more === 0 ? null : `${before}: now it hits ${isAll ? '' : 'at least '}${more} CPEs more`;
  }
}
