import test from 'ava';
import fc from 'fast-check';
import { createConditionCompiler, loadGuards } from '../../../rules/condition/index.js';
import { InvalidRuleError, RULE_SCHEMA, type RuleProblem } from '../../../rules/index.js';
import { createRuleValidator } from '../../../rules/validation/validate.js';
import { ruleBody } from '../setup.js';

const validator = createRuleValidator(createConditionCompiler(await loadGuards()));

function problemsOf(body: unknown): readonly RuleProblem[] {
  const validation = validator.validate(body);
  return validation.valid ? validation.value.refusals : validation.problems;
}

test('the smallest rule gets the documented defaults', (t) => {
  const validation = validator.validate(ruleBody());
  t.deepEqual(validation.valid && validation.value.rule, {
    id: 'r1',
    enabled: true,
    automatic: true,
    file: 'hgw-2.0.0.bin',
    condition: { productClass: 'HGW' },
    executions: 1,
    priority: 1,
    description: '',
  } as never);
});

test('a rule of more fields or values than any can have is one problem, not one for each', (t) => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`enable${index}`, true]));
  for (const body of [many, ruleBody(many), ruleBody({ limits: many }), ruleBody({ condition: many })]) {
    t.like(problemsOf(body), { length: 1, 0: { field: '', code: 'too-many' } });
  }
  const values = Array.from({ length: 100_001 }, () => ({}));
  t.like(problemsOf(ruleBody({ condition: { cpeid: values } })), { length: 1, 0: { code: 'too-many' } });
});

test('what is left out of window, retry and deadlines is filled in, and only there', (t) => {
  const body = ruleBody({
    window: { cron: '0 2 * * *', durationMinutes: 90 },
    retry: { afterMinutes: 5 },
    deadlines: { sentMinutes: 0.1 },
  });
  const before = structuredClone(body);
  const validation = validator.validate(body);
  t.like(validation.valid && validation.value.rule, {
    window: { cron: '0 2 * * *', durationMinutes: 90, timezone: 'UTC' },
    retry: { afterMinutes: 5, factor: 2, maxHours: 24 },
    deadlines: { sentMinutes: 0.1, acceptedMinutes: 1_440, transferredMinutes: 60 },
  });
  t.deepEqual(body, before);
});

test('the rule of the API document is valid as it stands there', (t) => {
  const body = {
    id: 'UPGRADE_00A1B2-HGW-1',
    enabled: true,
    automatic: true,
    file: 'http://files.example/fw/hgw-2.0.0.bin',
    condition: { cpeid: '00A1B2-HGW-1' },
    executions: 1,
    priority: 1,
    author: 'api',
  };
  t.deepEqual(problemsOf(body), []);
});

