import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { HOUR_MS, type RuleId } from '../../../common/index.js';
import {
  InvalidRuleError,
  RuleConflictError,
  type RuleEngine,
  type RuleFilesStatus,
  type RuleFileWatcher,
  readBounded,
  type WatchOptions,
  watchRuleDirectory,
} from '../../../rules/index.js';
import { BY } from '../../support/actor.js';
import { propertyRuns } from '../random-rules.js';
import { openTestRules, post, ruleBody, type TestRules, temporaryDirectory } from '../setup.js';

const SURE_MS = 10_000;

let written = 0;

/** Writes a file as a careful deployment does; no two have the same size, so that their marks differ whatever the clock of the file system. */
async function save(directory: string, name: string, content: unknown): Promise<void> {
  const draft = join(directory, `.${name}.new`);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(draft, text + ' '.repeat(++written));
  await rename(draft, join(directory, name));
}

/** Rules that do this as well at the beginning of each turn in which files are applied. */
function inEachTurn(rules: RuleEngine, act: () => Promise<void>): WatchOptions['rules'] {
  return {
    ...rules,
    applyFiles: (bodies, applying) =>
      rules.applyFiles(bodies, {
        ...applying,
        turn: (work) =>
          applying.turn(async () => {
            await act();
            return work();
          }),
      }),
  };
}

interface Watched {
  readonly watcher: RuleFileWatcher;
  readonly monotonic: { nowMs: number };
  /** Names of files that were read, and of those whose rules were looked at, since this was asked last. */
  readonly since: () => { readonly read: readonly string[]; readonly checked: readonly string[] };
}

/** A watcher that scans when it is told to. */
async function watched(
  t: ExecutionContext,
  { clock, logger }: TestRules,
  rules: WatchOptions['rules'],
  directory: string,
): Promise<Watched> {
  const read = new Set<string>();
  const checked = new Set<string>();
  const monotonic = { nowMs: 0 };
  const watcher = await watchRuleDirectory({
    directory,
    logger,
    clock: () => clock.nowMs,
    monotonic: () => monotonic.nowMs,
    rescanMs: HOUR_MS,
    read(path, onProgress) {
      read.add(basename(path));
      return readBounded(path, onProgress);
    },
    rules: {
      leaseFiles: (holder, durationMs) => rules.leaseFiles(holder, durationMs),
      releaseFiles: (lease) => rules.releaseFiles(lease),
      withoutFile: () => rules.withoutFile(),
      applyFiles(bodies, applying) {
        for (const { file } of bodies) checked.add(file);
        return rules.applyFiles(bodies, applying);
      },
    },
  });
  t.teardown(() => watcher.close());
  const since = () => {
    // By name, once each: the watcher may have looked at the same by itself.
    const what = { read: [...read].sort(), checked: [...checked].sort() };
    read.clear();
    checked.clear();
    return what;
  };
  return { watcher, monotonic, since };
}

/** A directory whose files have been read often enough to be known. */
async function knownDirectory(t: ExecutionContext, files: Readonly<Record<string, unknown>>) {
  const at = await openTestRules(t);
  const directory = await temporaryDirectory(t);
  for (const [name, content] of Object.entries(files)) await save(directory, name, content);
  const own = await watched(t, at, at.rules, directory);
  const scan = (): Promise<RuleFilesStatus> => {
    own.monotonic.nowMs += SURE_MS;
    return own.watcher.scan();
  };
  await scan();
  own.since();
  const write = async (name: string, content: unknown) => {
    await save(directory, name, content);
    return scan();
  };
  return { ...at, ...own, directory, scan, write };
}

test('of changed files beside unchanged ones only these are read, and only their rules are looked at', async (t) => {
  const { since, scan, write, directory, stored } = await knownDirectory(t, {
    'a.json': [ruleBody({ id: 'a1' }), ruleBody({ id: 'a2' })],
    'b.json': ruleBody({ id: 'b' }),
    'c.json': ruleBody({ id: 'c' }),
  });
  t.like(await write('b.json', ruleBody({ id: 'b', priority: 7 })), { state: 'applied', files: 3, rules: 4 });
  t.deepEqual(since(), { read: ['b.json'], checked: ['b.json'] });
  t.like(await stored('b'), { priority: 7 });
  await rm(join(directory, 'a.json'));
  t.like(await write('d.json', ruleBody({ id: 'd' })), { state: 'applied', files: 3, rules: 3 });
  t.deepEqual(since().checked, ['d.json']);
  t.like(await stored('a1'), { enabled: false, sourceMissing: true });
  t.like(await stored('a2'), { enabled: false, sourceMissing: true });
  await rm(join(directory, 'd.json'));
  t.like(await scan(), { state: 'applied', files: 2, rules: 2 });
  t.deepEqual(since().checked, []);
  t.like(await stored('d'), { enabled: false, sourceMissing: true });
});

