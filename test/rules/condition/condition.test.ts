import test from 'ava';
import fc from 'fast-check';
import type { RuleId } from '../../../common/index.js';
import {
  type CompiledCondition,
  type ConditionCompiler,
  createConditionCompiler,
  errorCode,
  loadGuards,
} from '../../../rules/condition/index.js';
import { createJsonata } from '../../../rules/condition/jsonata.js';
import { quoteNumericSteps } from '../../../rules/condition/text.js';
import { beginEvaluation } from '../../../rules/decision/evaluation.js';
import type { Condition, DecisionInput, ParameterTree, Verdict } from '../../../rules/index.js';
import { contextOf, evaluationMeans } from '../setup.js';

const guards = await loadGuards();
const compiler: ConditionCompiler = createConditionCompiler(guards);
const jsonata = createJsonata(guards);

/** As in a process; but a busy machine spends nobody's budget, and nobody who waits gives up. */
const { means, close } = evaluationMeans({ cpuMs: () => 0 });
test.after.always(close);

const PARAMETERS: ParameterTree = {
  Device: {
    DeviceInfo: { UpTime: 3_600, Description: 'a/b "c"' },
    IP: { Interface: { '1': { Status: 'Up', MTU: 1_500 }, '2': { Status: 'Down', Enable: false } } },
  },
};

function inputOf(
  over: Partial<DecisionInput['context']> = {},
  readParameters = async () => PARAMETERS,
): DecisionInput {
  const context = contextOf({
    events: ['1 BOOT', '4 VALUE CHANGE'],
    tags: ['beta'],
    ip: '10.1.2.3',
    ...over,
  });
  return { context, readParameters, unread: async () => [], counts: {}, requested: false };
}

async function verdictOf(condition: Condition, input = inputOf()): Promise<Verdict | 'true'> {
  const refusal = await beginEvaluation(input, means).conditionGate(compiler.compile(condition));
  return refusal?.verdict ?? 'true';
}

const CASES: readonly (readonly [Condition, Verdict | 'true'])[] = [
  // Object form: any of the values, any element of a list, all keys.
  [{ cpeid: '00A1B2-HGW-1' }, 'true'],
  [{ cpeid: '00A1B2-HGW-2' }, 'condition-false'],
  [{ softwareVersion: ['0.9', '1.0.0'] }, 'true'],
  [{ softwareVersion: '1.0.0', productClass: 'HGW' }, 'true'],
  [{ softwareVersion: '1.0.0', productClass: 'STB' }, 'condition-false'],
  [{ events: '1 BOOT' }, 'true'],
  [{ events: ['0 BOOTSTRAP', '4 VALUE CHANGE'] }, 'true'],
  [{ events: '2 PERIODIC' }, 'condition-false'],
  [{ modelName: 'X' }, 'condition-false'],
  [{ modelName: null }, 'condition-false'],
  [{ nonsense: 'X' }, 'condition-false'],
  [{ 'parameters.Device.IP.Interface.1.Status': 'Up' }, 'true'],
  [{ 'parameters.Device.IP.Interface.2.Status': 'Up' }, 'condition-false'],
  [{ 'parameters.Device.IP.Interface.2.Enable': false }, 'true'],
  [{ 'parameters.Device.IP.Interface.1.MTU': '1500' }, 'condition-false'],
  [{ 'parameters.Device.IP.Interface.1.MTU': [1_500] }, 'true'],
  [{ 'parameters.Device.DeviceInfo.Description': 'a/b "c"' }, 'true'],
  [{ 'parameters.Device.IP.Interface.9.Status': 'Up' }, 'condition-false'],
  // String form: exactly true.
  ['cpeid = "00A1B2-HGW-1"', 'true'],
  ['softwareVersion', 'condition-false'],
  ['1', 'condition-false'],
  ['"true"', 'condition-false'],
  ['nothing.there', 'condition-false'],
  ['tags', 'condition-false'],
  ['parameters.Device.IP.Interface.1.Status = "Up"', 'true'],
  ['parameters.Device.IP.Interface.1.MTU > 1400 and parameters.Device.IP.Interface.1.MTU <= 1.5e3', 'true'],
  ['$count(parameters.Device.IP.Interface.*[Status = "Up"]) = 1', 'true'],
  // JSONata's traps, as they are.
  ['events = "1 BOOT"', 'condition-false'],
  ['"1 BOOT" in events', 'true'],
  ['tags = "beta"', 'condition-false'],
  ['"beta" in tags', 'true'],
  ['$not(modelName = "2.0.0")', 'true'],
  ['softwareVersion < 2', 'condition-error'],
  ['modelName < "2"', 'condition-false'],
  ['$uppercase(5) = "5"', 'condition-error'],
  ['$nope(5)', 'condition-error'],
  // Ferry's functions.
  ['$compareVersions(softwareVersion, "1.10") < 0', 'true'],
  ['$compareVersions(modelName, "1.10") < 0', 'condition-false'],
  ['$inSubnet(ip, "10.0.0.0/8")', 'true'],
  ['$inSubnet(ip, "10.0.0.0")', 'condition-error'],
  ['$bucket(cpeid, "r1") < 100', 'true'],
  ['$map(tags, $uppercase) = "BETA"', 'true'],
  ['$toMillis("2020-01-31T02:00:00Z") < now', 'true'],
  ['$toMillis("x") < now', 'condition-error'],
  ['$match(cpeid, /hgw-([0-9])/i).groups[0] = "1"', 'true'],
  ['$contains(productClass, /^H.W$/)', 'true'],
  ['$replace(productClass, /G/, "") = "HW"', 'true'],
  ['$filter(tags, function($t) { $t = "beta" }) = "beta"', 'true'],
  // Nothing of JavaScript shows through.
  ['$exists($lookup($, "hasOwnProperty"))', 'condition-false'],
  ['$exists(toString)', 'condition-false'],
];

