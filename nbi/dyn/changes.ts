import type { Turn } from '../../common/index.js';
import { ApiError, type Exchange, invalid } from '../http/index.js';
import { BATCH_ITEMS_MAX } from '../limits.js';
import type { Query } from './query.js';
import {
  looksAtListed,
  meantBy,
  type Selected,
  type Selection,
  type Storage,
  selectEntries,
} from './storage.js';

/** @throws ApiError 400 where every entry is selected without being meant */
export function requireIntent({ everything, all }: Query, { idLists }: Selection): void {
  if (everything && idLists.length === 0 && !all) {
    throw invalid('all', 'true, where every entry of the storage is meant; else name an id or a field');
  }
}

/** An `id` in the body of a PUT narrows what is changed; it never renames. @param what  an entry, in a word. @throws ApiError */
export function narrowedTo(selection: Selection, id: unknown, what: string): Selection {
  if (id === undefined) return selection;
  if (typeof id !== 'string') throw invalid('id', `the id of the ${what} to change, as a string`, id);
  return { ...selection, idLists: [...selection.idLists, [id]] };
}

/**
 * Makes a change of the selected entries, which leave nobody in doubt: in a place of its own where any number of entries may have to be looked at.
 * @param change  is handed what the selection means: a CPE that comes meanwhile, and has a serial number that is named, is not among it
 */
export async function changeSelected(
  { storage, selection, reading }: Selected,
  exchange: Pick<Exchange, 'user' | 'over'>,
  change: (turn: Turn, meant: Selection) => Promise<void>,
): Promise<void> {
  const meant = (turn: Turn) => meantBy(storage, selection, { of: 'one', turn });
  if (!looksAtListed(storage, selection))
    return reading.change(exchange, async (turn) => change(turn, await meant(turn)));
  const turn = reading.turn(exchange);
  const few = await meant(turn);
  if (looksAtListed(storage, few)) return change(turn, few);
  return reading.change(exchange, (inPlace) => change(inPlace, few));
}

/**
 * Changes the selected entries page by page, each page atomically: a change to a million rules is never one transaction.
 * @throws ApiError 404 where nothing was selected
 */
export async function inBatches(
  storage: Storage,
  selection: Selection,
  turn: Turn,
  change: (ids: readonly string[]) => Promise<unknown>,
): Promise<void> {
  let batch: string[] = [];
  let changed = false;
  const flush = async () => {
    if (batch.length === 0) return;
    await change(batch);
    changed = true;
    batch = [];
  };
  for await (const { id } of selectEntries(storage, selection, { turn })) {
    batch.push(id);
    if (batch.length >= BATCH_ITEMS_MAX) await flush();
  }
  await flush();
  if (!changed) throw new ApiError(404);
}
