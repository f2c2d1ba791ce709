import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { RuleId } from '../../../common/index.js';
import {
  RULES,
  RuleConflictError,
  type RuleEngine,
  type RuleFilesStatus,
  type RuleFileWatcher,
  type StoredRule,
  watchRuleDirectory,
} from '../../../rules/index.js';
import { BY } from '../../support/actor.js';
import {
  inputOf,
  NOW_MS,
  openTestRules,
  post,
  ruleBody,
  type TestRules,
  temporaryDirectory,
} from '../setup.js';

interface Watched extends TestRules {
  readonly directory: string;
  readonly watcher: RuleFileWatcher;
  /** Writes a file (text, or a value as JSON) and scans. */
  write(name: string, content: unknown): Promise<RuleFilesStatus>;
}

async function watchTestRules(
  t: ExecutionContext,
  files: Readonly<Record<string, unknown>>,
): Promise<Watched> {
  const at = await openTestRules(t);
  const directory = await temporaryDirectory(t);
  for (const [name, content] of Object.entries(files)) await save(directory, name, content);
  const watcher = await watch(t, at, at.rules, directory);
  return {
    ...at,
    directory,
    watcher,
    async write(name, content) {
      await save(directory, name, content);
      return watcher.scan();
    },
  };
}

async function watch(
  t: ExecutionContext,
  { logger, clock }: TestRules,
  rules: RuleEngine,
  directory: string,
): Promise<RuleFileWatcher> {
  const watcher = await watchRuleDirectory({ directory, rules, logger, clock: () => clock.nowMs });
  t.teardown(() => watcher.close());
  return watcher;
}

async function save(directory: string, name: string, content: unknown): Promise<void> {
  // Written beside its place and moved into it, as a careful deployment does.
  const draft = join(directory, `.${name}.new`);
  await writeFile(
    draft,
    typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
  );
  await rename(draft, join(directory, name));
}

async function idsOf(rules: RuleEngine): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id } of rules.scan({})) ids.push(id);
  return ids.sort();
}

const ids = (...some: string[]) => some as RuleId[];

test('a file holds a rule or an array of them; each says where it comes from', async (t) => {
  const { rules, watcher, stored } = await watchTestRules(t, {
    'a.json': ruleBody({ id: 'a', author: 'somebody' }),
    'b.json': [ruleBody({ id: 'b1' }), ruleBody({ id: 'b2' })],
    'c.txt': 'not a rule file',
    '.d.json': 'nor this',
    'a.test.json': 'nor this, which tests a.json',
  });
  t.like(watcher.status(), { state: 'applied', atMs: NOW_MS, files: 2, rules: 3, warnings: undefined });
  t.deepEqual(await idsOf(rules), ['a', 'b1', 'b2']);
  t.like(await stored('a'), { author: 'file:a.json', sourceFile: 'a.json' });
});

test('a change is seen without being asked for', async (t) => {
  const { directory, watcher, stored } = await watchTestRules(t, { 'a.json': ruleBody({ id: 'a' }) });
  const next = watcher.nextScan();
  await save(directory, 'a.json', ruleBody({ id: 'a', priority: 7 }));
  t.like(await next, { state: 'applied' });
  t.like(await stored('a'), { priority: 7 });
});

test('reading the same files again writes nothing', async (t) => {
  const { rules, watcher, write, clock } = await watchTestRules(t, { 'a.json': ruleBody({ id: 'a' }) });
  const before = await rules.get('a' as RuleId);
  clock.nowMs += 1_000;
  await watcher.scan();
  await write('a.json', `  ${JSON.stringify(ruleBody({ id: 'a' }))}\n`);
  t.deepEqual(await rules.get('a' as RuleId), before);
});

