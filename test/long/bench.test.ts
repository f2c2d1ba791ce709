import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

test('the benchmark runs through and prints its tables; what it measures is for people to judge', async (t) => {
  const small = [
    '--rounds',
    '1',
    '--sessions',
    '60',
    '--upgrades',
    '20',
    '--cpes',
    '20',
    '--rules',
    '1000',
    '--image-mib',
    '1',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...small]);
  for (const row of [
    'periodic session',
    'whole upgrade',
    'upload of 1 MiB',
    'beside uploads',
    '1000 pinned',
    '10000 fleet',
    '1000 pinned rules and CPEs',
    'a batch of a list as NDJSON',
    'a batch of all',
    'of CPEs of the batch',
  ]) {
    t.true(stdout.includes(`│ ${row}`), `no row ${row} in\n${stdout}`);
  }
});
