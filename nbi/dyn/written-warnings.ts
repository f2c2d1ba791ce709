import type { Devices } from '../../acs/index.js';
import { type Clock, type MonotonicClock, monotonicClock, SECOND_MS, type Turn } from '../../common/index.js';
import { hitAnew, type KeptRevision, namedCpes, type RuleRevisions } from '../../rollout/index.js';
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
  /** Told of what was written. */
  readonly revisions: Pick<RuleRevisions, 'takeKept'>;
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
    const warnings: JsonObject[] = this.#parts.revisions.takeKept().map(keptWarning);
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

/** What is not upgraded again, and the call by which it is. */
function keptWarning(kept: KeptRevision): JsonObject {
  const id = writtenId(kept.rule.id);
  const restart = `POST /v1/method/RestartRule with ${JSON.stringify({ id })}`;
  if (kept.kind === 'fleet') {
    const message = `this rule has run with this file and target: CPEs that it has upgraded, or that have had all its executions, are not upgraded by it again, whatever they report; ${restart} has it upgrade all that are not at the target`;
    return { id, code: 'not-again', message };
  }
  const { cpeid, reported, upgrade, wouldBegin } = kept;
  const result = upgrade === null ? '' : `, result ${upgrade.id}: ${upgrade.result.message}`;
  const had = wouldBegin ? 'has upgraded it already' : 'has had all its executions on it';
  const or = wouldBegin ? ', and so does to delete the rule and post it again' : '';
  const message = `the CPE ${cpeid} reports software version ${JSON.stringify(reported)} and is not upgraded again, as this rule ${had}${result}; ${restart} begins anew${or}`;
  return { id, code: 'not-again', message };
}
