import test from 'ava';
import { createEmitter } from '../../cpe-sim/events.js';
import { ChaosRecord, cpeidOf } from './chaos-record.js';

// What judges the chaos rounds must itself be able to say no.
const KEY = 'a'.repeat(32);

type Happening =
  | 'session'
  | { readonly download: string }
  /** What the CPE says that it has queued; null: it does not tell. */
  | { readonly queued: readonly string[] | null }
  | { readonly transferred: string };

function recordOf(...happenings: readonly (readonly [serialNumber: string, Happening])[]): ChaosRecord {
  const record = new ChaosRecord();
  const events = createEmitter();
  record.watch({ events }, 'R');
  for (const [serialNumber, happening] of happenings) {
    const identity = identityOf(serialNumber);
    if (happening === 'session') events.emit('inform', { identity, events: ['2 PERIODIC'], retryCount: 0 });
    else if ('download' in happening) {
      events.emit('download', { identity, commandKey: happening.download, url: '', repeat: 0 });
    } else if ('queued' in happening) {
      const { queued: commandKeys } = happening;
      events.emit('queue-asked', { identity, method: 'GetAllQueuedTransfers', commandKeys });
    } else {
      const { transferred: commandKey } = happening;
      events.emit('transfer', { identity, commandKey, fault: null, sizeBytes: 1, resumes: 0 });
    }
  }
  return record;
}

const identityOf = (serialNumber: string) => ({
  manufacturer: '',
  oui: 'O',
  productClass: 'P',
  serialNumber,
});
const unasked = (...happenings: readonly Happening[]) =>
  recordOf(...happenings.map((each) => ['1', each] as const)).unaskedRepeats(cpeidOf(identityOf('1')));

const read = { download: KEY };

test('a Download that a CPE reads again is reproached where it was not asked, or said that it has it', (t) => {
  t.deepEqual(unasked('session', read), []);
  t.deepEqual(unasked('session', read, 'session', read), [KEY]);
  t.deepEqual(
    unasked('session', { queued: [] }, read, 'session', read),
    [KEY],
    'asked before the first only',
  );
  t.deepEqual(unasked('session', read, 'session', { queued: [KEY] }, read), [KEY]);
  t.deepEqual(unasked('session', read, 'session', { queued: ['b'] }, read), []);
  t.deepEqual(
    unasked('session', read, 'session', { queued: [] }, read, read),
    [KEY],
    'each repeat needs its own',
  );
});

test('a CPE that does not tell must have been asked in two sessions', (t) => {
  const untold = { queued: null };
  t.deepEqual(unasked('session', read, 'session', untold, untold, read), [KEY]);
  t.deepEqual(unasked('session', read, 'session', untold, untold, 'session', untold, untold, read), []);
});

test('CPEs have a Download at the same time until they inform after its transfer', (t) => {
  const first = { download: 'a' };
  const second = { download: 'b' };
  const transferred = { transferred: 'a' };
  t.is(recordOf(['1', first], ['1', transferred], ['2', second]).concurrentMost('R'), 2);
  t.is(recordOf(['1', first], ['1', transferred], ['2', 'session'], ['2', second]).concurrentMost('R'), 2);
  t.is(recordOf(['1', first], ['1', transferred], ['1', 'session'], ['2', second]).concurrentMost('R'), 1);
  t.is(recordOf(['1', first], ['1', 'session'], ['2', second]).concurrentMost('R'), 2);
});

test('the story of a CPE has what it did and what nodes logged of it', (t) => {
  const record = recordOf(['1', 'session']);
  record.logged('node2', '2026-01-01T00:00:00.000Z info  upgrade.sent cpeid=O-P-1 commandKey=a');
  record.logged('node2', 'info  store.writer-gone writer=x');
  t.regex(record.story('O-P-1'), /informed 2 PERIODIC\n.*node2 .*upgrade\.sent/);
  t.regex(record.general, /^\S+ node2 info {2}store\.writer-gone/);
});
