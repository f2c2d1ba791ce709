import test from 'ava';
import type { CountKey } from '../../../common/index.js';
import type { UpgradeEnd } from '../../../rules/index.js';
import { BY } from '../../support/actor.js';
import { CPE, inputOf, NOW_MS, openTestRules, post, ruleBody, type TestRules, verdictsOf } from '../setup.js';

/** Decides for one CPE and reserves, as a session does. */
async function reserve({ rules, store }: TestRules): Promise<boolean> {
  const decision = await rules.decide(inputOf());
  return decision.kind === 'upgrade' && (await store.commit(decision.conditions)).committed;
}

async function end(
  { rules, store, stored }: TestRules,
  end: UpgradeEnd,
  previously?: UpgradeEnd,
): Promise<void> {
  const countKey = rules.countKey(await stored('r1'));
  await store.commit(rules.ended({ countKey }, end, previously));
}

/** Many CPEs decide before any of them has reserved; whoever was too late decides again. */
async function reserveAtOnce({ rules, store }: TestRules, cpes: number): Promise<number> {
  let waiting = Array.from({ length: cpes }, () => CPE as string);
  let reserved = 0;
  while (waiting.length > 0) {
    const decisions = await Promise.all(waiting.map(() => rules.decide(inputOf())));
    const outcomes = await Promise.all(
      decisions.map(async (decision) =>
        decision.kind === 'upgrade' ? (await store.commit(decision.conditions)).committed : null,
      ),
    );
    reserved += outcomes.filter((committed) => committed).length;
    waiting = waiting.filter((_, index) => outcomes[index] === false);
  }
  return reserved;
}

test('fifty reservations at a time start exactly limits.total', async (t) => {
  const at = await openTestRules(t);
  await post(at.rules, ruleBody({ limits: { total: 7 } }));
  t.is(await reserveAtOnce(at, 50), 7);
  t.deepEqual(verdictsOf(await at.rules.decide(inputOf())), { r1: 'limit-reached' });
});

test('fifty reservations at a time have exactly limits.concurrent under way', async (t) => {
  const at = await openTestRules(t);
  await post(at.rules, ruleBody({ limits: { concurrent: 5 } }));
  t.is(await reserveAtOnce(at, 50), 5);
  await end(at, 'verified');
  await end(at, 'failed');
  t.is(await reserveAtOnce(at, 50), 2);
});

test('failures and time-outs stop a rule at limits.stopAfterFailures, successes do not', async (t) => {
  const at = await openTestRules(t);
  await post(at.rules, ruleBody({ limits: { stopAfterFailures: 2 } }));
  const early = await at.rules.decide(inputOf());
  for (const how of ['verified', 'cancelled', 'failed', 'timed-out'] as const) {
    t.true(await reserve(at));
    await end(at, how);
  }
  t.false(await reserve(at));
  t.false(early.kind === 'upgrade' && (await at.store.commit(early.conditions)).committed);
  await at.rules.merge([(await at.stored('r1')).id], { limits: { stopAfterFailures: 3 } }, BY);
  t.true(await reserve(at));
});

test('what is given back was never started', async (t) => {
  const at = await openTestRules(t);
  await post(at.rules, ruleBody({ limits: { total: 1 } }));
  t.true(await reserve(at));
  await end(at, 'given-back');
  t.true(await reserve(at));
  t.false(await reserve(at));
});

test('late evidence corrects how an end was counted, and counts nothing twice', async (t) => {
  const at = await openTestRules(t);
  await post(at.rules, ruleBody({ limits: { stopAfterFailures: 1, concurrent: 1 } }));
  t.true(await reserve(at));
  await end(at, 'timed-out');
  t.false(await reserve(at));
  await end(at, 'verified', 'timed-out');
  t.true(await reserve(at));
  t.false(await reserve(at));
});

test('no edit but that of file and target changes what executions are counted against', async (t) => {
  const { rules, stored, clock } = await openTestRules(t);
  await post(rules, ruleBody());
  const keyNow = async (): Promise<CountKey> => rules.countKey(await stored('r1'));
  const key = await keyNow();
  t.regex(key, /^[A-Za-z0-9_-]{16}$/);
  const { id } = await stored('r1');
  for (const patch of [
    { limits: { total: 5 } },
    { window: { cron: '0 2 * * *', durationMinutes: 5 } },
    { priority: 9 },
    { description: 'x' },
    { executions: 3 },
    { enabled: false },
    { condition: { productClass: 'STB' } },
    { condition: { cpeid: 'X' } },
    { retry: { afterMinutes: 1 } },
    { force: true },
    { author: 'bob' },
  ]) {
    clock.nowMs += 1_000;
    await rules.merge([id], patch, BY);
    t.is(await keyNow(), key, JSON.stringify(patch));
  }
  await rules.remove([id], BY);
  await post(rules, ruleBody());
  t.is(await keyNow(), key, 'removed and added again');
  const seen = new Set([key]);
  for (const change of [
    () => rules.merge([id], { file: 'other.bin' }, BY),
    () => rules.merge([id], { target: { softwareVersion: '3' } }, BY),
    () => rules.restart([id], BY),
    () => rules.restart([id], BY),
  ]) {
    await change();
    seen.add(await keyNow());
  }
  t.is(seen.size, 5);
  await rules.merge([id], { file: 'hgw-2.0.0.bin', target: null }, BY);
  const restarted = await keyNow();
  t.false(seen.has(restarted));
  await rules.remove([id], BY);
  await post(rules, ruleBody());
  t.is(await keyNow(), restarted, 'a restart outlives the rule');
  t.is((await stored('r1')).createdAtMs, NOW_MS + 11_000);
});
