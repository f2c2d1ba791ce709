import {
  type Clock,
  type CpeId,
  compareText,
  isAhead,
  type Logger,
  MINUTE_MS,
  type MonotonicClock,
  type OrganizationId,
  type Turn,
} from '../../common/index.js';
import { type Actor, EventLog } from '../../events/index.js';
import { OrganizationDirectory, type OrganizationsNow } from '../../organizations/index.js';
import {
  type Change,
  type Collection,
  type CommitOutcome,
  type FindQuery,
  ID_BYTES_MAX,
  isDamaged,
  type Revision,
  type Store,
  type Stored,
  untilCommitted,
} from '../../store/index.js';
import { Arrivals } from './arrivals.js';
import { type CpeIdentity, isCpeId } from './cpeid.js';
import { describeDevice } from './describe.js';
import {
  DEVICES,
  type DescribedCpe,
  type Device,
  type DeviceFilter,
  type Devices,
  type Moment,
  type Removal,
  type RemovalOptions,
} from './device.js';
import { ParameterStore } from './parameter-store.js';
import { serialLabelOf } from './serial-label.js';
import { toldDevice } from './told-device.js';

/** What changes with every Inform and may trail by a minute after a crash. */
export interface Sighting {
  readonly lastInformMs: number;
  readonly ip: string;
  readonly lastEvents: readonly string[];
}

/** How often sightings are written: a third of what may be lost, so that one failed round does not break the promise. */
const FLUSH_INTERVAL_MS = MINUTE_MS / 3;
/** A flush is forced when this many wait, which bounds memory whatever the fleet. */
const SIGHTINGS_MAX = 20_000;
const FLUSH_BATCH = 500;
/** So many CPEs are removed side by side, sharing flushes: each brings the data model it had into memory, a page at a time. */
const REMOVED_AT_ONCE = 20;

export interface DeviceChange {
  readonly device: Device;
  /** Goes into the same commit. */
  readonly with?: readonly Change[];
}

/**
 * The CPEs in the store. What matters is changed by {@link change}, durably and against the revision it was read at; what only
 * says "seen" is gathered and written in batches.
 */
export class DeviceStore implements Devices {
  readonly parameterStore: ParameterStore;
  readonly arrivals = new Arrivals();
  readonly directory: OrganizationDirectory;
  readonly #store: Store;
  readonly #devices: Collection<Device>;
  readonly #events: EventLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #onRemoved: (why: RemovalOptions['why']) => void;
  readonly #enrolsAll: boolean;
  readonly cpeIdentity: CpeIdentity;
  readonly #uuidOf: ((cpeid: CpeId) => string) | null;
  readonly #sightings = new Map<CpeId, Sighting>();
  readonly #timer: NodeJS.Timeout;
  #flushing: Promise<void> | null = null;

