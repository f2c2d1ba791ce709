import { isDeepStrictEqual } from 'node:util';
import type { Turn } from '../../common/index.js';
import type { JsonObject } from '../http/index.js';
import { onlyKeys } from './id-pattern.js';
import { type Storage, selectEntries } from './storage.js';

/**
 * What a list shows, where just that is posted again: it is there already, and nothing is to be done.
 * @returns the entry as the list shows it; null where it is another, or gone
 */
export async function shownAlready(
  storage: Storage,
  said: JsonObject,
  turn: Turn,
): Promise<JsonObject | null> {
  const { id } = said;
  if (typeof id !== 'string') return null;
  const selection = { pattern: onlyKeys([id]), idLists: [], filters: [], everyRevision: false };
  for await (const { view } of selectEntries(storage, selection, { turn }))
    return isDeepStrictEqual(asJson(view), asJson(said)) ? view : null;
  return null;
}

/** As whoever reads the list has it: without what is undefined. */
function asJson(value: JsonObject): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** Without fields that a list shows and that nobody says. */
export function withoutShown(said: JsonObject, shown: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(said).filter(([name]) => !shown.includes(name)));
}