for (const [condition, verdict] of CASES) {
  test(`condition ${JSON.stringify(condition)}: ${verdict}`, async (t) => {
    t.is(await verdictOf(condition), verdict);
  });
}

const field = fc.constantFrom('cpeid', 'softwareVersion', 'events', 'tags', 'modelName', 'registered');
const scalar = fc.constantFrom('1.0.0', '00A1B2-HGW-1', '1 BOOT', 'beta', 'X', 5, true, null);

/** JSONata itself, in this process, where its time runs on while a busy machine does other things. */
async function byJsonata(condition: Condition, context: object): Promise<unknown> {
  for (let times = 1; ; times++) {
    try {
      return await jsonata(compiler.compile(condition).source)(context);
    } catch (error) {
      if (errorCode(error) !== 'D1012' || times >= 50) throw error;
    }
  }
}

test('a rule passed over by its requirements alone would not have been true by JSONata either', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(field, fc.oneof(scalar, fc.array(scalar, { minLength: 1, maxLength: 3 })), {
        minKeys: 1,
      }),
      async (condition) => {
        const input = inputOf({ registered: 5 });
        const whole = await byJsonata(condition, input.context);
        return (whole === true) === ((await verdictOf(condition, input)) === 'true');
      },
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(field, scalar), { minLength: 1, maxLength: 3 }),
      async (equalities) => {
        const text = equalities.map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(' and ');
        const input = inputOf({ registered: 5 });
        const whole = await byJsonata(text, input.context);
        return (whole === true) === ((await verdictOf(text, input)) === 'true');
      },
    ),
  );
  t.pass();
});

test('the refusal names the field, what it is and what was wanted', async (t) => {
  const evaluation = beginEvaluation(inputOf(), means);
  const detail = async (condition: Condition) =>
    (await evaluation.conditionGate(compiler.compile(condition)))?.detail;
  t.is(await detail({ softwareVersion: '2.0.0' }), 'softwareVersion is "1.0.0", not "2.0.0"');
  t.is(await detail('modelName = "X" and 1 = 1'), 'modelName is unknown, not "X"');
  t.is(await detail('5'), 'it yields 5, not true');
  t.regex((await detail('softwareVersion < 2')) ?? '', /same data type/);
});

test('the data model is read only where a condition needs it, and once', async (t) => {
  let reads = 0;
  const input = inputOf({}, async () => {
    reads += 1;
    return PARAMETERS;
  });
  const evaluation = beginEvaluation(input, means);
  const gate = (condition: Condition) => evaluation.conditionGate(compiler.compile(condition));
  await gate({ productClass: 'HGW' });
  await gate('softwareVersion = "2.0.0" and parameters.Device.DeviceInfo.UpTime > 1');
  t.is(reads, 0);
  t.is(await gate('parameters.Device.DeviceInfo.UpTime > 1'), null);
  t.is(await gate('$count(**.MTU) = 1'), null);
  t.is(await gate('$lookup($, "parameters").Device.DeviceInfo.UpTime = 3600'), null);
  t.is(reads, 1);
});