const BROKEN: readonly (readonly [string, unknown, object])[] = [
  ['a missing comma', '{\n  "id": "b"\n  "file": "x"\n}', { code: 'bad-json', line: 3, column: 3 }],
  ['a comment', '{ // no\n}', { code: 'bad-json', line: 1, column: 3 }],
  ['a trailing comma', '[{},]', { code: 'bad-json', line: 1 }],
  ['an empty file', '', { code: 'bad-json', line: 1, column: 1 }],
  ['half a file', '[{"id": "b", "fi', { code: 'bad-json', line: 1 }],
  ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), { code: 'bad-encoding' }],
  ['a key twice', '{"id": "b",\n "file": "x", "id": "c"}', { code: 'duplicate-key', line: 2, column: 15 }],
  ['nesting without end', '['.repeat(100_000), { code: 'bad-json' }],
  [
    'a wrong value',
    '[\n  {"id": "b", "file": "x", "condition": "true"},\n  {"id": "c", "file": "x",\n   "condition": {"cpeid": ["1", {}]}}\n]',
    { code: 'wrong-type', field: 'condition.cpeid.1', item: 1, line: 4, column: 33 },
  ],
  [
    'an unknown field',
    '{"id": "b", "file": "x", "condition": "true",\n "limit": {}}',
    {
      code: 'unknown-field',
      field: 'limit',
      expected: 'no such field; did you mean "limits"?',
      line: 2,
      column: 11,
    },
  ],
  [
    'a missing field',
    '[\n {"id": "b", "file": "x"}]',
    { code: 'missing', field: 'condition', line: 2, column: 2 },
  ],
  ['an id of another file', ruleBody({ id: 'a' }), { code: 'duplicate', field: 'id', found: '"a"', line: 1 }],
  ['an id of the API', [ruleBody({ id: 'api' })], { code: 'taken', field: 'id', item: 0, line: 1 }],
];

for (const [what, content, problem] of BROKEN) {
  test(`${what} changes nothing and is reported with its place`, async (t) => {
    const { rules, write, stored, log } = await watchTestRules(t, { 'a.json': ruleBody({ id: 'a' }) });
    await post(rules, ruleBody({ id: 'api' }));
    const before = await stored('a');
    const status = await write('b.json', content);
    t.is(status.state, 'broken');
    t.like(status.state === 'broken' && status.problems[0], { file: 'b.json', ...problem });
    t.like(log.find(({ event }) => event === 'rules.file-broken')?.fields, { file: 'b.json', ...problem });
    t.deepEqual(await idsOf(rules), ['a', 'api']);
    t.deepEqual(await stored('a'), before);
  });
}

test('a good file beside a broken one is not applied until the broken one is mended', async (t) => {
  const { write, stored } = await watchTestRules(t, { 'a.json': ruleBody({ id: 'a' }) });
  await write('b.json', '{');
  t.is((await write('a.json', ruleBody({ id: 'a', priority: 7 }))).state, 'broken');
  t.like(await stored('a'), { priority: 1 });
  t.is((await write('b.json', ruleBody({ id: 'b' }))).state, 'applied');
  t.like(await stored('a'), { priority: 7 });
});

test('a rule whose file or entry is gone is disabled, and comes back as it was', async (t) => {
  const { rules, directory, watcher, write, stored } = await watchTestRules(t, {
    'a.json': ruleBody({ id: 'a' }),
    'b.json': [ruleBody({ id: 'b1' }), ruleBody({ id: 'b2' })],
  });
  const key = rules.countKey(await stored('a'));
  await rm(join(directory, 'a.json'));
  await write('b.json', [ruleBody({ id: 'b2' })]);
  t.like(await stored('a'), { enabled: false, sourceMissing: true });
  t.like(await stored('b1'), { enabled: false, sourceMissing: true });
  t.like(await stored('b2'), { enabled: true });
  const gone = await rules.get('a' as RuleId);
  await watcher.scan();
  t.deepEqual(await rules.get('a' as RuleId), gone);
  await write('a.json', ruleBody({ id: 'a' }));
  t.like(await stored('a'), { enabled: true, sourceMissing: undefined });
  t.is(rules.countKey(await stored('a')), key);
});

test('an empty or missing directory changes nothing and raises an alarm, once', async (t) => {
  const { rules, directory, watcher, log, stored } = await watchTestRules(t, {
    'a.json': ruleBody({ id: 'a' }),
  });
  await rm(join(directory, 'a.json'));
  t.is((await watcher.scan()).state, 'empty');
  await rm(directory, { recursive: true });
  t.is((await watcher.scan()).state, 'empty');
  t.like(await stored('a'), { enabled: true });
  t.is(log.filter(({ event }) => event === 'rules.directory-empty').length, 1);
  await mkdir(directory);
  await save(directory, 'a.json', ruleBody({ id: 'a', priority: 3 }));
  t.is((await watcher.scan()).state, 'applied');
  t.like(await stored('a'), { priority: 3 });
  t.deepEqual(await idsOf(rules), ['a']);
});

