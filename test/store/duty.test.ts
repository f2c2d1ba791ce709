import test from 'ava';
import { Duty } from '../../store/index.js';
import { storeOf } from '../support/store.js';

const LEASE_MS = 15_000;

test('one process at a time has a duty; when it dies another takes over within the lease', async (t) => {
  const store = await storeOf(t);
  const time = { nowMs: 1_800_000_000_000 };
  const join = () => new Duty({ store, clock: () => time.nowMs, id: 'sweep', leaseMs: LEASE_MS });
  const [first, second] = [join(), join()];
  t.deepEqual(
    (await Promise.all([first.isOurs(), second.isOurs()])).sort(),
    [false, true],
    'of two that ask at once one has it',
  );
  const [holder, other] = (await first.isOurs()) ? [first, second] : [second, first];
  // As long as it asks now and then it keeps it.
  for (let round = 0; round < 10; round++) {
    time.nowMs += LEASE_MS / 2;
    t.true(await holder.isOurs());
    t.false(await other.isOurs());
  }
  time.nowMs += LEASE_MS - 1;
  t.false(await other.isOurs());
  time.nowMs += 1;
  t.true(await other.isOurs());
  t.false(await holder.isOurs(), 'one that slept through its lease has lost it');
});

test('a process that asks twice at once for what has to be renewed has the duty both times, and keeps it', async (t) => {
  const store = await storeOf(t);
  const time = { nowMs: 1_800_000_000_000 };
  const duty = new Duty({ store, clock: () => time.nowMs, id: 'upgrades', leaseMs: LEASE_MS });
  for (let round = 0; round < 5; round++) {
    t.deepEqual(await Promise.all([duty.isOurs(), duty.isOurs(), duty.isOurs()]), [true, true, true]);
    time.nowMs += LEASE_MS / 2;
  }
});

test('a duty that is given back is another’s at once, and one that is not held is not given back', async (t) => {
  const store = await storeOf(t);
  const join = () => new Duty({ store, clock: () => 1_800_000_000_000, id: 'sweep', leaseMs: LEASE_MS });
  const [first, second] = [join(), join()];
  t.true(await first.isOurs());
  await second.release();
  t.false(await second.isOurs());
  await first.release();
  t.true(await second.isOurs());
});

test('a lease that a clock was ahead for is nobody’s, and one whose holder lives stays its own', async (t) => {
  const store = await storeOf(t);
  const time = { nowMs: 1_800_000_000_000 };
  const monotonic = { ms: 0 };
  const join = (aheadMs: number) =>
    new Duty({
      store,
      clock: () => time.nowMs + aheadMs,
      monotonic: () => monotonic.ms,
      id: 'sweep',
      leaseMs: LEASE_MS,
    });
  // Killed, as by a power cut, with its clock two days ahead.
  t.true(await join(2 * 86_400_000).isOurs());
  const next = join(0);
  t.true(await next.isOurs());
  // Of two nodes that live one may be a minute ahead of the other, and neither takes what the other has.
  await next.release();
  const ahead = join(59_000);
  t.true(await ahead.isOurs());
  t.false(await next.isOurs());
});

test('a holder whose clock is set back takes its lease anew, so that nobody else does', async (t) => {
  const store = await storeOf(t);
  const time = { nowMs: 1_800_000_000_000 };
  const join = () =>
    new Duty({ store, clock: () => time.nowMs, monotonic: () => 0, id: 'sweep', leaseMs: LEASE_MS });
  const [holder, other] = [join(), join()];
  t.true(await holder.isOurs());
  time.nowMs -= 60 * 86_400_000;
  t.true(await holder.isOurs());
  t.false(await other.isOurs());
  time.nowMs += 120 * 86_400_000;
  t.true(await holder.isOurs());
  t.false(await other.isOurs());
});
