import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { CommandError } from '../../cli/command.js';
import { commandLine } from '../../cli/command-line.js';
import type { Io } from '../../cli/io.js';
import { until } from '../support/ferry.js';
import { ferry, nbi, serve, temporaryDirectory } from './support.js';

const LIMITS = { concurrent: 10 };
const GOOD = {
  id: 'hgw',
  file: 'hgw-2.0.0.bin',
  target: { softwareVersion: '2.0.0' },
  condition: { productClass: 'HGW' },
  limits: LIMITS,
};
const WARNED = { ...GOOD, id: 'trap', condition: 'productClass = "CPE, 50%" and events = "1 BOOT"' };
const BROKEN = { ...GOOD, id: 'broken', condition: 'productClass = = 1' };

/** A directory with these files below `rules.d`; a value is written as JSON. */
async function rulesIn(t: ExecutionContext, files: Readonly<Record<string, unknown>>): Promise<string> {
  const cwd = await temporaryDirectory(t);
  for (const [name, content] of Object.entries(files)) {
    const path = join(cwd, 'rules.d', name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  }
  return cwd;
}

const cases = (...some: readonly object[]) => ({ cases: some });
const CPE = { productClass: 'HGW', softwareVersion: '1.0.0' };

test('check: 0 for clean rules and for warnings, 1 for errors and with --strict, 2 for wrong usage', async (t) => {
  const cwd = await rulesIn(t, { 'good.json': GOOD, 'good.test.json': 'no rule file', '.x.json': '{' });
  const run = (...args: string[]) => ferry(['rules', 'check', ...args], { cwd });
  t.like(await run('rules.d'), {
    exitCode: 0,
    stdout: '',
    stderr: '0 errors and 0 warnings in 1 rule of 1 file\n',
  });
  t.is((await run('rules.d/good.json', 'rules.d/good.test.json', '--quiet')).stderr, '');

  await writeFile(join(cwd, 'rules.d', 'warned.json'), JSON.stringify(WARNED));
  const warned = await run('rules.d');
  t.is(warned.exitCode, 0);
  t.regex(
    warned.stdout,
    /^rules\.d\/warned\.json\n {2}1:\d+ +warning {2}events is a list.*\[list-equality\]\n$/,
  );
  const strict = await run('rules.d', '--strict');
  t.is(strict.exitCode, 1);
  t.is(strict.stderr, 'ferry: 0 errors and 1 warning in 2 rules of 2 files\n');
  t.is((await run('rules.d', '--quiet')).stdout, '');

  await writeFile(join(cwd, 'rules.d', 'broken.json'), JSON.stringify(BROKEN));
  const broken = await run('rules.d', '--quiet');
  t.is(broken.exitCode, 1);
  t.regex(broken.stdout, /rules\.d\/broken\.json\n {2}1:\d+ +error .*\[bad-condition\]\n$/);

  t.is((await run('nowhere')).exitCode, 2);
  t.is((await run()).exitCode, 2);
  t.is((await run('rules.d', '--format', 'xml')).exitCode, 2);
  t.is((await run('rules.d', '--format', 'gcc', '--json')).exitCode, 2);
  await mkdir(join(cwd, 'empty'));
  t.like(await run('empty'), { exitCode: 1, stderr: 'ferry: There are no rule files (*.json) in empty.\n' });
});

test('check: editors read file:line:column, GitHub an escaped annotation, scripts JSON', async (t) => {
  const cwd = await rulesIn(t, { 'a,b.json': WARNED });
  const run = (...args: string[]) => ferry(['rules', 'check', 'rules.d', ...args], { cwd });
  const column = JSON.stringify(WARNED).indexOf('events') + 1;
  const gcc = await run('--format', 'gcc');
  t.regex(
    gcc.stdout,
    new RegExp(`^rules\\.d/a,b\\.json:1:${column}: warning: events .* \\[list-equality\\]\\n$`),
  );

  const github = await run('--format', 'github');
  t.regex(
    github.stdout,
    new RegExp(`^::warning file=rules\\.d/a%2Cb\\.json,line=1,col=${column},title=list-equality::events `),
  );

  const json = JSON.parse((await run('--json')).stdout);
  t.like(json, { files: 1, rules: 1, omitted: 0 });
  const warnings = json.findings.filter(({ severity }: { severity: string }) => severity === 'warning');
  t.is(warnings.length, 1);
  t.like(warnings[0], { code: 'list-equality', file: 'rules.d/a,b.json', line: 1, column, ruleId: 'trap' });
});

test('check: what a file or a rule is called cannot steer a terminal or a workflow', async (t) => {
  const cwd = await rulesIn(t, { 'a.json': { ...GOOD, ['\u001b[31m\n::error::x%']: 1 } });
  const text = await ferry(['rules', 'check', 'rules.d'], { cwd });
  t.is(text.exitCode, 1);
  t.false(text.stdout.includes('\u001b'));
  const github = await ferry(['rules', 'check', 'rules.d', '--format', 'github'], { cwd });
  t.is(github.stdout.trim().split('\n').length, 1);
  t.regex(github.stdout, /%0A::error::x%25/);
});

test('test: passes and failures, a line each, with what was decided and why', async (t) => {
  const cwd = await rulesIn(t, {
    'hgw.json': GOOD,
    'hgw.test.json': cases(
      { name: 'old', cpe: CPE, expect: { decision: 'upgrade', rule: 'hgw', target: '2.0.0' } },
      { name: 'another model', cpe: { ...CPE, productClass: 'DSL' }, expect: { decision: 'upgrade' } },
    ),
  });
  const run = (...args: string[]) => ferry(['rules', 'test', 'rules.d', ...args], { cwd });
  const failed = await run();
  t.is(failed.exitCode, 1);
  t.is(failed.stderr, 'ferry: 1 passed, 1 failed\n');
  t.is(
    failed.stdout,
    [
      'rules.d/hgw.test.json',
      '  ✔ old',
      '  ✖ another model (line 1)',
      '      expected upgrade, decided nothing',
      '      hgw: condition-false',
      '        ✖ productClass: "HGW"',
      '            productClass is "DSL"',
      '',
    ].join('\n'),
  );
  t.notRegex((await run('--quiet')).stdout, /✔/);
  const github = await run('--format', 'github');
  t.regex(
    github.stdout,
    /^::error file=rules\.d\/hgw\.test\.json,line=1,col=\d+,title=test-failed::another model: /,
  );
  const json = JSON.parse((await run('--json')).stdout);
  t.like(json, { passed: 1, failed: 1 });
  t.like(json.results[1], { name: 'another model', passed: false, decided: { decision: 'nothing' } });
});

test('test: all rules of the directory decide, or with --alone those of the file', async (t) => {
  const expect = (rule: string) => ({ decision: 'upgrade', rule });
  const cwd = await rulesIn(t, {
    'hgw.json': GOOD,
    'hgw.test.json': cases({ name: 'hgw', cpe: CPE, expect: expect('hgw') }),
    'first.json': { ...GOOD, id: 'first', file: 'first.bin', priority: 5 },
    'first.test.json': cases({ name: 'first', cpe: CPE, expect: expect('first') }),
  });
  const run = (...args: string[]) => ferry(['rules', 'test', ...args], { cwd });
  t.is((await run('rules.d')).stderr, 'ferry: 1 passed, 1 failed\n');
  t.is((await run('rules.d', '--alone')).stderr, '2 passed, 0 failed\n');
  t.is((await run('rules.d/first.json')).stderr, '1 passed, 0 failed\n');
  t.is((await run('rules.d/first.test.json', 'rules.d/first.json')).stderr, '1 passed, 0 failed\n');
});

const INFORM = `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/" xmlns:cwmp="urn:dslforum-org:cwmp-1-0"
  xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><Body>
<cwmp:Inform><DeviceId><Manufacturer>Acme</Manufacturer><OUI>00A1B2</OUI><ProductClass>HGW</ProductClass>
<SerialNumber>7</SerialNumber></DeviceId><Event><EventStruct><EventCode>1 BOOT</EventCode><CommandKey/></EventStruct></Event>
<MaxEnvelopes>1</MaxEnvelopes><CurrentTime>2026-01-31T12:00:00Z</CurrentTime><RetryCount>0</RetryCount><ParameterList>
<ParameterValueStruct><Name>InternetGatewayDevice.DeviceInfo.SoftwareVersion</Name><Value xsi:type="xsd:string">1.0</Value></ParameterValueStruct>
<ParameterValueStruct><Name>InternetGatewayDevice.DeviceInfo.UpTime</Name><Value xsi:type="xsd:unsignedInt">5</Value></ParameterValueStruct>
</ParameterList></cwmp:Inform></Body></Envelope>`;

test('test: a captured Inform tells identity, version, events and parameters; the case goes before it', async (t) => {
  const condition =
    'cpeid = "00A1B2-HGW-7" and "1 BOOT" in events and softwareVersion = "1.0" and parameters.InternetGatewayDevice.DeviceInfo.UpTime < 10';
  const upgrade = { decision: 'upgrade', rule: 'hgw' };
  const [from, nothing] = [{ inform: 'captured/7.xml' }, { decision: 'nothing' }];
  const cwd = await rulesIn(t, {
    'hgw.json': { ...GOOD, condition },
    'captured/7.xml': INFORM,
    'captured/8.xml': '<Envelope/>',
    'hgw.test.json': cases(
      { name: 'as captured', ...from, expect: upgrade },
      { name: 'other version', ...from, cpe: { softwareVersion: '1.1' }, expect: nothing },
      {
        name: 'up for longer',
        ...from,
        cpe: { parameters: { 'InternetGatewayDevice.DeviceInfo': { UpTime: 11 } } },
        expect: nothing,
      },
      {
        name: 'described',
        cpe: {
          cpeid: '00A1B2-HGW-7',
          softwareVersion: '1.0',
          events: ['1 BOOT'],
          parameters: { 'InternetGatewayDevice.DeviceInfo.UpTime': 1 },
        },
        expect: upgrade,
      },
    ),
    'odd.json': { ...GOOD, id: 'odd', condition: { oui: 'none' } },
    'odd.test.json': cases(
      { name: 'no Inform', inform: 'captured/8.xml', expect: nothing },
      { name: 'no file', inform: '../x.xml', expect: nothing },
      { name: 'two CPEs', cpe: { cpeid: '00A1B2-HGW-7', oui: '00A1B3' }, expect: nothing },
      { name: 'no parameter', cpe: { parameters: { 'a..b': 1 } }, expect: nothing },
    ),
  });
  const run = (...args: string[]) => ferry(['rules', 'test', ...args], { cwd });
  t.is((await run('rules.d/hgw.json')).stderr, '4 passed, 0 failed\n');
  const odd = await run('rules.d/odd.json');
  t.is(odd.stderr, 'ferry: 0 passed, 4 failed\n');
  t.regex(
    odd.stdout,
    /inform: .*\n[\s\S]*inform: .* there is no x\.xml\n[\s\S]*cpe\.cpeid: .*00A1B3-HGW-7[\s\S]*cpe\.parameters\.a\.\.b: /,
  );
});

test('test: counts, windows, images and who asked decide as they do in a session', async (t) => {
  const window = { cron: '0 2 * * *', durationMinutes: 60, timezone: 'Europe/Berlin' };
  const verdict = (name: string) => ({ decision: 'nothing', verdicts: { hgw: name } });
  const [night, day] = ['2026-01-31T02:30:00+01:00', '2026-01-31T12:00:00Z'];
  const base = { cpe: CPE, now: night };
  const cwd = await rulesIn(t, {
    'hgw.json': [
      { ...GOOD, window, executions: 2, automatic: false },
      { ...GOOD, id: 'one', condition: { cpeid: '00A1B2-HGW-9' }, target: undefined },
    ],
    'hgw.test.json': cases(
      { ...base, name: 'asked for', requested: true, expect: { decision: 'upgrade', rule: 'hgw' } },
      { ...base, name: 'not asked for', expect: verdict('not-automatic') },
      { ...base, name: 'by day', now: day, requested: true, expect: verdict('window-closed') },
      {
        ...base,
        name: 'used up',
        requested: true,
        counts: { hgw: { started: 2 } },
        expect: verdict('executions-used-up'),
      },
      {
        ...base,
        name: 'too early',
        requested: true,
        counts: { hgw: { started: 1, failures: 1, lastEnded: '2026-01-31T02:00:00+01:00' } },
        expect: verdict('waiting-for-retry'),
      },
      {
        ...base,
        name: 'done',
        requested: true,
        counts: { hgw: { verified: true } },
        expect: verdict('already-verified'),
      },
      {
        ...base,
        name: 'missing',
        requested: true,
        images: { 'hgw-2.0.0.bin': null },
        expect: verdict('image-missing'),
      },
      {
        ...base,
        name: 'other hardware',
        requested: true,
        images: { 'hgw-2.0.0.bin': { hardwareVersion: 'C' } },
        expect: verdict('image-does-not-fit'),
      },
      {
        name: 'at its target',
        cpe: { cpeid: '00A1B2-HGW-9', softwareVersion: '3.0' },
        images: { 'hgw-2.0.0.bin': { softwareVersion: '3.0' } },
        expect: { decision: 'at-target', rule: 'one', target: '3.0' },
      },
    ),
  });
  const { stdout, stderr } = await ferry(['rules', 'test', 'rules.d'], { cwd });
  t.is(stderr, '9 passed, 0 failed\n', stdout);
});

test('test: a broken test or rule file is told with its place, and nothing is run', async (t) => {
  const broken = {
    '"cases": []': 'cases',
    '"cases": [{"name": "a", "expect": {"decision": "maybe"}}]': 'cases.0.expect.decision',
    '"cases": [{"name": "a", "expect": {"decision": "nothing"}, "cpu": {}}]': 'cases.0.cpu',
    '"cases": [{"name": "a", "now": "2026-02-31T00:00:00Z", "expect": {"decision": "nothing"}}]':
      'cases.0.now',
    '"cases": [{"name": "a", "expect": {"decision": "nothing"}}, {"name": "a", "expect": {"decision": "nothing"}}]':
      'cases.1.name',
  };
  const files = Object.keys(broken).map((text, index) => [`f${index}.test.json`, `{\n${text}}`] as const);
  const rules = files.map(
    ([name], index) => [name.replace('.test', ''), { ...GOOD, id: `r${index}` }] as const,
  );
  const cwd = await rulesIn(t, Object.fromEntries([...files, ...rules]));
  const { findings } = await ferry(['rules', 'test', 'rules.d', '--json'], { cwd }).then(
    ({ stdout, exitCode }) => {
      t.is(exitCode, 1);
      return { findings: JSON.parse(stdout).errors as { field: string; line: number }[] };
    },
  );
  t.deepEqual(
    findings.map(({ field }) => field),
    Object.values(broken),
  );
  t.true(findings.every(({ line }) => line === 2));

  const other = await rulesIn(t, {
    'a.json': BROKEN,
    'a.test.json': cases({ name: 'a', expect: { decision: 'nothing' } }),
  });
  const run = await ferry(['rules', 'test', 'rules.d'], { cwd: other });
  t.is(run.exitCode, 1);
  t.regex(run.stdout, /bad-condition/);
  await writeFile(join(other, 'rules.d', 'b.test.json'), '{}');
  t.regex(
    (await ferry(['rules', 'test', 'rules.d'], { cwd: other })).stderr,
    /rules\.d\/b\.json, which is not there/,
  );
});

/** A terminal at which someone answers with a line. */
function answering(line: string): { readonly io: Io; text(): string } {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.write(`${line}\n`);
  const output = new PassThrough();
  const io = { stdin: stdin as unknown as Io['stdin'], stdout: output, stderr: output, environment: {} };
  return { io, text: () => String(output.read() ?? '') };
}

test('prune: lists what is in no rule file any more, asks or is told, and deletes it', async (t) => {
  const cwd = await rulesIn(t, { 'a.json': [GOOD, { ...GOOD, id: 'gone' }], 'b.json': { ...GOOD, id: 'b' } });
  const dataDir = join(cwd, 'data');
  const environment = { FERRY_ADMIN_PASSWORD: 'a long password' };
  const served = await serve(t, dataDir, [`--rules-dir=${join(cwd, 'rules.d')}`], { environment });
  const ids = async () => {
    const { body } = await nbi(served, '/v1/dyn/FirmwareStorage/.*', 'admin:a long password');
    return (body as { details: { id: string; enabled: boolean }[] }).details
      .map(({ id, enabled }) => `${id} ${enabled}`)
      .sort();
  };
  const become = (wanted: string) =>
    until(`the rules are ${wanted}`, async () => (await ids()).join() === wanted);
  const prune = (...args: string[]) => ferry(['rules', 'prune', `--data-dir=${dataDir}`, ...args]);
  await become('b true,gone true,hgw true');
  t.regex((await prune('--yes')).stdout, /nothing to delete/);

  await writeFile(join(cwd, 'rules.d', 'a.json'), JSON.stringify(GOOD));
  await become('b true,gone false,hgw true');
  t.like(await prune(), {
    exitCode: 2,
    stderr: 'ferry: Say --yes to delete them, or --dry-run to list them.\n',
  });
  const listed = await prune('--dry-run', '--json');
  t.like(JSON.parse(listed.stdout), { found: [{ id: 'gone', sourceFile: 'a.json' }], deleted: [] });
  t.is((await ids()).length, 3);
  const words = ['rules', 'prune', `--data-dir=${dataDir}`];
  const refused = answering('n');
  await t.throwsAsync(async () => commandLine(words, refused.io).parseAsync(), {
    instanceOf: CommandError,
    message: 'Nothing was deleted.',
  });
  t.is((await ids()).length, 3);
  const done = answering('y');
  await commandLine(words, done.io).parseAsync();
  t.regex(done.text(), /gone.*a\.json[\s\S]*Delete 1 rule\? \[y\/N\] [\s\S]*Deleted 1 rule\.\n$/);
  t.deepEqual(await ids(), ['b true', 'hgw true']);
  t.is((await ferry(['rules', 'prune', '--data-dir=/nowhere', '--yes'])).exitCode, 1);
});

test('schema: prints what is shipped', async (t) => {
  for (const kind of ['rule', 'test']) {
    const { stdout, exitCode } = await ferry(['rules', 'schema', kind]);
    t.is(exitCode, 0);
    t.is(JSON.parse(stdout).$schema, 'http://json-schema.org/draft-07/schema#');
  }
});
