import { type MonotonicClock, monotonicClock, type OrganizationId } from '../common/index.js';
import type { Collection, Store, Watch } from '../store/index.js';
import {
  DEFAULT_SLUG,
  ORGANIZATION_STATE,
  ORGANIZATIONS,
  type Organization,
  type OrganizationDocument,
  STATE_ID,
  type StateDocument,
} from './organization.js';

/** Where nothing tells of changes it is looked so often: within a second a change holds everywhere. */
const LOOK_AGAIN_MS = 500;
/** Organizations that change while they are read are read again. */
const READS_MAX = 10;

/** To which organization a CPE was found to belong. */
export interface Placed {
  readonly id: OrganizationId;
}

/**
 * Whether a CPE, or what came of one, belongs to an organization. It needs no organizations as they stood, which may have changed since.
 * @param kept  the id that is kept with it; undefined: it is the default's
 */
export function belongsTo({ id, isDefault }: Organization, kept: OrganizationId | undefined): boolean {
  return kept === undefined ? isDefault : kept === id;
}

/** The organizations as they stood at one moment. */
export class OrganizationsNow {
  /** Moves with every change of any of them; 0 where there are none yet. */
  readonly generation: number;
  /** In the order in which their rules are looked at. */
  readonly all: readonly Organization[];
  /** The installation's; null where nobody has made one yet. */
  readonly byDefault: Organization | null;
  readonly #byId: ReadonlyMap<string, Organization>;

  constructor(generation: number, organizations: readonly Organization[]) {
    this.generation = generation;
    this.all = [...organizations].sort(inOrder);
    this.byDefault = organizations.find(({ isDefault }) => isDefault) ?? null;
    this.#byId = new Map(organizations.map((each) => [each.id, each]));
  }

  /** There is none but the default: all CPEs belong to it, and nobody need ask. */
  get isAlone(): boolean {
    return this.all.length <= 1;
  }

  get(id: string): Organization | null {
    return this.#byId.get(id) ?? null;
  }

  named(slug: string): Organization | null {
    return this.all.find((each) => each.slug === slug) ?? null;
  }

  /** By its slug, or its id. */
  find(slugOrId: string): Organization | null {
    return this.named(slugOrId) ?? this.get(slugOrId);
  }

  /** To which a CPE belongs; null for the default that nobody has made yet. */
  of(placed: Placed | undefined): Organization | null {
    return (placed === undefined ? null : this.get(placed.id)) ?? this.byDefault;
  }

  /** Whose something is that is kept with this id, also where that organization has come, or gone, since; null as with {@link of}. */
  idOf(kept: OrganizationId | undefined): OrganizationId | null {
    return kept ?? this.byDefault?.id ?? null;
  }

  /** What an organization is called by whoever may know of it: its slug; where it is gone, the id is all that is left. */
  labelOf(id: string): string {
    return this.get(id)?.slug ?? id;
  }

  /** The slug of that to which a CPE belongs. */
  slugOf(placed: Placed | undefined): string {
    return this.of(placed)?.slug ?? DEFAULT_SLUG;
  }
}

function inOrder(one: Organization, other: Organization): number {
  return one.order - other.order || one.createdAtMs - other.createdAtMs || (one.id < other.id ? -1 : 1);
}

const NONE = new OrganizationsNow(0, []);

/** What each process knows of the organizations without asking the store: every session looks at it. */
export class OrganizationDirectory {
  readonly #organizations: Collection<OrganizationDocument>;
  readonly #state: Collection<StateDocument>;
  readonly #watch: Watch;
  readonly #monotonic: MonotonicClock;
  #known = NONE;
  /** Where the collection stood when it was last read, and when that was; null before. */
  #position: number | null = null;
  #readMs: number | null = null;
  #reading: Promise<OrganizationsNow> | null = null;

  constructor({
    store,
    monotonic = monotonicClock,
  }: { readonly store: Store; readonly monotonic?: MonotonicClock }) {
    this.#organizations = store.collection<OrganizationDocument>(ORGANIZATIONS);
    this.#state = store.collection<StateDocument>(ORGANIZATION_STATE);
    this.#watch = this.#state.watch();
    this.#monotonic = monotonic;
  }

  /** As they were read last: at most a second ago where {@link current} has been asked since. */
  get known(): OrganizationsNow {
    return this.#known;
  }

  /** As they stood at some moment of the last second; mostly at once, and nothing is read. @throws StoreError */
  current(): OrganizationsNow | Promise<OrganizationsNow> {
    const position = this.#watch.position();
    const isFresh =
      this.#readMs !== null &&
      (position === null ? this.#monotonic() - this.#readMs < LOOK_AGAIN_MS : position === this.#position);
    if (isFresh) return this.#known;
    this.#reading ??= this.latest().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** As they stand now. Where none has changed one document is read. @throws StoreError */
  async latest(): Promise<OrganizationsNow> {
    const position = this.#watch.position();
    const readMs = this.#monotonic();
    const now = await this.#read();
    // Of two who read at a time the one that has read the later state may be told first.
    if (now.generation > this.#known.generation) this.#known = now;
    this.#position = position;
    this.#readMs = readMs;
    return this.#known;
  }

  async #read(): Promise<OrganizationsNow> {
    let generation = await this.#generation();
    for (let reads = 0; generation > this.#known.generation && reads < READS_MAX; reads++) {
      const found: Organization[] = [];
      for await (const { document } of this.#organizations.scan({})) found.push(document);
      const after = await this.#generation();
      if (after === generation) return new OrganizationsNow(generation, found);
      generation = after;
    }
    return this.#known;
  }

  async #generation(): Promise<number> {
    return (await this.#state.get(STATE_ID))?.document.generation ?? 0;
  }
}
