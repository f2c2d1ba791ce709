import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, Turn } from '../common/index.js';
import type { Change, Collection, Cursor, FindQuery, Store } from '../store/index.js';
import type { Actor } from './actor.js';
import { EVENTS, type EventDocument, type SubjectKind } from './event.js';
import { masked } from './masking.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** Something that happens, as whoever lets it happen tells it. */
export interface Happening {
  readonly action: string;
  readonly subject: SubjectKind;
  readonly subjectId: string;
  /** The organization that the subject belongs to; null or absent: the installation. */
  readonly organization?: string | null;
  /** Null: nobody does it. */
  readonly by: Actor | null;
  /** What is there before and after, without secrets as far as the teller knows them; null or absent: nothing. */
  readonly before?: JsonObject | null;
  readonly after?: JsonObject | null;
}

/** Which events; without a field all. */
export interface EventFilter {
  readonly subject?: SubjectKind;
  /** By an index only together with `subject`. */
  readonly subjectId?: string;
  readonly action?: string;
  /** Name of who did it. */
  readonly by?: string;
  readonly organization?: string;
  /** Since when, and before when, in epoch milliseconds. */
  readonly fromMs?: number;
  readonly beforeMs?: number;
  readonly order?: 'ascending' | 'descending';
  /** Only what comes after this event, in the order asked. */
  readonly after?: Pick<EventDocument, 'id'>;
}

/** Of `before` and of `after`, each: what somebody reads, not a copy of the store. */
const VALUES_CHARACTERS_MAX = 16 * 1_024;
const TIME_DIGITS = 15;
const PROCESS_BYTES = 4;
const COUNT_DIGITS = 8;
/** More than happens within a millisecond. */
const COUNT_BEHIND = 50_000_000;
const REMOVED_AT_ONCE = 500;

/** What has happened, kept in the store: each event in the commit that lets it happen. */
export class EventLog {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #collection: Collection<EventDocument>;
  /** Two processes may tell of something in the same millisecond. */
  readonly #process = randomBytes(PROCESS_BYTES).toString('hex');
  #latestMs = 0;
  #count = 0;
  #countBehind = 0;

  constructor({ store, clock }: { readonly store: Store; readonly clock: Clock }) {
    this.#store = store;
    this.#clock = clock;
    this.#collection = store.collection<EventDocument>(EVENTS);
  }