test('of two processes one applies the files; the other takes over when it closes', async (t) => {
  const at = await watchTestRules(t, { 'a.json': ruleBody({ id: 'a' }) });
  const second = await watch(t, at, await at.another(), at.directory);
  t.is(second.status().state, 'standby');
  await at.write('a.json', ruleBody({ id: 'a', priority: 2 }));
  t.is((await second.scan()).state, 'standby');
  await at.watcher.close();
  await save(at.directory, 'a.json', ruleBody({ id: 'a', priority: 3 }));
  t.is((await second.scan()).state, 'applied');
  t.like(await at.stored('a'), { priority: 3 });
});

test('another process takes over from one that died, and the dead one’s scan changes nothing more', async (t) => {
  const at = await watchTestRules(t, { 'a.json': ruleBody({ id: 'a' }) });
  const lease = await at.rules.leaseFiles('slow', 1_000);
  t.is(lease, null);
  at.clock.nowMs += 31_000;
  const stolen = await at.rules.leaseFiles('slow', 1_000);
  if (stolen === null) return t.fail('the lease had run out');
  at.clock.nowMs += 2_000;
  t.is((await at.watcher.scan()).state, 'applied');
  const late = at.rules.applyFiles([{ file: 'x.json', body: ruleBody({ id: 'late' }) }], {
    renewed: async () => stolen,
    turn: (work) => work(),
    beside: null,
  });
  await t.throwsAsync(late, { instanceOf: RuleConflictError });
  t.deepEqual(await idsOf(at.rules), ['a']);
});

test('a rule from a file: the API switches enabled, and nothing else', async (t) => {
  const { rules, stored } = await watchTestRules(t, { 'a.json': ruleBody({ id: 'a' }) });
  for (const change of [
    () => rules.merge(ids('a'), { priority: 9 }, BY),
    () => rules.merge(ids('a'), { enabled: false, automatic: false }, BY),
    () => post(rules, ruleBody({ id: 'a' })),
    () => rules.remove(ids('a'), BY),
  ]) {
    const error = await t.throwsAsync(change(), { instanceOf: RuleConflictError });
    t.is(error.reason, 'from-file');
  }
  await rules.merge(ids('a'), { id: 'a', enabled: false, automatic: true }, BY);
  t.like(await stored('a'), { enabled: false, enabledOverride: false });
  t.is(await rules.restart(ids('a'), BY), 1);
});

test('the API’s switch outlives re-reading the file until the file says the same', async (t) => {
  const { rules, write, stored } = await watchTestRules(t, { 'a.json': ruleBody({ id: 'a' }) });
  await rules.merge(ids('a'), { enabled: false }, BY);
  await write('a.json', ruleBody({ id: 'a', priority: 2 }));
  t.like(await stored('a'), { enabled: false, enabledOverride: false, priority: 2 });
  await write('a.json', ruleBody({ id: 'a', enabled: false }));
  t.like(await stored('a'), { enabled: false, enabledOverride: undefined });
  await write('a.json', ruleBody({ id: 'a', enabled: true }));
  t.like(await stored('a'), { enabled: true });
  await rules.merge(ids('a'), { enabled: false }, BY);
  await rules.merge(ids('a'), { enabled: true }, BY);
  t.like(await stored('a'), { enabled: true, enabledOverride: undefined });
});

test('a rule whose file is gone may be switched, deleted, or taken over by the API', async (t) => {
  const { rules, watcher, write, stored } = await watchTestRules(t, {
    'a.json': [ruleBody({ id: 'a' }), ruleBody({ id: 'b' }), ruleBody({ id: 'c' })],
  });
  await write('a.json', [ruleBody({ id: 'c' })]);
  await rules.merge(ids('a'), { enabled: true }, BY);
  await watcher.scan();
  t.like(await stored('a'), { enabled: true, sourceMissing: true });
  t.is(await rules.remove(ids('b'), BY), 1);
  await post(rules, ruleBody({ id: 'a', author: 'api' }));
  t.like(await stored('a'), { author: 'api', sourceFile: undefined, sourceMissing: undefined });
});

test('thousands of rules in files are applied', async (t) => {
  const many = Array.from({ length: 4_500 }, (_, n) =>
    ruleBody({ id: `m${n}`, condition: { cpeid: `c${n}` } }),
  );
  const { watcher, write, stored } = await watchTestRules(t, { 'a.json': many });
  t.like(watcher.status(), { state: 'applied', rules: 4_500 });
  await write('a.json', many.slice(1));
  t.like(await stored('m0'), { enabled: false });
});

