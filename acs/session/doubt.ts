import { type Clock, type CommandKey, type Logger, SECOND_MS } from '../../common/index.js';
import type { DownloadLocation } from '../../firmware/index.js';
import { isDecidedImage, type Repeat, type Rules } from '../../rules/index.js';
import { contextOf, ruledBy } from '../device/context.js';
import type { Device } from '../device/device.js';
import type { DeviceStore } from '../device/device-store.js';
import type { AcsMetrics } from '../metrics/acs-metrics.js';
import type { CwmpNamespace, Download } from '../soap/index.js';
import { urlDigestOf } from '../upgrade/beginning.js';
import { matchKey } from '../upgrade/command-key.js';
import { DOUBT_MS_MAX } from '../upgrade/deadlines.js';
import type { Evidence } from '../upgrade/life.js';
import { toldCampaign } from '../upgrade/told-result.js';
import { repeatsOf, type Upgrade } from '../upgrade/upgrade.js';
import type { UpgradeStore } from '../upgrade/upgrade-store.js';
import { isWithdrawn } from '../upgrade/withdrawal.js';
import { fetchedBy, type LocateUpgradeFile } from './file-location.js';
import type { DownloadNow, QueueQuestion, SessionFacts } from './session.js';

/** Where neither Ferry has set a periodic interval nor the CPE has told its own. */
const INTERVAL_SECONDS_DEFAULT = 3_600;
/** Of the interval: a CPE that comes back after just one is not to be put off for another. */
const WAIT_SHARE = 0.9;

type QueueEvidence = Extract<Evidence, { kind: 'queue' }>;

export interface DoubtParts {
  readonly devices: DeviceStore;
  readonly upgrades: UpgradeStore;
  readonly rules: Rules;
  readonly provisioning: { readonly periodicInformSeconds: number };
  readonly locate: LocateUpgradeFile;
  readonly metrics: AcsMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What became of a doubt; also the label of its metric. */
export type DoubtOutcome =
  | 'accepted'
  | 'transferred'
  | 'resent'
  | 'failed'
  | 'cancelled'
  | 'waiting'
  | 'held'
  /** By other word of the CPE, or by another session of it. */
  | 'overtaken';

/** A CPE is asked before anything is sent to it that it may have already. */
export class Doubts {
  readonly #parts: DoubtParts;

  constructor(parts: DoubtParts) {
    this.#parts = parts;
  }

  /** What to ask the CPE about the upgrade that was under way when its session began; null where that is settled. */
  async question({ cpeid, doubt, style }: SessionFacts): Promise<QueueQuestion | null> {
    if (doubt === null) return null;
    const { upgradeId, repeats, announced } = doubt;
    if (announced) {
      await this.#parts.upgrades.learn(cpeid, upgradeId, { kind: 'download-response', status: 1 });
      this.#parts.metrics.doubts.inc('accepted');
      return null;
    }
    const upgrade = await this.#parts.upgrades.get(upgradeId);
    if (upgrade?.state !== 'sent' || repeatsOf(upgrade) !== repeats) return null;
    return { request: requestOf(style.namespace), upgradeId, repeats };
  }

  /** What to ask the CPE before the next upgrade is begun; null where none has timed out, of which it may have the Download still. */
  questionBefore(device: Device, { style }: SessionFacts): QueueQuestion | null {
    if (device.late === undefined) return null;
    return { request: requestOf(style.namespace), upgradeId: device.late, repeats: null };
  }

  /**
   * Takes the CPE's answer to a question, durably.
   * @param commandKeys  of what it has queued; null where it does not tell
   */
  async answered(
    question: QueueQuestion,
    commandKeys: readonly string[] | null,
    facts: SessionFacts,
    ip: string,
  ): Promise<{ readonly kind: 'go-on' | 'nothing' } | DownloadNow> {
    const upgrade = await this.#parts.upgrades.get(question.upgradeId);
    if (upgrade === null) return { kind: 'go-on' };
    const found = foundIn(commandKeys, upgrade.commandKey);
    const { repeats } = question;
    if (repeats !== null) return this.#resolve({ ...question, repeats }, found, facts, ip);
    if (found !== 'queued') return { kind: 'go-on' };
    // It would be downloading twice. What it has queued, it will report; and it is asked again before the next upgrade.
    const { cpeid } = facts;
    this.#parts.logger.warn('upgrade.still-queued', { cpeid, commandKey: upgrade.commandKey });
    return { kind: 'nothing' };
  }

