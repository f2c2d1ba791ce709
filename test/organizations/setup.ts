import type { ExecutionContext } from 'ava';
import { type OrganizationId, silentLogger } from '../../common/index.js';
import { byCommand } from '../../events/index.js';
import { OrganizationDirectory, OrganizationError, Organizations } from '../../organizations/index.js';
import type { Store } from '../../store/index.js';

export const BY = byCommand('tester');

/** The organizations of a store, as one process has them. */
export function organizationsOn(
  store: Store,
  more: {
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
    countCpes: more.countCpes ?? (async () => 0),
  });
}

/** The code of what refuses, and the fields that it names. */
export async function refusalOf(t: ExecutionContext, work: Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync(work, { instanceOf: OrganizationError });
  return [error.code, ...error.problems.map(({ field }) => field)].join(' ');
}