  /** A change that goes into the commit that lets something happen: there is the one with the other, or neither. */
  noting(happening: Happening): Change {
    const { action, subject, subjectId, organization, by, before, after } = happening;
    const atMs = this.#clock();
    const differing = differences(before ?? null, after ?? null);
    return this.#collection.inserting({
      id: this.#nextId(atMs),
      atMs,
      action,
      subject,
      subjectId,
      ...(organization != null && { organization }),
      ...(by !== null && { by }),
      ...(differing.before !== null && { before: shown(differing.before) }),
      ...(differing.after !== null && { after: shown(differing.after) }),
    });
  }

  /**
   * Of something that changes nothing in the store.
   * @throws StoreError
   */
  async note(happening: Happening): Promise<void> {
    await this.#store.commit([this.noting(happening)]);
  }

  async get(id: string): Promise<EventDocument | null> {
    return (await this.#collection.get(id))?.document ?? null;
  }

  /**
   * By time, the latest first unless asked otherwise.
   * @param turn  when each page is read
   */
  async *scan(filter: EventFilter, turn?: Turn): AsyncGenerator<EventDocument, void> {
    const { order = 'descending' } = filter;
    const bounds = {
      ...(filter.fromMs !== undefined && { atLeast: idAt(filter.fromMs) }),
      ...(filter.beforeMs !== undefined && { below: idAt(filter.beforeMs) }),
    };
    const index = indexFor(filter);
    const query = { ...(index ?? bounds), order };
    const after = filter.after ?? (index === null ? undefined : edgeOf(filter, order));
    const cursor: Cursor | null =
      after === undefined
        ? null
        : this.#collection.cursorAt(query, { ...fieldsOf(filter), id: after.id } as EventDocument);
    const from = cursor === null ? query : { ...query, after: cursor };
    for await (const { document } of this.#collection.scan(from, turn)) {
      if (after !== undefined && !isBehind(document.id, after.id, order)) continue;
      if (isPast(filter, document, order)) return;
      if (matches(filter, document)) yield document;
    }
  }

  /** When the latest event was; null where there is none. */
  async latestMs(): Promise<number | null> {
    for await (const { document } of this.#collection.scan({ order: 'descending' })) return document.atMs;
    return null;
  }

  /**
   * Removes a portion of what is older than so many milliseconds since 1970, the oldest first; durably, and each by itself, as another may
   * remove the same.
   * @returns how many were looked at; 0: there are no more
   */
  async forgetSomeBefore(beforeMs: number): Promise<number> {
    let query: FindQuery = { below: idAt(beforeMs), limit: REMOVED_AT_ONCE };
    for (;;) {
      const { items, next } = await this.#collection.find(query);
      if (items.length > 0) {
        await Promise.all(items.map(({ document }) => this.#collection.delete(document.id)));
        return items.length;
      }
      if (next === null) return 0;
      query = { ...query, after: next };
    }
  }

  /** Counted within a millisecond alone: of two events of one organization their ids do not tell how much happened to others in between. */
  #nextId(atMs: number): string {
    if (atMs > this.#latestMs) {
      this.#latestMs = atMs;
      this.#count = 0;
    }
    // While the clock is behind where it was: what was counted there is not known any more.
    const count = atMs < this.#latestMs ? COUNT_BEHIND + this.#countBehind++ : this.#count++;
    return `${idAt(atMs)}-${this.#process}-${String(count).padStart(COUNT_DIGITS, '0')}`;
  }
}

/** Of fields that both have, only those that differ. */
function differences(
  before: JsonObject | null,
  after: JsonObject | null,
): { readonly before: JsonObject | null; readonly after: JsonObject | null } {
  if (before === null || after === null) return { before, after };
  const differing = (of: JsonObject, from: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(of).filter(([name, value]) => !isDeepStrictEqual(value, from[name])));
  return { before: differing(before, after), after: differing(after, before) };
}

function shown(values: JsonObject): JsonObject {
  const safe = masked(values);
  const characters = JSON.stringify(safe).length;
  return characters <= VALUES_CHARACTERS_MAX ? safe : { cut: true, characters };
}

/** All ids of later events come after it. */
function idAt(atMs: number): string {
  return String(Math.max(0, Math.floor(atMs))).padStart(TIME_DIGITS, '0');
}

function indexFor({ subject, subjectId, by, organization }: EventFilter) {
  if (subject !== undefined && subjectId !== undefined)
    return { index: 'subject', equals: [subject, subjectId] } as const;
  if (by !== undefined) return { index: 'by', equals: [by] } as const;
  return organization === undefined ? null : ({ index: 'organization', equals: [organization] } as const);
}

/** What the index that is walked was made of. */
function fieldsOf({ subject, subjectId, by, organization }: EventFilter): Partial<EventDocument> {
  return {
    ...(subject !== undefined && { subject }),
    ...(subjectId !== undefined && { subjectId }),
    ...(organization !== undefined && { organization }),
    ...(by !== undefined && { by: { name: by, how: 'command' } as const }),
  };
}

/** Where the time asked for begins in an index, which goes by time: what is before it need not be walked. */
function edgeOf({ fromMs, beforeMs }: EventFilter, order: 'ascending' | 'descending') {
  const edgeMs = order === 'ascending' ? fromMs : beforeMs;
  return edgeMs === undefined ? undefined : { id: idAt(edgeMs) };
}

/** Nothing that follows in this order is of the time asked for. */
function isPast(
  { fromMs, beforeMs }: EventFilter,
  { atMs }: EventDocument,
  order: 'ascending' | 'descending',
): boolean {
  if (order === 'ascending') return beforeMs !== undefined && atMs >= beforeMs;
  return fromMs !== undefined && atMs < fromMs;
}

function isBehind(id: string, after: string, order: 'ascending' | 'descending'): boolean {
  return order === 'ascending' ? id > after : id < after;
}

function matches(filter: EventFilter, event: EventDocument): boolean {
  const { action, subject, subjectId, by, organization, fromMs, beforeMs } = filter;
  return (
    (action === undefined || event.action === action) &&
    (subject === undefined || event.subject === subject) &&
    (subjectId === undefined || event.subjectId === subjectId) &&
    (by === undefined || event.by?.name === by) &&
    (organization === undefined || event.organization === organization) &&
    (fromMs === undefined || event.atMs >= fromMs) &&
    (beforeMs === undefined || event.atMs < beforeMs)
  );
}
