import { execFileSync } from 'node:child_process';
import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { HOUR_MS } from '../../../common/index.js';
import { readBounded, type WatchOptions, watchRuleDirectory } from '../../../rules/index.js';
import { openTestRules, ruleBody, temporaryDirectory } from '../setup.js';

/** So short that a file system may be slow at times, too. */
const QUICK = { answerMsMax: 50, readMsMax: 60_000 };

/** A watched directory whose file system can be made to hang. */
async function watched(
  t: ExecutionContext,
  options: Partial<WatchOptions> & { readonly hangs?: boolean } = {},
) {
  const at = await openTestRules(t);
  const directory = await temporaryDirectory(t);
  await save(directory, 'a.json', ruleBody({ id: 'a' }));
  let reads = 0;
  let answer = () => {};
  let answering = Promise.resolve();
  let tellBegun = () => {};
  const begun = new Promise<void>((resolve) => {
    tellBegun = resolve;
  });
  const hang = () => {
    answering = new Promise((resolve) => {
      answer = resolve;
    });
  };
  if (options.hangs === true) hang();
  t.teardown(() => answer());
  const monotonic = { nowMs: 0 };
  const watcher = await watchRuleDirectory({
    directory,
    rules: at.rules,
    logger: at.logger,
    clock: () => at.clock.nowMs,
    monotonic: () => monotonic.nowMs,
    // Each scan of these tests is one that they ask for.
    rescanMs: HOUR_MS,
    read: async (...args) => {
      reads++;
      tellBegun();
      await answering;
      return readBounded(...args);
    },
    ...options,
  });
  t.teardown(() => watcher.close());
  const events = (name: string) => at.log.filter(({ event }) => event === name);
  return {
    ...at,
    directory,
    watcher,
    monotonic,
    events,
    hang,
    begun,
    answer: () => answer(),
    reads: () => reads,
  };
}

async function save(directory: string, name: string, content: unknown): Promise<void> {
  await writeFile(join(directory, name), JSON.stringify(content));
}

test('a FIFO among rule files is no file: it is not waited for, at the start, while running, and once it is gone', async (t) => {
  t.timeout(60_000);
  const { directory, watcher, stored, rules, logger, clock } = await watched(t);
  execFileSync('mkfifo', [join(directory, 'pipe.json'), join(directory, '0.json')]);
  await save(directory, 'b.json', ruleBody({ id: 'b' }));
  t.like(await watcher.scan(), { state: 'applied', files: 2 });
  t.like(await stored('b'), { enabled: true });
  await watcher.close();
  const next = await watchRuleDirectory({ directory, rules, logger, clock: () => clock.nowMs });
  t.teardown(() => next.close());
  t.like(next.status(), { state: 'applied', files: 2 });
  await rm(join(directory, 'pipe.json'));
  await rm(join(directory, '0.json'));
  await save(directory, 'c.json', ruleBody({ id: 'c' }));
  t.like(await next.scan(), { state: 'applied', files: 3 });
});

test('a file system that hangs keeps nobody from starting; no other scan begins, and it is told', async (t) => {
  t.timeout(60_000);
  const at = await watched(t, { hangs: true, stallLimits: QUICK });
  const { watcher, events, reads, answer, stored, begun } = at;
  await begun;
  t.like(watcher.status(), { state: 'hanging', lastScanAgeMs: null });
  t.true(events('rules.scan-hangs').length > 0);
  const scans = [watcher.scan(), watcher.scan(), watcher.scan()];
  t.is(reads(), 1);
  answer();
  for (const scan of scans) t.like(await scan, { state: 'applied' });
  // The one that hung, and one for all that was asked for meanwhile.
  t.is(reads(), 2);
  t.like(watcher.status(), { state: 'applied', lastScanAgeMs: 0 });
  t.true(events('rules.scan-goes-on').length > 0);
  t.like(await stored('a'), { enabled: true });
});

test('one that hangs while running keeps nobody from stopping, and what it reads late is not applied', async (t) => {
  t.timeout(60_000);
  const { watcher, directory, hang, answer, rules, log } = await watched(t);
  hang();
  await save(directory, 'b.json', ruleBody({ id: 'b' }));
  const scan = watcher.scan();
  await watcher.close();
  answer();
  await scan;
  const ids: string[] = [];
  for await (const { id } of rules.scan({})) ids.push(id);
  t.deepEqual(ids, ['a']);
  t.false(log.some(({ event }) => event === 'rules.files-failed'));
});

test('how long it is since a scan was completed is told by the monotonic clock', async (t) => {
  const { watcher, monotonic, clock } = await watched(t);
  clock.nowMs -= 60 * 24 * 60 * 60 * 1_000;
  monotonic.nowMs += 25_000;
  t.is(watcher.status().lastScanAgeMs, 25_000);
  await watcher.scan();
  t.is(watcher.status().lastScanAgeMs, 0);
});

test('files that have not changed are not read again, once no write can have left their marks as they were', async (t) => {
  const { watcher, directory, monotonic, reads, stored, clock } = await watched(t);
  t.is(reads(), 1);
  // Another write within what a file system tells apart would look the same: it is read again.
  await watcher.scan();
  t.is(reads(), 2);
  monotonic.nowMs += 3_000;
  await watcher.scan();
  t.is(reads(), 3);
  const before = await watcher.scan();
  for (let scan = 0; scan < 3; scan++) {
    monotonic.nowMs += 10_000;
    clock.nowMs += 10_000;
    t.deepEqual(await watcher.scan(), before);
  }
  t.is(reads(), 3);
  // Of the same size, and of the time that the file had: its change time tells.
  const then = new Date(0);
  await utimes(join(directory, 'a.json'), then, then);
  monotonic.nowMs += 3_000;
  await watcher.scan();
  monotonic.nowMs += 3_000;
  await watcher.scan();
  const seen = reads();
  await save(directory, 'a.json', ruleBody({ id: 'a', priority: 7 }));
  await utimes(join(directory, 'a.json'), then, then);
  t.like(await watcher.scan(), { state: 'applied' });
  t.true(reads() > seen);
  t.like(await stored('a'), { priority: 7 });
  // A file more, and one fewer.
  await save(directory, 'b.json', ruleBody({ id: 'b' }));
  t.like(await watcher.scan(), { state: 'applied', files: 2 });
  await rm(join(directory, 'b.json'));
  t.like(await watcher.scan(), { state: 'applied', files: 1 });
  t.like(await stored('b'), { enabled: false });
});
