import {
  HOUR_MS,
  isDeviceTreeBoard,
  MINUTE_MS,
  sameBoard,
  stillHolds,
  type TargetVersion,
} from '../../common/index.js';
import {
  type Context,
  DEFAULT_RETRY,
  type ImageFacts,
  type Rule,
  type RuleCount,
  type StoredRule,
  type Verdict,
} from '../vocabulary/index.js';
import { outsideTimes, type RuleTimes } from '../windows/index.js';

/** A detail is a sentence, and an image may have hundreds of boards. */
const BOARDS_SHOWN_MAX = 5;

/** Why a rule cannot run now. Each gate is a pure function that gives one of these, or null to let the rule pass. */
export interface Refusal {
  readonly verdict: Verdict;
  readonly detail?: string;
  /** It rests on what is not known of the CPE by now: nothing is recorded of it. */
  readonly isProvisional?: true;
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
  if (count.refused === true) {
    return { verdict: 'executions-used-up', detail: 'the image did not fit the CPE, or was not there' };
  }
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

/** An upgrade that has begun by then goes on, and is not asked about. */
export function timeGate(rule: RuleTimes, nowMs: number): Refusal | null {
  const verdict = outsideTimes(rule, nowMs);
  switch (verdict) {
    case null:
      return null;
    case 'not-yet':
      return { verdict, detail: `not before ${rule.notBefore}` };
    case 'too-late':
      return { verdict, detail: `its time is over since ${rule.notAfter}` };
    default:
      return verdict satisfies never;
  }
}

/** What a CPE says of its board where it was asked. */
export interface AskedBoard {
  /** The parameter that it was asked for. */
  readonly parameter: string;
  /** Null where it has none. */
  readonly value: string | null;
}

/**
 * An image says what it fits; a CPE whose value is not known does not fit. Of a hardware version that was read from the file CPEs are not
 * asked: it is the vendor's number for the hardware, and no HardwareVersion.
 * @param board  where there is a parameter that tells it; else what is known besides must do
 */
export function fitGate(
  image: ImageFacts,
  context: Omit<Context, 'parameters'>,
  board?: AskedBoard,
): Refusal | null {
  for (const field of ['productClass', 'hardwareVersion'] as const) {
    const wanted = field === 'hardwareVersion' && isRead(image, field) ? undefined : image[field];
    if (wanted === undefined || wanted === context[field]) continue;
    const found = context[field] === undefined ? 'unknown' : JSON.stringify(context[field]);
    return {
      verdict: 'image-does-not-fit',
      detail: `the image is for ${field} ${JSON.stringify(wanted)}, the CPE's is ${found}`,
    };
  }
  if (image.boards === undefined) return null;
  const other = board === undefined ? otherBoard(image.boards, context) : otherThan(image.boards, board);
  if (other === null) return null;
  return { verdict: 'image-does-not-fit', detail: `the image is for ${boardsText(image.boards)}, ${other}` };
}

function otherThan(boards: readonly string[], { parameter, value }: AskedBoard): string | null {
  if (value === null) return `and the CPE has no value of ${parameter} to tell its board by`;
  return isAmong(boards, value) ? null : `the CPE's ${parameter} is ${JSON.stringify(value)}`;
}

/** A CPE that reports a board under another name is that board; what is no board's name says nothing. */
function otherBoard(
  boards: readonly string[],
  { modelName, productClass }: Omit<Context, 'parameters'>,
): string | null {
  const reported = { ModelName: modelName ?? '', ProductClass: productClass };
  if (Object.values(reported).some((value) => isAmong(boards, value))) return null;
  const told = Object.entries(reported).find(([, value]) => isDeviceTreeBoard(value));
  return told === undefined ? null : `the CPE's ${told[0]} is ${JSON.stringify(told[1])}`;
}

function isAmong(boards: readonly string[], value: string): boolean {
  return boards.some((board) => sameBoard(board, value));
}

function boardsText(boards: readonly string[]): string {
  const named = boards.slice(0, BOARDS_SHOWN_MAX).map((board) => JSON.stringify(board));
  const more = boards.length > named.length ? ` and ${boards.length - named.length} more` : '';
  return `${boards.length === 1 ? 'board' : 'boards'} ${named.join(', ')}${more}`;
}

/** What the CPE must report afterwards; null where neither rule nor image says. */
export function targetOf(rule: Rule, image: ImageFacts): TargetVersion | null {
  const typed = rule.target?.softwareVersion;
  if (typed !== undefined) return { version: typed, isRead: false };
  const { softwareVersion: version } = image;
  return version === undefined ? null : { version, isRead: isRead(image, 'softwareVersion') };
}

function isRead({ fromFile = [] }: ImageFacts, field: 'softwareVersion' | 'hardwareVersion'): boolean {
  return fromFile.includes(field);
}
