import { SECOND_MS, withinTime } from '../common/index.js';
import type { Health, PartStatus } from '../nbi/index.js';
import type { RuleEngine, RuleFileWatcher } from '../rules/index.js';
import type { ClockWatch } from './clock-watch.js';

/** Who asks gives up after a few seconds; a store that is slower than that helps nobody. */
const STORE_MS_MAX = 2 * SECOND_MS;

/** What `/healthz` answers, part by part. */
export function healthCheck(
  rules: RuleEngine,
  watcher: RuleFileWatcher | null,
  clockWatch: ClockWatch | null,
): () => Promise<Health> {
  return async () => {
    const suspended = await withinTime(readStore(rules), STORE_MS_MAX).catch(() => null);
    const state = watcher?.status().state;
    const parts: Record<string, PartStatus> = {
      store: suspended === null ? 'failing' : 'ok',
      rules: (suspended ?? 0) > 0 ? 'degraded' : 'ok',
      ruleFiles: state === 'broken' || state === 'failed' ? 'failing' : 'ok',
      ...(clockWatch !== null && { clock: clockWatch.isGood ? 'ok' : 'failing' }),
    };
    return { status: Object.values(parts).includes('failing') ? 'failing' : 'ok', parts };
  };
}

/** A read that the store must answer. @returns how many rules are suspended */
async function readStore(rules: RuleEngine): Promise<number> {
  await rules.freezeState();
  return rules.suspendedCount();
}
