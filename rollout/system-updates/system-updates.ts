import type { Device, Devices } from '../../acs/index.js';
import type { BatchId, Clock, CpeId, Logger, MonotonicClock, Turn } from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import type { ImageLibrary } from '../../firmware/index.js';
import {
  type Change,
  type Collection,
  type Store,
  type Stored,
  Sweep,
  untilCommitted,
} from '../../store/index.js';
import { BatchError } from '../batches/index.js';
import type { CpeUpgrade, CpeUpgrades, CpeUpgradesNow } from '../cpe-upgrades/index.js';
import { type Operations, operationImageOf } from '../operations/index.js';
import type { FittingImages } from './fitting-images.js';
import { whyNotReady } from './preparing.js';
import { seenEnd, standingOf } from './standing.js';
import {
  type InstalledVersion,
  SYSTEM_UPDATES,
  type SystemUpdate,
  SystemUpdateError,
  type SystemUpdatePhase,
  type SystemUpdateRecord,
  type SystemUpdateStanding,
} from './system-update.js';
import { WholeContents } from './whole-contents.js';

/** What a history tells of beside what the CPE came with. */
const HISTORY_MAX = 99;
/** So many are made ready at a time by one process; the others wait. */
const PREPARING_MAX = 2;

export interface SystemUpdatesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
  readonly devices: Pick<Devices, 'get' | 'isWaiting'>;
  readonly images: Pick<ImageLibrary, 'open'>;
  readonly fitting: FittingImages;
  readonly operations: Pick<Operations, 'of'>;
  readonly cpeUpgrades: CpeUpgrades;
}

/** All there is to go by, read at one time. */
interface Situation {
  readonly device: Device;
  /** The id of its organization; null: it is of none. */
  readonly organization: string | null;
  /** What stands there, whoever's it is: it is replaced. */
  readonly stored: Stored<SystemUpdateRecord> | null;
  /** What of it counts for this CPE. */
  readonly record: SystemUpdateRecord | null;
  readonly now: CpeUpgradesNow;
  /** When the CPE came, under whichever identity. Nothing of before is its own. */
  readonly sinceMs: number;
  readonly standing: SystemUpdateStanding;
}

/** The software updates of CPEs, each of which is made ready, started and put away. */
export class SystemUpdates {
  readonly #parts: SystemUpdatesParts;
  readonly #records: Collection<SystemUpdateRecord>;
  readonly #events: EventLog;
  readonly #closing = new AbortController();
  readonly #contents: WholeContents;
  /** What this process is making ready. */
  readonly #preparing = new Map<CpeId, Promise<void>>();
  /** What waits for that, the first to come first. */
  readonly #waiting = new Set<CpeId>();
  readonly #sweep: Sweep<SystemUpdateRecord>;

  constructor(parts: SystemUpdatesParts) {
    this.#parts = parts;
    this.#records = parts.store.collection<SystemUpdateRecord>(SYSTEM_UPDATES);
    this.#sweep = new Sweep(this.#records, parts.monotonic);
    this.#events = new EventLog(parts);
    this.#contents = new WholeContents(parts, this.#closing.signal);
  }