test('a condition that every CPE matches is applied and warned of, at its place and in the log', async (t) => {
  const condition = 'productClass = "HGW" and (softwareVersion = "0.1" or "0.2")';
  const { watcher, rules, log, stored } = await watchTestRules(t, {
    'a.json': [ruleBody({ id: 'a', condition })],
  });
  const warning = { file: 'a.json', item: 0, line: 1, field: 'condition', code: 'constant-operand' };
  t.like(watcher.status(), { state: 'applied', rules: 1, warnings: [warning] });
  t.like(log.find(({ event }) => event === 'rules.file-flawed')?.fields, warning);
  t.is((await stored('a')).condition, condition);
  // Whenever it upgrades a CPE that is said too, at most once a minute.
  for (const serialNumber of ['1', '2'])
    t.is((await rules.decide(inputOf({ serialNumber }))).kind, 'upgrade');
  t.deepEqual(
    log.filter(({ event }) => event === 'rules.condition-flawed').map(({ fields }) => fields['code']),
    ['constant-operand'],
  );
  // It can still be switched off, and says of itself what is wrong.
  await rules.merge(ids('a'), { enabled: false }, BY);
  for await (const found of rules.withFindings(rules.scan({}))) {
    t.like(found, { rule: { enabled: false }, warning: { code: 'constant-operand' } });
  }
});

test('a password of a rule file is stored sealed, and reading the file again is no edit', async (t) => {
  const rule = ruleBody({
    id: 'a',
    file: 'ftp://files.example.net/a.bin',
    username: 'cpe',
    password: 'open sesame',
  });
  const { clock, rules, watcher, stored, write } = await watchTestRules(t, { 'a.json': rule });
  t.like(watcher.status(), { state: 'applied' });
  const before = await stored('a');
  t.false(JSON.stringify(before).includes('sesame'));
  clock.nowMs += 1_000;
  t.like(await write('b.json', ruleBody({ id: 'b' })), { state: 'applied', rules: 2 });
  t.deepEqual(await stored('a'), before);
  await rules.merge(ids('a'), { enabled: false }, BY);
  await t.throwsAsync(rules.merge(ids('a'), { password: 'another' }, BY), { instanceOf: RuleConflictError });
  t.is((await stored('a')).sealedPassword, before.sealedPassword);
  const broken = await write('a.json', { ...rule, password: '********' });
  t.like(broken, { state: 'broken', problems: [{ field: 'password', code: 'not-stored' }] });
});

test('what a rule file says is read as it was until it says something else, and then it is told which rules are read anew', async (t) => {
  const at = await openTestRules(t);
  const directory = await temporaryDirectory(t);
  const body = ruleBody({ condition: { softwareVersion: '1.*' } });
  const told: string[] = [];
  const applied = async (rules: RuleEngine) => {
    const watcher = await watchRuleDirectory({
      directory,
      rules,
      logger: at.logger,
      clock: () => at.clock.nowMs,
      onReadAnew: (anew) => told.push(...anew.map(({ id }) => id)),
    });
    const { state } = watcher.status();
    await watcher.close();
    t.is(state, 'applied');
    return rules.decide(inputOf({ softwareVersion: '1.0' }));
  };
  await save(directory, 'x.json', [body]);
  t.is((await applied(at.rules)).kind, 'upgrade');
  // As a version that knew no patterns has stored it.
  const { patterns, ...older } = await at.stored('r1');
  t.true(patterns);
  await at.store.collection<StoredRule>(RULES).put(older);
  const later = await at.another();
  t.is((await applied(later)).kind, 'nothing');
  t.deepEqual(told, []);
  await later.merge(['r1' as RuleId], { enabled: false }, BY);
  await later.merge(['r1' as RuleId], { enabled: true }, BY);
  t.is((await later.decide(inputOf({ softwareVersion: '1.0' }))).kind, 'nothing');
  // A file of another name says the same, and so does one that was gone and has come back.
  await rm(join(directory, 'x.json'));
  await save(directory, 'y.json', [body, ruleBody({ id: 'r2', condition: { softwareVersion: '9' } })]);
  t.is((await applied(later)).kind, 'nothing');
  await save(directory, 'y.json', [ruleBody({ id: 'r2', condition: { softwareVersion: '9' } })]);
  t.is((await applied(later)).kind, 'nothing');
  t.like(await at.stored('r1'), { enabled: false, sourceMissing: true });
  await save(directory, 'x.json', [body]);
  t.is((await applied(later)).kind, 'nothing');
  t.like(await at.stored('r1'), { enabled: true, sourceFile: 'x.json' });
  t.deepEqual(told, []);
  await save(directory, 'x.json', [{ ...body, description: 'anew' }]);
  t.is((await applied(later)).kind, 'upgrade');
  t.deepEqual(told, ['r1']);
});
