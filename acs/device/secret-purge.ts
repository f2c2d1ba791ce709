import { setTimeout as delay } from 'node:timers/promises';
import {
  Background,
  type Clock,
  type CpeId,
  type Logger,
  type MonotonicClock,
  SECOND_MS,
} from '../../common/index.js';
import { isSecretParameter, keptOfSecret } from '../../rules/index.js';
import {
  type Change,
  type Collection,
  type CollectionDefinition,
  type Cursor,
  type Document,
  Duty,
  isDamaged,
  type Store,
  untilCommitted,
} from '../../store/index.js';
import { type Device, PARAMETERS, type ParameterDocument } from './device.js';
import type { DeviceStore } from './device-store.js';
import { bytesOf, type Values } from './parameter-bound.js';

/** How far something has come that is done once to all that an installation has stored. */
export interface PurgeDocument extends Document {
  /** Where to go on; null: at the beginning. */
  readonly after: Cursor | null;
  /** Values that are gone; of a page that a crash cut off those are not counted that went before it. */
  readonly count: number;
  readonly isDone: boolean;
}

export const PURGES: CollectionDefinition = { name: 'purges', indexes: {} };
/** A later version that knows more names of secrets takes another, and so purges once more. */
const PURGE_ID = 'secrets-1';
/** Subtrees at a time: some milliseconds of work, and at most so many commits under one flush. */
const PAGE_SUBTREES = 100;
/** So long after the process that purges died another goes on; a page takes a second at most. */
const LEASE_MS = 30 * SECOND_MS;
/** Until it is done whoever does not have it, or has failed, looks again after so long. */
const AGAIN_MS = 10 * SECOND_MS;

export interface SecretPurgeParts {
  readonly store: Store;
  readonly devices: DeviceStore;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
}

/**
 * Takes out what an earlier version has stored of the secrets that CPEs reported: their values, and the digests of the Informs that they
 * came in. Once for an installation, by one process, beside everything else; a crash costs no more than a page. What is not purged yet
 * nobody is shown (`ParameterStore.flat`).
 */
export class SecretPurge {
  readonly #parts: SecretPurgeParts;
  readonly #purges: Collection<PurgeDocument>;
  readonly #parameters: Collection<ParameterDocument>;
  readonly #duty: Duty;
  readonly #background = new Background();
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(parts: SecretPurgeParts) {
    const { store, clock, monotonic } = parts;
    this.#parts = parts;
    this.#purges = store.collection<PurgeDocument>(PURGES);
    this.#parameters = store.collection<ParameterDocument>(PARAMETERS);
    this.#duty = new Duty({ store, clock, monotonic, id: 'secret-purge', leaseMs: LEASE_MS });
    this.#running = this.#untilDone();
  }

  /** Leaves the rest to the next start, or to another process. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    // Where the store fails the lease runs out by itself.
    await this.#duty
      .release()
      .catch((error: unknown) => this.#parts.logger.warn('parameters.lease-not-released', { error }));
  }

  async #untilDone(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (await this.#purge()) return;
      } catch (error) {
        this.#parts.logger.error('parameters.secrets-purge-failed', { error });
      }
      await delay(AGAIN_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /** @returns whether there is nothing left to do, for any process */
  async #purge(): Promise<boolean> {
    const stored = await this.#purges.get(PURGE_ID);
    let progress: PurgeDocument = stored?.document ?? { id: PURGE_ID, after: null, count: 0, isDone: false };
    let hasLooked = progress.after !== null;
    while (!progress.isDone) {
      if (this.#stopping.signal.aborted || !(await this.#duty.isOurs())) return false;
      const { after, count } = progress;
      const query = { limit: PAGE_SUBTREES, ...(after !== null && { after }) };
      const page = await this.#background.turn('page', () => this.#parameters.find(query));
      hasLooked ||= page.items.length > 0;
      const goneCount = await this.#purgePage(page.items.map(({ document }) => document));
      progress = { ...progress, after: page.next, count: count + goneCount, isDone: page.next === null };
      await this.#purges.put(progress);
      if (progress.isDone && hasLooked)
        this.#parts.logger.info('parameters.secrets-purged', { count: progress.count });
    }
    return true;
  }

  async #purgePage(documents: readonly ParameterDocument[]): Promise<number> {
    const subtreesOf = new Map<CpeId, string[]>();
    for (const { id, values } of documents) {
      if (withoutSecrets(values) === null) continue;
      const cpeid = id.slice(0, id.lastIndexOf('/')) as CpeId;
      const known = subtreesOf.get(cpeid);
      if (known === undefined) subtreesOf.set(cpeid, [id]);
      else known.push(id);
    }
    const counts = await Promise.all([...subtreesOf].map(([cpeid, ids]) => this.#purgeCpe(cpeid, ids)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** Together with the device, which says how much is stored and has the digest of what came. */
  async #purgeCpe(cpeid: CpeId, ids: readonly string[]): Promise<number> {
    let count: number | null = null;
    try {
      await this.#parts.devices.change(cpeid, async (stored) => {
        count = null;
        if (stored === null) return null;
        const gone = await this.#gone(ids);
        count = gone.count;
        return count === 0 ? null : { device: purgedDevice(stored.document, gone), with: gone.changes };
      });
    } catch (error) {
      if (!isDamaged(error)) throw error;
      count = null;
    }
    return count ?? this.#purgeAlone(cpeid, ids);
  }

  /** Where there is no device to be read. */
  #purgeAlone(cpeid: CpeId, ids: readonly string[]): Promise<number> {
    return untilCommitted(`The data model of ${cpeid}`, async () => {
      const { changes, count } = await this.#gone(ids);
      if (count === 0) return 0;
      const { committed } = await this.#parts.store.commit(changes);
      return committed ? count : undefined;
    });
  }

  /** What takes the secrets out of these subtrees, as they are stored now; one that cannot be read is left as it is. */
  async #gone(ids: readonly string[]): Promise<Gone> {
    const changes: Change[] = [];
    let count = 0;
    let bytes = 0;
    for (const id of ids) {
      const stored = await this.#parameters.get(id).catch((error: unknown) => {
        if (isDamaged(error)) return null;
        throw error;
      });
      const purged = stored === null ? null : withoutSecrets(stored.document.values);
      if (stored === null || purged === null) continue;
      changes.push(
        this.#parameters.replacing({ ...stored.document, values: purged.values }, stored.revision),
      );
      count += purged.count;
      bytes += purged.bytes;
    }
    return { changes, count, bytes };
  }
}

interface Gone {
  readonly changes: readonly Change[];
  /** Values. */
  readonly count: number;
  /** How much less is stored. */
  readonly bytes: number;
}

/** Null where there are none. */
function withoutSecrets(
  values: Values,
): { readonly values: Values; readonly count: number; readonly bytes: number } | null {
  let kept: Record<string, Values[string]> | null = null;
  let count = 0;
  let bytes = 0;
  for (const name in values) {
    const value = values[name];
    if (value === undefined || !isSecretParameter(name)) continue;
    const left = keptOfSecret(value);
    if (left === value) continue;
    kept ??= { ...values };
    kept[name] = left;
    count++;
    bytes += bytesOf(name, value) - bytesOf(name, left);
  }
  return kept === null ? null : { values: kept, count, bytes };
}

function purgedDevice(device: Device, { bytes }: Gone): Device {
  const { parametersBytes } = device;
  return {
    ...device,
    // Whoever has the rest of the report could try passwords on it; the next Inform is taken as one with news.
    informDigest: '',
    ...(parametersBytes !== undefined && { parametersBytes: parametersBytes - bytes }),
  };
}
