import { epochMsOf, MINUTE_MS } from '../../../common/index.js';
import type { ValidRule } from '../../validation/index.js';
import { createWindowClock, outsideTimes } from '../../windows/index.js';
import type { Remark } from './finding.js';

/** Whether a window opens is asked minute by minute: of longer times, in which nearly every window does, it is not asked. */
const SPAN_MINUTES_MAX = 7 * 24 * 60;

/** What is to be said of when a rule may run. */
export function timeRemarks(rule: ValidRule['rule'], nowMs: number): readonly Remark[] {
  if (outsideTimes(rule, nowMs) === 'too-late') {
    const message = `its time is over since ${rule.notAfter}; take the rule away, or let it end later`;
    return [{ code: 'time-over', path: ['notAfter'], message }];
  }
  if (!isNeverOpen(rule)) return [];
  const message = `the window does not open between ${rule.notBefore} and ${rule.notAfter}, so nothing is ever sent; change one of them`;
  return [{ code: 'never-open', path: ['window', 'cron'], message }];
}

function isNeverOpen({ window, notBefore = '', notAfter = '' }: ValidRule['rule']): boolean {
  const [fromMs, untilMs] = [epochMsOf(notBefore), epochMsOf(notAfter)];
  if (window === undefined || fromMs === null || untilMs === null) return false;
  const lastMs = untilMs - 1;
  const minutes = Math.floor(lastMs / MINUTE_MS) - Math.floor(fromMs / MINUTE_MS);
  if (minutes > SPAN_MINUTES_MAX) return false;
  // Open at some moment of them: it opened in one of them, or so shortly before that it was open still.
  const durationMinutes = Math.ceil(window.durationMinutes) + minutes;
  return !createWindowClock().isOpen({ ...window, durationMinutes }, lastMs);
}
