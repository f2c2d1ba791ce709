import test from 'ava';
import fc from 'fast-check';
import { DEVICES, type Device, UPGRADES, type Upgrade } from '../../../acs/index.js';
import type { ResultId } from '../../../common/index.js';
import {
  BATCHES,
  type Batch,
  BatchRecount,
  OPERATION_SHARES,
  OPERATIONS,
  type Operation,
  settleOperations,
} from '../../../rollout/index.js';
import {
  countKeyOf,
  gateIdOf,
  NO_COUNT,
  RULE_GATES,
  RULES,
  type RuleGate,
  type StoredRule,
} from '../../../rules/index.js';
import type { CollectionDefinition, Document, Store } from '../../../store/index.js';
import { PLAY_CPES, Play, STEPS, type Step } from '../operations/play.js';
import {
  cpe,
  device,
  fleetRule,
  newBatch,
  openTestOperations,
  pending,
  pinnedRule,
  START_MS,
  type TestOperations,
} from '../operations/support.js';

const numRuns = Number(process.env['FERRY_PROPERTY_CASES'] ?? 60);
const images = { get: async () => null };
const clock = () => START_MS;

/** In the order in which a backup reads them. */
const READ: readonly CollectionDefinition[] = [BATCHES, OPERATIONS, RULES, RULE_GATES, UPGRADES];

async function everyOf(store: Store, definition: CollectionDefinition): Promise<readonly Document[]> {
  const found: Document[] = [];
  for await (const { document } of store.collection(definition).scan({})) found.push(document);
  return found;
}

/** What a restore of these comes to, in a store that holds nothing else. */
async function restored(
  own: TestOperations,
  backup: readonly (readonly [string, Document])[],
): Promise<void> {
  const { store } = own;
  for (const definition of [...READ, OPERATION_SHARES]) {
    store.collection(definition);
    await store.clear(definition);
  }
  const recount = new BatchRecount();
  for (const [collection, document] of backup) recount.note(collection, document);
  for (const definition of READ) {
    const all = backup.flatMap(([collection, document]) =>
      collection === definition.name ? (recount.corrected(collection, document) ?? []) : [],
    );
    await store.commit(all.map((document) => store.collection(definition).putting(document)));
  }
  await settleOperations({ store, images, clock });
}

/** What may not be after a restore, in words. */
async function wrongIn({ store, operations, counted }: TestOperations): Promise<readonly string[]> {
  const wrong: string[] = [];
  const rules = new Map((await everyOf(store, RULES)).map((rule) => [rule.id, rule as StoredRule]));
  const gates = new Map(
    (await everyOf(store, RULE_GATES)).map((gate) => [gate.id, (gate as RuleGate).state]),
  );
  const batches = new Map((await everyOf(store, BATCHES)).map((batch) => [batch.id, batch as Batch]));
  const upgrades = new Map((await everyOf(store, UPGRADES)).map((each) => [each.id, each as Upgrade]));
  const all = (await everyOf(store, OPERATIONS)) as readonly Operation[];
  for (const { id, state, resultId, batch, ruleId } of all) {
    const phase = batches.get(batch)?.phase;
    const isRunning = resultId !== undefined && upgrades.get(resultId)?.status === false;
    if (phase === undefined) wrong.push(`${id} is of no batch`);
    if ((state === 'running') !== isRunning) wrong.push(`${id} is ${state}, and its upgrade is not`);
    if (state !== 'pending') continue;
    if (phase === 'ended') wrong.push(`${id} waits for ever`);
    const isWithout = ruleId === undefined || !rules.has(ruleId);
    if (phase === 'preparing' && isWithout) wrong.push(`${id} would be passed over, and has no rule`);
    if (phase !== 'made') continue;
    if (gates.get(gateIdOf({ kind: 'batch', id: batch })) !== 'open')
      wrong.push(`${id} waits at a closed gate`);
    if (isWithout) wrong.push(`${id} waits for a rule that is gone`);
  }
  // Whatever runs is counted by its operation.
  for (const { id, status, owner, cpeid } of upgrades.values()) {
    if (status || owner === undefined || !batches.has(owner.id)) continue;
    const known = all.some((each) => each.cpeid === cpeid && each.resultId === (id as ResultId));
    if (!known) wrong.push(`${id} runs, and no operation knows`);
  }
  for (const { id, phase } of batches.values()) {
    const gate = gates.get(gateIdOf({ kind: 'batch', id }));
    if (phase !== 'made' && gate === 'open') wrong.push(`the gate of ${id} is open, and it is ${phase}`);
    const [counts, actual] = [await operations.counts(id), await counted(id)];
    if (JSON.stringify(counts) !== JSON.stringify(actual))
      wrong.push(`${id} is counted otherwise than it is`);
  }
  for (const { id, owner } of rules.values())
    if (owner !== undefined && !batches.has(owner.id)) wrong.push(`the rule ${id} is of no batch`);
  return wrong;
}

