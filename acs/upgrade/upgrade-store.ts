import { type Clock, type CpeId, DAY_MS, type Logger, type ResultId, type Turn } from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import type { DownloadLocation } from '../../firmware/index.js';
import type { Rules, UpgradeEnd } from '../../rules/index.js';
import { type Change, type Collection, type Store, untilCommitted } from '../../store/index.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import {
  type AtTargetDecision,
  type UnfitDecision,
  type UpgradeDecision,
  upgradeAtTarget,
  upgradeSent,
} from './beginning.js';
import { isHeardSince, mendDeadlines } from './deadlines.js';
import { advance, type Evidence, hasEnded } from './life.js';
import {
  countedAs,
  deviceAfter,
  deviceAtTarget,
  deviceContinuing,
  deviceReserving,
  deviceSuperseded,
  deviceUnfit,
  endOf,
  hasMark,
} from './marks.js';
import { NO_OWNED_UPGRADES, type OwnedUpgrades } from './owned-upgrades.js';
import { scanUpgrades } from './scan-upgrades.js';
import { removedResult, toldCampaign } from './told-result.js';
import {
  UPGRADES,
  type Upgrade,
  type UpgradeFilter,
  UpgradeRunningError,
  type Upgrades,
  type WithdrawalAnswer,
} from './upgrade.js';
import { isWithdrawn } from './withdrawal.js';

const SWEEP_PAGE = 200;

/** What a decision comes to where nothing is sent: the device, and the changes for the same commit. */
interface Recording {
  readonly device: Device;
  readonly with: Change[];
}

interface CountedEnd {
  readonly counted: UpgradeEnd;
  /** How it was counted before; undefined: it was running. */
  readonly previously: UpgradeEnd | undefined;
}

interface Ending extends CountedEnd {
  readonly of: (device: Device) => Device;
}

/** The upgrades in the store: begun by a decision, moved on by evidence, swept at their deadlines. */
export class UpgradeStore implements Upgrades {
  readonly #store: Store;
  readonly #upgrades: Collection<Upgrade>;
  readonly #events: EventLog;
  readonly #devices: DeviceStore;
  readonly #rules: Rules;
  readonly #owned: OwnedUpgrades;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: AcsMetrics;

  constructor(parts: {
    store: Store;
    devices: DeviceStore;
    rules: Rules;
    /** Nobody owns rules where it is left out. */
    owned?: OwnedUpgrades;
    clock: Clock;
    logger: Logger;
    metrics: AcsMetrics;
  }) {
    this.#store = parts.store;
    this.#upgrades = parts.store.collection<Upgrade>(UPGRADES);
    this.#events = new EventLog(parts);
    this.#devices = parts.devices;
    this.#rules = parts.rules;
    this.#owned = parts.owned ?? NO_OWNED_UPGRADES;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#metrics = parts.metrics;
  }

