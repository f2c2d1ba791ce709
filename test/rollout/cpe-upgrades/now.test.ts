import test from 'ava';
import { BY, cpe, IMAGE, listOf, TARGET } from '../batches/support.js';
import { openTestCpeUpgrades, told } from './support.js';

const ORDER = { image: IMAGE, through: 'firmware-slots', note: 'as asked' } as const;

test('what was started for one CPE waits, runs and ends verified, and is told with what it is of', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const [cpeid] = await at.haveCpes(1);
  if (cpeid === undefined) throw new Error('no CPE');
  t.deepEqual(await at.cpeUpgrades.now(cpeid), { waiting: null, running: null, ended: null });

  const batch = await at.cpeUpgrades.start({ ...ORDER, cpeids: [cpeid] }, BY);
  t.like(batch, { through: 'firmware-slots', note: 'as asked', persistent: true, phase: 'made' });
  t.is(batch.listedAtMs, undefined);
  const { waiting } = await at.cpeUpgrades.now(cpeid);
  const operation = await at.operations.of(batch.id, cpeid);
  t.deepEqual(waiting, {
    cpeid,
    stage: 'waiting',
    image: operation?.image ?? null,
    file: IMAGE,
    targetVersion: TARGET,
    ruleId: operation?.ruleId ?? null,
    batch: batch.id,
    operation: operation?.id ?? null,
    through: 'firmware-slots',
    resultId: null,
    sinceMs: at.clock.nowMs,
    changedAtMs: at.clock.nowMs,
    failure: null,
  });

  const upgrade = await at.session(cpeid);
  if (upgrade === null) throw new Error('nothing was sent');
  t.deepEqual(await told(at.cpeUpgrades, cpeid), {
    waiting: null,
    running: 'sent through firmware-slots',
    ended: null,
  });
  await at.upgrades.learn(cpeid, upgrade.id, { kind: 'download-response', status: 0 });
  t.is((await told(at.cpeUpgrades, cpeid)).running, 'transferred through firmware-slots');
  at.clock.nowMs += 1_000;
  await at.end(cpeid, upgrade.id, 'verified');
  const ended = await at.cpeUpgrades.now(cpeid);
  t.deepEqual(ended, {
    waiting: null,
    running: null,
    ended: {
      ...waiting,
      stage: 'verified',
      resultId: upgrade.id,
      changedAtMs: at.clock.nowMs,
    },
  });
  t.deepEqual(await at.cpeUpgrades.verified(cpeid, 10), [
    { version: TARGET, reported: TARGET, fromVersion: '1.0.0', atMs: at.clock.nowMs },
  ]);
});

test('what failed through one API has ended, with the words of the CPE, while another waits', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const [cpeid] = await at.haveCpes(1);
  if (cpeid === undefined) throw new Error('no CPE');
  await at.cpeUpgrades.start({ ...ORDER, cpeids: [cpeid] }, BY);
  const upgrade = await at.session(cpeid);
  if (upgrade === null) throw new Error('nothing was sent');
  await at.end(cpeid, upgrade.id, 'failed');
  at.clock.nowMs += 1_000;
  await at.cpeUpgrades.start({ ...ORDER, through: 'sc-cloud', cpeids: [cpeid] }, BY);
  const { waiting, ended } = await at.cpeUpgrades.now(cpeid);
  t.like(waiting, { stage: 'waiting', through: 'sc-cloud' });
  t.like(ended, { stage: 'failed', through: 'firmware-slots', resultId: upgrade.id });
  t.deepEqual(ended?.failure, {
    code: 9010,
    reason: 'fault-9010',
    text: 'Upgrade has failed with FaultCode 9010. FaultString: Download failure',
  });
});

test('what waits is withdrawn once, and never what was sent', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const [cpeid] = await at.haveCpes(1);
  if (cpeid === undefined) throw new Error('no CPE');
  await at.cpeUpgrades.start({ ...ORDER, cpeids: [cpeid] }, BY);
  const { waiting } = await at.cpeUpgrades.now(cpeid);
  if (waiting === null) throw new Error('nothing waits');
  t.false(await at.cpeUpgrades.withdraw({ ...waiting, through: 'sc-cloud' }, BY));
  t.true(await at.cpeUpgrades.withdraw(waiting, BY));
  t.false(await at.cpeUpgrades.withdraw(waiting, BY));
  t.deepEqual(await told(at.cpeUpgrades, cpeid), {
    waiting: null,
    running: null,
    ended: 'cancelled through firmware-slots: withdrawn',
  });
  t.is(await at.session(cpeid), null);

  at.clock.nowMs += 1_000;
  await at.cpeUpgrades.start({ ...ORDER, cpeids: [cpeid] }, BY);
  const again = (await at.cpeUpgrades.now(cpeid)).waiting;
  if (again === null) throw new Error('nothing waits');
  t.not(await at.session(cpeid), null);
  t.false(await at.cpeUpgrades.withdraw(again, BY));
  t.like(await told(at.cpeUpgrades, cpeid), { waiting: null, running: 'sent through firmware-slots' });
});

test("an author's rule waits for whom a session would send it, also where only time holds it back", async (t) => {
  const at = await openTestCpeUpgrades(t);
  const [cpeid] = await at.haveCpes(1);
  if (cpeid === undefined) throw new Error('no CPE');
  const rule = { id: 'all', file: IMAGE, condition: { productClass: 'HGW' } };
  const put = (over: object) => at.rules.put([{ ...rule, ...over }], { by: BY, onlyNew: false });
  const waits = async () => (await at.cpeUpgrades.now(cpeid)).waiting;

  await put({});
  t.like(await waits(), {
    stage: 'waiting',
    ruleId: 'all',
    batch: null,
    through: null,
    targetVersion: TARGET,
  });
  await put({ notBefore: '2026-02-01T00:00:00Z' });
  t.like(await waits(), { ruleId: 'all' });
  await put({ window: { cron: '0 4 * * *', durationMinutes: 60, timezone: 'UTC' } });
  t.like(await waits(), { ruleId: 'all' });
  await at.rules.freeze({ frozen: true, by: BY });
  t.like(await waits(), { ruleId: 'all' });
  await at.rules.freeze({ frozen: false, by: BY });
  for (const none of [
    { notAfter: '2026-01-01T00:00:00Z' },
    { automatic: false },
    { enabled: false },
    { condition: { productClass: 'other' } },
    { target: { softwareVersion: '1.0.0' } },
  ]) {
    await put(none);
    t.is(await waits(), null, JSON.stringify(none));
  }
  await put({});
  const upgrade = await at.session(cpeid);
  if (upgrade === null) throw new Error('nothing was sent');
  t.deepEqual(await told(at.cpeUpgrades, cpeid), { waiting: null, running: 'sent', ended: null });
  await at.end(cpeid, upgrade.id, 'failed');
  t.deepEqual(await told(at.cpeUpgrades, cpeid), {
    waiting: null,
    running: null,
    ended: 'failed: fault-9010',
  });
  await put({ executions: 3 });
  t.deepEqual(await told(at.cpeUpgrades, cpeid), {
    waiting: 'waiting',
    running: null,
    ended: 'failed: fault-9010',
  });
});

test('a name that no CPE has is refused', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const batch = await at.batches.create(listOf([cpe(7)]), BY);
  t.deepEqual(await at.outcomes(batch.id), { [cpe(7)]: 'skipped unknown-device' });
  t.deepEqual(await told(at.cpeUpgrades, cpe(7)), {
    waiting: null,
    running: null,
    ended: 'refused: unknown-device',
  });
});
