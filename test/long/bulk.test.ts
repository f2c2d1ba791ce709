import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { ADMIN, nbiClient } from '../support/ferry.js';
import { FerryProcess, freePorts } from '../support/ferry-process.js';

const RULES = 100_000;
/** Makes the body, and the list, a multiple of what the server may ever hold. */
const DESCRIPTION = 'x'.repeat(3_500);
const ANONYMOUS_BYTES_MAX = 300 * 1024 * 1024;
/**
 * What it holds must fit in there, old objects and new ones: with more Node.js from 24 on lets garbage lie for longer than would show what is
 * held.
 */
const HEAP_OPTIONS = '--max-old-space-size=96 --max-semi-space-size=8';
const REWRITTEN = 500;
const REWRITES = 40;
const STORE_GROWTH_BYTES_MAX = 32 * 1024 * 1024;
const PATH = '/v1/dyn/FirmwareStorage/.*';
const AUTH = `${ADMIN.name}:${ADMIN.password}`;

const ruleOf = (number: number, priority = 1) => ({
  id: `r${number}`,
  file: 'http://files.example.net/hgw-2.0.0.bin',
  condition: { cpeid: `00A1B2-HGW-${number}` },
  priority,
  description: DESCRIPTION,
});

const mebibytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`;

test('however many rules come and go in one stream, and however slowly they are taken, the server holds few of them', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-bulk-'));
  const ports = await freePorts();
  const environment = { NODE_OPTIONS: HEAP_OPTIONS };
  const ferry = await FerryProcess.start(dataDir, ports, [], undefined, environment);
  t.teardown(async () => {
    await ferry.kill();
    await rm(dataDir, { recursive: true });
  });
  const url = `http://127.0.0.1:${ports.nbi}`;
  const nbi = nbiClient(url);
  let peakBytes = 0;
  let isWatched = true;
  const watching = (async () => {
    while (isWatched) {
      peakBytes = Math.max(peakBytes, await ferry.anonymousBytes());
      await delay(20);
    }
  })();
  t.teardown(() => {
    isWatched = false;
    return watching;
  });

  for (const written of [RULES, 0]) {
    const startedMs = performance.now();
    const load = http.request(url + PATH, {
      method: 'POST',
      auth: AUTH,
      headers: { 'Content-Type': 'application/x-ndjson' },
    });
    const answered = once(load, 'response') as Promise<[http.IncomingMessage]>;
    let sentBytes = 0;
    for (let number = 0; number < RULES; number++) {
      const line = `${JSON.stringify(ruleOf(number))}\n`;
      sentBytes += line.length;
      if (!load.write(line)) await once(load, 'drain');
    }
    load.end();
    const [response] = await answered;
    const report = (await response.toArray()).join('').trimEnd().split('\n');
    t.is(report.length, RULES / 1_000 + 1);
    t.like(JSON.parse(report.at(-1) ?? ''), { code: 204, written, unchanged: RULES - written });
    const rate = Math.round((RULES / (performance.now() - startedMs)) * 1_000);
    t.log(`${written} of ${RULES} rules written, ${mebibytes(sentBytes)}: ${rate} a second`);
    t.true(sentBytes > ANONYMOUS_BYTES_MAX);
  }

  const listing = http.get(url + PATH, { auth: AUTH, headers: { Accept: 'application/x-ndjson' } });
  const [list] = (await once(listing, 'response')) as [http.IncomingMessage];
  await once(list, 'readable');
  // A snapshot that the list held on to would keep the pages of every rewrite from being used again.
  const dataFile = join(dataDir, 'store', 'data.mdb');
  const beforeBytes = (await stat(dataFile)).size;
  for (let rewrite = 1; rewrite <= REWRITES; rewrite++) {
    const rules = Array.from({ length: REWRITTEN }, (_, number) => ruleOf(number, 1 + rewrite));
    t.is((await nbi('POST', PATH, rules)).status, 200);
  }
  const grownBytes = (await stat(dataFile)).size - beforeBytes;
  t.log(`while a list waits for its reader, ${REWRITES} rewrites add ${mebibytes(grownBytes)} to the store`);
  t.true(grownBytes < STORE_GROWTH_BYTES_MAX, `${grownBytes}`);
  const startedMs = performance.now();
  let lines = 0;
  for await (const chunk of list) lines += String(chunk).split('\n').length - 1;
  t.is(lines, RULES);
  t.log(`listed at ${Math.round((lines / (performance.now() - startedMs)) * 1_000)} a second`);

  isWatched = false;
  await watching;
  t.log(`at most ${mebibytes(peakBytes)} of memory`);
  t.true(peakBytes < ANONYMOUS_BYTES_MAX, `${peakBytes}`);
});