  /**
   * The update of a CPE as it stands. Where it is being made ready this process goes on with it, as who began it may be gone.
   * @throws SystemUpdateError `no-device`; StoreError
   */
  async of(cpeid: CpeId): Promise<SystemUpdate> {
    const { device, sinceMs, standing } = await this.#situation(cpeid);
    if (standing.state === 'initializing') this.#goOn(cpeid);
    return { ...standing, history: await this.#history(device, sinceMs) };
  }

  /**
   * Has the newest image that fits a CPE made ready for it, in the background. Durable when it resolves.
   * @param turn  when each page of images is read
   * @throws SystemUpdateError `not-idle`, `no-image`, `not-enrolled`, `no-device`
   */
  async initialize(cpeid: CpeId, by: Actor, turn?: Turn): Promise<void> {
    await untilCommitted(`The update of ${cpeid}`, async () => {
      const situation = await this.#situation(cpeid);
      const { device, standing } = situation;
      if (standing.state !== 'idle') throw refused('not-idle', standing);
      if (this.#parts.devices.isWaiting(device)) throw refused('not-enrolled', standing);
      const newest = await this.#parts.fitting.newest(device, turn);
      const image = newest === null ? null : operationImageOf(newest);
      if (newest === null || image === null) throw refused('no-image', standing);
      const targetVersion = newest.softwareVersion ?? null;
      return this.#become(
        situation,
        { phase: 'initializing', image, targetVersion },
        'update-initializing',
        by,
      );
    });
    this.#goOn(cpeid);
  }

  /**
   * Starts what was made ready. Durable when it resolves.
   * @throws SystemUpdateError `not-initialized`, `no-image` where the image is gone meanwhile, would not be sent, or its name means another, `not-enrolled`, `no-device`
   */
  async start(cpeid: CpeId, by: Actor): Promise<void> {
    await untilCommitted(`The update of ${cpeid}`, async () => {
      const situation = await this.#situation(cpeid);
      const { device, organization, record, standing } = situation;
      if (standing.state !== 'initialized' || record?.phase !== 'initialized')
        throw refused('not-initialized', standing);
      if (this.#parts.devices.isWaiting(device)) throw refused('not-enrolled', standing);
      const { image, targetVersion } = record;
      const found = await this.#parts.fitting.withNumber(device, image.number);
      if (found === null || (await this.#parts.fitting.whyNotSent(found)) !== null)
        throw refused('no-image', standing);
      try {
        await this.#parts.cpeUpgrades.start(
          {
            cpeids: [cpeid],
            image: found.name,
            imageNumber: image.number,
            through: 'system-update',
            ...(organization !== null && { organization }),
            along: (batch: BatchId) =>
              this.#becoming(
                situation,
                { phase: 'started', image, targetVersion, batch },
                'update-started',
                by,
              ),
          },
          by,
        );
        return true;
      } catch (error) {
        if (!(error instanceof BatchError)) throw error;
        // Somebody else has started it, or put it away, meanwhile: looked at anew.
        if (error.code === 'moved') return undefined;
        throw error.code === 'no-image' ? refused('no-image', standing) : error;
      }
    });
  }

  /**
   * Puts away what was made ready, or has failed, and withdraws what was started here and not sent yet.
   * @throws SystemUpdateError `not-own` for what runs, or waits by another; `no-device`
   */
  async reset(cpeid: CpeId, by: Actor): Promise<void> {
    await untilCommitted(`The update of ${cpeid}`, async () => {
      const situation = await this.#situation(cpeid);
      const { now, standing } = situation;
      switch (standing.state) {
        case 'idle':
          if (now.waiting !== null) throw refused('not-own', standing, now.waiting);
          return true;
        case 'running':
          return this.#withdrawn(situation, by);
        case 'initializing':
        case 'initialized':
        case 'failed':
        case 'lost':
          return this.#become(situation, { phase: 'reset' }, 'update-reset', by);
        default:
          return standing.state satisfies never;
      }
    });
  }

  /**
   * Deletes what is kept of CPEs that were removed, or came anew: some of it, and nothing for an hour once all was looked at. To be called now
   * and then, by one process.
   * @throws StoreError
   */
  async forgetGone(): Promise<void> {
    await this.#sweep.next(async ({ document: { id, deviceSinceMs }, revision }) => {
      const device = await this.#parts.devices.get(id);
      if (device?.registeredMs !== deviceSinceMs) await this.#records.delete(id, revision);
    });
  }

