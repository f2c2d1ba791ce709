import test from 'ava';
import jsonata from 'jsonata';
import { FUNCTIONS } from '../../../../rules/authoring/lint/function-lint.js';
import { loadGuards } from '../../../../rules/condition/index.js';
import { checkRuleFiles, type Finding, LINTS } from '../../../../rules/index.js';
import { ruleBody } from '../../setup.js';

const LIMITS = { concurrent: 10 };

/** What is said of these rules, each in a line of its own of one file; notes left out. */
async function findingsOf(...bodies: readonly unknown[]): Promise<readonly Finding[]> {
  const text = `[\n${bodies.map((body) => JSON.stringify(body)).join(',\n')}\n]`;
  const { findings } = await checkRuleFiles([{ name: 'rules.json', bytes: Buffer.from(text) }]);
  return findings.filter(({ severity }) => severity !== 'note');
}

/** Codes of what is said of a condition, beside that it cannot be indexed. */
async function codesOf(condition: unknown): Promise<readonly string[]> {
  const findings = await findingsOf(ruleBody({ condition, limits: LIMITS }));
  return findings.map(({ code }) => code).filter((code) => code !== 'not-indexed');
}

const clean = (condition: unknown) =>
  test(`nothing is said of ${JSON.stringify(condition)}`, async (t) => {
    t.deepEqual(await codesOf(condition), []);
  });

const trap = (condition: unknown, ...codes: readonly string[]) =>
  test(`${JSON.stringify(condition)}: ${codes.join(', ')}`, async (t) => {
    t.deepEqual(await codesOf(condition), codes);
  });

trap('softwareversion = "1"', 'unknown-path');
trap({ softwareversion: '1' }, 'unknown-path');
trap({ 'Device.DeviceInfo.ModelName': 'x' }, 'missing-prefix');
trap('productClass = "HGW" and Device.IP.Interface.1.Status = "Up"', 'missing-prefix');
trap('$exists(InternetGatewayDevice.X) and productClass = "HGW"', 'missing-prefix');
trap('softwareVersion.major = "1"', 'unknown-path');
trap('$$.softwareversion = "1"', 'unknown-path');
trap('$map(events, function($e) { $e = eventz }) = true', 'unknown-path');
clean('parameters.Device.IP.Interface.1.Status = "Up"');
clean('$count(parameters.Device.IP.Interface.*[Status = "Up"]) > 0');
clean('$$.productClass = "HGW"');
clean('$count(events[$ = "1 BOOT"]) > 0');

trap('productClass = "HGW" and $compareVersion(softwareVersion, "2") < 0', 'unknown-function');
trap('$count($f(events)) > 0', 'unknown-function');
clean('($f := function($x) { $x & "" }; $f(modelName) = "X1")');
clean('$count($map(events, function($v, $i) { $i > 0 and $v != "" })) > 0');
clean('$count(events#$i[$i > 0]) > 0');

trap('parameters.Device.WiFi.AccessPoint.1.Security.KeyPassphrase = "hunter2"', 'secret-parameter');
trap({ 'parameters.Device.PPP.Interface.1.Password': 'hunter2' }, 'secret-parameter');
trap('$contains($$.parameters.InternetGatewayDevice.X_ACME.Wep_Key, "a")', 'secret-parameter');
clean('parameters.Device.UserInterface.PasswordRequired = true');
clean({ 'parameters.Device.X_ACME.KeyPassphraseLength': 8 });

trap('events = "1 BOOT"', 'list-equality');
trap('"vip" != tags', 'list-equality', 'always-true', 'no-tags');
trap('events in ["1 BOOT"]', 'list-equality');
clean('"1 BOOT" in events');
clean('events = ["1 BOOT"]');
clean({ events: '1 BOOT' });