test('a file that has lost all its rules loses them beside unchanged ones, too', async (t) => {
  const { write, stored } = await knownDirectory(t, {
    'a.json': [ruleBody({ id: 'a' })],
    'b.json': [ruleBody({ id: 'b' })],
  });
  t.like(await write('a.json', []), { state: 'applied', files: 2, rules: 1 });
  t.like(await stored('a'), { enabled: false, sourceMissing: true });
  t.like(await stored('b'), { enabled: true });
});

test('a file that is broken keeps every other from being applied for as long as it is, and only what is not applied is read', async (t) => {
  const { since, write, stored } = await knownDirectory(t, {
    'a.json': ruleBody({ id: 'a' }),
    'b.json': ruleBody({ id: 'b' }),
    'c.json': ruleBody({ id: 'c' }),
  });
  const problem = { state: 'broken', problems: [{ file: 'b.json', field: 'limit', line: 1 }] };
  t.like(await write('b.json', ruleBody({ id: 'b', limit: 1 })), problem);
  since();
  for (const priority of [2, 3]) {
    t.like(await write('c.json', ruleBody({ id: 'c', priority })), problem);
    t.deepEqual(since(), { read: ['b.json', 'c.json'], checked: ['b.json', 'c.json'] });
    t.like(await stored('c'), { priority: 1 });
  }
  t.like(await write('b.json', ruleBody({ id: 'b' })), { state: 'applied', files: 3, rules: 3 });
  t.like(await stored('c'), { priority: 3 });
});

for (const [changed, other] of [
  ['a.json', 'b.json'],
  ['b.json', 'a.json'],
] as const) {
  test(`an id of ${changed}, which changed, and of ${other}, which did not, is told of where it stands second`, async (t) => {
    const { write, rules, since } = await knownDirectory(t, {
      [changed]: ruleBody({ id: 'mine' }),
      [other]: [ruleBody({ id: 'first' }), ruleBody({ id: 'theirs' })],
      'c.json': ruleBody({ id: 'c' }),
    });
    const status = await write(changed, [ruleBody({ id: 'mine', priority: 7 }), ruleBody({ id: 'theirs' })]);
    const expected = 'an id of its own; a.json has a rule of the same';
    t.like(status, {
      state: 'broken',
      problems: [{ file: 'b.json', code: 'duplicate', field: 'id', item: 1, line: 1, expected }],
    });
    t.is((await rules.get('mine' as RuleId))?.rule.priority, 1);
    t.false(since().read.includes('c.json'));
  });
}

test('a rule that moves from one file to another is not gone, whichever of them is seen first', async (t) => {
  const [one, moved, other] = ['one', 'moved', 'other'].map((id) => ruleBody({ id }));
  const { write, stored } = await knownDirectory(t, { 'a.json': [one, moved], 'b.json': [other] });
  await write('b.json', [other, moved]);
  t.like(await write('a.json', [one]), { state: 'applied', files: 2, rules: 3 });
  t.like(await stored('moved'), { sourceFile: 'b.json', enabled: true, sourceMissing: undefined });
  await write('b.json', [other]);
  t.like(await stored('moved'), { sourceFile: 'b.json', enabled: false, sourceMissing: true });
  t.like(await write('a.json', [one, moved]), { state: 'applied', files: 2, rules: 3 });
  t.like(await stored('moved'), { sourceFile: 'a.json', enabled: true, sourceMissing: undefined });
});

