import { compareText, type Turn } from '../../common/index.js';
import type { Collection, FindQuery } from '../../store/index.js';
import type { Operation } from './operation.js';
import type { OperationFilter, OperationPlace } from './operations.js';

/** A range of an index, and the fields that every document in it has. */
interface Range {
  readonly index: string;
  readonly equals: NonNullable<FindQuery['equals']>;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** As the indexes give them backwards: ties go by id, the last by its UTF-8 first. */
export function newestOperationFirst(left: OperationPlace, right: OperationPlace): number {
  return right.createdAtMs - left.createdAtMs || compareText(right.id, left.id);
}

/**
 * Operations in order, from the one index that leaves least to be checked (several ranges of it where several states are asked for, which are
 * put together as they are read).
 */
export async function* scanOperations(
  operations: Collection<Operation>,
  filter: OperationFilter,
  turn?: Turn,
): AsyncGenerator<Operation, void> {
  let last = filter.after;
  for await (const operation of inOrder(
    rangesOf(filter).map((range) => walk(operations, range, filter, turn)),
  )) {
    // What moves from one range to another meanwhile is met in both.
    if (last !== undefined && newestOperationFirst(last, operation) >= 0) continue;
    last = operation;
    if (holds(operation, filter)) yield operation;
  }
}

/**
 * What counts those that a filter holds of by the entries of indexes.
 * @returns null where none has all that is asked for
 */
export function countingOperations(
  operations: Collection<Operation>,
  filter: Omit<OperationFilter, 'after'>,
): (() => Promise<number>) | null {
  const ranges = rangesOf(filter);
  const { states, imageNumber, ...others } = filter;
  const asked = { ...others, state: states, image: imageNumber };
  const names = Object.entries(asked).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (!ranges.every(({ fields }) => names.every((name) => Object.hasOwn(fields, name)))) return null;
  return async () => {
    let count = 0;
    for (const { index, equals } of ranges) count += await operations.count({ index, equals });
    return count;
  };
}

async function* walk(
  operations: Collection<Operation>,
  { index, equals, fields }: Range,
  { after }: OperationFilter,
  turn: Turn | undefined,
): AsyncGenerator<Operation, void> {
  const query = { index, equals, order: 'descending' } as const;
  const place = after === undefined ? null : ({ ...fields, ...after } as unknown as Operation);
  const cursor = place === null ? null : operations.cursorAt(query, place);
  const from = cursor === null ? query : { ...query, after: cursor };
  for await (const { document } of operations.scan(from, turn)) yield document;
}

/** Each of these is in order; so is what comes of them, of which no more than one of each is held. */
async function* inOrder(walks: readonly AsyncGenerator<Operation, void>[]): AsyncGenerator<Operation, void> {
  try {
    const heads = await Promise.all(walks.map((each) => each.next()));
    for (;;) {
      let first: number | null = null;
      for (const [at, head] of heads.entries()) {
        if (head.done === true) continue;
        const least = first === null ? undefined : heads[first];
        if (least === undefined || least.done === true || newestOperationFirst(head.value, least.value) < 0)
          first = at;
      }
      const head = first === null ? undefined : heads[first];
      const from = first === null ? undefined : walks[first];
      if (first === null || head === undefined || head.done === true || from === undefined) return;
      yield head.value;
      heads[first] = await from.next();
    }
  } finally {
    await Promise.all(walks.map((each) => each.return()));
  }
}

function rangesOf({
  batch,
  cpeid,
  states,
  reason,
  imageNumber,
  organization,
}: OperationFilter): readonly Range[] {
  // A CPE has few, whatever else is asked.
  if (cpeid !== undefined) return [{ index: 'cpe', equals: [cpeid], fields: { cpeid } }];
  if (batch !== undefined && reason !== undefined)
    return [{ index: 'batchReason', equals: [batch, reason], fields: { batch, reason } }];
  const wanted = states === undefined ? undefined : [...new Set(states)];
  if (batch !== undefined) {
    return (
      wanted?.map((state) => ({ index: 'batchState', equals: [batch, state], fields: { batch, state } })) ?? [
        { index: 'batch', equals: [batch], fields: { batch } },
      ]
    );
  }
  if (imageNumber !== undefined)
    return [{ index: 'image', equals: [imageNumber], fields: { image: { number: imageNumber } } }];
  if (organization !== undefined) {
    return (
      wanted?.map((state) => ({
        index: 'organizationState',
        equals: [organization, state],
        fields: { organization, state },
      })) ?? [{ index: 'organization', equals: [organization], fields: { organization } }]
    );
  }
  return (
    wanted?.map((state) => ({ index: 'state', equals: [state], fields: { state } })) ?? [
      { index: 'list', equals: [], fields: {} },
    ]
  );
}

function holds(operation: Operation, filter: OperationFilter): boolean {
  const { batch, cpeid, states, reason, imageNumber, organization } = filter;
  return (
    (batch === undefined || operation.batch === batch) &&
    (cpeid === undefined || operation.cpeid === cpeid) &&
    (states === undefined || states.includes(operation.state)) &&
    (reason === undefined || operation.reason === reason) &&
    (imageNumber === undefined || operation.image?.number === imageNumber) &&
    (organization === undefined || operation.organization === organization)
  );
}