  /**
   * What reserves an upgrade: the device with its mark and count, and the changes for the same commit, which refuses unless the rule
   * is still as it was decided on. Nothing is sent before that commit is durable.
   * @param location  what the Download will be sent with
   * @returns `upgrade` null: nothing is to be sent by that rule, ever, and this says so; null where the rule's owner does not wait for this CPE
   */
  async reserving(
    device: Device,
    decision: UpgradeDecision,
    location: Pick<DownloadLocation, 'url' | 'fileType'>,
  ): Promise<(Recording & { readonly upgrade: Upgrade | null }) | null> {
    const { rule, conditions } = decision;
    const upgrade = upgradeSent(device, decision, location, this.#clock());
    const others = rule.owner === undefined ? [] : await this.#owned.beginning(upgrade, rule, device);
    if (others === null) {
      const recording = await this.#misnamed(device, decision);
      return recording === null ? null : { ...recording, upgrade: null };
    }
    return {
      device: deviceReserving(device, upgrade),
      upgrade,
      with: [this.#upgrades.inserting(upgrade), ...conditions, ...others],
    };
  }

  /**
   * A pinned rule whose CPE is at its target already: a result that says so, and the rule is done with this CPE.
   * @returns null as {@link reserving}
   */
  async recordingAtTarget(device: Device, decision: AtTargetDecision): Promise<Recording | null> {
    const { rule, conditions } = decision;
    const upgrade = upgradeAtTarget(device, decision, this.#clock());
    const others = rule.owner === undefined ? [] : await this.#owned.atTarget(upgrade, rule, device);
    if (others === null) return this.#misnamed(device, decision);
    return {
      device: deviceAtTarget(device, upgrade),
      with: [this.#upgrades.inserting(upgrade), ...conditions, ...others],
    };
  }

  /**
   * An owner's rule whose image does not fit its CPE: the owner is told, and the rule is done with this CPE.
   * @returns null as {@link reserving}
   */
  async recordingUnfit(device: Device, decision: UnfitDecision): Promise<Recording | null> {
    const { rule, conditions } = decision;
    const others = await this.#owned.unfit(rule, device, decision);
    if (others === null) return null;
    return { device: deviceUnfit(device, decision), with: [...conditions, ...others] };
  }

  /** What is for its owner to record as an image that does not fit is; it rests on nothing but what that has read. */
  async #misnamed(
    device: Device,
    decision: Pick<UpgradeDecision | AtTargetDecision, 'rule' | 'countKey'>,
  ): Promise<Recording | null> {
    const others = await this.#owned.misnamed(decision.rule, device);
    return others === null ? null : { device: deviceUnfit(device, decision), with: [...others] };
  }

  /**
   * Moves an upgrade on. Durable when it resolves; without effect where the evidence says nothing new or the CPE is not the upgrade's own.
   * @returns the upgrade as it is afterwards; null where there is none of that id for this CPE
   */
  async learn(cpeid: CpeId, id: ResultId, evidence: Evidence): Promise<Upgrade | null> {
    return (await this.learnBy(cpeid, id, async () => ({ evidence, conditions: [] })))?.after ?? null;
  }

  /**
   * The same with evidence that depends on what is stored. Its conditions go into the commit, and it is gathered anew where that is
   * refused.
   * @returns the upgrade as this evidence found it and as it left it: the same object where it said nothing new
   */
  async learnBy(
    cpeid: CpeId,
    id: ResultId,
    gather: (
      upgrade: Upgrade,
      device: Device,
    ) => Promise<{ readonly evidence: Evidence; readonly conditions: readonly Change[] }>,
  ): Promise<{ readonly before: Upgrade; readonly after: Upgrade } | null> {
    return untilCommitted(`The upgrade ${id}`, async () => {
      const [stored, own] = await Promise.all([this.#upgrades.get(id), this.#devices.read(cpeid)]);
      if (stored === null || own === null) return null;
      const before = stored.document;
      const other = otherIdentity(before, cpeid);
      if (other === null) return null;
      const { evidence, conditions } = await gather(before, own.document);
      const after = advance(before, evidence, this.#clock());
      if (after === before) {
        // Of two identities a backup may have kept one from before the end and one from after it.
        if (!hasEnded(before.state) || own.document.inFlight !== id) return { before, after };
        const { inFlight: _, ...free } = own.document;
        return (await this.#devices.commit(free, own.revision, [])).committed ? { before, after } : undefined;
      }
      const changes = [this.#upgrades.replacing(after, stored.revision), ...conditions];
      if (hasEnded(after.state)) {
        const second = other === undefined ? null : await this.#devices.read(other);
        const devices = second === null ? [own] : [own, second];
        const end = ending(before, after, evidence, own.document);
        for (const { document, revision } of devices) {
          changes.push(this.#devices.replacing(end.of(document), revision));
        }
        changes.push(...(await this.#counting(after, end)));
      }
      if (!(await this.#store.commit(changes)).committed) return undefined;
      this.#tell(before, after);
      return { before, after };
    });
  }

  /**
   * Moves on the last upgrade of a CPE that came back from it as another (its OUI changes with the firmware): the result stays with
   * the old identity and names the new, the two point to each other, and what rules have done to the old counts for the new as well.
   *
   * Whoever calls knows that this CPE has the upgrade's CommandKey. It must also have its serial number, and no upgrade of its own
   * under way. Its product class may have changed: it is the firmware that says it, and with key and serial number it would prove
   * nothing more.
   * @param entitled  what else changes where it goes on as another; null where it may not
   * @returns the upgrade as it is afterwards; else why it is not believed
   */
  async continueAs(
    cpeid: CpeId,
    id: ResultId,
    evidence: Evidence,
    entitled: (before: CpeId) => Promise<readonly Change[] | null>,
  ): Promise<{ readonly upgrade: Upgrade } | { readonly refused: string }> {
    return untilCommitted(`The upgrade ${id}`, async () => {
      const [stored, successor] = await Promise.all([this.#upgrades.get(id), this.#devices.read(cpeid)]);
      const owner = stored === null ? null : await this.#devices.read(stored.document.cpeid);
      if (stored === null || owner === null || successor === null) return { refused: 'it is gone' };
      const before = stored.document;
      const refused = refusalOf(before, owner.document, successor.document);
      if (refused !== null) return { refused };
      const others = before.reportedBy === cpeid ? [] : await entitled(before.cpeid);
      if (others === null)
        return { refused: 'that CPE has proved who it is, and this session has not its credentials' };
      const moved = advance(before, evidence, this.#clock());
      const after: Upgrade = { ...moved, reportedBy: cpeid };
      let devices = [
        deviceSuperseded(owner.document, successor.document),
        deviceContinuing(successor.document, owner.document, before),
      ];
      const changes = [this.#upgrades.replacing(after, stored.revision), ...others];
      if (moved !== before && hasEnded(after.state)) {
        const end = ending(before, after, evidence, owner.document);
        devices = devices.map(end.of);
        changes.push(...(await this.#counting(after, end)));
      }
      for (const [index, { revision }] of [owner, successor].entries()) {
        const device = devices[index];
        if (device !== undefined) changes.push(this.#devices.replacing(device, revision));
      }
      if (!(await this.#store.commit(changes)).committed) return undefined;
      const { commandKey } = after;
      const campaign = toldCampaign(after, this.#devices.directory.known);
      this.#logger.warn('cpe.superseded', { cpeid: before.cpeid, by: cpeid, commandKey, ...campaign });
      this.#tell(before, after);
      return { upgrade: after };
    });
  }

  /** What counts an end, for its rule and for whatever owns that. */
  async #counting(after: Upgrade, { counted, previously }: CountedEnd): Promise<readonly Change[]> {
    const ofRule = this.#rules.ended(after, counted, previously);
    if (after.owner === undefined) return ofRule;
    return [...ofRule, ...(await this.#owned.ending(after, counted, previously))];
  }

  #tell(before: Upgrade, after: Upgrade): void {
    if (after.state === before.state) return;
    this.announce(after, hasEnded(before.state) ? before.state : undefined);
  }

  /**
   * Says in log and metrics what state an upgrade has come into.
   * @param corrects  the end that it was taken to have come to before
   */
  announce(upgrade: Upgrade, corrects?: Upgrade['state']): void {
    const { state, cpeid, commandKey, fromVersion, targetVersion, repeats, result } = upgrade;
    const { matchedBy, reportedBy } = upgrade;
    const fields = {
      cpeid,
      commandKey,
      ...toldCampaign(upgrade, this.#devices.directory.known),
      fromVersion,
      targetVersion,
      repeats,
      message: result.message,
      ...(matchedBy !== undefined && { matchedBy }),
      ...(reportedBy !== undefined && { reportedBy }),
      ...(corrects !== undefined && { corrects }),
    };
    if (state === 'failed' || state === 'timed-out') this.#logger.warn(`upgrade.${state}`, fields);
    else this.#logger.info(`upgrade.${state}`, fields);
    this.#metrics.upgrades.inc(state);
  }

  /**
   * Puts right the deadlines that the clock makes nothing of.
   * @param steppedMs  by how much the clock was set just now
   * @returns how many there were
   */
  mendDeadlines(steppedMs: number): Promise<number> {
    return mendDeadlines(this.#upgrades, { nowMs: this.#clock(), steppedMs, logger: this.#logger });
  }

  /** Ends what passed its deadline. Several processes may sweep at once: each change is accepted once. */
  async sweep(): Promise<number> {
    let swept = 0;
    for (;;) {
      const due = await this.#upgrades.find({ index: 'deadline', below: this.#clock(), limit: SWEEP_PAGE });
      for (const { document } of due.items) {
        const { cpeid, reportedBy = cpeid } = document;
        const device = await this.#devices.get(reportedBy);
        const after = await this.learn(reportedBy, document.id, {
          kind: 'deadline',
          version: device?.softwareVersion ?? null,
          heardSince: device !== null && isHeardSince(device, document, this.#clock()),
        });
        // Without its device nothing can be learnt of an upgrade: it ends here, or it would be due for ever.
        if (after === null) await this.#lose(document.id);
        swept++;
      }
      if (due.next === null) return swept;
    }
  }

  /** Takes a running upgrade out whose device is gone, and out of what is counted as running. */
  #lose(id: ResultId): Promise<null> {
    return untilCommitted(`The upgrade ${id}`, async () => {
      const stored = await this.#upgrades.get(id);
      if (stored === null || hasEnded(stored.document.state)) return null;
      const { document: upgrade, revision } = stored;
      const ofOwner = upgrade.owner === undefined ? [] : await this.#owned.lost(upgrade);
      const deleting = this.#upgrades.deleting(id, revision);
      const outcome = await this.#store.commit([
        deleting,
        ...this.#rules.ended(upgrade, 'cancelled'),
        ...ofOwner,
      ]);
      return outcome.committed ? null : undefined;
    });
  }

  /** Deletes ended results that are older than they are kept. */
  async purge(keptDays: number): Promise<number> {
    let purged = 0;
    const below = this.#clock() - keptDays * DAY_MS;
    for await (const { document, revision } of this.#upgrades.scan({ index: 'started', below })) {
      if (document.status && (await this.#upgrades.delete(document.id, revision))) purged++;
    }
    return purged;
  }

  async get(id: ResultId): Promise<Upgrade | null> {
    return (await this.#upgrades.get(id))?.document ?? null;
  }

  scan(filter: UpgradeFilter, turn?: Turn): AsyncIterable<Upgrade> {
    return scanUpgrades(this.#upgrades, filter, turn);
  }

  withdraw(id: ResultId): Promise<WithdrawalAnswer | null> {
    return untilCommitted(`The upgrade ${id}`, async () => {
      const stored = await this.#upgrades.get(id);
      if (stored === null) return null;
      const { document: upgrade, revision } = stored;
      if (hasEnded(upgrade.state)) return 'ended';
      if (upgrade.state === 'transferred' || upgrade.withdrawal?.isRefused === true) return 'transferred';
      if (isWithdrawn(upgrade)) return 'asked';
      const withdrawal = { askedAtMs: this.#clock(), tries: 0 };
      const isMarked = (await this.#upgrades.replace({ ...upgrade, withdrawal }, revision)) !== null;
      return isMarked ? 'asked' : undefined;
    });
  }

  async remove(ids: readonly ResultId[], by: Actor): Promise<number> {
    const stored = (await this.#upgrades.getMany([...new Set(ids)])).filter((entry) => entry !== null);
    const runningIds = stored.filter(({ document }) => !document.status).map(({ document }) => document.id);
    if (runningIds.length > 0) throw new UpgradeRunningError(runningIds);
    const organizations = await this.#devices.organizations();
    // Side by side they share their flushes.
    const removed = await Promise.all(
      stored.map(({ document }) =>
        this.#store.commit([
          this.#upgrades.deleting(document.id),
          this.#events.noting(removedResult(document, organizations, by)),
        ]),
      ),
    );
    return removed.filter(({ committed }) => committed).length;
  }
}

/** @returns the other identity of an upgrade's CPE, undefined where it has one only; null for a CPE that is none of them */
function otherIdentity({ cpeid, reportedBy }: Upgrade, asked: CpeId): CpeId | undefined | null {
  if (asked === cpeid) return reportedBy;
  return asked === reportedBy ? cpeid : null;
}

function refusalOf(upgrade: Upgrade, owner: Device, successor: Device): string | null {
  const { reportedBy = successor.id } = upgrade;
  if (owner.id === successor.id) return 'it is of this identity';
  if (reportedBy !== successor.id) return 'its CPE has come back as another already';
  if (owner.serialNumber !== successor.serialNumber) return 'the serial number is another';
  if (!hasMark(owner, upgrade.id)) return 'it is not the last of its CPE';
  const { inFlight = upgrade.id } = successor;
  return inFlight === upgrade.id ? null : 'this identity has an upgrade of its own under way';
}

/** What else changes when an upgrade ends, or is found to have ended otherwise: marks and counts of its devices, and its rule's campaign. */
function ending(before: Upgrade, after: Upgrade, evidence: Evidence, device: Device): Ending {
  // What is learnt late corrects the record; the CPE's failures counted it when it ended first.
  const isLate = hasEnded(before.state);
  const counted = endOf(after, evidence, device, isLate);
  return {
    counted,
    previously: isLate ? countedAs(before) : undefined,
    of: (each: Device): Device => deviceAfter(each, after, counted, isLate),
  };
}
