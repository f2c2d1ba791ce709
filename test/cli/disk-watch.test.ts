import { tmpdir } from 'node:os';
import test from 'ava';
import { DiskWatch } from '../../cli/disk-watch.js';
import { recordingLogger } from '../support/ferry.js';

function open(freeBytesMin = 0) {
  const { logger, events } = recordingLogger();
  const time = { ms: 0 };
  const disk = new DiskWatch({ directory: tmpdir(), freeBytesMin, logger, monotonic: () => time.ms });
  return { disk, time, names: () => events.map(({ event }) => event) };
}

test('a write that failed is remembered until one goes through, and each turn is said once', async (t) => {
  const { disk, time, names } = open();
  disk.wrote('store', null);
  t.true(await disk.look());
  disk.wrote('store', new Error('ENOSPC'));
  t.false(await disk.look());
  time.ms += 60_000;
  disk.wrote('images', null);
  t.false(await disk.look(), 'another place says nothing of this one');
  // What is full lets a small one pass now and then.
  disk.wrote('store', new Error('ENOSPC'));
  disk.wrote('store', null);
  t.false(await disk.look());
  time.ms += 10_000;
  t.true(await disk.look());
  t.deepEqual(names(), ['disk.writes-fail', 'disk.writes-again']);
});

test('an image that did not fit is no longer held against a disk that has room again', async (t) => {
  const { disk, time } = open(1);
  disk.wrote('images', new Error('ENOSPC'));
  t.false(await disk.look());
  time.ms += 10_000;
  t.true(await disk.look());
  const full = open(Number.MAX_SAFE_INTEGER);
  full.disk.wrote('images', new Error('ENOSPC'));
  full.time.ms += 10_000;
  t.false(await full.disk.look());
});

test('less room than there should be is told before anything fails', async (t) => {
  const { disk, names } = open(Number.MAX_SAFE_INTEGER);
  t.false(await disk.look());
  t.false(await disk.look());
  t.true(disk.freeBytes > 0);
  t.deepEqual(names(), ['disk.low']);
  t.true(await open(0).disk.look());
});

test('a directory that is gone is no low disk', async (t) => {
  const { logger } = recordingLogger();
  const disk = new DiskWatch({ directory: '/nowhere/at/all', freeBytesMin: 1, logger });
  t.true(await disk.look());
  t.is(disk.freeBytes, Number.NaN);
});
