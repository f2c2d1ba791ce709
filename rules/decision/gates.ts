import { HOUR_MS, MINUTE_MS, stillHolds } from '../../common/index.js';
import {
  type Context,
  DEFAULT_RETRY,
  type ImageFacts,
  type Rule,
  type RuleCount,
  type StoredRule,
  type Verdict,
} from '../vocabulary/index.js';

/** Why a rule cannot run now. Each gate is a pure function that gives one of these, or null to let the rule pass. */
export interface Refusal {
  readonly verdict: Verdict;
  readonly detail?: string;
}

/** What an organization writes concerns its own CPEs, whatever its condition says. */
export function organizationGate(rule: StoredRule, organization: string | undefined): Refusal | null {
  if (rule.organization === undefined || rule.organization === organization) return null;
  return { verdict: 'other-organization', detail: 'the CPE belongs to another organization than the rule' };
}

export function switchGate(rule: StoredRule, requested: boolean): Refusal | null {
  if (!rule.enabled) return { verdict: 'disabled' };
  if (rule.suspended !== undefined) return { verdict: 'suspended', detail: rule.suspended.message };
  if (!rule.automatic && !requested) {
    return { verdict: 'not-automatic', detail: 'considered only in a session asked for by SendCNR' };
  }
  return null;
}

export function executionsGate(rule: Rule, count: RuleCount): Refusal | null {
  if (count.verified) return { verdict: 'already-verified' };
  if (rule.executions >= 0 && count.started >= rule.executions) {
    return { verdict: 'executions-used-up', detail: `${count.started} of ${rule.executions}` };
  }
  return null;
}

/** Each failure in a row makes the wait `factor` times as long, up to `maxHours`. */
export function retryGate(rule: Rule, count: RuleCount, nowMs: number): Refusal | null {
  if (count.failures <= 0 || count.lastEndedMs === undefined) return null;
  const { afterMinutes, factor, maxHours } = rule.retry ?? DEFAULT_RETRY;
  const waitMs = Math.min(afterMinutes * MINUTE_MS * factor ** (count.failures - 1), maxHours * HOUR_MS);
  const untilMs = count.lastEndedMs + waitMs;
  if (!stillHolds(untilMs, waitMs, nowMs)) return null;
  return { verdict: 'waiting-for-retry', detail: `until ${new Date(untilMs).toISOString()}` };
}

/** An image says what it fits; a CPE whose value is not known does not fit. */
export function fitGate(image: ImageFacts, context: Omit<Context, 'parameters'>): Refusal | null {
  for (const field of ['productClass', 'hardwareVersion'] as const) {
    const wanted = image[field];
    if (wanted === undefined || wanted === context[field]) continue;
    const found = context[field] === undefined ? 'unknown' : JSON.stringify(context[field]);
    return {
      verdict: 'image-does-not-fit',
      detail: `the image is for ${field} ${JSON.stringify(wanted)}, the CPE's is ${found}`,
    };
  }
  return null;
}

/** What the CPE must report afterwards; null where neither rule nor image says. */
export function targetVersionOf(rule: Rule, image: ImageFacts): string | null {
  return rule.target?.softwareVersion ?? image.softwareVersion ?? null;
}
