import test from 'ava';
import type { CpeId } from '../../../common/index.js';
import { uploadOf } from '../../firmware/support.js';
import { BY, cpe, HOME, IMAGE, listOf, NORTH, of, SOUTH, TARGET } from '../batches/support.js';
import { openTestCpeUpgrades, told } from './support.js';

const ORDER = { image: IMAGE, through: 'system-update' } as const;
const HOUR_MS = 3_600_000;

test('a batch that is tried again has what it has of a CPE wait, while that has ended', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const cpeid = await at.haveCpe(cpe(0));
  const batch = await at.cpeUpgrades.start({ ...ORDER, cpeids: [cpeid] }, BY);
  const upgrade = await at.session(cpeid);
  if (upgrade === null) throw new Error('nothing was sent');
  await at.end(cpeid, upgrade.id, 'failed');
  const failed = { waiting: null, running: null, ended: 'failed through system-update: fault-9010' };
  t.deepEqual(await told(at.cpeUpgrades, cpeid), failed);
  await at.batches.round();
  await at.batches.retry(batch.id, {}, BY);
  t.deepEqual(await told(at.cpeUpgrades, cpeid), { ...failed, waiting: 'waiting through system-update' });
  // Taken back it has ended by that, and nothing more was sent.
  at.clock.nowMs += 1;
  const { waiting } = await at.cpeUpgrades.now(cpeid);
  if (waiting === null) throw new Error('nothing waits');
  t.true(await at.cpeUpgrades.withdraw(waiting, BY));
  t.deepEqual(await told(at.cpeUpgrades, cpeid), {
    waiting: null,
    running: null,
    ended: 'cancelled through system-update: withdrawn',
  });
});

test('what does not fit is refused once the CPE has come, with why', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const cpeid = await at.haveCpe(cpe(0));
  await at.library.upload(uploadOf('other.bin', Buffer.from('o'), { metadata: { productClass: 'OTHER' } }));
  await at.cpeUpgrades.start({ ...ORDER, image: 'other.bin', cpeids: [cpeid] }, BY);
  t.is((await told(at.cpeUpgrades, cpeid)).waiting, 'waiting through system-update');
  t.is(await at.session(cpeid), null);
  const { waiting, ended } = await at.cpeUpgrades.now(cpeid);
  t.is(waiting, null);
  t.like(ended, { stage: 'refused', file: 'other.bin', resultId: null, targetVersion: null });
  t.deepEqual(ended?.failure, {
    code: null,
    reason: 'does-not-fit',
    text: 'the image is for productClass "OTHER", the CPE\'s is "HGW"',
  });
});

test('what nobody came for in time is refused, as nothing was sent', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const cpeid = await at.haveCpe(cpe(0));
  const notAfter = new Date(at.clock.nowMs + HOUR_MS).toISOString();
  await at.batches.create(listOf([cpeid], { notAfter, through: 'batches' }), BY);
  t.is((await told(at.cpeUpgrades, cpeid)).waiting, 'waiting through batches');
  at.clock.nowMs += 2 * HOUR_MS;
  await at.batches.round();
  t.deepEqual(await told(at.cpeUpgrades, cpeid), {
    waiting: null,
    running: null,
    ended: 'refused through batches: too-late',
  });
});

test('what waits for its time to come waits, and what was cancelled as a whole does not', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const cpeid = await at.haveCpe(cpe(0));
  const notBefore = new Date(at.clock.nowMs + HOUR_MS).toISOString();
  const { id } = await at.batches.create(listOf([cpeid], { notBefore }), BY);
  t.is((await told(at.cpeUpgrades, cpeid)).waiting, 'waiting');
  await at.batches.cancel(id, BY);
  t.is((await told(at.cpeUpgrades, cpeid)).waiting, null);
  await at.batches.made(id);
  t.is((await told(at.cpeUpgrades, cpeid)).ended, 'cancelled: withdrawn');
});

test('a CPE that was not heard of again has ended so, and late word of it moves that', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const cpeid = await at.haveCpe(cpe(0));
  await at.cpeUpgrades.start({ ...ORDER, cpeids: [cpeid] }, BY);
  const upgrade = await at.session(cpeid);
  if (upgrade === null) throw new Error('nothing was sent');
  at.clock.nowMs += 72 * HOUR_MS;
  await at.upgrades.sweep();
  t.is((await told(at.cpeUpgrades, cpeid)).ended, 'not-heard-of through system-update: not-heard-of');
  t.deepEqual(await at.cpeUpgrades.verified(cpeid, 10), []);
  await at.end(cpeid, upgrade.id, 'verified');
  t.is((await told(at.cpeUpgrades, cpeid)).ended, 'verified through system-update');
  t.is((await at.cpeUpgrades.verified(cpeid, 10)).length, 1);
});

