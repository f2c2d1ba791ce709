import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DEVICES } from '../../acs/device/device.js';
import type { Device } from '../../acs/index.js';
import type { ResultId } from '../../common/index.js';
import { openLmdbStore } from '../../store/index.js';
import { envelope, INFORM } from '../acs/soap/envelopes.js';
import { deviceOf } from '../nbi/support.js';
import { ferry, nbi, serve, temporaryDirectory } from './support.js';

const ADMIN = 'admin:a long password';
const environment = { FERRY_ADMIN_PASSWORD: 'a long password' };
const FILE = 'http://files.example.net/hgw-2.0.0.bin';

function ruleOf(id: string, more: object = {}): object {
  return {
    id,
    file: FILE,
    target: { softwareVersion: '2.0.0' },
    condition: { productClass: 'HGW' },
    ...more,
  };
}

/** A running server with rules, and CPEs that another process has put beside them. */
async function installation(t: ExecutionContext, rules: readonly object[], devices: readonly Device[]) {
  const dataDir = await temporaryDirectory(t);
  const served = await serve(t, dataDir, [], { environment });
  if (rules.length > 0) {
    t.is((await nbi(served, '/v1/dyn/FirmwareStorage/.*', ADMIN, 'POST', rules)).status, 200);
  }
  const store = await openLmdbStore({ directory: join(dataDir, 'store') });
  const known = store.collection<Device>(DEVICES);
  await Promise.all(devices.map((device) => known.put(device)));
  await store.close();
  const write = async (name: string, content: unknown) => {
    const path = join(dataDir, name);
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  };
  const run = (...args: string[]) => ferry(['rules', ...args, `--data-dir=${dataDir}`]);
  return { served, write, run };
}

test('ferry rules explain says beside a running server what became of a rule, and why', async (t) => {
  const rules = [
    ruleOf('hgw', { priority: 5 }),
    ruleOf('lab', { condition: 'productClass = "HGW" and $exists(tags)' }),
    ruleOf('stb', { condition: { productClass: 'STB', modelName: 'X' } }),
  ];
  // It was asked for its model, and has none.
  const askedPaths = ['Device.DeviceInfo.ModelName'];
  const { run } = await installation(t, rules, [deviceOf({ serialNumber: '1', askedPaths })]);
  const all = await run('explain', '--cpe=00A1B2-HGW-1');
  t.is(all.exitCode, 0, all.stderr);
  t.regex(
    all.stdout,
    /^CPE {7}00A1B2-HGW-1, runs 1\.0\.0\nDecision {2}upgrade: hgw\nWhy {7}"hgw" goes before "lab": priority 5 > 1\.\n/,
  );
  t.regex(all.stdout, /\nhgw, priority 5: chosen\n {2}✔ /);
  t.regex(all.stdout, /\nlab, priority 1: lower-priority/);
  t.regex(all.stdout, /\nstb, priority 1: condition-false\n {2}✖ /);
  t.regex(all.stdout, / {6}productClass is "HGW"\n/);
  t.regex(all.stdout, / {6}modelName is missing\n/);

  const one = JSON.parse((await run('explain', 'stb', '--cpe=00A1B2-HGW-1', '--json')).stdout);
  t.like(one, {
    cpeid: '00A1B2-HGW-1',
    kind: 'upgrade',
    winner: 'hgw',
    rules: [{ ruleId: 'stb' }],
    omitted: 0,
  });
  t.is(one.rules.length, 1);

  for (const [args, exitCode, words] of [
    [['explain', 'none', '--cpe=00A1B2-HGW-1'], 1, 'There is no rule none.'],
    [['explain', '--cpe=nobody'], 1, 'There is no CPE nobody'],
    [['explain'], 2, 'say which CPE'],
    [['explain', '--cpe=a', '--inform=b'], 2, 'say which CPE'],
    [['explain', '--cpe=00A1B2-HGW-1', '--now=noon'], 2, '--now noon'],
    [['explain', '--cpe=00A1B2-HGW-1', '--limit=0'], 2, '--limit'],
    [['explain', '--cpe-file=/nowhere'], 1, 'cannot be read'],
  ] as const) {
    const refused = await run(...args);
    t.is(refused.exitCode, exitCode, refused.stderr);
    t.true(refused.stderr.startsWith('ferry: ') && refused.stderr.includes(words), refused.stderr);
  }
});

