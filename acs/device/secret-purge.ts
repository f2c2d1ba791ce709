import type { Clock, CpeId, Logger, MonotonicClock } from '../../common/index.js';
import { isSecretParameter, keptOfSecret } from '../../rules/index.js';
import { type Change, type Collection, isDamaged, type Store, untilCommitted } from '../../store/index.js';
import { type Device, PARAMETERS, type ParameterDocument } from './device.js';
import type { DeviceStore } from './device-store.js';
import { OnceOverAll } from './once-over-all.js';
import { bytesOf, type Values } from './parameter-bound.js';

/** A later version that knows more names of secrets takes another, and so purges once more. */
const PURGE_ID = 'secrets-1';
/** Subtrees at a time: some milliseconds of work, and at most so many commits under one flush. */
const PAGE_SUBTREES = 100;

export interface SecretPurgeParts {
  readonly store: Store;
  readonly devices: DeviceStore;
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
}

/**
 * Takes out what an earlier version has stored of the secrets that CPEs reported: their values, and the digests of the Informs that they
 * came in ({@link OnceOverAll}). What is not purged yet nobody is shown (`ParameterStore.flat`).
 */
export class SecretPurge {
  readonly #parts: SecretPurgeParts;
  readonly #parameters: Collection<ParameterDocument>;
  readonly #pass: OnceOverAll<ParameterDocument>;

  constructor(parts: SecretPurgeParts) {
    this.#parts = parts;
    const parameters = parts.store.collection<ParameterDocument>(PARAMETERS);
    this.#parameters = parameters;
    this.#pass = new OnceOverAll<ParameterDocument>({
      ...parts,
      id: PURGE_ID,
      duty: 'secret-purge',
      events: {
        done: 'parameters.secrets-purged',
        failed: 'parameters.secrets-purge-failed',
        leaseNotReleased: 'parameters.lease-not-released',
      },
      documents: parameters,
      pageItems: PAGE_SUBTREES,
      run: (documents) => this.#purgePage(documents),
    });
  }

  /** Leaves the rest to the next start, or to another process. */
  close(): Promise<void> {
    return this.#pass.close();
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