  /**
   * @param parts  `onRemoved` is told of each CPE that was; with `enrolsAll` those that wait do so only until they come again; `uuidOf` gives
   *   ids to devices as they are written, without it they have what they have
   */
  constructor(parts: {
    readonly store: Store;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly onRemoved?: (why: RemovalOptions['why']) => void;
    readonly enrolsAll?: boolean;
    readonly cpeIdentity?: CpeIdentity;
    readonly uuidOf?: (cpeid: CpeId) => string;
    readonly directory?: OrganizationDirectory;
    readonly monotonic?: MonotonicClock;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#onRemoved = parts.onRemoved ?? (() => {});
    this.#enrolsAll = parts.enrolsAll ?? false;
    this.cpeIdentity = parts.cpeIdentity ?? 'oui';
    this.#uuidOf = parts.uuidOf ?? null;
    this.#devices = parts.store.collection<Device>(DEVICES);
    this.#events = new EventLog(parts);
    this.parameterStore = new ParameterStore(parts.store);
    this.directory = parts.directory ?? new OrganizationDirectory(parts);
    this.#timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS);
    this.#timer.unref();
  }

  /** As stored, with its revision; sightings that wait are not in it. */
  read(cpeid: CpeId): Promise<Stored<Device> | null> {
    return this.#devices.get(cpeid);
  }

  /**
   * Reads the CPE, lets `decide` say what should become of it, and commits that unless it moved meanwhile, in which case all
   * is done again.
   *
   * @param decide  gives null to leave things as they are; called again after a lost race, so it must not act itself
   * @returns what `decide` gave last, once it is durable
   * @throws StoreError, also after too many lost races
   */
  async change<C extends DeviceChange>(
    cpeid: CpeId,
    decide: (stored: Stored<Device> | null) => Promise<C | null> | C | null,
  ): Promise<C | null> {
    return untilCommitted(`The device ${cpeid}`, async () => {
      const stored = await this.#devices.get(cpeid);
      const wanted = await decide(stored);
      if (wanted === null) return null;
      const outcome = await this.#commit(stored, wanted);
      if (!outcome.committed) return undefined;
      const waiting = this.#sightings.get(cpeid);
      if (waiting && !this.#isNews(waiting, wanted.device)) this.#sightings.delete(cpeid);
      return wanted;
    });
  }

  #commit(stored: Stored<Device> | null, wanted: DeviceChange): Promise<CommitOutcome> {
    const own =
      stored === null
        ? this.#devices.inserting(this.#named(wanted.device))
        : this.replacing(wanted.device, stored.revision);
    return this.#store.commit([own, ...(wanted.with ?? [])]);
  }

  /** Replaces the device together with other changes; refused where anything had moved. */
  commit(device: Device, revision: Revision, others: readonly Change[]): Promise<CommitOutcome> {
    return this.#store.commit([this.replacing(device, revision), ...others]);
  }

  /** For a commit that changes more than the device. */
  replacing(device: Device, revision: Revision): Change {
    return this.#devices.replacing(this.#named(device), revision);
  }

  /** With all by what it is found. */
  #named(device: Device): Device {
    const uuid = device.uuid ?? this.#uuidOf?.(device.id);
    const serialLabel = serialLabelOf(device.serialNumber) ?? undefined;
    if (uuid === device.uuid && serialLabel === device.serialLabel) return device;
    return {
      ...device,
      ...(uuid !== undefined && { uuid }),
      ...(serialLabel !== undefined && { serialLabel }),
    };
  }