test('whatever goes on while a backup is read, nothing that it restores waits for ever, runs twice, or is counted otherwise than it is', async (t) => {
  const [from, to] = [await openTestOperations(t), await openTestOperations(t)];
  for (const definition of READ) from.store.collection(definition);
  const phases = fc.constantFrom('preparing', 'made', 'made', 'cancelled', 'ended', 'removing');
  const moves = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        step: fc.constantFrom<Step>('begin', 'begin', 'add', ...STEPS),
        index: fc.nat(PLAY_CPES - 1),
        late: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ phase: phases }) },
  );
  const stretch = fc.array(moves, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(moves, { minLength: 10, maxLength: 30 }),
      fc.tuple(...READ.map(() => stretch)),
      fc.boolean(),
      async (before, between, isMade) => {
        const play = new Play(from, newBatch());
        const backup: (readonly [string, Document])[] = [];
        if (isMade) await from.commit(play.phase('made'));
        for (const [at, definition] of [null, ...READ].entries()) {
          if (definition !== null)
            for (const document of await everyOf(from.store, definition))
              backup.push([definition.name, document]);
          for (const move of (at === 0 ? before : between[at - 1]) ?? []) {
            const plan =
              'phase' in move
                ? { changes: play.phase(move.phase), done() {} }
                : await play.planned(move.step, move.index, move.late);
            if (plan !== null && (await from.commit(plan.changes)).committed) plan.done();
          }
        }
        await restored(to, backup);
        t.deepEqual(await wrongIn(to), []);
      },
    ),
    { numRuns },
  );
});

test('what was read of one moment is restored as it was', async (t) => {
  const own = await openTestOperations(t);
  const batch = newBatch();
  const play = new Play(own, batch);
  await own.commit(play.phase('made'));
  const steps: readonly (readonly [Step, number])[] = [
    ['add', 0],
    ['add', 1],
    ['begin', 0],
    ['fault', 0],
    ['retry', 0],
    ['begin', 2],
    ['target', 2],
    ['begin', 3],
  ];
  for (const [step, index] of steps) {
    const plan = await play.planned(step, index, false);
    t.true(plan !== null && (await own.commit(plan.changes)).committed, step);
    plan?.done();
  }
  const backup: (readonly [string, Document])[] = [];
  for (const definition of READ)
    for (const document of await everyOf(own.store, definition)) backup.push([definition.name, document]);
  const before = await own.operations.counts(batch);
  t.like(before.byState, { pending: 2, verified: 1, running: 1 });
  await restored(own, backup);
  for (const definition of READ) {
    const was = backup.flatMap(([name, document]) => (name === definition.name ? document : []));
    t.deepEqual(await everyOf(own.store, definition), was);
  }
  t.deepEqual(await own.operations.counts(batch), before);
});

test('what waits and was found not to fit while the backup was read is skipped', async (t) => {
  const own = await openTestOperations(t);
  const batch = newBatch();
  await own.commit(new Play(own, batch).phase('made'));
  const rules = [1, 2].map((index) => pinnedRule(batch, cpe(index)));
  const [first] = rules;
  if (first === undefined) return t.fail();
  const counts = { [countKeyOf(first)]: { ...NO_COUNT, refused: true as const } };
  await own.commit([
    ...own.ledger.adding([pending(batch, cpe(1)), pending(batch, cpe(2))]),
    ...rules.map((rule) => own.store.collection(RULES).putting(rule)),
    own.store.collection<Device>(DEVICES).putting({ ...device(cpe(1)), counts }),
    own.store.collection(DEVICES).putting(device(cpe(2))),
  ]);
  await settleOperations({ store: own.store, images, clock });
  t.like((await own.stored(batch, cpe(1))).document, { state: 'skipped', reason: 'does-not-fit' });
  t.is((await own.stored(batch, cpe(2))).document.state, 'pending');
  t.like(await own.operations.counts(batch), { byState: { pending: 1, skipped: 1 } });
});

test('of a batch that is being made what waits without a rule is left out, so that it is made again', async (t) => {
  const own = await openTestOperations(t);
  const batch = newBatch();
  await own.commit(new Play(own, batch).phase('preparing'));
  await own.commit([
    ...own.ledger.adding([pending(batch, cpe(1)), pending(batch, cpe(2))]),
    own.store.collection(RULES).putting(pinnedRule(batch, cpe(1))),
  ]);
  await settleOperations({ store: own.store, images, clock });
  t.is((await own.stored(batch, cpe(1))).document.state, 'pending');
  t.is(await own.operations.of(batch, cpe(2)), null);
  t.is((await own.operations.counts(batch)).total, 1);
});

test('what is of a batch that was made after batches were read is left out, and what authors wrote is not', (t) => {
  const recount = new BatchRecount();
  const batch = newBatch();
  const { owner: _, ...written } = fleetRule(batch);
  t.is(recount.corrected(OPERATIONS.name, pending(batch, cpe(1))), null);
  t.is(recount.corrected(RULES.name, pinnedRule(batch, cpe(1))), null);
  t.is(recount.corrected(RULE_GATES.name, { id: `batch:${batch}`, state: 'open' } as RuleGate), null);
  t.is(recount.corrected(RULES.name, written), written);
});
