import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import {
  type Change,
  type Collection,
  type CollectionDefinition,
  type FindQuery,
  type IndexValue,
  type Revision,
  type Store,
  StoreError,
} from '../../../store/index.js';
import { collectPages, given, ids, PASSING_THINGS, THINGS, type Thing } from '../things.js';
import type { Rule } from './rule.js';

/**
 * The engine against a plain Map.
 * @param numRuns  how often each property is tried
 */
export function model(rule: Rule, numRuns: number): void {
  for (const [of, definition] of [
    ['', THINGS],
    [' of a passing collection', PASSING_THINGS],
    [' of a passing collection with indexes', { ...THINGS, name: 'passing-indexed', passing: true }],
  ] as const) {
    rule(`the engine and a plain map agree on random operations${of}`, async (t, _things, store) => {
      const things = store.collection<Thing>(definition);
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
          await removeAll(things);
          const model: Model = new Map();
          for (const steps of operations) await runBoth(store, things, model, steps);
          await agree(t, things, model, definition);
        }),
        { numRuns },
      );
      t.pass();
    });
  }

  rule('the engine and a plain sort and filter agree on random queries', async (t, things, store) => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(plainDocument, { selector: ({ id }) => id, maxLength: 30 }),
        fc.array(fc.tuple(someQuery, fc.integer({ min: 1, max: 12 })), { minLength: 1, maxLength: 12 }),
        async (documents, queries) => {
          await removeAll(things);
          await store.commit(documents.map((document) => things.putting(document)));
          for (const [query, limit] of queries) {
            const found = (await collectPages(things, { ...query, limit })).flat();
            t.deepEqual(found, expectedIds(documents, query), JSON.stringify(query));
            const { order: _order, ...range } = query;
            t.is(await things.count(range), found.length, JSON.stringify(query));
          }
        },
      ),
      { numRuns },
    );
  });
}

async function removeAll(things: Collection<Thing>): Promise<void> {
  await Promise.all((await ids(things, {})).map((id) => things.delete(id)));
}

type Query = Omit<FindQuery, 'limit' | 'after'>;

/** Short enough that an index holds all of it, so that its order is plainly that of the values. */
const plainValue = fc.constantFrom<IndexValue>(
  false,
  true,
  -1,
  0,
  1,
  1.5,
  '',
  'a',
  'a\0',
  'a\0b',
  'ab',
  'b',
  'é',
  '😀',
);
const plainDocument: fc.Arbitrary<Thing> = fc.record(
  {
    id: fc.oneof(fc.string({ minLength: 1, maxLength: 3 }), fc.constantFrom('a', 'aa', 'ab', 'b', 'é', '😀')),
    n: plainValue,
    s: plainValue,
    tags: fc.oneof(plainValue, fc.array(plainValue, { maxLength: 4 })),
  },
  { requiredKeys: ['id'] },
);
const order = fc.constantFrom('ascending' as const, 'descending' as const);
const range = fc.oneof(
  fc.record({ atLeast: plainValue, below: plainValue }, { requiredKeys: [] }),
  fc.record({ prefix: fc.constantFrom('', 'a', 'a\0', 'b') }),
);
const someQuery: fc.Arbitrary<Query> = fc.oneof(
  fc
    .tuple(fc.constantFrom('id', 'n', 's', 'tags', 's-n', 'tags-n'), range, order)
    .map(([index, bounds, direction]) => ({ index, ...bounds, order: direction })),
  fc
    .tuple(fc.constantFrom('id', 'n', 's', 'tags', 's-n', 'tags-n'), plainValue, order)
    .map(([index, value, direction]) => ({ index, equals: [value], order: direction })),
  fc
    .tuple(fc.constantFrom('s-n', 'tags-n'), plainValue, range, order)
    .map(([index, value, bounds, direction]) => ({ index, equals: [value], ...bounds, order: direction })),
);