const PINS: readonly (readonly [Condition, string | null])[] = [
  [{ cpeid: 'X' }, 'X'],
  [{ cpeid: ['X'] }, 'X'],
  [{ cpeid: 'X', softwareVersion: ['1', '2'] }, 'X'],
  [{ cpeid: ['X', 'Y'] }, null],
  [{ cpeid: 5 }, null],
  [{ softwareVersion: '1' }, null],
  ['cpeid = "X"', 'X'],
  ['"X" = cpeid', 'X'],
  ['(softwareVersion = "1" and (cpeid = "X")) and ip = "1"', 'X'],
  ['cpeid = "X" and (a or b)', 'X'],
  ['cpeid = "X" or softwareVersion = "1"', null],
  ['$not(cpeid = "X")', null],
  ['cpeid != "X"', null],
  ['cpeid[0] = "X"', null],
  ['a.cpeid = "X"', null],
  ['cpeid = ip', null],
  ['cpeid = "X" ? true : true', null],
  ['(cpeid = "X"; true)', null],
];

for (const [condition, pin] of PINS) {
  test(`condition ${JSON.stringify(condition)} ${pin === null ? 'is a fleet rule’s' : `pins ${pin}`}`, (t) => {
    t.is(compiler.compile(condition).pin, pin === null ? null : (pin as CompiledCondition['pin']));
  });
}

const STEPS: readonly (readonly [string, string])[] = [
  ['a.1.b', 'a.`1`.b'],
  ['a.1.2.b', 'a.`1`.`2`.b'],
  ['a.2GHz.b', 'a.`2GHz`.b'],
  ['a[0].1', 'a[0].`1`'],
  ['(a).1', '(a).`1`'],
  ['`x y`.1.b = 1.5', '`x y`.`1`.b = 1.5'],
  ['a . 1', 'a . 1'],
  ['x = 1.5 and [1..5] and 2.5e3', 'x = 1.5 and [1..5] and 2.5e3'],
  ['[a..5]', '[a..5]'],
  ['"a.1" & \'b.2\'', '"a.1" & \'b.2\''],
  ['$match(a, /b.1/)', '$match(a, /b.1/)'],
  ['a / b.1 / c.2', 'a / b.`1` / c.`2`'],
  ['a in /* x.1 */ b.1', 'a in /* x.1 */ b.`1`'],
  ['a and /x.1/', 'a and /x.1/'],
];

for (const [text, quoted] of STEPS) {
  test(`numeric steps: ${text} is read as ${quoted}`, (t) => {
    t.is(quoteNumericSteps(text), quoted);
  });
}

test('numeric steps: what JSONata understands without help is left as it is', (t) => {
  const texts = CASES.flatMap(([condition]) => (typeof condition === 'string' ? [condition] : []));
  const plain = texts.filter((text) => !text.includes('Interface.1'));
  t.deepEqual(plain.map(quoteNumericSteps), plain);
});

test('the parameters a condition reads are known from its text', (t) => {
  const paths = (condition: Condition) => [...compiler.compile(condition).parameterPaths].sort();
  t.deepEqual(paths({ 'parameters.Device.IP.Interface.1.Status': 'Up', productClass: '1' }), [
    'Device.IP.Interface.1.Status',
  ]);
  // Fields that are parameters, below either root.
  for (const [field, name] of [
    ['modelName', 'ModelName'],
    ['softwareVersion', 'SoftwareVersion'],
    ['hardwareVersion', 'HardwareVersion'],
  ] as const) {
    const both = [`Device.DeviceInfo.${name}`, `InternetGatewayDevice.DeviceInfo.${name}`];
    t.deepEqual(paths({ [field]: '1' }), both);
    t.deepEqual(paths(`$$.${field} = "1"`), both);
    t.deepEqual(paths(`$lookup($, "${field}") = "1"`), both);
  }
  t.deepEqual(paths('productClass = "HGW" and ip = "1" and cpeid != manufacturer'), []);
  t.deepEqual(paths('parameters.Device.A.B = 1 or $exists(parameters.InternetGatewayDevice.C.D)'), [
    'Device.A.B',
    'InternetGatewayDevice.C.D',
  ]);
  t.deepEqual(paths('parameters.Device.IP.Interface.*.Status = "Up"'), ['Device.IP.Interface.']);
  t.deepEqual(paths('parameters.Device.IP.Interface[Status = "Up"].MTU > 1'), ['Device.IP.Interface.']);
  t.deepEqual(paths('$exists(parameters.Device.IP.Interface[Status = "Up"])'), ['Device.IP.Interface.']);
  t.deepEqual(paths('$exists(parameters.Device.A.B[$ > 1])'), ['Device.A.B']);
  t.deepEqual(paths('parameters.Device'), []);
});