  /** Resolves once this process makes nothing ready any more. */
  async settled(): Promise<void> {
    while (this.#preparing.size > 0) await Promise.all(this.#preparing.values());
  }

  /** Ends; what was being made ready another process goes on with, or this one after its next start. */
  async close(): Promise<void> {
    this.#waiting.clear();
    this.#closing.abort();
    await this.settled();
  }

  /** @returns undefined where it has been sent meanwhile */
  async #withdrawn(situation: Situation, by: Actor): Promise<true | undefined> {
    const { standing } = situation;
    const { running, isWaiting } = standing;
    if (running === null || !isWaiting) throw refused('not-own', standing, running);
    if (!(await this.#parts.cpeUpgrades.withdraw(running, by))) return undefined;
    // Withdrawn it is whatever comes now: the next reset finds nothing to withdraw.
    return (await this.#become(situation, { phase: 'reset' }, 'update-reset', by)) ?? true;
  }

  async #situation(cpeid: CpeId): Promise<Situation> {
    const device = await this.#parts.devices.get(cpeid);
    if (device === null) throw new SystemUpdateError('no-device', 'idle');
    const { supersedes } = device;
    const before = supersedes === undefined ? null : await this.#parts.devices.get(supersedes);
    const sinceMs = Math.min(device.registeredMs, before?.registeredMs ?? device.registeredMs);
    const organization = await this.#parts.fitting.organizationOf(device);
    const stored = await this.#records.get(cpeid);
    const record =
      ownOf(stored, device, organization) ??
      (before === null ? null : handedOn(ownOf(await this.#records.get(before.id), before, organization)));
    // In this order: what has ended by the one has by the other.
    const operation =
      record?.phase === 'started' ? await this.#parts.operations.of(record.batch, record.id) : null;
    const { ended, ...others } = await this.#parts.cpeUpgrades.now(cpeid);
    const now = { ...others, ended: ended === null || ended.changedAtMs < sinceMs ? null : ended };
    const standing = standingOf({ record, operation, now, sinceMs, nowMs: this.#parts.clock() });
    return { device, organization, stored, record, now, sinceMs, standing };
  }

  /** @returns undefined where somebody else has changed it meanwhile */
  async #become(
    situation: Situation,
    what: SystemUpdatePhase,
    action: string,
    by: Actor,
  ): Promise<true | undefined> {
    const { committed } = await this.#parts.store.commit(this.#becoming(situation, what, action, by));
    return committed || undefined;
  }

  #becoming(
    { device, organization, stored, now }: Pick<Situation, 'device' | 'organization' | 'stored' | 'now'>,
    what: SystemUpdatePhase,
    action: string,
    by: Actor,
  ): readonly Change[] {
    const record: SystemUpdateRecord = {
      ...what,
      id: device.id,
      deviceSinceMs: device.registeredMs,
      organization,
      seen: seenEnd(now.ended),
      by,
      atMs: this.#parts.clock(),
    };
    return [
      stored === null ? this.#records.inserting(record) : this.#records.replacing(record, stored.revision),
      this.#events.noting({
        action,
        subject: 'device',
        subjectId: device.id,
        organization,
        by,
        after: shown(what),
      }),
    ];
  }

  /** In the background; whoever waits for it asks how far it is. */
  #goOn(cpeid: CpeId): void {
    if (!this.#preparing.has(cpeid)) this.#waiting.add(cpeid);
    this.#prepareNext();
  }

  #prepareNext(): void {
    for (const cpeid of this.#waiting) {
      if (this.#preparing.size >= PREPARING_MAX || this.#closing.signal.aborted) return;
      this.#waiting.delete(cpeid);
      const preparing = this.#prepare(cpeid)
        .catch((error: unknown) => {
          if (!this.#closing.signal.aborted)
            this.#parts.logger.warn('system-update.not-prepared', { cpeid, error });
        })
        .finally(() => {
          this.#preparing.delete(cpeid);
          this.#prepareNext();
        });
      this.#preparing.set(cpeid, preparing);
    }
  }

  /** Where somebody else has done the same, or put it away, that stays. */
  async #prepare(cpeid: CpeId): Promise<void> {
    const stored = await this.#records.get(cpeid);
    if (stored?.document.phase !== 'initializing') return;
    const { image, targetVersion, by, organization } = stored.document;
    const parts = { ...this.#parts, contents: this.#contents };
    const problem = await whyNotReady(parts, cpeid, image, this.#closing.signal);
    const what: SystemUpdatePhase =
      problem === null
        ? { phase: 'initialized', image, targetVersion }
        : { phase: 'not-initialized', image, targetVersion, problem };
    const record: SystemUpdateRecord = { ...stored.document, ...what, atMs: this.#parts.clock() };
    await this.#parts.store.commit([
      this.#records.replacing(record, stored.revision),
      this.#events.noting({
        action: problem === null ? 'update-initialized' : 'update-not-initialized',
        subject: 'device',
        subjectId: cpeid,
        organization,
        by,
        after: shown(what),
      }),
    ]);
  }

  async #history({ id, softwareVersion }: Device, sinceMs: number): Promise<readonly InstalledVersion[]> {
    const found = await this.#parts.cpeUpgrades.verified(id, HISTORY_MAX + 1);
    const verified = found.filter(({ atMs }) => atMs >= sinceMs).sort((one, other) => other.atMs - one.atMs);
    const told = verified.slice(0, HISTORY_MAX);
    const oldest = told.at(-1);
    // What it ran before the oldest of those that are told it did not come with, where there are more.
    const ofOldest = verified.length > told.length ? null : (oldest?.fromVersion ?? null);
    return [
      { version: oldest === undefined ? (softwareVersion ?? null) : ofOldest, atMs: sinceMs },
      ...told.map(({ version, atMs }) => ({ version, atMs })).reverse(),
    ];
  }
}

/** What is kept of a CPE, where it is of this one and of whose it is now. */
function ownOf(
  stored: Stored<SystemUpdateRecord> | null,
  { registeredMs }: Device,
  organization: string | null,
): SystemUpdateRecord | null {
  if (stored?.document.deviceSinceMs !== registeredMs) return null;
  return stored.document.organization === organization ? stored.document : null;
}

/** What of the record of a CPE holds under the identity with which it came back: not what was made ready before. */
function handedOn(record: SystemUpdateRecord | null): SystemUpdateRecord | null {
  return record?.phase === 'started' || record?.phase === 'reset' ? record : null;
}

function refused(
  code: ConstructorParameters<typeof SystemUpdateError>[0],
  { state, running }: SystemUpdateStanding,
  owner: CpeUpgrade | null = running,
): SystemUpdateError {
  return new SystemUpdateError(code, state, owner);
}

/** What the log of events says of it. */
function shown(what: SystemUpdatePhase) {
  return {
    phase: what.phase,
    ...('image' in what && { image: what.image.name }),
    ...('batch' in what && { batch: what.batch }),
    ...('problem' in what && { problem: what.problem }),
  };
}
