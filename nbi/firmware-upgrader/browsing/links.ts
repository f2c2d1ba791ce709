import type { JsonLinks, JsonPlace } from '../../pages/index.js';
import { PATH_ID, PREFIX } from '../manners/index.js';

const URL_FIELDS: ReadonlySet<string> = new Set(['file', 'next', 'previous']);
/** Of what has a page by its id alone, by the field that has the id, whatever the field stands in. */
const BY_FIELD: Readonly<Record<string, (id: string) => string>> = {
  build: (id) => `build/${id}/`,
  category: (id) => `category/${id}/`,
  batch: (id) => `batch-upgrade-operation/${id}/`,
  device: (id) => `device/${id}/firmware/`,
  devices: (id) => `device/${id}/firmware/`,
};
/** By what an `id` stands in. */
const BY_PARENT: Readonly<Record<string, (id: string) => string>> = {
  build: (id) => `build/${id}/`,
  upgrade_operation: (id) => `upgrade-operation/${id}/`,
  upgradeoperations: (id) => `upgrade-operation/${id}/`,
};

/**
 * Where the ids and URLs of an answer lead.
 * @param items  what the id of an item of this list leads to; null: nowhere, or it is no list
 */
export function linksIn(items: string | null): JsonLinks {
  return (place, text) => {
    const field = nameAt(place, 0);
    if (URL_FIELDS.has(field) && /^https?:\/\//.test(text)) return text;
    if (!PATH_ID.test(text)) return null;
    if (field !== 'id') return underPrefix(BY_FIELD[field], text);
    const parent = nameAt(place, 1);
    if (parent === 'results' && place.length === 3) return items === null ? null : `${items}${text}/`;
    return underPrefix(BY_PARENT[parent], text);
  };
}

function underPrefix(pathOf: ((id: string) => string) | undefined, id: string): string | null {
  return pathOf === undefined ? null : `${PREFIX}${pathOf(id)}`;
}

/** The last name of a place, or one so many before it; the numbers of lists are passed over. */
function nameAt(place: JsonPlace, before: number): string {
  return String(place.filter((each) => typeof each === 'string').at(-1 - before) ?? '');
}