function expectedIds(documents: readonly Thing[], query: Query): string[] {
  const fields =
    query.index === 'id'
      ? ['id']
      : given(Object.entries(THINGS.indexes).find(([name]) => name === query.index))[1];
  const equals = query.equals ?? [];
  const entries = documents.flatMap((document) =>
    tuplesOf(document, fields)
      .filter(
        (tuple) => equals.every((value, at) => tuple[at] === value) && inBounds(tuple[equals.length], query),
      )
      .map((tuple) => [...tuple, document.id]),
  );
  entries.sort(compareTuples);
  if (query.order === 'descending') entries.reverse();
  return [...new Set(entries.map((entry) => String(entry.at(-1))))];
}

function tuplesOf(document: Thing, fields: readonly string[]): IndexValue[][] {
  return fields.reduce<IndexValue[][]>(
    (tuples, field) =>
      tuples.flatMap((tuple) => elements(document[field as keyof Thing]).map((value) => [...tuple, value])),
    [[]],
  );
}

function inBounds(value: IndexValue | undefined, query: Query): boolean {
  if (value === undefined) return true;
  if (query.prefix !== undefined) return typeof value === 'string' && value.startsWith(query.prefix);
  if (query.atLeast !== undefined && compareTuples([value], [query.atLeast]) < 0) return false;
  return query.below === undefined || compareTuples([value], [query.below]) < 0;
}

function compareTuples(a: readonly IndexValue[], b: readonly IndexValue[]): number {
  const rank = (value: IndexValue) => ['boolean', 'number', 'string'].indexOf(typeof value);
  for (const [at, left] of a.entries()) {
    const right = given(b[at]);
    const compared =
      rank(left) - rank(right) ||
      (typeof left === 'string'
        ? Buffer.compare(Buffer.from(left), Buffer.from(String(right)))
        : Number(left) - Number(right));
    if (compared !== 0) return compared;
  }
  return 0;
}

type Step =
  | { readonly kind: 'put' | 'insert' | 'replace'; readonly document: Thing; readonly stale: boolean }
  | { readonly kind: 'delete' | 'require'; readonly id: string; readonly stale: boolean }
  | { readonly kind: 'count'; readonly id: string; readonly add: number; readonly atMost: number | null };

