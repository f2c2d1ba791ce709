import type { Devices } from '../../acs/index.js';
import { ApiError, isWithin, type Scope } from '../http/index.js';

/** CPEs of one serial number that are looked at: some makes gave the same to all of theirs. */
const LOOKS_MAX = 1_000;
const CANDIDATES_MAX = 10;
/** A serial number has no more, and no CPE has told half of a surrogate pair: the store would refuse to look for it. */
const SERIAL_CHARACTERS_MAX = 400;
const HALVES = /\p{Surrogate}/u;

/**
 * The ids of CPEs that are named: each name as it is, and where it has not the form of an id, those of the CPEs that have it as their serial
 * number.
 * @param only  each name is to stand for one CPE
 * @throws ApiError 409 with the candidates, where one of them stands for several
 */
export async function idsMeant(
  devices: Pick<Devices, 'isId' | 'withSerialNumber'>,
  scope: Scope,
  names: readonly string[],
  only: 'one' | 'any' = 'any',
): Promise<readonly string[]> {
  const ids = new Set<string>();
  for (const name of names) {
    ids.add(name);
    if (devices.isId(name) || name === '' || name.length > SERIAL_CHARACTERS_MAX || HALVES.test(name))
      continue;
    const found = (await devices.withSerialNumber(name, LOOKS_MAX)).filter(
      ({ organization, supersededBy }) =>
        isWithin(scope, organization?.id) && (only === 'any' || supersededBy === undefined),
    );
    if (only === 'one' && found.length > 1)
      throw ambiguous(
        name,
        found.map(({ id }) => id),
      );
    for (const { id } of found) ids.add(id);
  }
  return [...ids];
}

/** Several CPEs have a serial number, and one of them is meant. */
function ambiguous(name: string, ids: readonly string[]): ApiError {
  return new ApiError(409, [
    {
      field: 'cpeid',
      code: 'ambiguous-serial',
      expected: 'one CPE: name it by its cpeid',
      found: JSON.stringify(name),
      ids: ids.slice(0, CANDIDATES_MAX),
    },
  ]);
}