for (const [condition, message] of [
  ['cpeid = ', /JSONata/],
  ['$eval("1 = 1")', /\$eval/],
  ['$map(["1"], $eval)', /\$eval/],
  ['$random() < 0.05', /\$bucket/],
  ['$.__proto__.x = 1', /__proto__/],
  ['cpeid = "\\ud800"', /surrogate/],
  ['"x\\udc00y" in tags', /surrogate/],
  ['constructor.name = "Object"', /constructor/],
  ['$lookup($, "__proto__") = 1', /__proto__/],
  ['`prototype` = 1', /prototype/],
  ['function($x)<a+a+a+:b>{ true }(1)', /signature/],
  ['$match(cpeid, /(a)\\1/)', /linear time/],
  ['$match(cpeid, /a(?=b)/)', /linear time/],
  [`${'('.repeat(65)}true${')'.repeat(65)}`, /64/],
  [Array.from({ length: 2_000 }, () => 'a=1').join(' or '), /deep/],
  [`${'a ? '.repeat(4_000)}`, /JSONata|deep/],
] as const) {
  test(`condition ${condition.slice(0, 40)} is refused`, (t) => {
    t.throws(() => compiler.compile(condition), { name: 'ConditionError', message });
  });
}

test('hundreds of alternatives are not too deep', async (t) => {
  const some = Array.from({ length: 500 }, (_, index) => `softwareVersion = "9.${index}"`).join(' or ');
  t.is(await verdictOf(`${some} or productClass = "HGW"`), 'true');
});

test('a catastrophic pattern takes linear time', async (t) => {
  // Backtracking, each of these letters would double the time; in linear time so few leave a slow machine within its budget.
  const input = inputOf({ softwareVersion: `${'a'.repeat(300)}b` });
  t.is(await verdictOf('$contains(softwareVersion, /(a+)+$/)', input), 'condition-false');
  t.is(
    await verdictOf('$count($match(softwareVersion, /^(([a-z])+.)+[A-Z]([a-z])+$/)) > 0', input),
    'condition-false',
  );
});

for (const text of [
  '$count([1..10000000]) > 0',
  '$count($split($pad("", 100000), "")) > 0',
  '$length($pad("", 10000000)) > 0',
  '$length($join([1..9999].("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"))) > 0',
  '($f := function($x) { 1 + $f($x) }; $f(1)) > 0',
  '($f := function($x) { $f($x) }; $f(1)) > 0',
  '($a := [1..3000]; $count($a.($a.($a))) > 0)',
  '$count($distinct([1..9999])) > 0',
  '$fromMillis(0, "[Y,99999999-99999999]") = ""',
]) {
  test(`condition ${text} ends with an explanation`, async (t) => {
    t.is(await verdictOf(text), 'condition-error');
  });
}

test('an evaluation cannot change the context of the next one', async (t) => {
  const evaluation = beginEvaluation(inputOf(), means);
  const gate = (condition: Condition) => evaluation.conditionGate(compiler.compile(condition));
  await gate('$count($append(tags, "x")[]) > 0');
  await gate('$exists($ ~> |$|{"softwareVersion": "9"}|)');
  t.is(await gate('softwareVersion = "1.0.0" and $count(tags) = 1'), null);
});

test('conditions together get one budget of time: what is left over it is not evaluated, and says so without being blamed', async (t) => {
  const thirty = evaluationMeans({ cpuMs: () => 30 });
  t.teardown(thirty.close);
  const evaluation = beginEvaluation(inputOf(), thirty.means);
  const rule = { id: 'slow' as RuleId, updatedAtMs: 1 };
  const slow = () => evaluation.conditionGate(compiler.compile('$sum([1, 0]) = 1'), rule);
  t.is(await slow(), null);
  t.is(await slow(), null);
  t.like(await slow(), { verdict: 'condition-error', detail: "the decision's 50 ms are used up" });
  t.like(thirty.failures, [{ kind: 'skipped', code: 'over-budget', ruleId: 'slow' as RuleId }]);
  t.false(thirty.means.probation.has('$sum([1, 0]) = 1'));
});

test('a data model that is too large to be sent elsewhere is no matter of the rule, and compiled conditions read it', async (t) => {
  const given = evaluationMeans();
  t.teardown(given.close);
  const parameters: ParameterTree = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, index) => [`P${index}`, 'x'.repeat(1_000)]),
  );
  const input = inputOf({}, async () => parameters);
  const evaluation = beginEvaluation(input, given.means);
  const rule = { id: 'r' as RuleId, updatedAtMs: 1 };
  const refused = await evaluation.conditionGate(
    compiler.compile('$sum([1, 0]) = 1 and parameters.P1 != "y"'),
    rule,
  );
  t.like(refused, { verdict: 'condition-error' });
  t.like(given.failures, [{ kind: 'error', code: 'context-too-large' }]);
  t.is(await evaluation.conditionGate(compiler.compile('$length(parameters.P1) = 1000')), null);
});