test('where another has applied files since, all are looked at again', async (t) => {
  const at = await knownDirectory(t, { 'a.json': ruleBody({ id: 'a' }), 'b.json': ruleBody({ id: 'b' }) });
  const theirs = await temporaryDirectory(t);
  await save(theirs, 'a.json', ruleBody({ id: 'a', priority: 9 }));
  // It slept for longer than its lease lasts, and so does the other.
  at.clock.nowMs += 31_000;
  await watched(t, at, await at.another(), theirs);
  t.like(await at.stored('a'), { priority: 9 });
  t.like(await at.stored('b'), { enabled: false });
  at.clock.nowMs += 31_000;
  t.like(await at.scan(), { state: 'applied', files: 2, rules: 2 });
  t.like(await at.stored('a'), { priority: 1 });
  t.like(await at.stored('b'), { enabled: true });
});

test('where applying files has failed, all are looked at again', async (t) => {
  const at = await openTestRules(t);
  const directory = await temporaryDirectory(t);
  for (const id of ['a', 'b']) await save(directory, `${id}.json`, ruleBody({ id }));
  let fails = false;
  const { watcher, since } = await watched(
    t,
    at,
    {
      ...at.rules,
      async applyFiles(bodies, applying) {
        if (fails) throw new Error('The store is away');
        return at.rules.applyFiles(bodies, applying);
      },
    },
    directory,
  );
  since();
  fails = true;
  await save(directory, 'a.json', ruleBody({ id: 'a', priority: 7 }));
  t.like(await watcher.scan(), { state: 'failed' });
  since();
  fails = false;
  t.like(await watcher.scan(), { state: 'applied', files: 2 });
  t.deepEqual(since().checked, ['a.json', 'b.json']);
  t.like(await at.stored('a'), { priority: 7 });
});

test('however long rules are looked at beside CPEs, the lease does not run out', async (t) => {
  const at = await openTestRules(t);
  const directory = await temporaryDirectory(t);
  for (const id of ['a', 'b', 'c']) await save(directory, `${id}.json`, ruleBody({ id }));
  const others = await at.another();
  const monotonic = { nowMs: 0 };
  let [asked, got] = [0, 0];
  const watcher = await watchRuleDirectory({
    directory,
    logger: at.logger,
    clock: () => at.clock.nowMs,
    monotonic: () => monotonic.nowMs,
    rescanMs: HOUR_MS,
    rules: inEachTurn(at.rules, async () => {
      at.clock.nowMs += 20_000;
      monotonic.nowMs += 20_000;
      asked++;
      if ((await others.leaseFiles('another', 30_000)) !== null) got++;
    }),
  });
  t.teardown(() => watcher.close());
  t.like(watcher.status(), { state: 'applied', rules: 3 });
  t.true(asked > 2);
  t.is(got, 0);
});

test('between any two stretches of work on rule files everything else has its turn', async (t) => {
  const at = await openTestRules(t);
  const directory = await temporaryDirectory(t);
  const many = Array.from({ length: 1_000 }, (_, n) =>
    ruleBody({ id: `m${n}`, condition: { cpeid: `c${n}` } }),
  );
  await save(directory, 'a.json', many);
  let [turns, isDone] = [0, false];
  const began: number[] = [];
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  count();
  const watcher = await watchRuleDirectory({
    directory,
    logger: at.logger,
    clock: () => at.clock.nowMs,
    rescanMs: HOUR_MS,
    rules: inEachTurn(at.rules, async () => {
      began.push(turns);
    }),
  });
  isDone = true;
  t.teardown(() => watcher.close());
  t.like(watcher.status(), { state: 'applied', rules: 1_000 });
  // It looks up a hundred rules at a time: before it checks ids, and before it writes.
  t.true(began.length > 20, `${began.length}`);
  t.is(new Set(began).size, began.length);
});

test('a lease is continued where nobody else has had it since', async (t) => {
  const { rules, clock } = await openTestRules(t);
  const taken = async (holder: string) => (await rules.leaseFiles(holder, 1_000))?.isContinued;
  t.is(await taken('a'), false);
  t.is(await taken('a'), true);
  clock.nowMs += 2_000;
  t.is(await taken('a'), true);
  clock.nowMs += 2_000;
  t.is(await taken('b'), false);
  clock.nowMs += 2_000;
  t.is(await taken('a'), false);
});

type Step =
  | { readonly do: 'write'; readonly file: string; readonly content: readonly Kind[] }
  | { readonly do: 'remove'; readonly file: string }
  | { readonly do: 'post' | 'delete' | 'switch'; readonly id: string };

