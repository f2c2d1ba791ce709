import type { ExecutionContext } from 'ava';
import { type OrganizationId, silentLogger } from '../../common/index.js';
import { byCommand } from '../../events/index.js';
import {
  OrganizationDirectory,
  OrganizationError,
  Organizations,
  type OrganizationUsers,
} from '../../organizations/index.js';
import type { Store } from '../../store/index.js';

export const BY = byCommand('tester');

/** Of a process that knows of none. */
export const NO_USERS: OrganizationUsers = {
  code: 'has-users',
  what: 'users',
  remedy: 'remove its users',
  isAnyOf: async () => false,
  haveEnding: async () => false,
};

/** The organizations of a store, as one process has them. */
export function organizationsOn(
  store: Store,
  more: {
    readonly users?: Partial<OrganizationUsers>;
    readonly countCpes?: (id: OrganizationId) => Promise<number>;
    readonly monotonic?: () => number;
    readonly clock?: () => number;
  } = {},
): Organizations {
  return new Organizations({
    store,
    directory: new OrganizationDirectory({ store, ...(more.monotonic && { monotonic: more.monotonic }) }),
    clock: more.clock ?? Date.now,
    logger: silentLogger,
    // What a condition is stands in rules/: these tests have but one that is none.
    checkCondition: (condition) =>
      condition === 'bad' ? [{ field: 'condition', expected: 'a good one' }] : [],
    belongings: [
      {
        code: 'has-cpes',
        what: 'CPEs',
        remedy: 'move its CPEs to another',
        isAnyOf: async (id) => ((await more.countCpes?.(id)) ?? 0) > 0,
      },
    ],
    users: { ...NO_USERS, ...more.users },
  });
}

/** The code of what refuses, and the fields that it names. */
export async function refusalOf(t: ExecutionContext, work: Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync(work, { instanceOf: OrganizationError });
  return [error.code, ...error.problems.map(({ field }) => field)].join(' ');
}
