import test from 'ava';
import { epochMsOf } from '../../common/index.js';

test('a time with its zone is read, with or without seconds', (t) => {
  t.is(epochMsOf('2026-01-31T02:30:00+01:00'), Date.UTC(2026, 0, 31, 1, 30));
  t.is(epochMsOf('2026-01-31T02:30Z'), Date.UTC(2026, 0, 31, 2, 30));
  t.is(epochMsOf('2024-02-29T23:59:59.5-11:00'), Date.UTC(2024, 2, 1, 10, 59, 59, 500));
});

test('what is no time, or has no zone, is none', (t) => {
  for (const text of [
    '',
    'tomorrow',
    '2026-01-31',
    '2026-01-31T02:30:00',
    '2026-02-31T02:30:00Z',
    '2025-02-29T02:30:00Z',
    '2026-13-01T02:30:00Z',
    '2026-01-00T02:30:00Z',
    '2026-01-31T25:00:00Z',
    '2026-01-31T02:61:00Z',
    '2026-01-31T02:30:00+25:00',
    '1769823000000',
  ]) {
    t.is(epochMsOf(text), null, text);
  }
});
