import {
  type Clock,
  type CpeId,
  type Logger,
  type MonotonicClock,
  type Secrets,
  UUID,
  uuidV5,
} from '../../common/index.js';
import { type Collection, isDamaged, type Store } from '../../store/index.js';
import { DEVICES, type Device } from './device.js';
import type { DeviceStore } from './device-store.js';
import { OnceOverAll } from './once-over-all.js';

const PURPOSE = 'device-ids';
const NAMESPACE_BYTES = 16;

/** Of the word of how far older devices have been given their ids. */
const PASS_ID = 'device-ids-1';
/** Devices at a time: some milliseconds of work, and at most so many commits under one flush. */
const PAGE_DEVICES = 100;

/** The UUIDs by which an API names CPEs, and back. */
export interface DeviceIds {
  /** Of any cpeid, known or not: the same on all nodes, after every restart and every restore. In lower case. */
  idOf(cpeid: CpeId): string;
  /** @param id  in whatever case. @returns the CPE that is known and has this id; null where none is */
  cpeidOf(id: string): Promise<CpeId | null>;
}

/**
 * Names CPEs by the UUID (version 5, RFC 9562 5.5) of their cpeid in a namespace that is the installation's own. The namespace is derived
 * from the master key, which all nodes have and backups hold.
 */
export function deviceIdsBy(secrets: Pick<Secrets, 'mac'>): DeviceIds['idOf'] {
  const namespace = secrets.mac(PURPOSE, 'namespace').subarray(0, NAMESPACE_BYTES).toString('hex');
  return (cpeid) => uuidV5(namespace, cpeid);
}

export interface StoredDeviceIdsParts {
  readonly store: Store;
  /** Gives ids to the devices that it writes. */
  readonly devices: DeviceStore;
  readonly idOf: DeviceIds['idOf'];
  readonly clock: Clock;
  readonly monotonic: MonotonicClock;
  readonly logger: Logger;
}

/**
 * Finds CPEs by the index of the ids that their devices carry. A device of an earlier version gets its id once ({@link OnceOverAll}), and
 * until all have one those that have none yet are walked through, in one walk at a time for whoever asks meanwhile. What a node of an
 * earlier version makes known after that has its id a minute after its next session at the latest.
 */
export class StoredDeviceIds implements DeviceIds {
  readonly idOf: DeviceIds['idOf'];
  readonly #devices: Collection<Device>;
  readonly #pass: OnceOverAll<Device>;
  #isPassDone = false;
  #walk: Promise<unknown> = Promise.resolve();
  /** Who goes along in the next walk. */
  #next: { readonly ids: Set<string>; readonly found: Promise<ReadonlyMap<string, CpeId>> } | null = null;

  constructor(parts: StoredDeviceIdsParts) {
    const devices = parts.store.collection<Device>(DEVICES);
    this.idOf = parts.idOf;
    this.#devices = devices;
    this.#pass = new OnceOverAll<Device>({
      ...parts,
      id: PASS_ID,
      duty: 'device-ids',
      events: {
        done: 'devices.ids-given',
        failed: 'devices.ids-failed',
        leaseNotReleased: 'devices.ids-lease-not-released',
      },
      documents: devices,
      pageItems: PAGE_DEVICES,
      run: (page) => giveIds(parts.devices, page),
    });
  }

  async cpeidOf(id: string): Promise<CpeId | null> {
    const asked = id.toLowerCase();
    if (!UUID.test(asked)) return null;
    const cpeid = await this.#indexed(asked);
    if (cpeid !== null || (await this.#isDone())) return cpeid;
    this.#next ??= this.#nextWalk();
    this.#next.ids.add(asked);
    return (await this.#next.found).get(asked) ?? null;
  }

  /** Leaves the rest to the next start, or to another process. */
  async close(): Promise<void> {
    await this.#pass.close();
    await this.#walk;
  }

  async #indexed(id: string): Promise<CpeId | null> {
    for await (const { document } of this.#devices.scan({ index: 'uuid', equals: [id] })) return document.id;
    return null;
  }

  async #isDone(): Promise<boolean> {
    this.#isPassDone ||= (await this.#pass.progress()).isDone;
    return this.#isPassDone;
  }

  #nextWalk() {
    const ids = new Set<string>();
    const found = this.#walk.then(() => {
      this.#next = null;
      return this.#walkFor(ids);
    });
    this.#walk = found.catch(() => {});
    return { ids, found };
  }

  async #walkFor(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, CpeId>> {
    const found = new Map<string, CpeId>();
    const { after, isDone } = await this.#pass.progress();
    if (!isDone) {
      for await (const { document } of this.#devices.scan(after === null ? {} : { after })) {
        const id = this.idOf(document.id);
        if (ids.has(id)) found.set(id, document.id);
        if (found.size === ids.size) return found;
      }
    }
    // They may have been given their ids between the first look and the walk.
    for (const id of ids) {
      const cpeid = found.has(id) ? null : await this.#indexed(id);
      if (cpeid !== null) found.set(id, cpeid);
    }
    return found;
  }
}

async function giveIds(devices: DeviceStore, page: readonly Device[]): Promise<number> {
  const given = await Promise.all(
    page.map(async ({ id, uuid }) => {
      if (uuid !== undefined) return null;
      // Whatever is written of a device has its id.
      const write = devices.change(id, (stored) =>
        stored === null || stored.document.uuid !== undefined ? null : { device: stored.document },
      );
      return write.catch((error: unknown) => {
        if (isDamaged(error)) return null;
        throw error;
      });
    }),
  );
  return given.filter((device) => device !== null).length;
}