test('ferry rules explain takes a described CPE, a captured Inform and a rule that is not stored', async (t) => {
  const { run, write } = await installation(t, [ruleOf('hgw')], []);
  const cpe = await write('cpe.json', { productClass: 'HGW', softwareVersion: '2.0.0' });
  t.regex((await run('explain', `--cpe-file=${cpe}`)).stdout, /hgw, priority 1: at-target/);
  const draft = await write('draft.json', ruleOf('draft', { priority: 9, force: true }));
  const drafted = await run('explain', `--file=${draft}`, `--cpe-file=${cpe}`);
  t.regex(drafted.stdout, /Decision {2}upgrade: draft\n/);
  t.false(drafted.stdout.includes('hgw, priority'));
  const inform = await write('inform.xml', envelope(INFORM));
  t.regex(
    (await run('explain', `--inform=${inform}`)).stdout,
    /^CPE {7}00A1B2-HGW-1, runs 1\.0\.0\nDecision {2}upgrade: hgw\n/,
  );

  const several = await write('several.json', [
    ruleOf('a', { condition: { productClass: 'STB' } }),
    ruleOf('b'),
  ]);
  t.regex(
    (await run('explain', 'a', `--file=${several}`, `--cpe-file=${cpe}`)).stdout,
    /\na, priority 1: condition-false/,
  );
  // What is a rule file to `check` is one here: an editor's $schema is no field of the rule, and what is wrong has its place.
  const schemaed = await write('schemaed.json', {
    $schema: 'https://acs.example.net/v1/schemas/rule-file.json',
    ...ruleOf('draft', { force: true }),
  });
  t.regex(
    (await run('explain', `--file=${schemaed}`, `--cpe-file=${cpe}`)).stdout,
    /Decision {2}upgrade: draft\n/,
  );
  const twice = await write('twice.json', '{ "id": "x",\n  "id": "y" }');
  const misread = await run('match', `--file=${twice}`);
  t.is(misread.exitCode, 1);
  t.regex(misread.stderr, /twice\.json is no rule file:\n {2}2:3 expected each key once/);

  for (const [name, content, option, words] of [
    ['bad-cpe.json', { softwareversion: '1' }, '--cpe-file', 'did you mean "softwareVersion"?'],
    ['broken.json', '{', '--cpe-file', 'is not JSON'],
    ['not.xml', '<a/>', '--inform', 'the SOAP envelope of an Inform'],
    ['reboot.xml', envelope('<cwmp:GetRPCMethods/>'), '--inform', 'GetRPCMethods, not Inform'],
  ] as const) {
    const refused = await run('explain', `${option}=${await write(name, content)}`);
    t.is(refused.exitCode, 1, refused.stderr);
    t.true(refused.stderr.includes(words), refused.stderr);
  }
  const bad = await write('bad.json', ruleOf('bad', { condition: 'a =', priority: 'high' }));
  const refused = await run('explain', `--file=${bad}`, `--cpe-file=${cpe}`);
  t.is(refused.exitCode, 1);
  t.regex(refused.stderr, /^ferry: The rule cannot be used:\n {2}priority: /);
  t.is((await run('explain', `--file=${several}`, `--cpe-file=${cpe}`)).exitCode, 1);
});

test('one described CPE means the same in a test of rules, in a file and in ExplainRules', async (t) => {
  const rule = ruleOf('odd', {
    condition:
      'cpeid = "00A1B2-STB-7" and productClass = "STB" and serialNumber = "7" and registered = 1767225600000 and parameters.Device.A.B = 1 and parameters.Device.A.C = "x"',
  });
  const cpe = {
    cpeid: '00A1B2-STB-7',
    registered: '2026-01-01T01:00:00+01:00',
    parameters: { 'Device.A.B': 1, Device: { A: { C: 'x' } } },
  };
  const { run, write, served } = await installation(t, [rule], []);
  t.regex(
    (await run('explain', `--cpe-file=${await write('cpe.json', cpe)}`)).stdout,
    /Decision {2}upgrade: odd\n/,
  );
  const { body } = await nbi(served, '/v1/method/ExplainRules', ADMIN, 'POST', { cpe });
  t.like(body, { details: { cpeid: '00A1B2-STB-7', kind: 'upgrade', winner: 'odd' } });

  const ruleFile = await write('odd.json', rule);
  await write('odd.test.json', {
    cases: [{ name: 'it', cpe, expect: { decision: 'upgrade', rule: 'odd' } }],
  });
  t.is((await ferry(['rules', 'test', '--alone', ruleFile])).stderr, '1 passed, 0 failed\n');
});

test('ferry rules match counts and lists thousands of CPEs, before the rule is enabled', async (t) => {
  const devices = Array.from({ length: 2_500 }, (_, number) =>
    deviceOf({
      serialNumber: String(number).padStart(5, '0'),
      productClass: number % 5 === 0 ? 'STB' : 'HGW',
      ...(number === 1 ? { inFlight: '6b0c1f0e-6d0f-4d5e-9f5c-1d2e3f4a5b6c' as ResultId } : {}),
    }),
  );
  const { run, write } = await installation(
    t,
    [ruleOf('hgw', { enabled: false, limits: { total: 10 } })],
    devices,
  );
  const text = await run('match', 'hgw', '--limit=3');
  t.is(text.exitCode, 0, text.stderr);
  t.regex(text.stdout, /^Rule hgw, as though it were enabled \(it is not\)\n/);
  t.regex(
    text.stdout,
    /\n2500 CPEs are known, 2500 were looked at: 2000 match, 1999 would be upgraded now\.\n/,
  );
  t.regex(text.stdout, /limits let through fewer: total 10\./);
  t.regex(text.stdout, / 1999 {2}chosen\n {7}500 {2}condition-false\n {9}1 {2}upgrade-under-way\n/);
  t.regex(
    text.stdout,
    /\nand 1997 more that match; --limit lists more, --after 00A1B2-HGW-00003 the next\n$/,
  );
  t.regex(text.stderr, /Looking: \d+\/2500\n/);

  const draft = await write('draft.json', ruleOf('draft', { condition: { serialNumber: '00007' } }));
  const json = JSON.parse((await run('match', `--file=${draft}`, '--json')).stdout);
  t.like(json, {
    rule: 'draft',
    known: 2_500,
    lookedAt: 1,
    matching: 1,
    cpes: [{ cpeid: '00A1B2-HGW-00007' }],
  });
  const condition = await run(
    'match',
    '--condition=productClass = "STB"',
    '--after=00A1B2-HGW-02489',
    '--limit=1',
  );
  t.regex(condition.stdout, /10 were looked at: 2 match\.\n/);
  for (const [args, exitCode, words] of [
    [['match', 'none'], 1, 'There is no rule none.'],
    [['match'], 2, 'say what to look for'],
    [['match', 'hgw', '--condition=true'], 2, 'say what to look for'],
    [['match', '--condition=a ='], 1, 'condition: '],
  ] as const) {
    const refused = await run(...args);
    t.is(refused.exitCode, exitCode, refused.stderr);
    t.true(refused.stderr.includes(words), refused.stderr);
  }
});