trap('$not(softwareVersion = "2.0.0")', 'negated-missing');
trap('$not(softwareVersion in ["1", "2"])', 'negated-missing');
trap('$not((softwareVersion = "1" or productClass = "HGW"))', 'negated-missing');
trap('$not(parameters.Device.X.Y = true)', 'negated-missing');
trap('productClass = "HGW" and $not(modelName = "x")', 'negated-missing');
clean('$exists(softwareVersion) and $not(softwareVersion = "2.0.0")');
clean('$compareVersions(softwareVersion, "2") < 0 and $not(softwareVersion = "1.5")');
clean('$not(productClass = "HGW")');
clean('softwareVersion != "2.0.0"');
clean('$not($contains(softwareVersion, "beta"))');
clean('$not($exists(softwareVersion))');

trap('hardwareVersion = 1', 'unlike-types');
trap('2 <= softwareVersion', 'unlike-types');
trap('softwareVersion in ["1", 2]', 'unlike-types');
trap({ hardwareVersion: [1, '2'] }, 'unlike-types');
trap('lastInform > "2026-01-31"', 'unlike-types');
clean('now - lastInform > 86400000');
clean('parameters.Device.X.Uptime > 5');

trap('softwareVersion < "2.0"', 'version-as-text');
trap('"2.0" >= parameters.Device.X.FirmwareVersion', 'version-as-text');
clean('$compareVersions(softwareVersion, "2.0") < 0');
trap('$compareVersions(softwareVersion, "2.0") = -1', 'compare-versions-equals');
clean('$compareVersions(softwareVersion, "2.0") = 0');

trap('modelName = /HGW/', 'pattern-equality');
clean('$contains(modelName, /HGW/)');
trap('$bucket(cpeid, "r1")', 'no-comparison');
trap('productClass = "HGW" and $compareVersions(softwareVersion, "2")', 'no-comparison');
trap('softwareVersion', 'no-comparison');
clean('parameters.Device.X.Enabled');
trap('productClass = "HGW" and oui = "1" or oui = "2"', 'and-or-mixed');
clean('productClass = "HGW" and (oui = "1" or oui = "2")');
trap('1 = 1', 'always-true');
trap('true', 'constant-condition');
trap('productClass = "HGW" and (softwareVersion = "0.1" or "0.2")', 'constant-operand');
clean('productClass = "HGW" and (softwareVersion = "0.1" or softwareVersion = "0.2")');
trap('productClass = "HGW" and true', 'constant-operand');
trap('softwareVersion != "1" or softwareVersion != "2"', 'always-true');
clean('softwareVersion != "1" and softwareVersion != "2"');
trap('oui = "1" and oui = "2"', 'never-true');
trap('$bucket(cpeid, "r1") < 200', 'always-true');
clean('productClass = "HGW" and $bucket(cpeid, "r1") < 100');
clean('$count($$.*) > 3');
trap('"BOOT" in events', 'unknown-event');
trap({ events: ['1 boot', '2 PERIODIC'] }, 'unknown-event');
clean({ events: ['M Download', 'X 00A1B2 Hello', '14 HEARTBEAT'] });
clean({ cpeid: '00A1B2' });
trap('cpeid = "00A1B2"', 'not-a-cpeid');
trap('cpeid = "00A1B2-H/1-7"', 'not-a-cpeid');
clean({ cpeid: '00A1B2-My~20HGW-S.7_x' });
trap('modelName = "X*"', 'star-in-text');
trap('productClass in ["HGW", "X*"]', 'star-in-text');
clean({ modelName: 'X*' });
clean({ events: ['1*', '14 HEARTBEAT'] });
clean('$contains(modelName, /^X*/)');

test('a remark stands at its place in the file, JSON escapes and numeric steps counted', async (t) => {
  const condition = 'parameters.Device.IP.Interface.1.Status = "Up" and softwareversion = "1"';
  const body = ruleBody({ condition, limits: LIMITS });
  const [found] = await findingsOf(body);
  const line = JSON.stringify(body);
  t.like(found, { code: 'unknown-path', line: 2, column: line.indexOf('softwareversion') + 1, ruleId: 'r1' });
});

