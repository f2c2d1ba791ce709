import type { Clock, CpeId, Logger, RuleId } from '../../common/index.js';
import { type Decision, isDecidedImage, type Rules } from '../../rules/index.js';
import type { Revision } from '../../store/index.js';
import type { Caller } from '../credentials/identities.js';
import { contextOf, ruledBy } from '../device/context.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import { asking, isUntold, unreadPaths } from '../device/unread.js';
import { stateMsMaxOf } from '../upgrade/beginning.js';
import type { UpgradeStore } from '../upgrade/upgrade-store.js';
import { type Doubts, downloadOf } from './doubt.js';
import type { LocateUpgradeFile } from './file-location.js';
import type { Answer, DownloadNow, SessionFacts } from './session.js';
import type { Claim } from './sessions.js';

/** Rules at target are recorded one by one; a lost race decides again. Both end long before this. */
const DECISION_ROUNDS_MAX = 20;

/** Another request of the same session has taken the step; whatever this one would answer is void. */
export class StepTakenError extends Error {
  override readonly name = 'StepTakenError';
}

/**
 * To be called before what would count twice if it were done for a step that turns out void.
 * @throws StepTakenError where the session has gone on elsewhere
 */
export async function requireCurrent({ isCurrent }: StepRequest): Promise<void> {
  if (!(await isCurrent())) throw new StepTakenError('The session has gone on elsewhere');
}

/** What a request brings along besides its session. */
export interface StepRequest {
  /** The client's address. */
  readonly ip: string;
  /** Who begins a session by it; null where it goes on with one. */
  readonly caller: Caller | null;
  /** Belongs into the commit that reserves an upgrade, so that one request of several for the same step makes it. */
  readonly claim: () => Claim | null | Promise<Claim | null>;
  /** Whether the session is still where this request found it; see {@link requireCurrent}. */
  readonly isCurrent: () => boolean | Promise<boolean>;
}

export interface DecisionParts {
  readonly devices: DeviceStore;
  readonly upgrades: UpgradeStore;
  readonly rules: Rules;
  readonly doubts: Doubts;
  readonly locate: LocateUpgradeFile;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Decides what firmware the CPE of a session gets, and reserves it. */
export class SessionDecision {
  readonly #parts: DecisionParts;

  constructor(parts: DecisionParts) {
    this.#parts = parts;
  }

  /** A reservation that was refused because something moved meanwhile is decided again. */
  async decide(
    facts: SessionFacts,
    request: StepRequest,
    queueKnown: boolean,
  ): Promise<Extract<Answer, { to: 'decide' }>['decision']> {
    const { devices } = this.#parts;
    const { ip } = request;
    const passedOver = new Set<RuleId>();
    for (let round = 0; round < DECISION_ROUNDS_MAX; round++) {
      const stored = facts.hand.device ?? (await devices.read(facts.cpeid));
      facts.hand.device = null;
      if (stored === null || stored.document.inFlight !== undefined) return { kind: 'nothing' };
      const device = stored.document;
      // Deleted and come anew while this session went on.
      if (devices.isWaiting(device)) return { kind: 'nothing' };
      const { wantedPaths } = device;
      if (wantedPaths !== undefined) {
        await requireCurrent(request);
        await this.#noteAsking(facts.cpeid, wantedPaths);
        return { kind: 'read', names: wantedPaths };
      }
      // Not as this process knew them last: the session may have begun at another, and this one have asked for none.
      const organizations = await devices.organizations();
      const decision = await this.#parts.rules.decide({
        context: contextOf(device, {
          events: facts.events,
          ip,
          nowMs: this.#parts.clock(),
          organizations,
        }),
        ...ruledBy(device, organizations),
        readParameters: (subtrees) => devices.parameterStore.tree(facts.cpeid, subtrees),
        unread: (paths) => unreadPaths(device, devices.parameterStore, paths, this.#parts.clock()),
        isUntold: (paths) => isUntold(device, paths, this.#parts.clock()),
        counts: device.counts,
        requested: facts.requested,
        afresh: round > 0,
        passedOver,
      });
      switch (decision.kind) {
        case 'frozen':
        case 'nothing':
          return { kind: 'nothing' };
        case 'read':
          await requireCurrent(request);
          await this.#noteAsking(facts.cpeid, decision.names);
          return decision;
        case 'at-target':
        case 'unfit': {
          const recorded = await this.#recording(device, decision);
          if (recorded === null) passedOver.add(decision.rule.id);
          else await devices.commit(recorded.device, stored.revision, recorded.with);
          continue;
        }
        case 'upgrade': {
          const question = queueKnown ? null : this.#parts.doubts.questionBefore(device, facts);
          if (question !== null) return { kind: 'ask-queue', question };
          const reserved = await this.#reserve({ device, revision: stored.revision }, decision, request);
          if (reserved === 'passed-over') passedOver.add(decision.rule.id);
          else if (reserved !== 'again') return reserved;
          continue;
        }
        default:
          return decision satisfies never;
      }
    }
    this.#parts.logger.warn('session.undecided', { cpeid: facts.cpeid, rounds: DECISION_ROUNDS_MAX });
    return { kind: 'nothing' };
  }

  async #noteAsking(cpeid: CpeId, names: readonly string[]): Promise<void> {
    const nowMs = this.#parts.clock();
    await this.#parts.devices.change(cpeid, (stored) =>
      stored === null ? null : { device: asking(stored.document, names, nowMs) },
    );
  }

  #recording(device: Device, decision: Extract<Decision, { kind: 'at-target' | 'unfit' }>) {
    const { upgrades } = this.#parts;
    return decision.kind === 'at-target'
      ? upgrades.recordingAtTarget(device, decision)
      : upgrades.recordingUnfit(device, decision);
  }

  async #reserve(
    at: { readonly device: Device; readonly revision: Revision },
    decision: Extract<Decision, { kind: 'upgrade' }>,
    { ip: cpeIp, claim }: StepRequest,
  ): Promise<DownloadNow | 'again' | 'passed-over'> {
    const { devices, upgrades, locate } = this.#parts;
    const { rule } = decision;
    const location = await locate({ ...rule, stateMsMax: stateMsMaxOf(rule) }, cpeIp);
    // The image went between decision and reservation, or another took its name; the next round sees that.
    if (location === null || !isDecidedImage(decision, location)) return 'again';
    const reserved = await upgrades.reserving(at.device, decision, location);
    if (reserved === null) return 'passed-over';
    const { upgrade } = reserved;
    if (upgrade === null) {
      await devices.commit(reserved.device, at.revision, reserved.with);
      return 'again';
    }
    const claiming = await claim();
    const others = claiming === null ? reserved.with : [...reserved.with, claiming.change];
    const outcome = await devices.commit(reserved.device, at.revision, others);
    if (!outcome.committed) {
      if (outcome.refused.collection === claiming?.change.collection)
        throw new StepTakenError('The step is taken');
      return 'again';
    }
    const claimedAt = outcome.revisions.at(-1);
    if (claimedAt !== undefined && claimedAt !== null) claiming?.made(claimedAt);
    upgrades.announce(upgrade);
    const { id, commandKey } = upgrade;
    return { kind: 'download', download: downloadOf(commandKey, location), upgradeId: id, repeats: 0 };
  }
}
