import test from 'ava';
import { parseContentRange, UPLOAD_STATES, UploadError } from '../../../firmware/index.js';
import {
  isEnded,
  progressed,
  type UploadEvent,
  type UploadProgress,
} from '../../../firmware/uploads/progress.js';

const REASON = { code: 'c', message: 'm' };
const EVENTS: readonly UploadEvent[] = [
  { kind: 'received', bytes: 10 },
  { kind: 'completed' },
  { kind: 'admitted', image: 'a.bin' },
  { kind: 'refused', reason: REASON },
  { kind: 'failed', reason: REASON },
  { kind: 'cancelled' },
];

test('what can happen to an upload in each state, and what becomes of it', (t) => {
  const table = Object.fromEntries(
    UPLOAD_STATES.map((state) => [
      state,
      EVENTS.map((event) => progressed({ state, receivedBytes: 10 }, event)?.state ?? null),
    ]),
  );
  t.deepEqual(table, {
    uploading: ['uploading', 'validating', null, null, 'upload-error', 'cancelled'],
    validating: [null, null, 'valid', 'invalid', 'upload-error', 'cancelled'].map((state, index) =>
      index === 1 ? 'validating' : state,
    ),
    valid: EVENTS.map(() => null),
    invalid: EVENTS.map(() => null),
    'upload-error': EVENTS.map(() => null),
    cancelled: EVENTS.map(() => null),
  });
  t.deepEqual(
    UPLOAD_STATES.filter((state) => isEnded({ state })),
    ['valid', 'invalid', 'upload-error', 'cancelled'],
  );
});

test('bytes only grow, never beyond what was announced, and only all of them are complete', (t) => {
  const half: UploadProgress = { state: 'uploading', receivedBytes: 10, sizeBytes: 20 };
  const received = (bytes: number) => progressed(half, { kind: 'received', bytes })?.receivedBytes ?? null;
  t.deepEqual([9, 10, 20, 21].map(received), [null, 10, 20, null]);
  t.is(progressed(half, { kind: 'completed' }), null);
  t.is(progressed({ state: 'uploading', receivedBytes: 0 }, { kind: 'completed' }), null);
  t.like(progressed({ state: 'uploading', receivedBytes: 7 }, { kind: 'completed' }), { sizeBytes: 7 });
});

test('a Content-Range is read as RFC 9110 writes it, and nothing else is', (t) => {
  t.deepEqual(parseContentRange('bytes 0-0/1'), { part: { from: 0, to: 0 }, totalBytes: 1 });
  t.deepEqual(parseContentRange('bytes */10'), { part: null, totalBytes: 10 });
  for (const text of [
    undefined,
    '',
    'bytes 0-9/*',
    'bytes 5-4/10',
    'bytes 0-10/10',
    'bytes -1-2/10',
    'bytes 0-1/1e3',
    'items 0-1/2',
    `bytes 0-1/${'9'.repeat(16)}`,
    'bytes 0-1/2, 3-4/5',
  ]) {
    t.like(
      t.throws(() => parseContentRange(text), { instanceOf: UploadError }),
      { code: 'wrong-range' },
    );
  }
});