test('a condition that does not parse is an error at the place where JSONata gives up', async (t) => {
  const body = ruleBody({ condition: 'parameters.X.1.Y = = "Up"', prioriti: 3 });
  const found = await findingsOf(body);
  const line = JSON.stringify(body);
  t.is(found.length, 2);
  t.like(
    found.find(({ code }) => code === 'bad-condition'),
    { severity: 'error', line: 2, column: line.lastIndexOf('=') + 1 },
  );
  t.like(
    found.find(({ code }) => code === 'unknown-field'),
    { severity: 'error', column: line.indexOf('3}') + 1 },
  );
});

test('what a condition must not say is an error at its place, which is told once', async (t) => {
  for (const [condition, mark] of [
    ['productClass = "HGW" and\n\t$contains(modelName, /X(?=1)/)', '/X('],
    ['productClass = "HGW" and $eval("1") = 1', '$eval'],
    ['productClass = "HGW" and constructor = 1', 'constructor'],
    ['productClass = "HGW" and (softwareVersion', '","file"'],
    ['productClass = "HGW" and "Ä\\u00e9', '\\"\u00c4'],
  ] as const) {
    const body = { id: 'r1', condition, file: 'hgw.bin' };
    const [found, ...others] = await findingsOf(body);
    t.is(others.length, 0, condition);
    t.like(
      found,
      { code: 'bad-condition', line: 2, column: JSON.stringify(body).indexOf(mark) + 1 },
      condition,
    );
    t.notRegex(found?.message ?? '', /column/);
  }
});

test('what is known as a function is one', async (t) => {
  const guards = await loadGuards();
  for (const name of FUNCTIONS) {
    t.true(guards.has(name) || (await jsonata(`$${name}`).evaluate({})) !== undefined, name);
  }
});

test('a text that is no JSON, or the same key twice, is an error with its place', async (t) => {
  const files = [
    { name: 'a.json', bytes: Buffer.from('{\n "id": "a",\n}') },
    { name: 'b.json', bytes: Buffer.from('{"id": "a",\n "id": "b"}') },
  ];
  const { findings, rules } = await checkRuleFiles(files);
  t.is(rules, 0);
  t.like(findings[0], { file: 'a.json', line: 3, severity: 'error', code: 'bad-json' });
  t.like(findings.at(-1), { file: 'b.json', line: 2, column: 2, severity: 'error', code: 'duplicate-key' });
});

test('$schema is an editor’s business in a file that is one rule, and unknown in an array', async (t) => {
  const body = { $schema: './rule-file.schema.json', ...ruleBody({ limits: LIMITS }) };
  const alone = await checkRuleFiles([{ name: 'a.json', bytes: Buffer.from(JSON.stringify(body)) }]);
  t.deepEqual(alone.findings, []);
  t.like((await findingsOf(body))[0], { code: 'unknown-field', field: '$schema' });
});

const codesTogether = async (...bodies: readonly Record<string, unknown>[]) =>
  (await findingsOf(...bodies.map((body) => ruleBody({ limits: undefined, automatic: false, ...body }))))
    .filter(({ code }) => code !== 'not-indexed')
    .map(({ code, ruleId }) => `${ruleId} ${code}`);

test('an id that stands twice is an error that names the other place', async (t) => {
  const [found] = await findingsOf(
    ruleBody({ limits: LIMITS }),
    ruleBody({ limits: LIMITS, file: 'b.bin', condition: { oui: 'x' } }),
  );
  t.like(found, { severity: 'error', code: 'duplicate', line: 3 });
  t.regex(found?.message ?? '', /rules\.json:2/);
});

test('the same condition and file under two ids', async (t) => {
  const same = { condition: 'productClass="HGW"   and oui in ["a"]' };
  t.deepEqual(
    await codesTogether({ id: 'a', ...same }, { id: 'b', condition: { oui: 'a', productClass: ['HGW'] } }),
    ['b same-upgrade'],
  );
  t.deepEqual(
    await codesTogether({ id: 'a', ...same }, { id: 'b', condition: { oui: 'b', productClass: 'HGW' } }),
    [],
  );
});

