import test from 'ava';
import {
  batchStatus,
  operationStatus,
  progressOf,
  progressReport,
  rateOf,
  reportOf,
  statesOf,
} from '../../../nbi/firmware-upgrader/upgrades/statuses.js';
import { BATCH_STATES, OPERATION_STATES, type OperationState } from '../../../rollout/index.js';

const NONE = Object.fromEntries(OPERATION_STATES.map((state) => [state, 0])) as Record<
  OperationState,
  number
>;

test('each state of an operation has one status, by which it is found again', (t) => {
  for (const version of ['1.2', '1.3'] as const) {
    for (const state of OPERATION_STATES)
      t.true(statesOf(operationStatus(state, version), version).includes(state), `${version} ${state}`);
  }
  t.deepEqual(
    OPERATION_STATES.map((state) => operationStatus(state, '1.3')),
    ['in-progress', 'in-progress', 'success', 'failed', 'failed', 'cancelled', 'aborted'],
  );
  t.is(operationStatus('cancelled', '1.2'), 'aborted');
});

test('a batch that has not begun is idle, and of version 1.2 fails by what has failed alone', (t) => {
  const skipped = { total: 2, byState: { ...NONE, verified: 1, skipped: 1 } };
  t.deepEqual(
    BATCH_STATES.map((state) => batchStatus(state, skipped, '1.3')),
    ['idle', 'idle', 'idle', 'in-progress', 'success', 'failed', 'cancelled'],
  );
  t.is(batchStatus('failed', skipped, '1.2'), 'success');
  t.is(batchStatus('cancelled', skipped, '1.2'), 'success');
  const failed = { total: 1, byState: { ...NONE, 'timed-out': 1 } };
  t.is(batchStatus('failed', failed, '1.2'), 'failed');
  t.is(batchStatus('success', { total: 0, byState: NONE }, '1.2'), 'in-progress');
  t.is(batchStatus('success', { total: 0, byState: NONE }, '1.3'), 'success');
});

test('rates are whole percents, cut off, and 0 of nothing', (t) => {
  const report = reportOf({ ...NONE, verified: 2, failed: 1 }, '1.3');
  t.is(rateOf(report, 'success'), 66);
  t.is(rateOf(report, 'failed'), 33);
  t.is(rateOf(reportOf(NONE, '1.3'), 'success'), 0);
  t.is(
    progressReport(reportOf({ ...NONE, verified: 1, running: 1, pending: 1, skipped: 1 }, '1.3')),
    '2 out of 4',
  );
  t.is(progressReport(reportOf(NONE, '1.3')), '0 out of 0');
  const cancelled = { ...NONE, cancelled: 1 };
  t.deepEqual(
    ['1.2', '1.3'].map((version) => rateOf(reportOf(cancelled, version as '1.2'), 'aborted')),
    [100, 0],
  );
});

test('progress never goes back while an upgrade goes on, and says of one that ended how far it had come', (t) => {
  const running = { state: 'running', attempts: 1 } as const;
  const marks = [
    progressOf({ state: 'pending', attempts: 0 }, null),
    ...(['sent', 'accepted', 'transferred'] as const).map((state) => progressOf(running, { state })),
    progressOf({ state: 'verified', attempts: 1 }, { state: 'verified' }),
  ];
  t.deepEqual(marks, [0, 10, 20, 65, 100]);
  const failed = { state: 'failed', attempts: 1 } as const;
  t.is(progressOf(failed, { state: 'failed', fault: 9010 }), 20);
  t.is(progressOf(failed, { state: 'failed', concludedFrom: '1' }), 90);
  t.is(progressOf({ state: 'failed', attempts: 0 }, null), 0);
  t.is(progressOf(failed, null), 10);
  t.is(progressOf({ state: 'verified', attempts: 0 }, null), 100);
});
