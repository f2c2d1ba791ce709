import { DAY_MS, stillHolds } from '../../common/index.js';
import type { CpeUpgrade, CpeUpgradesNow } from '../cpe-upgrades/index.js';
import { hasOperationEnded, type Operation } from '../operations/index.js';
import type { SeenEnd, SystemUpdateRecord, SystemUpdateStanding } from './system-update.js';

/** What there is to go by. */
export interface Known {
  /** What is kept; null where nothing is, of this CPE. */
  readonly record: SystemUpdateRecord | null;
  /** What became of the batch that the record says was started; null where it was none, or is gone. */
  readonly operation: Operation | null;
  /** Of the CPE as it came last: nothing of one before, which was removed. */
  readonly now: CpeUpgradesNow;
  /** When it came. */
  readonly sinceMs: number;
  readonly nowMs: number;
}

/** Nothing that has ended is deleted by its age sooner. */
const KEPT_MS_MIN = DAY_MS;

/** Where the update of a CPE is, by all that is known. */
export function standingOf(known: Known): SystemUpdateStanding {
  const { record, operation, now } = known;
  const isStarted = record?.phase === 'started';
  if (now.running !== null)
    return running(now.running, isStarted && now.running.batch === record.batch ? record : null);
  if (isStarted && operation !== null && !hasOperationEnded(operation)) {
    const own = waitingOwn(record, operation, now);
    return {
      ...NOTHING,
      state: 'running',
      sinceMs: record.atMs,
      targetVersion: record.targetVersion,
      running: own,
      isWaiting: operation.state === 'pending',
    };
  }
  const ended = newestEnd(record, now.ended);
  if (ended !== null) return endedStanding(ended);
  return keptStanding(known);
}

/** By which an upgrade that has ended is told from others. */
export function seenEnd(ended: CpeUpgrade | null): SeenEnd | null {
  if (ended === null) return null;
  const { operation, resultId, changedAtMs } = ended;
  return { key: operation ?? resultId ?? '', changedAtMs };
}

const NOTHING = { targetVersion: null, problem: null, running: null, isWaiting: false } as const;

const NOT_BEGUN = 'its batch is gone before anything was sent: reset the update, and begin again';

function running(upgrade: CpeUpgrade, own: { readonly atMs: number } | null): SystemUpdateStanding {
  return {
    ...NOTHING,
    state: 'running',
    sinceMs: own?.atMs ?? upgrade.sinceMs,
    targetVersion: upgrade.targetVersion,
    running: upgrade,
  };
}

/** What was started here, as it is told of upgrades: it may wait behind another that waits. */
function waitingOwn(
  record: Extract<SystemUpdateRecord, { readonly phase: 'started' }>,
  operation: Operation,
  { waiting }: CpeUpgradesNow,
): CpeUpgrade {
  if (waiting?.operation === operation.id) return waiting;
  return {
    cpeid: operation.cpeid,
    stage: operation.state === 'pending' ? 'waiting' : 'sent',
    image: operation.image,
    file: operation.image?.name ?? '',
    targetVersion: record.targetVersion,
    ruleId: operation.ruleId ?? null,
    batch: operation.batch,
    operation: operation.id,
    through: 'system-update',
    resultId: operation.resultId ?? null,
    sinceMs: operation.createdAtMs,
    changedAtMs: operation.updatedAtMs,
    failure: null,
  };
}

/** The upgrade that ended last, where that is newer than what is kept: it had not ended when that was written. */
function newestEnd(record: SystemUpdateRecord | null, ended: CpeUpgrade | null): CpeUpgrade | null {
  if (record === null || ended === null) return ended;
  // What others have withdrawn before it was sent has changed nothing of what is made ready here.
  const isOwn = record.phase === 'started' && ended.batch === record.batch;
  if (!isOwn && ended.stage === 'cancelled' && ended.resultId === null) return null;
  const { seen } = record;
  if (seen === null) return ended;
  // The same that was tried again has ended later; and where results are deleted the last one is an older one.
  const isSame = seenEnd(ended)?.key === seen.key;
  const isNewer = isSame ? ended.changedAtMs > seen.changedAtMs : ended.changedAtMs >= seen.changedAtMs;
  return isNewer ? ended : null;
}

function endedStanding({ stage, changedAtMs, targetVersion, failure }: CpeUpgrade): SystemUpdateStanding {
  const failed = { ...NOTHING, sinceMs: changedAtMs, targetVersion, problem: failure?.text ?? 'it failed' };
  switch (stage) {
    case 'failed':
    case 'refused':
      return { ...failed, state: 'failed' };
    case 'not-heard-of':
      return { ...failed, state: 'lost' };
    case 'waiting':
    case 'sent':
    case 'transferred':
    case 'verified':
    case 'cancelled':
      return { ...NOTHING, state: 'idle', sinceMs: changedAtMs };
    default:
      return stage satisfies never;
  }
}

/** Where nothing has happened since it was written. */
function keptStanding({ record, operation, sinceMs, nowMs }: Known): SystemUpdateStanding {
  if (record === null) return { ...NOTHING, state: 'idle', sinceMs };
  switch (record.phase) {
    case 'initializing':
    case 'initialized':
      return { ...NOTHING, state: record.phase, sinceMs: record.atMs, targetVersion: record.targetVersion };
    case 'not-initialized': {
      const { atMs, targetVersion, problem } = record;
      return { ...NOTHING, state: 'failed', sinceMs: atMs, targetVersion, problem };
    }
    case 'started': {
      const { atMs, targetVersion } = record;
      // Its batch is gone before anything of it was sent: whoever began it died over it, or somebody has deleted it.
      if (operation === null && stillHolds(atMs + KEPT_MS_MIN, KEPT_MS_MIN, nowMs))
        return { ...NOTHING, state: 'failed', sinceMs: atMs, targetVersion, problem: NOT_BEGUN };
      // What came of it is not known any more.
      return { ...NOTHING, state: 'idle', sinceMs: atMs };
    }
    case 'reset':
      return { ...NOTHING, state: 'idle', sinceMs: record.atMs };
    default:
      return record satisfies never;
  }
}
