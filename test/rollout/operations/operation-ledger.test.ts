import test from 'ava';
import { skippedOperation, withdrawn } from '../../../rollout/index.js';
import {
  cpe,
  device,
  fleetRule,
  IMAGE,
  newBatch,
  openTestOperations,
  pending,
  pinnedRule,
  START_MS,
  upgradeBy,
} from './support.js';

const MISFIT = { verdict: 'image-does-not-fit', detail: 'it is another board' } as const;

test('of a list an upgrade begins where its CPE is waited for, and of two at once one alone', async (t) => {
  const { ledger, commit, stored, operations } = await openTestOperations(t);
  const batch = newBatch();
  await commit(ledger.adding([pending(batch, cpe(1))]));
  const rule = pinnedRule(batch, cpe(1));
  const upgrades = [1, 2].map((after) => upgradeBy(rule, cpe(1), START_MS + after));
  const changes = await Promise.all(
    upgrades.map((upgrade) => ledger.beginning(upgrade, rule, device(cpe(1)))),
  );
  const outcomes = await Promise.all(changes.map((each) => commit(each ?? [])));
  t.is(outcomes.filter(({ committed }) => committed).length, 1);
  const { document } = await stored(batch, cpe(1));
  t.is(document.state, 'running');
  t.is(document.attempts, 1);
  t.true(upgrades.some(({ id }) => id === document.resultId));
  const third = upgradeBy(rule, cpe(1), START_MS);
  t.is(await ledger.beginning(third, rule, device(cpe(1))), null);
  t.like(await operations.counts(batch), { total: 1, byState: { running: 1, pending: 0 } });
});

test('of a list no upgrade begins for a CPE that has no operation', async (t) => {
  const { ledger } = await openTestOperations(t);
  const rule = pinnedRule(newBatch(), cpe(1));
  const upgrade = upgradeBy(rule, cpe(1), START_MS);
  t.is(await ledger.beginning(upgrade, rule, device(cpe(1))), null);
  t.is(await ledger.atTarget(upgrade, rule), null);
  t.is(await ledger.unfit(rule, device(cpe(1)), MISFIT), null);
});

test('by a condition an operation is made as its upgrade begins, of the image that the rule means, and of two at once one alone', async (t) => {
  const { ledger, commit, stored, operations } = await openTestOperations(t);
  const batch = newBatch();
  const rule = fleetRule(batch);
  const changes = await Promise.all(
    [1, 2].map((after) => ledger.beginning(upgradeBy(rule, cpe(1), START_MS + after), rule, device(cpe(1)))),
  );
  const outcomes = await Promise.all(changes.map((each) => commit(each ?? [])));
  t.is(outcomes.filter(({ committed }) => committed).length, 1);
  const { document } = await stored(batch, cpe(1));
  t.like(document, { state: 'running', attempts: 1, image: IMAGE, ruleId: rule.id });
  t.like(await operations.counts(batch), { total: 1, byState: { running: 1 } });
});

test('a CPE that is at the target is verified without an attempt, and one that the image does not fit is skipped', async (t) => {
  const { ledger, commit, stored, operations } = await openTestOperations(t);
  const batch = newBatch();
  await commit(ledger.adding([pending(batch, cpe(1)), pending(batch, cpe(2))]));
  const rule = pinnedRule(batch, cpe(1));
  await commit((await ledger.atTarget(upgradeBy(rule, cpe(1), START_MS), rule)) ?? []);
  await commit((await ledger.unfit(pinnedRule(batch, cpe(2)), device(cpe(2)), MISFIT)) ?? []);
  t.like((await stored(batch, cpe(1))).document, { state: 'verified', attempts: 0 });
  t.like((await stored(batch, cpe(2))).document, {
    state: 'skipped',
    reason: 'does-not-fit',
    detail: 'it is another board',
  });
  t.deepEqual(await operations.counts(batch), {
    total: 2,
    byState: { pending: 0, running: 0, verified: 1, failed: 0, 'timed-out': 0, cancelled: 0, skipped: 1 },
    byReason: { 'does-not-fit': 1 },
  });
});

test('where an image is not there its operation says so', async (t) => {
  const { ledger, commit, stored } = await openTestOperations(t);
  const batch = newBatch();
  await commit(ledger.adding([pending(batch, cpe(1))]));
  const why = { verdict: 'image-missing', detail: 'no image' } as const;
  await commit((await ledger.unfit(pinnedRule(batch, cpe(1)), device(cpe(1)), why)) ?? []);
  t.like((await stored(batch, cpe(1))).document, {
    state: 'skipped',
    reason: 'image-missing',
    detail: 'no image',
  });
});