/** One rule of a file. */
interface Kind {
  readonly id: string;
  readonly priority: number;
  readonly flaw: 'none' | 'warning' | 'field' | 'syntax';
}

const FILES = ['a.json', 'b.json', 'c.json', 'd.json'];
const IDS = ['r1', 'r2', 'r3', 'r4', 'r5'];

const kind: fc.Arbitrary<Kind> = fc.record({
  id: fc.constantFrom(...IDS),
  priority: fc.integer({ min: 1, max: 2 }),
  flaw: fc.oneof(
    { weight: 12, arbitrary: fc.constant('none' as const) },
    { weight: 4, arbitrary: fc.constant('warning' as const) },
    { weight: 1, arbitrary: fc.constantFrom('field' as const, 'syntax' as const) },
  ),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      file: fc.constantFrom(...FILES),
      content: fc.array(kind, { maxLength: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('remove' as const), file: fc.constantFrom(...FILES) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('post' as const, 'delete' as const, 'switch' as const),
      id: fc.constantFrom(...IDS),
    }),
  },
);

function textOf(content: readonly Kind[], prefix: string): string {
  const rules = content.map(({ id, priority, flaw }) => {
    const condition = flaw === 'warning' ? 'productClass = "HGW" and (oui = "1" or "2")' : 'oui = "1"';
    const rule = ruleBody({ id: prefix + id, priority, condition, ...(flaw === 'field' && { limit: 1 }) });
    return `${JSON.stringify(rule)}${flaw === 'syntax' ? ' x' : ''}`;
  });
  return `[\n${rules.join(',\n')}\n]`;
}

/** What a user of the API does; it may be refused. */
async function ask(rules: RuleEngine, what: 'post' | 'delete' | 'switch', id: string): Promise<string> {
  try {
    if (what === 'post') await post(rules, ruleBody({ id }));
    else if (what === 'delete') await rules.remove([id as RuleId], BY);
    else await rules.merge([id as RuleId], { enabled: false }, BY);
    return 'done';
  } catch (error) {
    if (error instanceof RuleConflictError || error instanceof InvalidRuleError) return error.name;
    throw error;
  }
}

async function everyRule(rules: RuleEngine): Promise<readonly unknown[]> {
  const all: { readonly id: string }[] = [];
  // Which commit of the fleet wrote a rule last is not the rule.
  for await (const { fleetSeq: _, ...rule } of rules.scan({})) all.push(rule);
  return all.sort((a, b) => (a.id < b.id ? -1 : 1));
}

test('whatever changes, what is applied of it comes to what applying all files comes to', async (t) => {
  t.timeout(10 * 60_000);
  const partly = await openTestRules(t);
  const whole = await openTestRules(t);
  const parent = await temporaryDirectory(t);
  let runs = 0;
  let partial = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const prefix = `${++runs}-`;
      const directory = join(parent, prefix);
      await mkdir(directory);
      const { watcher, monotonic, since } = await watched(t, partly, partly.rules, directory);
      // One change at a time: the watcher may look at any moment. Those that come while a file is broken are applied together.
      for (const each of steps) {
        partly.clock.nowMs += 1_000;
        whole.clock.nowMs = partly.clock.nowMs;
        if (each.do === 'write') await save(directory, each.file, textOf(each.content, prefix));
        else if (each.do === 'remove') await rm(join(directory, each.file), { force: true });
        else {
          const [one, other] = [partly.rules, whole.rules];
          t.is(await ask(one, each.do, prefix + each.id), await ask(other, each.do, prefix + each.id));
        }
        monotonic.nowMs += SURE_MS;
        since();
        const { atMs: _, ...status } = { atMs: 0, ...(await watcher.scan()) };
        const fresh = await watched(t, whole, whole.rules, directory);
        const { atMs: _at, lastScanAgeMs: _age, ...all } = { atMs: 0, ...fresh.watcher.status() };
        await fresh.watcher.close();
        assert.deepStrictEqual(status, all);
        assert.deepStrictEqual(await everyRule(partly.rules), await everyRule(whole.rules));
        if (since().checked.length < fresh.since().checked.length) partial++;
      }
      await watcher.close();
    }),
    { numRuns: propertyRuns(25) },
  );
  t.true(partial > 0);
});
