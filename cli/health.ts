import { SECOND_MS, withinTime } from '../common/index.js';
import type { Health, HealthChecks, PartStatus } from '../nbi/index.js';
import type { RuleEngine, RuleFilesNow } from '../rules/index.js';
import type { DutyRecords, Store } from '../store/index.js';
import type { AttentionWatch } from './attention.js';
import type { ClockWatch } from './clock-watch.js';
import type { DiskWatch } from './disk-watch.js';

/** Who asks gives up after a few seconds; a store that is slower than that helps nobody. */
const STORE_MS_MAX = 2 * SECOND_MS;
/** Scans of the rule directory are ten seconds apart. */
const SCAN_AGE_MS_MAX = 120 * SECOND_MS;

/** Where this process is in its life: CPEs are to be sent to it only while it serves. */
export interface Serving {
  state: 'starting' | 'serving' | 'stopping';
}

export interface HealthParts {
  readonly rules: Pick<RuleEngine, 'freezeState' | 'suspendedCount'>;
  readonly store: { readonly damage: Pick<Store['damage'], 'documents'> };
  readonly duties: Pick<DutyRecords, 'look' | 'states'>;
  readonly serving: Readonly<Serving>;
  /** Null where no rules come from files. */
  readonly watcher: { status(): RuleFilesNow } | null;
  /** Null on the embedded store. */
  readonly clockWatch: Pick<ClockWatch, 'isGood'> | null;
  /** Null where the disk is the database's. */
  readonly disk: Pick<DiskWatch, 'look'> | null;
  readonly attention: Pick<AttentionWatch, 'now'>;
}

/** What `/healthz` and `/readyz` answer, part by part. 503 is only for a process that cannot serve; what else has stopped is `degraded`. */
export function healthChecks(parts: HealthParts): HealthChecks {
  return {
    async health() {
      const store = await look(parts);
      return healthOf({
        store: storeOf(parts, store.answers),
        rules: store.suspended > 0 || areAmiss(parts) ? 'degraded' : 'ok',
        ruleFiles: ruleFilesOf(parts),
        ...(parts.clockWatch !== null && { clock: parts.clockWatch.isGood ? 'ok' : 'degraded' }),
        process: parts.serving.state === 'stopping' ? 'failing' : 'ok',
        ...(parts.disk !== null && { disk: (await parts.disk.look()) ? 'ok' : 'degraded' }),
        ...dutyParts(parts.duties),
        upgrades: store.isFrozen ? 'degraded' : 'ok',
        images: parts.attention.now.imagesUnreadable > 0 ? 'degraded' : 'ok',
      });
    },
    async ready() {
      const store = await look(parts);
      return healthOf({
        process: parts.serving.state === 'serving' ? 'ok' : 'failing',
        store: store.answers ? 'ok' : 'failing',
        ruleFiles: parts.watcher?.status().state === 'starting' ? 'failing' : 'ok',
      });
    },
  };
}

/** Documents that cannot be read keep nobody from the others. */
function storeOf({ store }: HealthParts, answers: boolean): PartStatus {
  if (!answers) return 'failing';
  return store.damage.documents > 0 ? 'degraded' : 'ok';
}

function healthOf(parts: Readonly<Record<string, PartStatus>>): Health {
  return { status: Object.values(parts).includes('failing') ? 'failing' : 'ok', parts };
}

function areAmiss({ attention }: HealthParts): boolean {
  return Object.values(attention.now.rules).some((count) => count > 0);
}

interface StoreLook {
  readonly answers: boolean;
  readonly suspended: number;
  readonly isFrozen: boolean;
}

/** Reads that the store must answer in time. */
async function look({ rules, duties }: HealthParts): Promise<StoreLook> {
  const read = async (): Promise<StoreLook> => {
    const { frozen: isFrozen } = await rules.freezeState();
    await duties.look();
    return { answers: true, suspended: await rules.suspendedCount(), isFrozen };
  };
  const looked = await withinTime(read(), STORE_MS_MAX).catch(() => null);
  return looked ?? { answers: false, suspended: 0, isFrozen: false };
}

function dutyParts({ states }: HealthParts['duties']): Record<string, PartStatus> {
  // That of rule files is part of how they are.
  const others = states.filter(({ id }) => id !== 'ruleFiles');
  return Object.fromEntries(others.map(({ id, isOverdue }) => [id, isOverdue ? 'degraded' : 'ok']));
}

/** Nobody has looked at the files for long, or what they hold is not what is applied. */
export function ruleFilesOf({ watcher, duties }: Pick<HealthParts, 'watcher' | 'duties'>): PartStatus {
  if (watcher === null) return 'ok';
  const status = watcher.status();
  const isWell = status.state === 'starting' || status.state === 'applied' || status.state === 'standby';
  const isOverdue = duties.states.some((duty) => duty.id === 'ruleFiles' && duty.isOverdue);
  const isOld = (status.lastScanAgeMs ?? 0) > SCAN_AGE_MS_MAX;
  return isWell && !isOverdue && !isOld ? 'ok' : 'degraded';
}
