import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { CpeCredentials, DEVICES, type Device } from '../../acs/index.js';
import { operatorName } from '../../cli/command.js';
import { runCommandLine } from '../../cli/run.js';
import { systemClock } from '../../common/index.js';
import { EventLog } from '../../events/index.js';
import { ruleBody } from '../nbi/support.js';
import { BY } from '../support/actor.js';
import { cpeidOf, deviceOf, openTestInstallation } from '../support/installation.js';
import { ferry, temporaryDirectory } from './support.js';

const SECRET = 'hidden-7c1f';
const CPE = cpeidOf(1);

interface Told {
  readonly action: string;
  readonly subject: string;
  readonly subjectId: string;
  readonly by: unknown;
  readonly after?: Readonly<Record<string, unknown>>;
}

/** An installation with a CPE that waits, has moved its URL and has lost its credentials. */
async function installed(t: ExecutionContext) {
  const dataDir = await temporaryDirectory(t);
  const installation = await openTestInstallation(dataDir);
  const { store, secrets } = installation;
  await store.collection<Device>(DEVICES).put({
    ...deviceOf(CPE, null),
    enrolment: 'waiting',
    connectionRequestUrl: `http://192.0.2.7/cr?key=${SECRET}`,
    connectionRequestMovedMs: 1_000,
  });
  const credentials = new CpeCredentials({ store, secrets, clock: systemClock });
  await credentials.put([{ cpeid: CPE, username: 'own', password: SECRET }], null);
  await credentials.used('own', SECRET);
  await installation.close();
  const run = async (args: readonly string[], input?: string) => {
    const ended = await ferry([...args, `--data-dir=${dataDir}`], input === undefined ? {} : { input });
    t.is(ended.exitCode, 0, `${args.join(' ')}: ${ended.stderr}`);
    return ended.stdout;
  };
  const told = async (...args: readonly string[]) =>
    JSON.parse(await run(['audit', '--json', ...args])) as readonly Told[];
  return { dataDir, run, told };
}

test('a command says who has run it, what it has changed, and no secret', async (t) => {
  const { dataDir, run, told } = await installed(t);
  const file = async (name: string, content: string) => {
    await writeFile(join(dataDir, name), content);
    return join(dataDir, name);
  };
  const logins = [2, 3, 4].map((n) => `${cpeidOf(n)},,${SECRET}${n}`);
  const csv = await file('cpes.csv', `cpeid,username,password\n${logins.join('\n')}\n`);
  const steps: readonly (readonly [
    args: readonly string[],
    events: readonly (readonly [action: string, subject: string, subjectId: string])[],
    input?: string,
  ])[] = [
    [['image', 'add', await file('a.bin', SECRET)], [['added', 'image', 'a.bin']]],
    [['image', 'remove', 'a.bin'], [['removed', 'image', 'a.bin']]],
    [['freeze', '--reason=late'], [['frozen', 'freeze', 'upgrades']]],
    [['freeze', '--lift'], [['lifted', 'freeze', 'upgrades']]],
    [['freeze', '--status'], []],
    [['cpe-auth', 'set', cpeidOf(9), '--password-stdin'], [['added', 'cpe-credentials', cpeidOf(9)]], SECRET],
    [['cpe-auth', 'import', csv, '--dry-run'], []],
    [['cpe-auth', 'import', csv], [['added', 'cpe-credentials', '*']]],
    [['cpe-auth', 'import', csv], []],
    [['device', 'readmit', CPE], [['readmitted', 'device', CPE]]],
    [['cpe-auth', 'remove', CPE], [['removed', 'cpe-credentials', 'own']]],
    [['device', 'approve-url', CPE, '192.0.2.7'], [['url-approved', 'device', CPE]]],
    [
      ['device', 'approve', CPE, cpeidOf(5)],
      [
        ['enrolled', 'device', CPE],
        ['named', 'device', cpeidOf(5)],
      ],
    ],
    [['device', 'approve', CPE, cpeidOf(5)], []],
    [['device', 'delete', CPE, '--dry-run'], []],
    [['device', 'delete', CPE, '--yes'], [['removed', 'device', CPE]]],
  ];
  let count = 0;
  const by = { name: operatorName(), how: 'command' };
  for (const [args, events, input] of steps) {
    await run(args, input);
    const all = await told('--limit=1000');
    const added = all.slice(0, all.length - count);
    count = all.length;
    const found = added.map(({ action, subject, subjectId }) => [action, subject, subjectId]);
    t.deepEqual(found.sort(), events.map((event) => [...event]).sort(), args.join(' '));
    for (const each of added) t.deepEqual(each.by, by, args.join(' '));
    t.false(JSON.stringify(all).includes(SECRET), args.join(' '));
  }
  const [imported] = await told('--subject=cpe-credentials', '--id=*');
  t.deepEqual(imported?.after, { count: 3, first: cpeidOf(2), last: cpeidOf(4), file: 'cpes.csv' });
});