for (const isPinned of [true, false]) {
  test(`nothing begins where another image has the name of the one that was meant, and that is recorded (${isPinned ? 'list' : 'condition'})`, async (t) => {
    const { ledger, commit, stored, operations } = await openTestOperations(t);
    const batch = newBatch();
    const image = { ...IMAGE, number: IMAGE.number + 1 };
    await commit(ledger.adding([pending(batch, cpe(1), { image })]));
    const rule = isPinned ? pinnedRule(batch, cpe(1)) : fleetRule(batch);
    t.is(await ledger.beginning(upgradeBy(rule, cpe(1), START_MS), rule, device(cpe(1))), null);
    t.is(await ledger.atTarget(upgradeBy(rule, cpe(1), START_MS), rule), null);
    const reason = 'image-name-taken';
    const unfit = await ledger.unfit(rule, device(cpe(1)), MISFIT);
    t.true((await commit((await ledger.misnamed(rule, device(cpe(1)))) ?? [])).committed);
    t.like((await stored(batch, cpe(1))).document, { state: 'skipped', reason });
    t.like(await operations.counts(batch), { total: 1, byReason: { [reason]: 1 } });
    t.is(await ledger.misnamed(rule, device(cpe(1))), null);
    t.false((await commit(unfit ?? [])).committed);
  });
}

test('what names the image that was meant is not recorded as another', async (t) => {
  const { ledger, commit } = await openTestOperations(t);
  const batch = newBatch();
  await commit(ledger.adding([pending(batch, cpe(1))]));
  t.is(await ledger.misnamed(pinnedRule(batch, cpe(1)), device(cpe(1))), null);
});

test('an upgrade that is gone with its device fails its operation, and no other', async (t) => {
  const { ledger, commit, stored } = await openTestOperations(t);
  const batch = newBatch();
  await commit(ledger.adding([pending(batch, cpe(1))]));
  const rule = pinnedRule(batch, cpe(1));
  const upgrade = upgradeBy(rule, cpe(1), START_MS);
  await commit((await ledger.beginning(upgrade, rule, device(cpe(1)))) ?? []);
  t.deepEqual(await ledger.lost(upgradeBy(rule, cpe(1), START_MS)), []);
  await commit(await ledger.lost(upgrade));
  t.like((await stored(batch, cpe(1))).document, { state: 'failed', reason: 'device-gone' });
  t.deepEqual(await ledger.lost(upgrade), []);
});

test('upgrades by rules that authors wrote, and those of batches that are gone, move nothing', async (t) => {
  const { ledger } = await openTestOperations(t);
  const { owner: _, ...rule } = pinnedRule(newBatch(), cpe(1));
  t.deepEqual(await ledger.beginning(upgradeBy(rule, cpe(1), START_MS), rule, device(cpe(1))), []);
  t.deepEqual(await ledger.ending(upgradeBy(rule, cpe(1), START_MS), 'verified'), []);
  const gone = pinnedRule(newBatch(), cpe(1));
  t.deepEqual(await ledger.ending(upgradeBy(gone, cpe(1), START_MS), 'verified'), []);
});

test('many are moved, and many removed, with no more counting than there are shares', async (t) => {
  const { ledger, commit, stored, operations, store } = await openTestOperations(t);
  const batch = newBatch();
  const cpeids = Array.from({ length: 100 }, (_, at) => cpe(at));
  const made = [
    ...cpeids.map((cpeid) => pending(batch, cpeid)),
    skippedOperation({ batch, cpeid: cpe(100), image: null }, 'duplicate', START_MS),
  ];
  const adding = ledger.adding(made);
  t.true(adding.filter(({ kind }) => kind === 'count').length <= 16);
  t.true((await commit(adding)).committed);
  const all = await Promise.all(cpeids.map((cpeid) => stored(batch, cpeid)));
  const moving = ledger.moving(
    all.map((each) => ({ stored: each, after: withdrawn(each.document, 'op', START_MS) })),
  );
  t.true(moving.filter(({ kind }) => kind === 'count').length <= 16);
  t.true((await commit(moving)).committed);
  t.like(await operations.counts(batch), {
    total: 101,
    byState: { cancelled: 100, skipped: 1, pending: 0 },
    byReason: { withdrawn: 100, duplicate: 1 },
  });
  const left = await Promise.all([...cpeids, cpe(100)].map((cpeid) => stored(batch, cpeid)));
  t.true((await commit(ledger.removing(left))).committed);
  t.is((await operations.counts(batch)).total, 0);
  t.true((await commit(await ledger.droppingCounts(batch))).committed);
  t.is(await store.collection({ name: 'operation-shares', indexes: {} }).count(), 0);
});

test('what moves nothing changes nothing', async (t) => {
  const { ledger, commit, stored } = await openTestOperations(t);
  const batch = newBatch();
  await commit(ledger.adding([pending(batch, cpe(1))]));
  const found = await stored(batch, cpe(1));
  t.deepEqual(ledger.moved(found, found.document), []);
});