  async #resolve(
    { upgradeId, repeats }: QueueQuestion & { readonly repeats: number },
    found: QueueEvidence['found'],
    { cpeid, events }: SessionFacts,
    ip: string,
  ): Promise<{ readonly kind: 'go-on' } | DownloadNow> {
    const { devices, upgrades, clock, logger, metrics } = this.#parts;
    const periodic = events.includes('2 PERIODIC');
    const seen: { location: DownloadLocation | null; version: string | null } = {
      location: null,
      version: null,
    };
    const learnt = await upgrades.learnBy(cpeid, upgradeId, async (upgrade, device) => {
      // What its Inform or a reading has shown in this session.
      seen.version = device.softwareVersion ?? null;
      const waits = await this.#waits(device);
      const organizations = await devices.organizations();
      const may =
        found === 'queued' || isWithdrawn(upgrade)
          ? HELD_UNASKED
          : await this.#parts.rules.mayRepeat(upgrade, {
              context: contextOf(device, { events, ip, nowMs: clock(), organizations }),
              ...ruledBy(device, organizations),
              readParameters: (subtrees) => devices.parameterStore.tree(cpeid, subtrees),
            });
      const there =
        may.kind === 'allowed' ? await this.#parts.locate(fetchedBy(upgrade, may.rule), ip) : null;
      seen.location = there !== null && isDecidedImage(upgrade, there) ? there : null;
      const repeat: Repeat =
        may.kind === 'allowed' && seen.location === null ? { kind: 'held', reason: 'image-missing' } : may;
      const conditions = repeat.kind === 'allowed' ? repeat.conditions : [];
      const { version, location } = seen;
      const sending = location === null ? {} : { urlDigest: urlDigestOf(location.url) };
      return {
        evidence: { kind: 'queue', found, repeats, version, repeat, ...waits, periodic, ...sending },
        conditions,
      };
    });
    if (learnt === null) return { kind: 'go-on' };
    const { before, after } = learnt;
    const { location, version } = seen;
    const outcome = outcomeOf(before, after, repeats);
    const { commandKey } = after;
    const campaign = toldCampaign(after, devices.directory.known);
    logger.info('upgrade.doubted', {
      cpeid,
      commandKey,
      ...campaign,
      found,
      outcome,
      repeats: after.repeats,
    });
    metrics.doubts.inc(outcome);
    if (outcome === 'transferred') {
      // The version that says so is proof already.
      await upgrades.learn(cpeid, upgradeId, { kind: 'quiet', boot: false, applying: true, version });
    }
    if (outcome !== 'resent' || location === null) return { kind: 'go-on' };
    const download = downloadOf(commandKey, location);
    return { kind: 'download', download, upgradeId, repeats: repeatsOf(after) };
  }

  /**
   * How long a CPE that does not tell is given to say of itself that it has the Download: until it has called once more. Where the answer to
   * its provisioning was lost it may call by Ferry's interval, and nobody knows; but its periodic Inform says so. One that has refused it
   * calls by its own.
   */
  async #waits(device: Device): Promise<Pick<QueueEvidence, 'waitMs' | 'periodicWaitMs'>> {
    const { periodicInformSeconds } = this.#parts.provisioning;
    const isSet = periodicInformSeconds > 0 && device.provisioning === 'done';
    const seconds = isSet ? periodicInformSeconds : await this.#toldIntervalSeconds(device);
    const mayBeSet = periodicInformSeconds > 0 && device.provisioning !== 'refused';
    const shortestSeconds = mayBeSet ? Math.min(periodicInformSeconds, seconds) : seconds;
    return { waitMs: waitMsOf(seconds), periodicWaitMs: waitMsOf(shortestSeconds) };
  }

  async #toldIntervalSeconds(device: Device): Promise<number> {
    const parameters = await this.#parts.devices.parameters(device.id);
    const seconds = Number(parameters[`${device.root}.ManagementServer.PeriodicInformInterval`]);
    return seconds >= 1 ? seconds : INTERVAL_SECONDS_DEFAULT;
  }
}

function waitMsOf(intervalSeconds: number): number {
  return Math.min(intervalSeconds * SECOND_MS, DOUBT_MS_MAX) * WAIT_SHARE;
}

/** A Download that the CPE has queued, or that was withdrawn, is not repeated, whatever the rule says. */
const HELD_UNASKED: Repeat = { kind: 'held', reason: 'queued' };

export function downloadOf(commandKey: CommandKey, location: DownloadLocation): Download {
  return {
    type: 'Download',
    commandKey,
    fileType: location.fileType,
    url: location.url,
    username: location.username,
    password: location.password,
    fileSizeBytes: location.sizeBytes,
    targetFileName: location.targetFileName,
    delaySeconds: 0,
  };
}

/** GetAllQueuedTransfers came with cwmp-1-1, and is the one that later versions have kept. */
function requestOf(namespace: CwmpNamespace): QueueQuestion['request'] {
  return namespace === 'urn:dslforum-org:cwmp-1-0' ? 'GetQueuedTransfers' : 'GetAllQueuedTransfers';
}

function foundIn(commandKeys: readonly string[] | null, commandKey: CommandKey): QueueEvidence['found'] {
  if (commandKeys === null) return 'untold';
  return commandKeys.some((queued) => matchKey(queued, commandKey) !== null) ? 'queued' : 'absent';
}

function outcomeOf(before: Upgrade, after: Upgrade, repeats: number): DoubtOutcome {
  if (before.state !== 'sent' || repeatsOf(before) !== repeats) return 'overtaken';
  switch (after.state) {
    case 'sent':
      if (repeatsOf(after) > repeats) return 'resent';
      return after.doubtUntilMs === undefined ? 'held' : 'waiting';
    case 'accepted':
    case 'transferred':
    case 'failed':
    case 'cancelled':
      return after.state;
    case 'verified':
    case 'timed-out':
      throw new Error(`A queue does not make an upgrade ${after.state}`);
    default:
      return after.state satisfies never;
  }
}