test('images that are copied are added by whoever copies them, and rules that are pruned removed', async (t) => {
  const { run, told, dataDir } = await installed(t);
  const from = await temporaryDirectory(t);
  await writeFile(join(from, 'b.bin'), 'b');
  t.is((await ferry(['image', 'add', join(from, 'b.bin'), `--data-dir=${from}/data`])).exitCode, 0);
  await run(['image', 'sync', '--from', `${from}/data`]);
  const installation = await openTestInstallation(dataDir);
  const rules = installation.store.collection<{ id: string }>({ name: 'rules', indexes: RULE_INDEXES });
  const stored = { ...ruleBody('GONE'), id: 'GONE', sourceFile: 'a.json', sourceMissing: true };
  await rules.put({ ...stored, createdAtMs: 1, updatedAtMs: 1, restarts: 0, pin: 'GONE' } as never);
  await installation.close();
  await run(['rules', 'prune', '--yes']);
  const by = { name: operatorName(), how: 'command' };
  t.like(await told(), [
    { action: 'removed', subject: 'rule', subjectId: 'GONE', by },
    { action: 'added', subject: 'image', subjectId: 'b.bin', by },
  ]);
});

const RULE_INDEXES = {
  pin: ['pin'],
  fleetSeq: ['fleetSeq'],
  createdAt: ['createdAtMs'],
  sourceFile: ['sourceFile'],
  fleetWake: ['fleetSeq', 'window.wakePerSecond'],
  pinnedWake: ['pin', 'window.wakePerSecond'],
  suspended: ['suspended.atMs'],
};

/** So many events of one rule, a second apart. */
async function withEvents(t: ExecutionContext, events: number) {
  const dataDir = await temporaryDirectory(t);
  const installation = await openTestInstallation(dataDir);
  let nowMs = Date.UTC(2026, 0, 1);
  const log = new EventLog({ store: installation.store, clock: () => nowMs });
  const changes = Array.from({ length: events }, (_, n) => {
    nowMs += 1_000;
    const long = 'UPGRADE_00A1B2-HGW-0000001_to_a_version_that_has_a_long_name';
    const values = { before: { priority: n, enabled: true }, after: { priority: n + 1, enabled: false } };
    return log.noting({ action: 'changed', subject: 'rule', subjectId: long, by: BY, ...values });
  });
  await installation.store.commit(changes);
  await installation.close();
  return dataDir;
}

test('audit lists so many in 80 columns, tells that there are more, and exports all', async (t) => {
  const dataDir = await withEvents(t, 1_500);
  const audit = async (...args: readonly string[]) => {
    const stdout = Object.assign(new PassThrough(), { columns: 80 });
    const io = { stdout, stderr: new PassThrough(), stdin: new PassThrough(), environment: {} };
    const said = text(stdout);
    const exitCode = await runCommandLine(['audit', `--data-dir=${dataDir}`, ...args], io);
    stdout.end();
    return { exitCode, said: await said, complaint: String(io.stderr.read() ?? '') };
  };
  const listed = await audit('--limit=3');
  t.true(
    listed.said.split('\n').every((line) => line.length <= 80),
    listed.said,
  );
  t.is(listed.said.match(/changed rule/g)?.length, 3);
  t.regex(listed.said, /and more; --limit lists more, --export all\n$/);
  const ndjson = (await audit('--export=ndjson')).said.trimEnd().split('\n');
  t.is(ndjson.length, 1_500);
  t.like(JSON.parse(ndjson[0] ?? ''), { time: 1_767_227_100, by: BY, after: { priority: 1_500 } });
  t.is((await audit('--export=csv')).said.split('\r\n').length, 1_502);
  const between = ['--since=2026-01-01T00:10:00Z', '--until=1767226210', '--json', '--by=test'];
  t.is((JSON.parse((await audit(...between)).said) as unknown[]).length, 10);
  t.is((await audit('--action=removed')).said, 'No such entry.\n');
  t.like(await audit('--since=yesterday'), {
    exitCode: 2,
    complaint: 'ferry: --since: must be a time, as in 2026-11-29T00:00:00Z, or epoch seconds\n',
  });
  t.is((await audit('--limit=0')).exitCode, 2);
});

test('the list has the slug of an organization that was added above its id', async (t) => {
  const { run } = await installed(t);
  await run(['organization', 'add', 'north']);
  t.regex(await run(['audit']), /added organization +│ north +│\n/);
});
