import { randomUUID } from 'node:crypto';
import {
  type Clock,
  type CommandKey,
  type CpeId,
  DAY_MS,
  type Logger,
  MINUTE_MS,
  type ResultId,
} from '../../common/index.js';
import {
  DEFAULT_DEADLINES,
  type Decision,
  NO_COUNT,
  type RuleCount,
  type Rules,
  type StoredRule,
  type UpgradeEnd,
} from '../../rules/index.js';
import { type Change, type Collection, type Store, type Stored, untilCommitted } from '../../store/index.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import { advance, type Evidence, hasEnded, RUNNING } from './life.js';
import {
  newestFirst,
  UPGRADES,
  type Upgrade,
  type UpgradeFilter,
  type UpgradePlace,
  UpgradeRunningError,
  type Upgrades,
} from './upgrade.js';

/** A Download refused as busy does not use up an execution, but not for ever. */
const GIVEN_BACK_MAX = 5;
const FAULT_RESOURCES_EXCEEDED = 9004;
const SWEEP_PAGE = 200;

type UpgradeDecision = Extract<Decision, { kind: 'upgrade' }>;
type AtTargetDecision = Extract<Decision, { kind: 'at-target' }>;

/** TR-069 A.3.2.8 allows a CommandKey of 32 characters: the uuid without its hyphens. */
export function commandKeyOf(id: ResultId): CommandKey {
  return id.replaceAll('-', '') as CommandKey;
}

/** The result a CommandKey names; null where it is none of ours. */
export function resultIdOf(commandKey: string): ResultId | null {
  const parts = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(commandKey);
  return parts === null ? null : (parts.slice(1).join('-') as ResultId);
}

export function stateMsMaxOf(rule: StoredRule): Upgrade['stateMsMax'] {
  const deadlines = { ...DEFAULT_DEADLINES, ...rule.deadlines };
  return {
    sent: deadlines.sentMinutes * MINUTE_MS,
    accepted: deadlines.acceptedMinutes * MINUTE_MS,
    transferred: deadlines.transferredMinutes * MINUTE_MS,
  };
}

/** The upgrades in the store: begun by a decision, moved on by evidence, swept at their deadlines. */
export class UpgradeStore implements Upgrades {
  readonly #store: Store;
  readonly #upgrades: Collection<Upgrade>;
  readonly #devices: DeviceStore;
  readonly #rules: Rules;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: AcsMetrics;

  constructor(parts: {
    store: Store;
    devices: DeviceStore;
    rules: Rules;
    clock: Clock;
    logger: Logger;
    metrics: AcsMetrics;
  }) {
    this.#store = parts.store;
    this.#upgrades = parts.store.collection<Upgrade>(UPGRADES);
    this.#devices = parts.devices;
    this.#rules = parts.rules;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#metrics = parts.metrics;
  }