test('a CPE that runs the image already is verified, and none of its history', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const cpeid = await at.haveCpe(cpe(0), { softwareVersion: TARGET });
  await at.cpeUpgrades.start({ ...ORDER, cpeids: [cpeid] }, BY);
  t.is(await at.session(cpeid), null);
  t.is((await told(at.cpeUpgrades, cpeid)).ended, 'verified through system-update');
  t.deepEqual(await at.cpeUpgrades.verified(cpeid, 10), []);
});

test('verified upgrades come newest first, at most as many as are asked for', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const cpeid = await at.haveCpe(cpe(0));
  const times: number[] = [];
  for (const version of ['2.1', '2.2', '2.3']) {
    const name = `hgw-${version}.bin`;
    await at.library.upload(uploadOf(name, Buffer.from(name), { metadata: { softwareVersion: version } }));
    await at.cpeUpgrades.start({ ...ORDER, image: name, cpeids: [cpeid] }, BY);
    const upgrade = await at.session(cpeid);
    if (upgrade === null) throw new Error('nothing was sent');
    at.clock.nowMs += 1_000;
    await at.upgrades.learn(cpeid, upgrade.id, { kind: 'download-response', status: 1 });
    await at.upgrades.learn(cpeid, upgrade.id, { kind: 'transfer-complete', fault: null, version });
    times.unshift(at.clock.nowMs);
  }
  const all = ['2.3', '2.2', '2.1'].map((version, index) => ({
    version,
    reported: version,
    fromVersion: '1.0.0',
    atMs: times[index] ?? 0,
  }));
  t.deepEqual(await at.cpeUpgrades.verified(cpeid, 10), all);
  t.deepEqual(await at.cpeUpgrades.verified(cpeid, 2), all.slice(0, 2));
});

test('a CPE of another organization is as one that nobody knows', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const foreign = await at.haveCpe(cpe(0), of(SOUTH));
  const own = await at.haveCpe(cpe(1), of(NORTH));
  const unknown = cpe(2);
  const batch = await at.cpeUpgrades.start(
    { ...ORDER, cpeids: [foreign, own, unknown], organization: NORTH },
    BY,
  );
  t.is(batch.organization, NORTH as typeof batch.organization);
  t.deepEqual(await at.outcomes(batch.id), {
    [foreign]: 'skipped unknown-device',
    [own]: 'pending',
    [unknown]: 'skipped unknown-device',
  });
  const failed = await t.throwsAsync(
    at.cpeUpgrades.start({ ...ORDER, image: 'nowhere.bin', cpeids: [own], organization: HOME }, BY),
  );
  t.like(failed, { code: 'no-image' });
});

test('what it was before it came back under another identity counts as its own', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const before = await at.haveCpe(cpe(0));
  await at.cpeUpgrades.start({ ...ORDER, cpeids: [before] }, BY);
  const upgrade = await at.session(before);
  if (upgrade === null) throw new Error('nothing was sent');
  await at.end(before, upgrade.id, 'verified');
  const now = await at.haveCpe('0011AA-HGW-0000000' as CpeId, { supersedes: before });
  t.like((await at.cpeUpgrades.now(now)).ended, { stage: 'verified', cpeid: before });
  t.is((await at.cpeUpgrades.verified(now, 10)).length, 1);
});

test('what is withdrawn is withdrawn, or sent: never both', async (t) => {
  const at = await openTestCpeUpgrades(t);
  const cpeids = await at.haveCpes(20);
  await at.cpeUpgrades.start({ ...ORDER, cpeids }, BY);
  const outcomes = await Promise.all(
    cpeids.map(async (cpeid) => {
      const { waiting } = await at.cpeUpgrades.now(cpeid);
      if (waiting === null) throw new Error('nothing waits');
      const [isWithdrawn, upgrade] = await Promise.all([
        at.cpeUpgrades.withdraw(waiting, BY),
        at.session(cpeid),
      ]);
      return isWithdrawn !== (upgrade !== null);
    }),
  );
  t.deepEqual([...new Set(outcomes)], [true]);
});
