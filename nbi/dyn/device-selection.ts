import { ApiError } from '../http/index.js';
import { DEVICE_WORDS } from './device-storage.js';
import { parseQuery } from './query.js';
import type { Selection } from './storage.js';

/** Which CPEs are meant cannot be understood; the message says what should stand there. */
export class DeviceFilterError extends Error {
  override readonly name = 'DeviceFilterError';
}

/**
 * Which CPEs are meant, for whoever asks by other ways than HTTP in the words of a query of DeviceStorage.
 * @param ids  whole ids; where there are none, any
 * @param filters  as between the ampersands of a URL: `lastInform<2026-01-01T00:00:00Z`, `ip=192.0.2.7`
 * @throws DeviceFilterError
 */
export function deviceSelection(ids: readonly string[], filters: readonly string[]): Selection {
  const query = new URLSearchParams();
  for (const filter of filters) {
    const [name = ''] = filter.split('=', 1);
    query.append(name, filter.slice(name.length + 1));
  }
  try {
    const { selection } = parseQuery(DEVICE_WORDS, '.*', query, {});
    return ids.length === 0 ? selection : { ...selection, idLists: [...selection.idLists, ids] };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const [{ field = '', expected = '', found } = {}] = error.problems;
    throw new DeviceFilterError(
      `${field}: expected ${expected}${found === undefined ? '' : `, found ${found}`}`,
      { cause: error },
    );
  }
}