const someId = fc.constantFrom('a', 'b', 'c', 'aa', 'é');
const someValue = fc.oneof(
  fc.constantFrom<unknown>(
    true,
    false,
    null,
    0,
    -1,
    2.5,
    '',
    'a',
    'ab',
    'x'.repeat(300),
    `${'x'.repeat(300)}y`,
    {},
  ),
  fc.string({ maxLength: 3, unit: 'grapheme' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const someDocument: fc.Arbitrary<Thing> = fc.record(
  {
    id: someId,
    n: someValue,
    s: someValue,
    tags: fc.oneof(someValue, fc.array(someValue, { maxLength: 4 })),
  },
  { requiredKeys: ['id'] },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('put', 'insert', 'replace'),
    document: someDocument,
    stale: fc.boolean(),
  }),
  fc.record({ kind: fc.constantFrom('delete', 'require'), id: someId, stale: fc.boolean() }),
  fc.record({
    kind: fc.constant('count'),
    id: someId,
    add: fc.integer({ min: -3, max: 3 }),
    atMost: fc.option(fc.integer({ min: -2, max: 4 })),
  }),
);
const operation = fc.array(step, { minLength: 1, maxLength: 3 });

/** A document that a commit wrote has no revision that the same commit could name. */
type Model = Map<string, { document: Thing; revision: Revision | null }>;

const NO_REVISION = -1 as Revision;

/** One commit on both. */
async function runBoth(
  store: Store,
  things: Collection<Thing>,
  model: Model,
  steps: readonly Step[],
): Promise<void> {
  const draft: Model = new Map(model);
  const changes: Change[] = [];
  let expected: 'committed' | 'refused' | 'bad-document' = 'committed';
  for (const step of steps) {
    const { change, outcome } = apply(things, draft, step);
    if (expected === 'committed') expected = outcome;
    changes.push(change);
  }
  const outcome = await store.commit(changes).catch((error: unknown) => {
    if (error instanceof StoreError) return error.code;
    throw error;
  });
  const found = typeof outcome === 'string' ? outcome : outcome.committed ? 'committed' : 'refused';
  if (found !== expected) throw new Error(`${JSON.stringify(steps)}: ${found}, not ${expected}`);
  if (typeof outcome === 'string' || !outcome.committed) return;
  model.clear();
  for (const [id, stored] of draft) model.set(id, stored);
  for (const [at, revision] of outcome.revisions.entries()) {
    const change = given(changes[at]);
    const written = model.get('document' in change ? change.document.id : change.id);
    if (revision !== null && written !== undefined) written.revision = revision;
  }
}

function apply(
  things: Collection<Thing>,
  draft: Model,
  step: Step,
): { change: Change; outcome: 'committed' | 'refused' | 'bad-document' } {
  const id = 'document' in step ? step.document.id : step.id;
  const current = draft.get(id);
  const known = 'stale' in step && !step.stale ? (current?.revision ?? null) : null;
  const answer = (change: Change, holds: boolean) =>
    ({ change, outcome: holds ? 'committed' : 'refused' }) as const;
  const write = (document: Thing) =>
    draft.set(id, { document: JSON.parse(JSON.stringify(document)) as Thing, revision: null });
  switch (step.kind) {
    case 'put':
      write(step.document);
      return answer(things.putting(step.document), true);
    case 'insert':
      if (current === undefined) write(step.document);
      return answer(things.inserting(step.document), current === undefined);
    case 'replace':
      if (known !== null) write(step.document);
      return answer(things.replacing(step.document, known ?? NO_REVISION), known !== null);
    case 'delete':
      draft.delete(id);
      return step.stale
        ? answer(things.deleting(id), current !== undefined)
        : answer(things.deleting(id, known ?? NO_REVISION), known !== null);
    case 'require':
      if (step.stale) return answer(things.requiring(id, null), current === undefined);
      return answer(things.requiring(id, known ?? NO_REVISION), known !== null);
    case 'count': {
      const before = current?.document.n ?? 0;
      const n = Number(before) + step.add;
      const change = things.counting(id, { n: step.add }, step.atMost === null ? {} : { n: step.atMost });
      if (typeof before !== 'number') return { change, outcome: 'bad-document' };
      // To add nothing writes nothing.
      if (step.add !== 0 || current === undefined) write({ ...current?.document, id, n });
      return answer(change, step.atMost === null || n <= step.atMost);
    }
    default:
      return step satisfies never;
  }
}

async function agree(
  t: ExecutionContext,
  things: Collection<Thing>,
  model: Model,
  { indexes }: CollectionDefinition,
): Promise<void> {
  const some = ['a', 'b', 'c', 'aa', 'é'];
  t.deepEqual(
    await Promise.all(some.map((id) => things.get(id))),
    some.map((id) => model.get(id) ?? null),
  );
  t.deepEqual(await ids(things, {}), [...model.keys()].sort());
  t.is(await things.count(), model.size);
  for (const [index, fields] of Object.entries(indexes)) {
    const indexed = [...model.values()].filter(({ document }) =>
      fields.every((field) => elements((document as unknown as Record<string, unknown>)[field]).length > 0),
    );
    const expected = indexed.map(({ document }) => document.id).sort();
    t.deepEqual((await ids(things, { index })).sort(), expected, index);
    t.is(await things.count({ index }), expected.length);
    for (const value of new Set(
      indexed.flatMap(({ document }) => elements(document[fields[0] as keyof Thing])),
    )) {
      const holding = indexed.filter(({ document }) =>
        elements(document[fields[0] as keyof Thing]).includes(value),
      );
      const found = await ids(things, { index, equals: [value], order: 'descending' });
      t.deepEqual(found.sort(), holding.map(({ document }) => document.id).sort(), `${index} ${value}`);
    }
  }
}

function elements(value: unknown): IndexValue[] {
  const isScalar = (one: unknown): one is IndexValue =>
    typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean';
  return (Array.isArray(value) ? value : [value]).filter(isScalar);
}
