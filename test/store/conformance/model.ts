import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Collection, FindQuery, IndexValue, Revision, Store } from '../../../store/index.js';
import { collectPages, given, ids, THINGS, type Thing } from '../things.js';
import type { Rule } from './rule.js';

/**
 * The engine against a plain Map.
 * @param numRuns  how often each property is tried
 */
export function model(rule: Rule, numRuns: number): void {
  rule('the engine and a plain map agree on random operations', async (t, things, store) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        await removeAll(things);
        const model = new Map<string, { document: Thing; revision: Revision }>();
        for (const step of operations) await runBoth(store, things, model, step);
        await agree(t, things, model);
      }),
      { numRuns },
    );
    t.pass();
  });

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
  | { readonly kind: 'delete'; readonly id: string };

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
const operation: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('put', 'insert', 'replace'),
    document: someDocument,
    stale: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('delete'), id: someId }),
);

async function runBoth(
  store: Store,
  things: Collection<Thing>,
  model: Map<string, { document: Thing; revision: Revision }>,
  step: Step,
): Promise<void> {
  if (step.kind === 'delete') {
    if ((await things.delete(step.id)) !== model.delete(step.id)) throw new Error('delete differs');
    return;
  }
  const { document } = step;
  const current = model.get(document.id)?.revision ?? null;
  const revision = step.stale || current === null ? (((current ?? 0) - 1) as Revision) : current;
  const change =
    step.kind === 'put'
      ? things.putting(document)
      : step.kind === 'insert'
        ? things.inserting(document)
        : things.replacing(document, revision);
  const expected = step.kind === 'put' || (step.kind === 'insert' ? current === null : revision === current);
  const outcome = await store.commit([change]);
  if (outcome.committed !== expected) throw new Error(`${step.kind} differs`);
  if (outcome.committed) {
    const stored = JSON.parse(JSON.stringify(document)) as Thing;
    model.set(document.id, { document: stored, revision: given(outcome.revisions[0] ?? null) });
  }
}

async function agree(
  t: ExecutionContext,
  things: Collection<Thing>,
  model: ReadonlyMap<string, { document: Thing; revision: Revision }>,
): Promise<void> {
  for (const id of ['a', 'b', 'c', 'aa', 'é']) t.deepEqual(await things.get(id), model.get(id) ?? null);
  for (const [index, fields] of Object.entries(THINGS.indexes)) {
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