test('a narrower rule for the same file is shadowed by one that goes first and is always ready', async (t) => {
  const narrow = { id: 'b', condition: { productClass: 'HGW', oui: 'a' } };
  t.deepEqual(await codesTogether({ id: 'a', priority: 2 }, narrow), ['b shadowed']);
  t.deepEqual(await codesTogether({ id: 'a', priority: 0 }, narrow), []);
  t.deepEqual(await codesTogether({ id: 'a', priority: 2, limits: LIMITS }, narrow), []);
  t.deepEqual(await codesTogether({ id: 'a', priority: 2, enabled: false }, narrow), []);
  t.deepEqual(
    await codesTogether({ id: 'a', priority: 2 }, { ...narrow, automatic: true, limits: LIMITS }),
    [],
  );
});

test('two targets for the same CPEs are two upgrades, and a downgrade is called one', async (t) => {
  const [first, later] = [
    ruleBody({ id: 'a', priority: 2, automatic: false, target: { softwareVersion: '2.0' } }),
    ruleBody({ id: 'b', file: 'old.bin', automatic: false, target: { softwareVersion: '1.9' } }),
  ];
  const [found] = await findingsOf(first, later);
  t.like(found, { code: 'upgraded-twice', ruleId: 'b' });
  t.regex(found?.message ?? '', /downgrade from "2\.0" to "1\.9"/);
});

test('a second step that waits for the version of the first is meant; one that can never come is not', async (t) => {
  const first = { id: 'a', priority: 2, target: { softwareVersion: '2.0' } };
  const step = (version: string) => ({
    id: 'b',
    file: 'hgw-3.bin',
    condition: { productClass: 'HGW', softwareVersion: version },
  });
  t.deepEqual(await codesTogether(first, step('2.0')), []);
  t.deepEqual(await codesTogether(first, step('1.0')), ['b shadowed']);
  const range = "productClass = 'HGW' and $compareVersions(softwareVersion, '3') < 0";
  t.deepEqual(await codesTogether(first, { id: 'b', file: 'hgw-3.bin', condition: range }), []);
});

test('a rule for a fleet wants limits; one for a handful of CPEs, or on request, does not', async (t) => {
  const codes = async (over: Record<string, unknown>) =>
    (await findingsOf(ruleBody(over))).map(({ code }) => code);
  t.deepEqual(await codes({}), ['no-limits']);
  t.deepEqual(await codes({ window: { cron: '0 2 * * *', durationMinutes: 60 } }), ['no-limits']);
  t.deepEqual(await codes({ limits: LIMITS }), []);
  t.deepEqual(await codes({ condition: { serialNumber: ['1', '2'] } }), []);
  t.deepEqual(await codes({ condition: { cpeid: '00A1B2-HGW-1' } }), []);
  t.deepEqual(await codes({ automatic: false }), []);
});

test('what no index helps with, what never runs, and what nothing can verify', async (t) => {
  const codes = async (over: Record<string, unknown>) =>
    (await findingsOf(ruleBody({ limits: LIMITS, ...over }))).map(({ code }) => code);
  t.deepEqual(await codes({ condition: '$bucket(cpeid, "r1") < 5' }), ['not-indexed']);
  t.deepEqual(await codes({ executions: 0 }), ['never-runs']);
  t.deepEqual(await codes({ file: 'https://example.net/a.bin' }), ['no-target']);
  t.deepEqual(await codes({ file: 'https://example.net/a.bin', target: { softwareVersion: '2' } }), []);
});

/** 2026-01-31, a Saturday. */
const NOW_MS = Date.UTC(2026, 0, 31, 2, 30);