test('ferry rules explain, match and ferry freeze ask for an organization as its users do', async (t) => {
  const dataDir = await temporaryDirectory(t);
  const served = await serve(t, dataDir, [], { environment });
  const run = (...args: string[]) => ferry([...args, `--data-dir=${dataDir}`]);
  t.is((await run('organization', 'add', 'north', '--name=North')).exitCode, 0);
  const store = await openLmdbStore({ directory: join(dataDir, 'store') });
  const known = store.collection<Device>(DEVICES);
  await Promise.all([known.put(deviceOf({ serialNumber: '1' })), known.put(deviceOf({ serialNumber: '2' }))]);
  await store.close();
  t.is((await run('device', 'organization', '00A1B2-HGW-1', 'north')).exitCode, 0);
  const post = (query: string, rule: object) =>
    nbi(served, `/v1/dyn/FirmwareStorage/.*${query}`, ADMIN, 'POST', rule);
  t.is((await post('?organization=north', ruleOf('hgw', { priority: 2 }))).status, 200);
  t.is((await post('', ruleOf('hgw', { priority: 5 }))).status, 200);

  const all = await run('rules', 'explain', '--cpe=00A1B2-HGW-1');
  t.regex(all.stdout, /\nhgw, priority 5: chosen\n[\s\S]*\nhgw of north, priority 2: lower-priority/);
  const asked = await run('rules', 'explain', '--cpe=00A1B2-HGW-1', '--organization=north');
  t.regex(asked.stdout, /\nWhy {7}A rule of the installation goes first\.\n/);
  t.regex(asked.stdout, /\nhgw of the installation, priority 5: chosen\n\nhgw, priority 2: lower-priority/);
  const json = JSON.parse((await run('rules', 'explain', 'hgw', '--cpe=00A1B2-HGW-1', '--json')).stdout);
  t.deepEqual(
    json.rules.map((rule: Record<string, unknown>) => [rule['ruleId'], rule['organization']]),
    [
      ['hgw', undefined],
      ['hgw', 'north'],
    ],
  );
  const foreign = await run('rules', 'explain', '--cpe=00A1B2-HGW-2', '--organization=north');
  t.is(foreign.exitCode, 1);
  t.regex(foreign.stderr, /There is no CPE 00A1B2-HGW-2/);
  const described = ['--organization=north', `--cpe-file=${join(dataDir, 'cpe.json')}`];
  await writeFile(join(dataDir, 'cpe.json'), JSON.stringify({ organization: 'south' }));
  t.regex((await run('rules', 'explain', ...described)).stderr, /cpe\.organization: north, or left out/);

  const match = async (...more: string[]) =>
    JSON.parse((await run('rules', 'match', 'hgw', '--json', ...more)).stdout);
  t.like(await match(), { rule: 'hgw', known: 2, lookedAt: 2, wouldUpgradeNow: 2 });
  t.like(await match('--organization=north'), { rule: 'hgw', known: 1, lookedAt: 1, wouldUpgradeNow: 0 });

  t.regex(
    (await run('freeze', '--organization=north', '--reason=ours')).stdout,
    /^Upgrades of north are frozen since .*: ours\n$/,
  );
  t.is((await run('freeze', '--status')).stdout, 'Upgrades are running.\n');
  t.regex((await run('freeze', '--reason=all')).stdout, /^Upgrades are frozen since .*: all\n$/);
  t.regex(
    (await run('freeze', '--lift', '--organization=north')).stdout,
    /^Upgrades of north are frozen since .*: all\n$/,
  );
  t.is((await run('freeze', '--lift')).exitCode, 0);
  t.is((await run('freeze', '--status', '--organization=north')).stdout, 'Upgrades of north are running.\n');
  const nowhere = await run('freeze', '--organization=nowhere');
  t.is(nowhere.exitCode, 1);
  t.regex(nowhere.stderr, /There is no organization nowhere;/);
});