const WRONG: readonly (readonly [unknown, string, string, RegExp])[] = [
  [5, '', 'wrong-type', /"id", "file" and "condition"/],
  [[], '', 'wrong-type', /"id"/],
  [null, '', 'wrong-type', /"id"/],
  [{ file: 'x', condition: 'true' }, 'id', 'missing', /required.*1 to 256/],
  [{ id: 'x', condition: 'true' }, 'file', 'missing', /required.*image/],
  [{ id: 'x', file: 'x' }, 'condition', 'missing', /JSONata/],
  [ruleBody({ id: '' }), 'id', 'out-of-range', /1 to 256/],
  [ruleBody({ id: 'a\u0000b' }), 'id', 'out-of-range', /printable/],
  [ruleBody({ id: 'a\u202eb' }), 'id', 'out-of-range', /printable/],
  [ruleBody({ id: 'x'.repeat(257) }), 'id', 'out-of-range', /256/],
  [ruleBody({ id: '€'.repeat(200) }), 'id', 'too-long', /512 bytes/],
  [ruleBody({ id: 5 }), 'id', 'wrong-type', /name/],
  [ruleBody({ enabled: 'true' }), 'enabled', 'wrong-type', /true or false/],
  [ruleBody({ automatic: 1 }), 'automatic', 'wrong-type', /SendCNR/],
  [ruleBody({ exections: 1 }), 'exections', 'unknown-field', /did you mean "executions"\?/],
  [ruleBody({ campaign: 1 }), 'campaign', 'unknown-field', /remove it.*there are id,/],
  [ruleBody({ Enabled: true }), 'Enabled', 'unknown-field', /did you mean "enabled"\?/],
  [ruleBody({ executions: 1.5 }), 'executions', 'wrong-type', /-1 for any number/],
  [ruleBody({ executions: -2 }), 'executions', 'out-of-range', /-1 for any number/],
  [ruleBody({ priority: 1e7 }), 'priority', 'out-of-range', /1000000/],
  [ruleBody({ file: 'a b.bin' }), 'file', 'bad-file', /image/],
  [ruleBody({ file: '../etc/passwd' }), 'file', 'bad-file', /image/],
  [ruleBody({ file: 'file:///etc/passwd' }), 'file', 'bad-file', /http, https, ftp, sftp or tftp/],
  [ruleBody({ file: 'http:fw.bin' }), 'file', 'bad-file', /absolute/],
  [ruleBody({ file: 'http://u:p@h/fw.bin' }), 'file', 'bad-file', /without user and password/],
  [ruleBody({ file: 'http://h/a\tb' }), 'file', 'bad-file', /control characters/],
  [ruleBody({ file: ' http://h/a' }), 'file', 'bad-file', /image/],
  [ruleBody({ file: 'http://h h/a' }), 'file', 'bad-file', /host is none/],
  [ruleBody({ file: 'http://h\\a/b' }), 'file', 'bad-file', /host is none/],
  [ruleBody({ file: 'http:///a' }), 'file', 'bad-file', /host is none/],
  [ruleBody({ file: 'ftp://h/\ud800' }), 'file', 'bad-file', /surrogate/],
  [ruleBody({ file: `http://h/${'ü'.repeat(50)}` }), 'file', 'bad-file', /with %XX it has 309/],
  [ruleBody({ file: `http://h/${'x'.repeat(250)}` }), 'file', 'out-of-range', /256/],
  [ruleBody({ condition: {} }), 'condition', 'out-of-range', /1 to 64 fields/],
  [ruleBody({ condition: [] }), 'condition', 'wrong-type', /JSONata/],
  [ruleBody({ condition: '' }), 'condition', 'out-of-range', /JSONata/],
  [ruleBody({ condition: 'a = ' }), 'condition', 'bad-condition', /not a JSONata expression/],
  [ruleBody({ condition: 'x'.repeat(16_385) }), 'condition', 'out-of-range', /16384/],
  [ruleBody({ condition: { cpeid: {} } }), 'condition.cpeid', 'wrong-type', /an array of 1 to 10000/],
  [ruleBody({ condition: { cpeid: [] } }), 'condition.cpeid', 'out-of-range', /an array of 1 to 10000/],
  [ruleBody({ condition: { cpeid: [[1]] } }), 'condition.cpeid.0', 'wrong-type', /number/],
  [ruleBody({ condition: { cpeid: new Array(10_001).fill(1) } }), 'condition.cpeid', 'out-of-range', /10000/],
  [ruleBody({ condition: { 'a`b': 1 } }), 'condition.a`b', 'bad-name', /field path/],
  [ruleBody({ condition: { 'a..b': 1 } }), 'condition.a..b', 'bad-name', /field path/],
  [ruleBody({ condition: { 'a.constructor': 1 } }), 'condition', 'bad-condition', /constructor/],
  [
    ruleBody({ condition: { k: new Array(2_000).fill('x'.repeat(1_000)) } }),
    'condition',
    'too-long',
    /1048576/,
  ],
  [
    ruleBody({ condition: { a: new Array(10_000).fill(1), b: new Array(10_000).fill(1), c: 1 } }),
    'condition',
    'too-long',
    /20000 values/,
  ],
  [ruleBody({ target: {} }), 'target.softwareVersion', 'missing', /SoftwareVersion/],
  [ruleBody({ target: '2.0' }), 'target', 'wrong-type', /softwareVersion/],
  [
    ruleBody({ window: { cron: '0 2 * *', durationMinutes: 1 } }),
    'window.cron',
    'bad-cron',
    /five cron fields/,
  ],
  [ruleBody({ window: { cron: '* 0 2 * * *', durationMinutes: 1 } }), 'window.cron', 'bad-cron', /five/],
  [ruleBody({ window: { cron: '61 2 * * *', durationMinutes: 1 } }), 'window.cron', 'bad-cron', /61/],
  [ruleBody({ window: { cron: '0 2 * * *' } }), 'window.durationMinutes', 'missing', /1 to 4320/],
  [
    ruleBody({ window: { cron: '0 2 * * *', durationMinutes: 0 } }),
    'window.durationMinutes',
    'out-of-range',
    /1 to/,
  ],
  [
    ruleBody({ window: { cron: '0 2 * * *', durationMinutes: 1, timezone: 'Berlin' } }),
    'window.timezone',
    'bad-timezone',
    /Europe\/Berlin/,
  ],
  [
    ruleBody({ window: { cron: '0 2 * * *', durationMinutes: 1, timezon: 'UTC' } }),
    'window.timezon',
    'unknown-field',
    /"timezone"/,
  ],
  [ruleBody({ limits: { concurrent: 0 } }), 'limits.concurrent', 'out-of-range', /at least 1/],
  [ruleBody({ retry: { factor: 0.5 } }), 'retry.factor', 'out-of-range', /1 to 100/],
  [ruleBody({ onDoubt: 'retry' }), 'onDoubt', 'out-of-range', /"resend" .* or "fail"/],
  [ruleBody({ deadlines: { sentMinutes: 0 } }), 'deadlines.sentMinutes', 'out-of-range', /above 0/],
];

