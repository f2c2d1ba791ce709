import test from 'ava';
import { upgradesIn } from '../../../acs/index.js';
import { DAY_MS, type OrganizationId } from '../../../common/index.js';
import { collectImages } from '../../../firmware/index.js';
import {
  BATCHES,
  type Batch,
  batchesIn,
  batchesOfOrganizations,
  usesOfImages,
} from '../../../rollout/index.js';
import { RULE_GATES, type RuleGate } from '../../../rules/index.js';
import { BY, cpe, IMAGE, listOf, NORTH, of, openTestBatches, SOUTH, type TestBatches } from './support.js';

function collected({ store, rules, library, clock }: TestBatches) {
  const uses = usesOfImages({ rules, upgrades: upgradesIn(store), batches: batchesIn(store) });
  const nowMs = clock.nowMs + 100 * DAY_MS;
  const options = { unusedMs: DAY_MS, keepNewest: 0, keepBuilds: 0, dryRun: true, nowMs, by: BY };
  return collectImages({ images: library, uses }, options);
}

test('the image of a batch is kept while something of it may be sent, and not once it has ended', async (t) => {
  const has = await openTestBatches(t);
  const { id } = await has.batches.create(listOf(await has.haveCpes(2)), BY);
  t.deepEqual((await collected(has)).removed, []);
  const upgrade = await has.session(cpe(0));
  await has.end(cpe(0), upgrade?.id ?? ('' as never), 'failed');
  await has.batches.cancel(id, BY);
  await has.batches.made(id);
  t.is((await has.stored(id))?.phase, 'ended');
  t.deepEqual(await has.rulesOf(id), []);
  t.deepEqual(
    (await collected(has)).removed.map(({ name }) => name),
    [IMAGE],
  );
  await has.batches.retry(id, {}, BY);
  t.deepEqual((await collected(has)).removed, []);
});

test('an organization is kept by its batches, but for those that have ended and no list shows', async (t) => {
  const has = await openTestBatches(t);
  const { isAnyOf } = batchesOfOrganizations(has.store);
  const ids = await has.haveCpes(1, of(NORTH));
  const north = NORTH as OrganizationId;
  t.false(await isAnyOf(north));
  const single = await has.batches.create(listOf(ids, { organization: NORTH, listed: false }), BY);
  t.true(await isAnyOf(north));
  t.false(await isAnyOf(SOUTH as OrganizationId));
  await has.batches.cancel(single.id, BY);
  await has.batches.made(single.id);
  t.false(await isAnyOf(north));
  const listed = await has.batches.create(listOf([], { organization: NORTH }), BY);
  await has.batches.round();
  t.true(await isAnyOf(north));
  await has.batches.remove(listed.id, BY);
  await has.batches.made(listed.id);
  t.false(await isAnyOf(north));
});

test('lists show batches newest first, of an organization, of a build, and from a place on', async (t) => {
  const has = await openTestBatches(t);
  const made: Batch[] = [];
  for (const organization of [NORTH, undefined, NORTH, SOUTH]) {
    has.clock.nowMs += 1;
    made.push(await has.batches.create(listOf([], organization === undefined ? {} : { organization }), BY));
  }
  await has.batches.create(listOf([], { listed: false }), BY);
  const listed = async (filter: Parameters<typeof has.batches.scan>[0]) => {
    const found: number[] = [];
    for await (const { id } of has.batches.scan(filter)) found.push(made.findIndex((each) => each.id === id));
    return found;
  };
  t.deepEqual(await listed({}), [3, 2, 1, 0]);
  t.deepEqual(await listed({ organization: NORTH }), [2, 0]);
  t.deepEqual(await listed({ organization: null }), [1]);
  t.deepEqual(await listed({ build: NORTH }), []);
  const [, , after] = made;
  if (after === undefined) throw new Error('there are four');
  t.deepEqual(await listed({ after }), [1, 0]);
  t.deepEqual(await listed({ organization: NORTH, after }), [0]);
});

test('what a backup has of different moments comes to rest: nothing runs of what was not open, and nothing waits for ever', async (t) => {
  const has = await openTestBatches(t);
  await has.haveCpes(1);
  const gates = has.store.collection<RuleGate>(RULE_GATES);
  const batches = has.store.collection<Batch>(BATCHES);
  const shut = await has.batches.create(listOf([cpe(0)]), BY);
  await gates.put({ id: `batch:${shut.id}`, state: 'closed' });
  const open = await has.batches.create({ ...listOf([]), whom: { kind: 'all' } }, BY);
  await has.batches.made(open.id);
  const list = await has.batches.create(listOf([cpe(0)]), BY);
  for (const { id } of [open, list]) {
    const stored = await batches.get(id);
    if (stored !== null) await batches.put({ ...stored.document, phase: 'preparing' });
  }
  await has.batches.round();
  await has.batches.made(open.id);
  await has.batches.round();
  t.deepEqual(await has.outcomes(shut.id), { [cpe(0)]: 'cancelled withdrawn' });
  t.is((await has.stored(open.id))?.phase, 'made');
  t.is(await has.gate(open.id), 'open');
  t.deepEqual(await has.leftOf(list.id), []);
});
