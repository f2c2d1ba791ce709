import test from 'ava';
import type { Device } from '../../../acs/device/device.js';
import { afterAnswer, asking, isUntold, unreadPaths } from '../../../acs/device/unread.js';
import { DAY_MS } from '../../../common/index.js';

const FRESH = { id: 'x', root: 'Device' } as Device;
const NOTHING = { flat: async () => ({}) };

/** What is to be asked for of A to C. */
function unread(
  paths: Pick<Device, 'askedPaths' | 'failedPaths'>,
  nowMs: number,
): Promise<readonly string[]> {
  const device = { id: 'x', root: 'Device', ...paths } as Device;
  return unreadPaths(device, NOTHING, ['Device.A', 'Device.B', 'Device.C'], nowMs);
}

test('what failed is asked for again after a day, what is settled is not', async (t) => {
  const paths = afterAnswer(FRESH, { settled: ['Device.A'], failed: ['Device.B'], nowMs: 0 });
  t.deepEqual(await unread(paths, 1), ['Device.C']);
  t.deepEqual(await unread(paths, DAY_MS - 1), ['Device.C']);
  t.deepEqual(await unread(paths, DAY_MS), ['Device.B', 'Device.C']);
});

test('what failed, or was not answered, is untold for as long as it is not asked for again, and what is settled is not', (t) => {
  const failed = afterAnswer(FRESH, { settled: ['Device.A'], failed: ['Device.B'], nowMs: 0 });
  t.true(isUntold(failed, ['Device.A', 'Device.B'], DAY_MS - 1));
  t.false(isUntold(failed, ['Device.B'], DAY_MS));
  t.false(isUntold(failed, ['Device.A'], 1));
  t.true(isUntold(asking(FRESH, ['Device.A'], 0), ['Device.A'], 1));
  t.false(isUntold(FRESH, ['Device.A'], 1));
});

test('none waits for longer than a day, whatever fails after it', async (t) => {
  let paths = afterAnswer(FRESH, { settled: [], failed: ['Device.A'], nowMs: 0 });
  paths = afterAnswer(paths, { settled: [], failed: ['Device.B'], nowMs: DAY_MS / 2 });
  t.deepEqual(await unread(paths, DAY_MS - 1), ['Device.C']);
  t.deepEqual(await unread(paths, DAY_MS), ['Device.A', 'Device.B', 'Device.C']);
  paths = afterAnswer(paths, { settled: [], failed: ['Device.A'], nowMs: DAY_MS });
  t.deepEqual(paths.failedPaths, { paths: ['Device.A'], untilMs: 2 * DAY_MS });
});

test('what is told at last is no longer among those that failed', (t) => {
  const paths = afterAnswer(FRESH, { settled: [], failed: ['Device.A'], nowMs: 0 });
  const after = afterAnswer(paths, { settled: ['Device.A'], failed: [], nowMs: 1 });
  t.deepEqual(after, { ...FRESH, askedPaths: ['Device.A'] });
});

test('so many are kept of either kind, the latest', (t) => {
  const many = Array.from({ length: 600 }, (_, index) => `Device.X${index}`);
  const { askedPaths, failedPaths } = afterAnswer(FRESH, {
    settled: many,
    failed: many.map((path) => `${path}.Y`),
    nowMs: 0,
  });
  t.deepEqual([askedPaths?.length, failedPaths?.paths.length], [512, 512]);
  t.is(askedPaths?.at(-1), 'Device.X599');
});

test('what was asked for and found no answer waits for a day, also over a boot, and is settled by an answer', async (t) => {
  const asked = asking(FRESH, ['Device.A', 'Device.B'], 0);
  t.deepEqual(await unread(asked, DAY_MS - 1), ['Device.C']);
  t.deepEqual(await unread(asked, DAY_MS), ['Device.A', 'Device.B', 'Device.C']);
  const answered = afterAnswer(asked, { settled: ['Device.A'], failed: ['Device.B'], nowMs: 1 });
  t.false('unansweredPaths' in answered);
  t.deepEqual(answered.failedPaths?.paths, ['Device.B']);
});
