import type { Turn } from '../../common/index.js';
import { ID_BYTES_MAX } from '../../store/index.js';
import type { Exchange, Reading } from '../http/index.js';
import { READ_SHORT_ITEMS_MAX } from '../limits.js';
import type { CsvTable } from './csv.js';
import { type Entry, isCalled, keyOf, type Position } from './entry.js';
import { type FieldFilter, type Fields, holds } from './fields.js';
import type { IdPattern } from './id-pattern.js';
import type { Naming } from './named-cpes.js';

/** How what is asked of a storage reads. */
export interface Words {
  readonly fields: Fields;
  /** Query parameters that mean the id. */
  readonly idNames: readonly string[];
  readonly order: 'ascending' | 'descending';
}

/** What a request picks out of a storage. */
export interface Selection {
  readonly pattern: IdPattern;
  /** Each is a list of ids of which an entry must have one. */
  readonly idLists: readonly (readonly string[])[];
  readonly filters: readonly FieldFilter[];
  /** FirmwareResultStorage: also results of an earlier file or target of their rule. */
  readonly everyRevision: boolean;
  /** What names meant has been looked up: each stands for itself from then on. */
  readonly isMeant?: true;
}

/** How a list can be written. */
export type ListFormatName = 'json' | 'ndjson' | 'csv';

/** A storage under `/v1/dyn`: where its entries come from and how they read. */
export interface Storage extends Words {
  readonly name: string;
  /** Where its lists can be had as CSV: the head, and what of an entry stands in each column. */
  readonly csv?: CsvTable;
  /**
   * Entries in the storage's own order (by rank, ties by the UTF-8 of their keys in the same direction), among them every one
   * that is selected; served from an index where one fits.
   * @param after  a position in that order: only what comes after it, at no more cost than from the start
   * @param turn  when each page is read
   */
  candidates(selection: Selection, after: Position | null, turn: Turn): AsyncIterable<Entry>;
  /**
   * What a selection means that names CPEs: those of serial numbers by their ids.
   * @param naming  `one`: as something is to become of what is selected
   * @throws ApiError 409 where one stands for several then
   */
  meant?(selection: Selection, naming: Naming): Promise<Selection>;
  /** How many entries there are in all, where an index knows that without reading them. */
  countAll?(): Promise<number>;
  /** Whether no more entries are looked at than the selection lists, and these are few; by default where it lists their ids. */
  looksAtListed?(selection: Selection): boolean;
  /** Whether entries are left out that no filter of the selection excludes, so that even a page of everything may be far to go. */
  leavesOut?(selection: Selection): boolean;
}

/** The only ids that a selection can contain; null where they cannot be listed. */
export function listedIds({ pattern, idLists }: Selection): readonly string[] | null {
  const lists = pattern.ids === null ? idLists : [pattern.ids, ...idLists];
  const [first, ...others] = lists;
  if (first === undefined) return null;
  const sets = others.map((list) => new Set(list));
  return [...new Set(first)].filter(
    (id) => isLookedFor(id) && sets.every((set) => set.has(id)) && pattern.matches(id),
  );
}

/** The store refuses to look for ids that it could not hold. */
export function isLookedFor(id: string): boolean {
  return id !== '' && Buffer.byteLength(id) <= ID_BYTES_MAX;
}

/** Whether no more entries are looked at than the selection lists, and these are few. */
export function looksAtListed(storage: Storage, selection: Selection): boolean {
  if (storage.looksAtListed !== undefined) return storage.looksAtListed(selection);
  const ids = listedIds(selection);
  return ids !== null && ids.length <= READ_SHORT_ITEMS_MAX;
}

/** What a selection means, looked up once for a request: names may be of thousands of CPEs. @throws ApiError as {@link Storage.meant} */
export async function meantBy(storage: Storage, asked: Selection, naming: Naming): Promise<Selection> {
  if (storage.meant === undefined || asked.isMeant === true) return asked;
  return { ...(await storage.meant(asked, naming)), isMeant: true };
}

/** What is asked of a storage, and how it is read. */
export interface Selected {
  readonly storage: Storage;
  readonly selection: Selection;
  readonly reading: Reading;
}

/**
 * Reads selected entries: in a place for lists where any number of entries may have to be looked at.
 * @param read  is handed what the selection means
 */
export async function readSelected<T>(
  { storage, selection, reading }: Selected,
  exchange: Pick<Exchange, 'user' | 'over'>,
  read: (turn: Turn, meant: Selection) => Promise<T>,
): Promise<T> {
  const meant = (turn: Turn) => meantBy(storage, selection, { of: 'any', turn });
  if (!looksAtListed(storage, selection))
    return reading.long(exchange, async (turn) => read(turn, await meant(turn)));
  const turn = reading.turn(exchange);
  const few = await meant(turn);
  if (looksAtListed(storage, few)) return read(turn, few);
  return reading.long(exchange, (inPlace) => read(inPlace, few));
}

/** The entries that are selected, in the storage's own order, from behind a position in it. */
export async function* selectEntries(
  storage: Storage,
  asked: Selection,
  { after = null, turn }: { readonly after?: Position | null; readonly turn: Turn },
): AsyncGenerator<Entry> {
  const selection = await meantBy(storage, asked, { of: 'any', turn });
  const idSets = selection.idLists.map((ids) => new Set(ids));
  for await (const entry of storage.candidates(selection, after, turn)) {
    const { pattern } = selection;
    const isMatched =
      pattern.isOfKeys === true
        ? pattern.matches(keyOf(entry))
        : isCalled(entry, (id) => pattern.matches(id));
    if (!isMatched || !idSets.every((ids) => isCalled(entry, (id) => ids.has(id)))) continue;
    if (selection.filters.every((filter) => holds(filter, entry.facts ?? entry.view))) yield entry;
  }
}