for (const [body, field, code, expected] of WRONG) {
  test(`wrong: ${JSON.stringify(body).slice(0, 100)} → ${field || 'the rule'}: ${code}`, (t) => {
    const problems = problemsOf(body);
    t.is(problems.length, 1);
    t.like(problems[0], { field, code });
    t.regex(problems[0]?.expected ?? '', expected);
  });
}

test('a problem shows what was found, shortened', (t) => {
  t.is(problemsOf(ruleBody({ priority: 'high' }))[0]?.found, '"high"');
  t.true((problemsOf(ruleBody({ priority: 'x'.repeat(1_000) }))[0]?.found?.length ?? 0) < 100);
});

test('all problems of a rule come at once', (t) => {
  const fields = problemsOf({ file: 'a b', enabled: 1, priority: 'x', extra: 1 }).map(({ field }) => field);
  t.deepEqual([...fields].sort(), ['condition', 'enabled', 'extra', 'id', 'priority']);
});

test('a million problems are not reported one by one', (t) => {
  const condition = Object.fromEntries(
    Array.from({ length: 60 }, (_, n) => [`k${n}`, new Array(100).fill({})]),
  );
  t.is(problemsOf(ruleBody({ condition })).length, 100);
});

test('fileType is a firmware image or a vendor’s own type, with a vendor’s words, in 64 characters of ASCII', (t) => {
  for (const fileType of [
    '1 Firmware Upgrade Image',
    '1 Firmware Upgrade Image 00A1B2 v2',
    'X 00A1B2 Boot loader',
    'X example.com x',
  ]) {
    t.deepEqual(problemsOf(ruleBody({ fileType })), [], fileType);
  }
  for (const fileType of [
    '',
    '2 Web Content',
    '1 Firmware Upgrade Image ',
    '1 Firmware Upgrade Images',
    'X 00A1B2',
    'X 00A1B2 ü',
    `X 00A1B2 ${'x'.repeat(56)}`,
  ]) {
    t.like(problemsOf(ruleBody({ fileType })), { 0: { field: 'fileType', code: 'out-of-range' } }, fileType);
  }
});

test('user and password are for files elsewhere, and a password is of a user', (t) => {
  const file = 'http://files.example.net/fw.bin';
  for (const [body, ...fields] of [
    [{ file, username: 'cpe', password: 'x' }],
    [{ file, username: 'cpe' }],
    [{ file: 'tftp://h/x', username: 'a:b', password: 'x' }],
    [{ username: 'cpe', password: 'x' }, 'username', 'password'],
    [{ file, password: 'x' }, 'username'],
    [{ file, username: 'a:b', password: 'x' }, 'username'],
    [{ file, username: 'x'.repeat(257), password: 'x' }, 'username'],
  ] as const) {
    t.deepEqual(
      problemsOf(ruleBody(body)).map(({ field }) => field),
      fields,
    );
  }
});

test('a body nested beyond all measure is merely wrong', (t) => {
  let body: unknown = 1;
  for (let depth = 0; depth < 200_000; depth++) body = [body];
  t.is(problemsOf(body).length, 1);
  t.is(problemsOf(ruleBody({ target: body })).length, 1);
});

test('whatever is posted is either a valid rule or problems with a text', (t) => {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('0 2 * * *', 'UTC', 'hgw.bin'));
  const names = fc.constantFrom(
    'id',
    'file',
    'condition',
    'window',
    'limits',
    'target',
    'priority',
    'x',
    '__proto__',
  );
  fc.assert(
    fc.property(fc.dictionary(names, value), (body) => {
      const validation = validator.validate(body);
      return (
        validation.valid || validation.problems.every(({ code, expected }) => code !== '' && expected !== '')
      );
    }),
  );
  t.pass();
});

test('InvalidRuleError reads as one sentence a problem', (t) => {
  const error = new InvalidRuleError([{ field: 'limits.total', code: 'x', expected: 'a whole number' }]);
  t.is(error.message, 'limits.total: a whole number');
});

test('a name may have every character of the first plane that is seen, and no other', (t) => {
  const isSeen = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]$/u;
  const wrong: string[] = [];
  for (let code = 0; code <= 0xffff; code++) {
    // Half of a pair comes in no JSON that is taken.
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    const isTaken = new RegExp(RULE_SCHEMA.properties.id.pattern, 'u').test(character);
    if (isTaken !== isSeen.test(character)) wrong.push(code.toString(16));
  }
  t.deepEqual(wrong, []);
});
