import {
  type Clock,
  type CpeId,
  compareText,
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
import { serialLabelOf } from './serial-label.js';

const PURPOSE = 'device-ids';
const NAMESPACE_BYTES = 16;

/** Of the word of how far older devices have been given what they are found by. The first only gave ids. */
const PASS_ID = 'device-ids-2';
/** Devices at a time: some milliseconds of work, and at most so many commits under one flush. */
const PAGE_DEVICES = 100;
/** CPEs of one serial number that are looked at: some makes gave the same to all of theirs. */
const LOOKS_MAX = 1_000;

/** The UUIDs by which an API names CPEs, and back; and what else the label of a host name can stand for. */
export interface DeviceIds {
  /** Of any cpeid, known or not: the same on all nodes, after every restart and every restore. In lower case. */
  idOf(cpeid: CpeId): string;
  /** @param id  in whatever case. @returns the CPE that is known and has this id; null where none is */
  cpeidOf(id: string): Promise<CpeId | null>;
  /**
   * The CPEs whose serial number a label stands for (`serialLabelOf`), by id.
   * @param label  in whatever case
   * @param looked  no more are given than `limit`, and only those that `isWanted`, of the first thousand
   */
  withSerialLabel(label: string, looked: Looked): Promise<readonly Device[]>;
}

/** Which of the CPEs of a label are given, and how many at most. */
export interface Looked {
  readonly isWanted: (device: Device) => boolean;
  readonly limit: number;
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

/** One who asks, and what has been found for him. */
interface Search extends Looked {
  readonly found: Map<CpeId, Device>;
}

/** By which of its indexes a device is looked for. */
type Naming = 'uuid' | 'serialLabel';

/** One walk through the devices that may lack what they are found by, and who goes along: by the index and what they look for there. */
interface Walk {
  readonly searches: Readonly<Record<Naming, Map<string, Search[]>>>;
  readonly done: Promise<void>;
}

/**
 * Finds CPEs by the indexes of what their devices carry: ids, and labels of serial numbers. A device of an earlier version gets its own once
 * ({@link OnceOverAll}), and until all have them those that may have none yet are walked through, in one walk at a time for whoever asks
 * meanwhile. What a node of an earlier version makes known after that has its own a minute after its next session at the latest.
 */
export class StoredDeviceIds implements DeviceIds {
  readonly idOf: DeviceIds['idOf'];
  readonly #devices: Collection<Device>;
  readonly #pass: OnceOverAll<Device>;
  #isPassDone = false;
  #walk: Promise<unknown> = Promise.resolve();
  /** Who goes along in the next walk. */
  #next: Walk | null = null;

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
      run: (page) => giveNames(parts.devices, page),
    });
  }

  async cpeidOf(id: string): Promise<CpeId | null> {
    const asked = id.toLowerCase();
    if (!UUID.test(asked)) return null;
    const [device] = await this.#find('uuid', asked, { isWanted: () => true, limit: 1 });
    return device?.id ?? null;
  }

  async withSerialLabel(label: string, looked: Looked): Promise<readonly Device[]> {
    const asked = serialLabelOf(label);
    return asked === null ? [] : this.#find('serialLabel', asked, looked);
  }

  /** Leaves the rest to the next start, or to another process. */
  async close(): Promise<void> {
    await this.#pass.close();
    await this.#walk;
  }

  async #find(by: Naming, name: string, looked: Looked): Promise<readonly Device[]> {
    const search = { ...looked, found: new Map<CpeId, Device>() };
    await this.#lookUp(by, name, search);
    if (!isOver(search) && !(await this.#isDone())) {
      this.#next ??= this.#nextWalk();
      const { searches, done } = this.#next;
      searches[by].set(name, [...(searches[by].get(name) ?? []), search]);
      await done;
      // They may have been given what they are found by between the first look and the walk.
      await this.#lookUp(by, name, search);
    }
    return [...search.found.values()].sort((one, other) => compareText(one.id, other.id));
  }

  async #lookUp(by: Naming, name: string, search: Search): Promise<void> {
    let looks = 0;
    for await (const { document } of this.#devices.scan({ index: by, equals: [name] })) {
      if (isOver(search) || looks++ >= LOOKS_MAX) return;
      see(search, document);
    }
  }

  async #isDone(): Promise<boolean> {
    this.#isPassDone ||= (await this.#pass.progress()).isDone;
    return this.#isPassDone;
  }

  #nextWalk(): Walk {
    const searches = { uuid: new Map<string, Search[]>(), serialLabel: new Map<string, Search[]>() };
    const done = this.#walk.then(() => {
      this.#next = null;
      return this.#walkFor(searches);
    });
    this.#walk = done.catch(() => {});
    return { searches, done };
  }

  async #walkFor({ uuid, serialLabel }: Walk['searches']): Promise<void> {
    const { after, isDone } = await this.#pass.progress();
    if (isDone) return;
    const all = [...uuid.values(), ...serialLabel.values()].flat();
    for await (const { document } of this.#devices.scan(after === null ? {} : { after })) {
      const label = serialLabelOf(document.serialNumber);
      const named = label === null ? [] : (serialLabel.get(label) ?? []);
      const identified = uuid.size === 0 ? [] : (uuid.get(this.idOf(document.id)) ?? []);
      for (const search of [...named, ...identified]) see(search, document);
      if (all.every(isOver)) return;
    }
  }
}

function isOver({ found, limit }: Search): boolean {
  return found.size >= limit;
}

function see(search: Search, device: Device): void {
  if (!isOver(search) && search.isWanted(device)) search.found.set(device.id, device);
}

/** @returns how many lacked any */
async function giveNames(devices: DeviceStore, page: readonly Device[]): Promise<number> {
  const given = await Promise.all(
    page.map(async (device) => {
      if (!lacksName(device)) return null;
      // Whatever is written of a device has them.
      const write = devices.change(device.id, (stored) =>
        stored === null || !lacksName(stored.document) ? null : { device: stored.document },
      );
      return write.catch((error: unknown) => {
        if (isDamaged(error)) return null;
        throw error;
      });
    }),
  );
  return given.filter((device) => device !== null).length;
}

function lacksName({ uuid, serialLabel, serialNumber }: Device): boolean {
  return uuid === undefined || (serialLabel === undefined && serialLabelOf(serialNumber) !== null);
}