  /** Notes that the CPE was seen; written within a minute. */
  sighted(cpeid: CpeId, sighting: Sighting): void {
    this.#sightings.set(cpeid, sighting);
    if (this.#sightings.size >= SIGHTINGS_MAX) void this.flush();
  }

  /** Writes the sightings that wait. Never throws: what could not be written waits for the next round. */
  flush(): Promise<void> {
    this.#flushing ??= this.#flushOnce().finally(() => {
      this.#flushing = null;
    });
    return this.#flushing;
  }

  async #flushOnce(): Promise<void> {
    const waiting = [...this.#sightings];
    for (let start = 0; start < waiting.length; start += FLUSH_BATCH) {
      const batch = waiting.slice(start, start + FLUSH_BATCH);
      try {
        const stored = await this.#readBatch(batch.map(([cpeid]) => cpeid));
        // Each in a commit of its own, all under one flush: a CPE that moved meanwhile must not hold up the others.
        await Promise.all(
          batch.map(([cpeid, sighting], index) => this.#write(cpeid, sighting, stored[index])),
        );
      } catch (error) {
        this.#logger.warn('device.sightings-not-written', { waiting: this.#sightings.size, error });
        return;
      }
    }
  }

  /** A device that cannot be read keeps no other's sighting from being written. */
  async #readBatch(cpeids: readonly CpeId[]): Promise<(Stored<Device> | null)[]> {
    try {
      return await this.#devices.getMany(cpeids);
    } catch (error) {
      if (!isDamaged(error)) throw error;
      const nullWhereDamaged = (failure: unknown) => {
        if (isDamaged(failure)) return null;
        throw failure;
      };
      return Promise.all(cpeids.map((cpeid) => this.#devices.get(cpeid).catch(nullWhereDamaged)));
    }
  }

  async #write(cpeid: CpeId, sighting: Sighting, stored: Stored<Device> | null | undefined): Promise<void> {
    if (stored && this.#isNews(sighting, stored.document)) {
      const revision = await this.#devices.replace(
        this.#named({ ...stored.document, ...sighting }),
        stored.revision,
      );
      if (revision === null) return;
    }
    if (this.#sightings.get(cpeid) === sighting) this.#sightings.delete(cpeid);
  }

  async get(cpeid: CpeId): Promise<Device | null> {
    const stored = await this.#devices.get(cpeid);
    return stored === null ? null : this.#seen(stored.document);
  }

  #seen(device: Device): Device {
    const sighting = this.#sightings.get(device.id);
    return sighting && this.#isNews(sighting, device) ? { ...device, ...sighting } : device;
  }

  /** Whether the sighting is the later of the two. A clock that was ahead, whose ever, keeps nobody's later sightings out. */
  #isNews({ lastInformMs }: Sighting, device: Device): boolean {
    if (lastInformMs === device.lastInformMs) return false;
    const nowMs = this.#clock();
    if (isAhead(device.lastInformMs, nowMs)) return true;
    return lastInformMs > device.lastInformMs && !isAhead(lastInformMs, nowMs);
  }

  async *scan(filter: DeviceFilter, turn?: Turn): AsyncIterable<Device> {
    if (filter.ids !== undefined) {
      for (const id of [...new Set(filter.ids)].sort(compareText)) {
        if (filter.after !== undefined && compareText(id, filter.after) <= 0) continue;
        const device = await this.get(id as CpeId);
        if (device !== null) yield device;
      }
      return;
    }
    const { after, organization, idPrefix } = filter;
    if (organization !== undefined && idPrefix !== undefined && idPrefix !== '') {
      yield* this.#scanWithin(organization, idPrefix, after, turn);
      return;
    }
    for (const { query, fields } of indexRanges(filter)) {
      const cursor = after === undefined ? null : this.#devices.cursorAt(query, { ...fields, id: after });
      const from = cursor === null ? query : { ...query, after: cursor };
      for await (const { document } of this.#devices.scan(from, turn)) {
        if (after === undefined || compareText(document.id, after) > 0) yield this.#seen(document);
      }
    }
  }

  async withSerialNumber(serialNumber: string, limit: number): Promise<readonly Device[]> {
    const found: Device[] = [];
    for await (const device of this.scan({ serialNumbers: [serialNumber] })) {
      if (found.push(device) >= limit) break;
    }
    return found;
  }

  async *newest(organization?: OrganizationId, turn?: Turn): AsyncIterable<Device> {
    const query =
      organization === undefined
        ? { index: 'registered' }
        : { index: 'organizationRegistered', equals: [organization] };
    for await (const { document } of this.#devices.scan({ ...query, order: 'descending' }, turn))
      yield this.#seen(document);
  }

  /** Those of an organization whose ids begin so: in its part of the index they stand together. */
  async *#scanWithin(
    id: OrganizationId,
    idPrefix: string,
    after: string | undefined,
    turn?: Turn,
  ): AsyncIterable<Device> {
    if (Buffer.byteLength(idPrefix) > ID_BYTES_MAX) return;
    const isBehind = after !== undefined && compareText(after, idPrefix) >= 0;
    // A cursor leads behind an id, and the prefix may be one.
    const first = isBehind ? null : await this.get(idPrefix as CpeId);
    if (first?.organization?.id === id) yield first;
    const query = ofOrganization(id);
    const from = { organization: { id }, id: isBehind ? after : idPrefix };
    const cursor = this.#devices.cursorAt(query, from);
    if (cursor === null) return;
    for await (const { document } of this.#devices.scan({ ...query, after: cursor }, turn)) {
      if (!document.id.startsWith(idPrefix)) return;
      yield this.#seen(document);
    }
  }

  /** The devices after one by id, ascending; none only where none follow. */
  async page(after: CpeId | null, limit: number): Promise<readonly Device[]> {
    // One more than asked for, since the bound includes the one that was had already.
    const query = { limit: limit + 1, ...(after !== null && { atLeast: after }) };
    let page = await this.#devices.find(query);
    for (;;) {
      const found = page.items.filter(({ document }) => document.id !== after);
      if (found.length > 0 || page.next === null) return found.map(({ document }) => this.#seen(document));
      page = await this.#devices.find({ ...query, after: page.next });
    }
  }

  count(which?: 'waiting' | { readonly organization: OrganizationId }): Promise<number> {
    if (which === undefined) return this.#devices.count({});
    return this.#devices.count(which === 'waiting' ? WAITING : ofOrganization(which.organization));
  }

  organizations(): OrganizationsNow | Promise<OrganizationsNow> {
    return this.directory.current();
  }

  isId(text: string): text is CpeId {
    return isCpeId(text, this.cpeIdentity);
  }

  isWaiting({ enrolment }: Device): boolean {
    return enrolment !== undefined && !this.#enrolsAll;
  }

  async remove(cpeids: readonly CpeId[], options: RemovalOptions): Promise<Removal> {
    const { turn = (work) => work() } = options;
    const ids = [...new Set(cpeids)];
    const upgrading: CpeId[] = [];
    let removed = 0;
    for (let start = 0; start < ids.length; start += REMOVED_AT_ONCE) {
      const portion = ids.slice(start, start + REMOVED_AT_ONCE);
      const ends = await turn(() => Promise.all(portion.map((cpeid) => this.#remove(cpeid, options))));
      for (const [index, cpeid] of portion.entries()) {
        if (ends[index] === 'removed') removed++;
        if (ends[index] === 'upgrading') upgrading.push(cpeid);
      }
    }
    return { removed, upgrading };
  }

  /**
   * The revision keeps a session from reserving an upgrade, and from storing what the CPE has reported, at the same time: one of the two
   * is refused, and looks again.
   */
  #remove(
    cpeid: CpeId,
    { why, by, only = () => true }: RemovalOptions,
  ): Promise<'removed' | 'upgrading' | 'left'> {
    return untilCommitted(`The device ${cpeid}`, async () => {
      const stored = await this.#devices.get(cpeid);
      if (stored === null || !only(this.#seen(stored.document))) return 'left';
      if (stored.document.inFlight !== undefined) return 'upgrading';
      const forgetting = await this.parameterStore.forgetting(cpeid);
      const deleting = this.#devices.deleting(cpeid, stored.revision);
      const noting = by === undefined ? [] : [await this.#notingRemoved(stored.document, by)];
      if (!(await this.#store.commit([deleting, ...forgetting, ...noting])).committed) return undefined;
      this.#sightings.delete(cpeid);
      this.#logger.info('cpe.deleted', { cpeid, why, ...(by !== undefined && { by: by.name }) });
      this.#onRemoved(why);
      return 'removed';
    });
  }

  async #notingRemoved(device: Device, by: Actor): Promise<Change> {
    const organization = (await this.organizations()).idOf(device.organization?.id);
    const before = toldDevice(device);
    return this.#events.noting({
      action: 'removed',
      subject: 'device',
      subjectId: device.id,
      organization,
      by,
      before,
    });
  }

  async describe(cpeid: CpeId, moment: Moment): Promise<DescribedCpe | null> {
    const device = await this.get(cpeid);
    return device === null ? null : this.#describe(device, moment, await this.organizations());
  }

  async *describeAll(filter: DeviceFilter, moment: Moment, turn?: Turn): AsyncIterable<DescribedCpe> {
    const organizations = await this.organizations();
    for await (const device of this.scan(filter, turn)) yield this.#describe(device, moment, organizations);
  }

  #describe(device: Device, moment: Moment, organizations: OrganizationsNow): DescribedCpe {
    const described = describeDevice(device, this.parameterStore, moment, organizations);
    return this.isWaiting(device) ? { ...described, isWaiting: true } : described;
  }

  async want(cpeid: CpeId, paths: readonly string[]): Promise<void> {
    await this.change(cpeid, (stored) => {
      if (stored === null) return null;
      const { document: device } = stored;
      return { device: { ...device, wantedPaths: paths.map((path) => `${device.root}.${path}`) } };
    });
  }

  parameters(cpeid: CpeId): Promise<Readonly<Record<string, string | number | boolean>>> {
    return this.parameterStore.flat(cpeid);
  }

  /** Writes what waits and stops. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    await this.flush();
  }
}

const WAITING = { index: 'enrolment', equals: ['waiting'] };
const ofOrganization = (id: OrganizationId) => ({ index: 'organization', equals: [id] });

/** One index range per value; a filter that names no index walks all. The caller still checks every field. */
function indexRanges(filter: DeviceFilter): readonly IndexRange[] {
  if (filter.serialNumbers !== undefined) {
    return [...new Set(filter.serialNumbers)].map((serialNumber) => ({
      query: { index: 'serialNumber', equals: [serialNumber] },
      fields: { serialNumber },
    }));
  }
  if (filter.tags !== undefined && filter.tags.length === 1) {
    return filter.tags.map((tag) => ({ query: { index: 'tags', equals: [tag] }, fields: { tags: tag } }));
  }
  const { organization: id } = filter;
  if (id !== undefined) return [{ query: ofOrganization(id), fields: { organization: { id } } }];
  if (filter.isWaiting === true) return [{ query: WAITING, fields: { enrolment: 'waiting' } }];
  return [{ query: filter.idPrefix === undefined ? {} : { prefix: filter.idPrefix }, fields: {} }];
}

interface IndexRange {
  readonly query: Omit<FindQuery, 'limit' | 'after'>;
  /** What every document in the range has. */
  readonly fields: Readonly<Record<string, unknown>>;
}
