import { DAY_MS, isAhead, type Logger, SECOND_MS, stillHolds } from '../../common/index.js';
import type { Collection, FindQuery } from '../../store/index.js';
import type { Device } from '../device/device.js';
import type { Upgrade } from './upgrade.js';

/** Longest that is waited for word of a CPE that does not tell what it has queued: it may say anything of its interval, also a month. */
export const DOUBT_MS_MAX = DAY_MS;
const PAGE = 200;
/** Found due only because the clock was set, and with it what fell due in the rounds before that was noticed. */
const STEP_SLACK_MS = 60 * SECOND_MS;

/** How long the state that an upgrade is in may last at most. */
export function stateMsOf({ state, stateMsMax, doubtUntilMs }: Upgrade): number {
  const { sent, accepted, transferred } = stateMsMax;
  switch (state) {
    case 'sent':
      // While it is in doubt whether the Download has reached the CPE, or may be sent again (life.ts).
      return sent + accepted + (doubtUntilMs === undefined ? 0 : 2 * DOUBT_MS_MAX);
    case 'accepted':
      return accepted;
    case 'transferred':
      return transferred;
    case 'verified':
    case 'failed':
    case 'timed-out':
    case 'cancelled':
      return 0;
    default:
      return state satisfies never;
  }
}

/**
 * Whether the CPE has informed since the upgrade last moved on: what is known of it then is not from before. An Inform at a time that is
 * still to come was stored by a clock that was ahead, and may be from before.
 */
export function isHeardSince(
  { lastInformMs }: Pick<Device, 'lastInformMs'>,
  { updatedAtMs }: Pick<Upgrade, 'updatedAtMs'>,
  nowMs: number,
): boolean {
  return lastInformMs > updatedAtMs && !isAhead(lastInformMs, nowMs);
}

/** What a state is given that begins anew: where a Download is in doubt or held back, its CPE may come days later. */
function freshMsOf(upgrade: Upgrade): number {
  const { state, stateMsMax, doubtUntilMs, heldBack } = upgrade;
  const isOnItsWay = state === 'sent' && doubtUntilMs === undefined && heldBack === undefined;
  return isOnItsWay ? stateMsMax.sent : stateMsOf(upgrade);
}

/**
 * The upgrade with a deadline that can be believed: one that lies further than its own duration from now was stored by a clock that was
 * ahead, and one that the clock has jumped over has not been reached. Both begin anew, and what was heard before is no word of since.
 * Pure; the same object where there is nothing to mend.
 * @param steppedMs  by how much the clock was set just now
 */
export function withDeadlineFrom(upgrade: Upgrade, nowMs: number, steppedMs: number): Upgrade {
  const { deadlineAtMs } = upgrade;
  if (deadlineAtMs === undefined) return upgrade;
  const durationMs = stateMsOf(upgrade);
  const isJumpedOver =
    deadlineAtMs <= nowMs && deadlineAtMs > nowMs - steppedMs - STEP_SLACK_MS && steppedMs > 0;
  const isTooFar = deadlineAtMs > nowMs && !stillHolds(deadlineAtMs, durationMs, nowMs);
  if (!isJumpedOver && !isTooFar) return upgrade;
  const updatedAtMs = Math.min(upgrade.updatedAtMs, nowMs);
  return { ...upgrade, updatedAtMs, deadlineAtMs: nowMs + freshMsOf(upgrade) };
}

/**
 * Mends the deadlines of all upgrades that run, by {@link withDeadlineFrom}.
 * @returns how many
 * @throws StoreError
 */
export async function mendDeadlines(
  upgrades: Collection<Upgrade>,
  {
    nowMs,
    steppedMs,
    logger,
  }: { readonly nowMs: number; readonly steppedMs: number; readonly logger: Logger },
): Promise<number> {
  let mended = 0;
  // What was due before the step is due.
  const from = steppedMs > 0 ? nowMs - steppedMs - STEP_SLACK_MS : nowMs;
  const query: FindQuery = { index: 'deadline', atLeast: from, limit: PAGE };
  let page = await upgrades.find(query);
  for (;;) {
    const changed = page.items
      .map(({ document, revision }) => ({ before: document, revision }))
      .map((each) => ({ ...each, after: withDeadlineFrom(each.before, nowMs, steppedMs) }))
      .filter(({ before, after }) => before !== after);
    // Side by side they share their flushes; one that has moved on meanwhile has a new deadline.
    const done = await Promise.all(changed.map(({ after, revision }) => upgrades.replace(after, revision)));
    mended += done.filter((revision) => revision !== null).length;
    if (page.next === null) break;
    page = await upgrades.find({ ...query, after: page.next });
  }
  if (mended > 0) logger.warn('upgrades.deadlines-mended', { count: mended });
  return mended;
}
