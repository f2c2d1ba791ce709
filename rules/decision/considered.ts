import type { RuleId } from '../../common/index.js';
import type { Considered, Verdict } from '../vocabulary/index.js';
import type { Refusal } from './gates.js';

/** Most rules a decision explains. */
export const CONSIDERED_MAX = 100;
/** Verdicts that thousands of fleet rules share and nobody asks about first. */
const ORDINARY: ReadonlySet<Verdict> = new Set(['condition-false', 'disabled', 'lower-priority']);

/** What became of each rule considered: in order, and where there are too many, the telling ones rather than the others. */
export interface Explanation {
  add(ruleId: RuleId, refusal: Refusal): void;
  list(): readonly Considered[];
}

/** @param about  a rule that is listed in any case */
export function beginExplanation(about?: RuleId): Explanation {
  const telling: (Considered & { readonly order: number })[] = [];
  const ordinary: (Considered & { readonly order: number })[] = [];
  let order = 0;
  return {
    add(ruleId, { verdict, detail }) {
      const list = ORDINARY.has(verdict) && ruleId !== about ? ordinary : telling;
      order += 1;
      if (list.length >= CONSIDERED_MAX && verdict !== 'chosen' && ruleId !== about) return;
      list.push({ ruleId, verdict, ...(detail === undefined ? {} : { detail }), order });
    },
    list() {
      // What was listed beyond the bound came last: cut from the front of the telling ones, then fill up with the ordinary.
      const kept = telling.slice(-CONSIDERED_MAX);
      return [...kept, ...ordinary.slice(0, CONSIDERED_MAX - kept.length)]
        .sort((left, right) => left.order - right.order)
        .map(({ order: _, ...considered }) => considered);
    },
  };
}
