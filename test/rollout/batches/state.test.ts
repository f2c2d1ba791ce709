import test from 'ava';
import type { BatchId } from '../../../common/index.js';
import { batchState } from '../../../rollout/batches/state.js';
import type { Batch, BatchState, OperationCounts, OperationState } from '../../../rollout/index.js';
import { START_MS } from './support.js';

const BATCH: Batch = {
  id: '55555555-5555-4555-8555-555555555555' as BatchId,
  name: 'night',
  what: { image: 'a.bin' },
  whom: { kind: 'list' },
  persistent: true,
  priority: 0,
  wakePerSecond: 10,
  options: {},
  phase: 'made',
  by: 'op',
  createdAtMs: START_MS,
  updatedAtMs: START_MS,
};
const LATER = new Date(START_MS + 1).toISOString();

function counts(
  byState: Partial<Record<OperationState, number>>,
  byReason: Readonly<Record<string, number>> = {},
): OperationCounts {
  const none = { pending: 0, running: 0, verified: 0, failed: 0, 'timed-out': 0, cancelled: 0, skipped: 0 };
  const all = { ...none, ...byState };
  return { total: Object.values(all).reduce((sum, count) => sum + count, 0), byState: all, byReason };
}

const CONDITION = { whom: { kind: 'condition', condition: 'true' } } as const;

for (const [title, batch, counted, expected] of [
  ['being made', { phase: 'preparing' }, counts({ pending: 3 }), 'preparing'],
  ['before its time', { notBefore: LATER }, counts({ pending: 3 }), 'scheduled'],
  ['tried again before its new time', { notBefore: LATER }, counts({ pending: 1, failed: 1 }), 'in-progress'],
  ['before anything has begun', {}, counts({ pending: 3, skipped: 1 }, { duplicate: 1 }), 'idle'],
  ['while one runs', {}, counts({ pending: 3, running: 1 }), 'in-progress'],
  ['while one of many waits', {}, counts({ pending: 1, verified: 9 }), 'in-progress'],
  ['all verified', {}, counts({ verified: 3 }), 'success'],
  ['nobody', {}, counts({}), 'success'],
  ['one has failed', {}, counts({ verified: 3, failed: 1 }, { 'fault-9010': 1 }), 'failed'],
  ['one has timed out', {}, counts({ verified: 3, 'timed-out': 1 }, { 'not-heard-of': 1 }), 'failed'],
  [
    'one was skipped for what fails',
    {},
    counts({ verified: 3, skipped: 1 }, { 'does-not-fit': 1 }),
    'failed',
  ],
  ['one was named twice', {}, counts({ verified: 3, skipped: 1 }, { duplicate: 1 }), 'success'],
  ['one was cancelled alone', {}, counts({ verified: 3, cancelled: 1 }, { withdrawn: 1 }), 'cancelled'],
  [
    'cancelled while some run',
    { phase: 'cancelled', isCancelled: true },
    counts({ running: 1 }),
    'cancelled',
  ],
  ['cancelled and over', { phase: 'ended', isCancelled: true }, counts({ failed: 1 }), 'cancelled'],
  ['by condition, nobody yet', CONDITION, counts({}), 'idle'],
  ['by condition, before its time', { ...CONDITION, notBefore: LATER }, counts({}), 'scheduled'],
  ['by condition, all so far verified', CONDITION, counts({ verified: 3 }), 'in-progress'],
  ['by condition, over', { ...CONDITION, phase: 'ended' }, counts({ verified: 3 }), 'success'],
] as const satisfies readonly (readonly [string, Partial<Batch>, OperationCounts, BatchState])[]) {
  test(`a batch is ${expected}: ${title}`, (t) => {
    t.is(batchState({ ...BATCH, ...batch }, counted, START_MS), expected);
  });
}