test('a rule whose time is over, and a window that does not open within it', async (t) => {
  const codes = async (over: Record<string, unknown>) => {
    const bytes = Buffer.from(JSON.stringify(ruleBody({ limits: LIMITS, ...over })));
    const { findings } = await checkRuleFiles([{ name: 'a.json', bytes }], undefined, () => NOW_MS);
    return findings.map(({ code }) => code);
  };
  t.deepEqual(await codes({ notAfter: '2026-01-31T02:30:00Z' }), ['time-over']);
  t.deepEqual(await codes({ notAfter: '2026-01-31T02:30:00.001Z' }), []);
  t.deepEqual(await codes({ notBefore: '2026-02-31T02:30:00Z' }), ['bad-time']);
  // Saturdays from two to four.
  const window = { cron: '0 2 * * 6', durationMinutes: 120 };
  const between = (notBefore: string, notAfter: string) => codes({ window, notBefore, notAfter });
  t.deepEqual(await between('2026-02-01T00:00:00Z', '2026-02-07T02:00:00Z'), ['never-open']);
  t.deepEqual(await between('2026-02-01T00:00:00Z', '2026-02-07T02:00:01Z'), []);
  t.deepEqual(await between('2026-02-07T03:59:59Z', '2026-02-08T00:00:00Z'), []);
  t.deepEqual(await between('2026-02-07T04:00:00Z', '2026-02-08T00:00:00Z'), ['never-open']);
  t.deepEqual(await between('2026-02-01T00:00:00Z', '2027-02-01T00:00:00Z'), []);
});

test('a condition outside the compiled subset is a note', async (t) => {
  const condition = 'productClass = "HGW" and $count($filter(events, function($e) { $e = "1 BOOT" })) > 0';
  const bytes = Buffer.from(JSON.stringify(ruleBody({ condition, limits: LIMITS })));
  const { findings } = await checkRuleFiles([{ name: 'a.json', bytes }]);
  t.deepEqual(
    findings.map(({ code, severity }) => [code, severity]),
    [['uncompiled', 'note']],
  );
  t.is(LINTS.uncompiled.severity, 'note');
});

test('thousands of rules that are alike are checked in one go', async (t) => {
  const bodies = Array.from({ length: 5_000 }, (_, index) =>
    ruleBody({ id: `r${index}`, condition: { productClass: 'HGW', serialNumber: String(index) } }),
  );
  t.deepEqual(await findingsOf(...bodies), []);
  const alike = bodies.map((body) => ({ ...body, condition: { productClass: 'HGW' }, limits: LIMITS }));
  t.is((await findingsOf(...alike)).length, 4_999);
});

test('what every CPE matches is an error of a rule file, and the last step of a canary a note', async (t) => {
  const conditions = ['oui = "1" or "2"', '$bucket(cpeid, "r1") > -1', '$bucket(cpeid, "r1") < 100'];
  const text = JSON.stringify(
    conditions.map((condition, n) => ruleBody({ id: `r${n}`, condition, limits: LIMITS })),
  );
  const { findings } = await checkRuleFiles([{ name: 'rules.json', bytes: Buffer.from(text) }]);
  const kept = findings.filter(({ code }) => code !== 'not-indexed');
  t.deepEqual(
    kept.map(({ severity, code }) => [severity, code]),
    [
      ['error', 'constant-operand'],
      ['error', 'always-true'],
      ['note', 'every-bucket'],
    ],
  );
  t.is(kept[0]?.column, text.indexOf('\\"2\\"') + 1);
});

test('a file that no Download can carry, and a password that is only kept, are errors of a rule file', async (t) => {
  const file = 'ftp://files.example.net/fw.bin';
  const found = await findingsOf(
    ruleBody({ id: 'a', file: 'http://a b/fw.bin', limits: LIMITS }),
    ruleBody({ id: 'b', file, username: 'cpe', password: '********', limits: LIMITS }),
    ruleBody({ id: 'c', file: 'http://cpe:open-sesame@a/fw.bin', limits: LIMITS }),
  );
  const errors = found.filter(({ severity }) => severity === 'error');
  t.deepEqual(
    errors.map(({ line, field, code }) => [line, field, code]),
    [
      [2, 'file', 'bad-file'],
      [3, 'password', 'not-stored'],
      [4, 'file', 'bad-file'],
    ],
  );
  t.notRegex(JSON.stringify(found), /open-sesame/);
});
