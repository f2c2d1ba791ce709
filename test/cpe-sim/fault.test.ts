import test from 'ava';
import { FaultPlan } from '../../cpe-sim/fault.js';
import { FaultSyntaxError, faultsOf, parseFault, parseFaultAssignment } from '../../cpe-sim/index.js';

test('each fault is read as it is written', (t) => {
  t.deepEqual(parseFault('refuse:9004'), { kind: 'refuse', faultCode: 9004, times: null });
  t.deepEqual(parseFault('refuse:9004:2'), { kind: 'refuse', faultCode: 9004, times: 2 });
  const notFound = {
    kind: 'transfer',
    faultCode: 9010,
    faultString: 'Download failure. File not found.',
    times: null,
  };
  t.deepEqual(parseFault('transfer:9010') as unknown, notFound);
  t.deepEqual(parseFault('transfer:9010:Download failure. File not found.') as unknown, notFound);
  t.like(parseFault('transfer:9015:server: none'), { faultString: 'server: none' });
  t.deepEqual(parseFault('hang'), { kind: 'hang', times: null });
  t.deepEqual(parseFault('drop:inform-response'), { kind: 'drop', at: 'inform-response', times: 1 });
  t.deepEqual(parseFault('drop:download-response:3'), { kind: 'drop', at: 'download-response', times: 3 });
  t.deepEqual(parseFault('late-complete:250'), { kind: 'late-complete', delayMs: 250 });
  t.deepEqual(parseFault('slow-queue:250'), { kind: 'slow-queue', delayMs: 250 });
  t.deepEqual(parseFault('hide-queue'), { kind: 'hide-queue', times: null });
  t.deepEqual(parseFault('unsupported:GetQueuedTransfers'), {
    kind: 'unsupported',
    method: 'GetQueuedTransfers',
  });
  t.like(parseFault('unsupported:CancelTransfer'), { method: 'CancelTransfer' });
  t.deepEqual(parseFault('refuse-cancel'), { kind: 'refuse-cancel', faultCode: 9021, times: null });
  t.deepEqual(parseFault('refuse-cancel:9001:2'), { kind: 'refuse-cancel', faultCode: 9001, times: 2 });
  t.deepEqual(parseFault('busy-connection-request:2'), { kind: 'busy-connection-request', times: 2 });
  for (const kind of [
    'early-complete',
    'same-session-complete',
    'status-zero',
    'old-version',
    'never-back',
    'complete-twice',
    'forget-queue',
  ])
    t.like(parseFault(kind), { kind });
});

test('a wrong fault is refused with what there is', (t) => {
  for (const text of [
    '',
    'refuse',
    'refuse:1',
    'refuse:9500',
    'refuse:9004:0',
    'refuse:9004:1:1',
    'transfer:9004',
    'drop',
    'drop:somewhere',
    'late-complete',
    'late-complete:-1',
    'old-version:1',
    'unsupported',
    'unsupported:Download',
    'refuse-cancel:9010',
    'refuse-cancel:9021:0',
    'refuse-cancel:9021:1:1',
    'hide-queue:0',
    'slow-queue',
    'forget-queue:1',
    'hanging',
    `transfer:9010:${'x'.repeat(257)}`,
  ])
    t.throws(() => parseFault(text), { instanceOf: FaultSyntaxError, message: /^fault "/ }, text);
});

test('faults are given to one CPE, a range or all', (t) => {
  const assignments = ['2=hang', '3-4=old-version', '*=complete-twice'].map(parseFaultAssignment);
  const kinds = (index: number): string[] => faultsOf(assignments, index).map(({ kind }) => kind);
  t.deepEqual(kinds(1), ['complete-twice']);
  t.deepEqual(kinds(2), ['hang', 'complete-twice']);
  t.deepEqual(kinds(4), ['old-version', 'complete-twice']);
  t.deepEqual(kinds(5), ['complete-twice']);
  for (const text of ['hang', '0=hang', '4-3=hang', 'x=hang', '1='])
    t.throws(() => parseFaultAssignment(text), { instanceOf: FaultSyntaxError }, text);
});

test('a fault happens as often as ordered, then no more', (t) => {
  const plan = new FaultPlan([parseFault('refuse:9004:2'), parseFault('refuse:9001:1'), parseFault('hang')]);
  t.deepEqual(
    [1, 2, 3, 4].map(() => plan.take('refuse')?.faultCode ?? null),
    [9004, 9004, 9001, null],
  );
  t.truthy(plan.take('hang'));
  t.truthy(plan.take('hang'));
  t.is(plan.take('old-version'), null);
});
