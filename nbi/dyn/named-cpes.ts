import { type Device, type Devices, meantBySerialNumber } from '../../acs/index.js';
import type { CpeId, Turn } from '../../common/index.js';
import { isWellFormed } from '../../store/index.js';
import { ApiError, isWithin, type Scope } from '../http/index.js';

/** CPEs of one serial number that are looked at, or of all that are named at once: some makes gave the same to all of theirs. */
const LOOKS_MAX = 1_000;
/** Of each serial number so many are, however many others have taken. */
const LOOKS_MIN = 2;
const CANDIDATES_MAX = 10;
/** A serial number has no more, and no CPE has told half of a surrogate pair: the store would refuse to look for it. */
const SERIAL_CHARACTERS_MAX = 400;

/** How names are taken. */
export interface Naming {
  /** `one`: each name is to stand for one CPE. */
  readonly of: 'one' | 'any';
  /** When each name is looked for. */
  readonly turn: Turn;
}

const atOnce: Turn = (work) => work();

/**
 * The ids of CPEs that are named: each name as it is, and where that is of no CPE, those of the CPEs that have it as their serial number, which
 * come behind it.
 * @throws ApiError 409 with the candidates, where one of them stands for several and is to stand for one
 */
export async function idsMeant(
  devices: Pick<Devices, 'isId' | 'get' | 'withSerialNumber'>,
  scope: Scope,
  names: readonly string[],
  { of, turn }: Naming = { of: 'one', turn: atOnce },
): Promise<readonly string[]> {
  const ids = new Set<string>();
  const isTheirs = ({ organization }: Device): boolean => isWithin(scope, organization?.id);
  let left = LOOKS_MAX;
  for (const name of new Set(names)) {
    ids.add(name);
    if (name === '' || name.length > SERIAL_CHARACTERS_MAX || !isWellFormed(name)) continue;
    const looked = await turn(async () => {
      const known = devices.isId(name) ? await devices.get(name as CpeId) : null;
      if (known !== null && isTheirs(known)) return [];
      return devices.withSerialNumber(name, Math.max(left, LOOKS_MIN));
    });
    left -= Math.max(0, looked.length - 1);
    const theirs = looked.filter(isTheirs);
    const found = of === 'one' ? meantBySerialNumber(theirs) : theirs;
    if (of === 'one' && found.length > 1)
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
