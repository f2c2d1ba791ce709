import type { ExecutionContext } from 'ava';
import fc from 'fast-check';
import type { Collection, Revision, Store } from '../../../store/index.js';
import { given, ids, THINGS, type Thing } from '../things.js';
import type { Rule } from './rule.js';

/** The engine against a plain Map. */
export function model(rule: Rule): void {
  rule('the engine and a plain map agree on random operations', async (t, _, store) => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 25 }), async (operations) => {
        const things = store.collection<Thing>({ ...THINGS, name: `model-${++round}` });
        const model = new Map<string, { document: Thing; revision: Revision }>();
        for (const step of operations) await runBoth(store, things, model, step);
        await agree(t, things, model);
      }),
      { numRuns: 60 },
    );
    t.pass();
  });
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

function elements(value: unknown): (string | number | boolean)[] {
  const isScalar = (one: unknown) =>
    typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean';
  return (Array.isArray(value) ? value : [value]).filter(isScalar);
}
