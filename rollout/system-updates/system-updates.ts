import type { Device, Devices } from '../../acs/index.js';
import type { BatchId, Clock, CpeId, Logger, Turn } from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import type { Image, ImageLibrary } from '../../firmware/index.js';
import { type Change, type Collection, type Store, type Stored, untilCommitted } from '../../store/index.js';
import { BatchError } from '../batches/index.js';
import type { CpeUpgrade, CpeUpgrades, CpeUpgradesNow } from '../cpe-upgrades/index.js';
import { type Operations, operationIdOf, operationImageOf } from '../operations/index.js';
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

/** What a history tells of beside what the CPE came with. */
const HISTORY_MAX = 99;

export interface SystemUpdatesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly devices: Pick<Devices, 'get' | 'isWaiting'>;
  readonly images: Pick<ImageLibrary, 'withNumber' | 'open'>;
  readonly fitting: FittingImages;
  readonly operations: Pick<Operations, 'get'>;
  readonly cpeUpgrades: CpeUpgrades;
}

/** All there is to go by, read at one time. */
interface Situation {
  readonly device: Device;
  readonly stored: Stored<SystemUpdateRecord> | null;
  readonly now: CpeUpgradesNow;
  readonly standing: SystemUpdateStanding;
}

/** The software updates of CPEs, each of which is made ready, started and put away. */
export class SystemUpdates {
  readonly #parts: SystemUpdatesParts;
  readonly #records: Collection<SystemUpdateRecord>;
  readonly #events: EventLog;
  readonly #closing = new AbortController();
  /** What this process is making ready. */
  readonly #preparing = new Map<CpeId, Promise<void>>();

  constructor(parts: SystemUpdatesParts) {
    this.#parts = parts;
    this.#records = parts.store.collection<SystemUpdateRecord>(SYSTEM_UPDATES);
    this.#events = new EventLog(parts);
  }

  /**
   * The update of a CPE as it stands. Where it is being made ready, and nobody does by now, this process goes on with it.
   * @throws SystemUpdateError `no-device`; StoreError
   */
  async of(cpeid: CpeId): Promise<SystemUpdate> {
    const { device, standing } = await this.#situation(cpeid);
    if (standing.state === 'initializing') this.#goOn(cpeid);
    return { ...standing, history: await this.#history(device) };
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
   * @throws SystemUpdateError `not-initialized`, `no-image` where the image is gone meanwhile, `not-enrolled`, `no-device`
   */
  async start(cpeid: CpeId, by: Actor): Promise<void> {
    await untilCommitted(`The update of ${cpeid}`, async () => {
      const situation = await this.#situation(cpeid);
      const { device, stored, standing } = situation;
      if (standing.state !== 'initialized' || stored?.document.phase !== 'initialized')
        throw refused('not-initialized', standing);
      if (this.#parts.devices.isWaiting(device)) throw refused('not-enrolled', standing);
      const { image, targetVersion } = stored.document;
      const found: Image | null = await this.#parts.images.withNumber(image.number);
      if (found === null) throw refused('no-image', standing);
      const organization = await this.#parts.fitting.organizationOf(device);
      try {
        await this.#parts.cpeUpgrades.start(
          {
            cpeids: [cpeid],
            image: found.name,
            through: 'system-update',
            ...(organization !== null && { organization }),
            along: (batch: BatchId) =>
              this.#becoming(
                situation,
                { phase: 'started', image, targetVersion, batch },
                'update-started',
                by,
                organization,
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

  /** Resolves once this process makes nothing ready any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#preparing.values());
  }

  /** Ends; what was being made ready another process goes on with, or this one after its next start. */
  async close(): Promise<void> {
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
    const stored = await this.#records.get(cpeid);
    const record =
      stored !== null && stored.document.deviceSinceMs === device.registeredMs ? stored.document : null;
    // In this order: what has ended by the one has by the other.
    const operation =
      record?.phase === 'started'
        ? await this.#parts.operations.get(operationIdOf(record.batch, cpeid))
        : null;
    const now = await this.#parts.cpeUpgrades.now(cpeid);
    const { registeredMs } = device;
    return { device, stored, now, standing: standingOf({ record, operation, now, registeredMs }) };
  }

  /** @returns undefined where somebody else has changed it meanwhile */
  async #become(
    situation: Situation,
    what: SystemUpdatePhase,
    action: string,
    by: Actor,
  ): Promise<true | undefined> {
    const organization = await this.#parts.fitting.organizationOf(situation.device);
    const { committed } = await this.#parts.store.commit(
      this.#becoming(situation, what, action, by, organization),
    );
    return committed || undefined;
  }

  #becoming(
    { device, stored, now }: Pick<Situation, 'device' | 'stored' | 'now'>,
    what: SystemUpdatePhase,
    action: string,
    by: Actor,
    organization: string | null,
  ): readonly Change[] {
    const record: SystemUpdateRecord = {
      ...what,
      id: device.id,
      deviceSinceMs: device.registeredMs,
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
    if (this.#preparing.has(cpeid) || this.#closing.signal.aborted) return;
    const preparing = this.#prepare(cpeid)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted)
          this.#parts.logger.warn('system-update.not-prepared', { cpeid, error });
      })
      .finally(() => this.#preparing.delete(cpeid));
    this.#preparing.set(cpeid, preparing);
  }

  /** Where somebody else has done the same, or put it away, that stays. */
  async #prepare(cpeid: CpeId): Promise<void> {
    const stored = await this.#records.get(cpeid);
    if (stored?.document.phase !== 'initializing') return;
    const { image, targetVersion, by, seen } = stored.document;
    const problem = await whyNotReady(this.#parts, cpeid, image, this.#closing.signal);
    const device = await this.#parts.devices.get(cpeid);
    if (device === null) return;
    const what: SystemUpdatePhase =
      problem === null
        ? { phase: 'initialized', image, targetVersion }
        : { phase: 'not-initialized', image, targetVersion, problem };
    const organization = await this.#parts.fitting.organizationOf(device);
    const record: SystemUpdateRecord = { ...stored.document, ...what, seen, atMs: this.#parts.clock() };
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

  async #history(device: Device): Promise<readonly InstalledVersion[]> {
    const verified = await this.#parts.cpeUpgrades.verified(device.id, HISTORY_MAX);
    const oldest = verified.at(-1);
    const cameWith = oldest === undefined ? (device.softwareVersion ?? null) : oldest.fromVersion;
    return [
      { version: cameWith, atMs: device.registeredMs },
      ...verified.map(({ version, atMs }) => ({ version, atMs })).reverse(),
    ];
  }
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