  /**
   * What reserves an upgrade: the device with its mark and count, and the changes for the same commit, which refuses unless the rule
   * is still as it was decided on. Nothing is sent before that commit is durable.
   */
  reserving(
    device: Device,
    decision: UpgradeDecision,
    fileType: string,
  ): { device: Device; upgrade: Upgrade; with: Change[] } {
    const nowMs = this.#clock();
    const id = randomUUID() as ResultId;
    const stateMsMax = stateMsMaxOf(decision.rule);
    const upgrade: Upgrade = {
      ...newUpgrade(id, device, decision),
      fileType,
      share: decision.share,
      state: 'sent',
      status: false,
      result: RUNNING.sent,
      startedAtMs: nowMs,
      updatedAtMs: nowMs,
      deadlineAtMs: nowMs + stateMsMax.sent,
      stateMsMax,
    };
    const count = device.counts[decision.countKey] ?? NO_COUNT;
    // From here on a new version speaks for this upgrade: one that had timed out is corrected by its own CommandKey only.
    const { late: _, ...rest } = device;
    return {
      device: {
        ...withCount(rest, upgrade, { ...count, started: count.started + 1 }),
        inFlight: id,
      },
      upgrade,
      with: [this.#upgrades.inserting(upgrade), ...decision.conditions],
    };
  }

  /** A pinned rule whose CPE is at its target already: a result that says so, and the rule is done with this CPE. */
  recordingAtTarget(device: Device, decision: AtTargetDecision): { device: Device; with: Change[] } {
    const nowMs = this.#clock();
    const upgrade: Upgrade = {
      ...newUpgrade(randomUUID() as ResultId, device, decision),
      state: 'verified',
      status: true,
      result: { code: 200, message: `already at target version ${decision.targetVersion}` },
      startedAtMs: nowMs,
      updatedAtMs: nowMs,
      stateMsMax: stateMsMaxOf(decision.rule),
    };
    const count = device.counts[decision.countKey] ?? NO_COUNT;
    return {
      device: withCount(device, upgrade, { ...count, verified: true }),
      with: [this.#upgrades.inserting(upgrade)],
    };
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
      const [stored, storedDevice] = await Promise.all([this.#upgrades.get(id), this.#devices.read(cpeid)]);
      if (stored === null || storedDevice === null || stored.document.cpeid !== cpeid) return null;
      const before = stored.document;
      const { evidence, conditions } = await gather(before, storedDevice.document);
      const after = advance(before, evidence, this.#clock());
      if (after === before) return { before, after };
      const changes = [this.#upgrades.replacing(after, stored.revision), ...conditions];
      if (hasEnded(after.state)) changes.push(...this.#ending(before, after, evidence, storedDevice));
      if (!(await this.#store.commit(changes)).committed) return undefined;
      if (after.state !== before.state) this.announce(after);
      return { before, after };
    });
  }

  /** What else changes when an upgrade ends: its device's mark and count, and its rule's campaign. */
  #ending(before: Upgrade, after: Upgrade, evidence: Evidence, device: Stored<Device>): Change[] {
    // What is learnt late corrects the record; the CPE's failures counted it at its time-out.
    const late = hasEnded(before.state);
    const end = endOf(after, evidence, device.document, late);
    return [
      this.#devices.replacing(deviceAfter(device.document, after, end, late), device.revision),
      ...this.#rules.ended(after, end, late ? 'timed-out' : undefined),
    ];
  }

  /** Says in log and metrics what state an upgrade has come into. */
  announce(upgrade: Upgrade): void {
    const { state, cpeid, commandKey, campaignid, fromVersion, targetVersion, repeats, result } = upgrade;
    const versions = { fromVersion, targetVersion };
    const fields = { cpeid, commandKey, campaignid, ...versions, repeats, message: result.message };
    if (state === 'failed' || state === 'timed-out') this.#logger.warn(`upgrade.${state}`, fields);
    else this.#logger.info(`upgrade.${state}`, fields);
    this.#metrics.upgrades.inc(state);
  }

  /** Ends what passed its deadline. Several processes may sweep at once: each change is accepted once. */
  async sweep(): Promise<number> {
    let swept = 0;
    for (;;) {
      const due = await this.#upgrades.find({ index: 'deadline', below: this.#clock(), limit: SWEEP_PAGE });
      for (const { document } of due.items) {
        const device = await this.#devices.get(document.cpeid);
        const after = await this.learn(document.cpeid, document.id, {
          kind: 'deadline',
          version: device?.softwareVersion ?? null,
          heardSince: device !== null && device.lastInformMs > document.updatedAtMs,
        });
        // Without its device nothing can be learnt of an upgrade: it ends here, or it would be due for ever.
        if (after === null) await this.#upgrades.delete(document.id);
        swept++;
      }
      if (due.next === null) return swept;
    }
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

  async *scan(filter: UpgradeFilter): AsyncIterable<Upgrade> {
    if (filter.ids !== undefined) {
      const found = await Promise.all([...new Set(filter.ids)].map((id) => this.get(id as ResultId)));
      const known = found.filter((upgrade) => upgrade !== null);
      yield* known.filter((upgrade) => isAfter(upgrade, filter.after)).sort(newestFirst);
      return;
    }
    const { after } = filter;
    // Several ranges are each newest first; put together they are sorted by whoever asked for more than one.
    for (const { fields, ...range } of indexRanges(filter)) {
      const query = { ...range, order: 'descending' } as const;
      const cursor = after === undefined ? null : this.#upgrades.cursorAt(query, { ...fields, ...after });
      const from = cursor === null ? query : { ...query, after: cursor };
      for await (const { document } of this.#upgrades.scan(from)) {
        if (isAfter(document, after)) yield document;
      }
    }
  }

  async remove(ids: readonly ResultId[]): Promise<number> {
    const stored = (await this.#upgrades.getMany([...new Set(ids)])).filter((entry) => entry !== null);
    const runningIds = stored.filter(({ document }) => !document.status).map(({ document }) => document.id);
    if (runningIds.length > 0) throw new UpgradeRunningError(runningIds);
    // Side by side they share their flushes.
    const removed = await Promise.all(stored.map(({ document }) => this.#upgrades.delete(document.id)));
    return removed.filter((was) => was).length;
  }
}

/** Ranges of an index, with what every document in one has. */
function indexRanges({ cpeids, campaignids, status }: UpgradeFilter) {
  if (cpeids !== undefined) {
    return [...new Set(cpeids)].map((cpeid) => ({ index: 'cpe', equals: [cpeid], fields: { cpeid } }));
  }
  if (campaignids !== undefined) {
    return [...new Set(campaignids)].map((campaignid) => ({
      index: 'campaign',
      equals: [campaignid],
      fields: { campaignid },
    }));
  }
  return [
    status === undefined
      ? { index: 'started', fields: {} }
      : { index: 'status', equals: [status], fields: { status } },
  ];
}

function isAfter(upgrade: Upgrade, place: UpgradePlace | undefined): boolean {
  return place === undefined || newestFirst(place, upgrade) < 0;
}

function newUpgrade(id: ResultId, device: Device, decision: UpgradeDecision | AtTargetDecision) {
  return {
    id,
    commandKey: commandKeyOf(id),
    cpeid: device.id,
    campaignid: decision.rule.id,
    countKey: decision.countKey,
    ruleDescription: decision.rule.description,
    file: decision.rule.file,
    targetVersion: decision.targetVersion,
    fromVersion: device.softwareVersion ?? null,
  };
}

function endOf(upgrade: Upgrade, evidence: Evidence, device: Device, late: boolean): UpgradeEnd {
  const givenBack = device.counts[upgrade.countKey]?.givenBack ?? 0;
  const busy = evidence.kind === 'download-fault' && evidence.fault.faultCode === FAULT_RESOURCES_EXCEEDED;
  if (busy && !late && givenBack < GIVEN_BACK_MAX) return 'given-back';
  switch (upgrade.state) {
    case 'verified':
    case 'failed':
    case 'timed-out':
    case 'cancelled':
      return upgrade.state;
    default:
      throw new Error(`An upgrade in state ${upgrade.state} has not ended`);
  }
}

/** The device without its mark, with what the end means for further executions. */
function deviceAfter(device: Device, upgrade: Upgrade, end: UpgradeEnd, isLate: boolean): Device {
  const count = device.counts[upgrade.countKey] ?? NO_COUNT;
  const { inFlight, late, ...rest } = device;
  const own = upgrade.id;
  return {
    ...withCount(
      rest,
      upgrade,
      isLate && end !== 'verified' ? count : countAfter(count, end, upgrade.updatedAtMs),
    ),
    ...(inFlight !== undefined && inFlight !== own && { inFlight }),
    // Whatever is heard later may still say how it ended.
    ...(end === 'timed-out' ? { late: own } : late !== undefined && late !== own && { late }),
  };
}

function countAfter(count: RuleCount, end: UpgradeEnd, nowMs: number): RuleCount {
  switch (end) {
    case 'verified':
      return { ...count, verified: true, failures: 0, lastEndedMs: nowMs };
    case 'given-back':
      return {
        ...count,
        started: Math.max(0, count.started - 1),
        givenBack: count.givenBack + 1,
        failures: count.failures + 1,
        lastEndedMs: nowMs,
      };
    case 'failed':
    case 'timed-out':
    case 'cancelled':
      return { ...count, failures: count.failures + 1, lastEndedMs: nowMs };
    default:
      return end satisfies never;
  }
}

function withCount(device: Device, upgrade: Upgrade, count: RuleCount): Device {
  return { ...device, counts: { ...device.counts, [upgrade.countKey]: count } };
}
