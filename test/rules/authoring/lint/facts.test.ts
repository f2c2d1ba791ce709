import test from 'ava';
import fc from 'fast-check';
import { factsOf, implies } from '../../../../rules/authoring/lint/facts.js';
import { createConditionCompiler, errorCode, loadGuards } from '../../../../rules/condition/index.js';
import { createJsonata } from '../../../../rules/condition/jsonata.js';
import { checkRuleFiles } from '../../../../rules/index.js';
import type { Condition } from '../../../../rules/vocabulary/rule.js';
import { contextOf } from '../../setup.js';

const guards = await loadGuards();
const compiler = createConditionCompiler(guards);
const jsonata = createJsonata(guards);
/** Anew where JSONata says that it took too long: on a busy machine other tests had the time. */
const holds = async (condition: Condition, context: object): Promise<boolean> => {
  for (;;) {
    try {
      return (await jsonata(compiler.compile(condition).source)(context)) === true;
    } catch (error) {
      if (errorCode(error) !== 'D1012') return false;
    }
  }
};

const VALUES = ['a', 'b', 'c'];
const field = fc.constantFrom('productClass', 'oui', 'modelName');
const value = fc.constantFrom(...VALUES);
const values = fc.uniqueArray(value, { minLength: 1, maxLength: 3 });
const list = (items: readonly string[]) => `[${items.map((item) => JSON.stringify(item)).join(', ')}]`;
const conjunct = fc.oneof(
  fc.tuple(field, value).map(([name, wanted]) => `${name} = "${wanted}"`),
  fc.tuple(field, value).map(([name, wanted]) => `'${wanted}' = $$.${name}`),
  fc.tuple(field, values).map(([name, wanted]) => `${name} in ${list(wanted)}`),
  value.map((wanted) => `"${wanted}" in events`),
  value.map((wanted) => `events = "${wanted}"`),
  fc.tuple(field, value).map(([name, wanted]) => `$not(${name} = "${wanted}")`),
  fc.tuple(field, value).map(([name, wanted]) => `(oui = "a" or ${name} = "${wanted}")`),
);
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.array(conjunct, { minLength: 1, maxLength: 3 }).map((conjuncts) => conjuncts.join(' and ')),
  fc.dictionary(fc.constantFrom('productClass', 'oui', 'modelName', 'events'), fc.oneof(value, values), {
    minKeys: 1,
  }),
);
const context = fc.record({
  productClass: value,
  oui: value,
  events: fc.uniqueArray(value),
  modelName: fc.option(value, { nil: undefined }),
});

test.serial(
  'where one condition is said to imply another, no CPE meets the one and not the other',
  async (t) => {
    let implied = 0;
    await fc.assert(
      fc.asyncProperty(
        condition,
        condition,
        fc.array(context, { minLength: 8, maxLength: 8 }),
        async (narrow, wide, cpes) => {
          const [left, right] = [factsOf(narrow), factsOf(wide)];
          if (left === null || right === null || !implies(left, right)) return true;
          implied += 1;
          for (const cpe of cpes) {
            const { modelName, ...rest } = cpe;
            const seen = contextOf({ ...rest, ...(modelName !== undefined && { modelName }) });
            if ((await holds(narrow, seen)) && !(await holds(wide, seen))) return false;
          }
          return true;
        },
      ),
      { numRuns: 3_000 },
    );
    t.true(implied > 30, `only ${implied} pairs were tried`);
  },
);

const WITHOUT_VERSION = contextOf();
Reflect.deleteProperty(WITHOUT_VERSION, 'softwareVersion');
const BOOTED = contextOf({ events: ['1 BOOT'] });

/** What the warnings and the guide claim of JSONata. */
const CLAIMS: readonly (readonly [Condition, object, boolean])[] = [
  ['events = "1 BOOT"', BOOTED, false],
  ['events in ["1 BOOT"]', BOOTED, false],
  ['"1 BOOT" in events', BOOTED, true],
  ['$not(softwareVersion = "2.0.0")', WITHOUT_VERSION, true],
  ['$not(softwareVersion in ["2.0.0"])', WITHOUT_VERSION, true],
  ['$not((softwareVersion = "2.0.0" and productClass = "HGW"))', WITHOUT_VERSION, true],
  ['softwareVersion != "2.0.0"', WITHOUT_VERSION, false],
  ['$compareVersions(softwareVersion, "2.0.0") < 0', WITHOUT_VERSION, false],
  ['$not($compareVersions(softwareVersion, "2.0.0") < 0)', WITHOUT_VERSION, false],
  ['$not($contains(softwareVersion, "x"))', WITHOUT_VERSION, false],
  ['softwareVersion = 1', contextOf({ softwareVersion: '1' }), false],
  ['softwareVersion > 0', contextOf({ softwareVersion: '1' }), false],
  ['softwareVersion < "9.0"', contextOf({ softwareVersion: '10.0' }), true],
  ['productClass = /HGW/', contextOf(), false],
  ['productClass', contextOf(), false],
  ['$bucket(cpeid, "r1")', contextOf(), false],
  ['productClass = "DSL" and oui = "x" or productClass = "HGW"', contextOf(), true],
];

for (const [text, seen, expected] of CLAIMS) {
  test.serial(`JSONata makes ${expected} of ${String(text)}`, async (t) => {
    t.is(await holds(text, seen), expected);
  });
}

test.serial('a condition as long as may be is checked without delay', async (t) => {
  const text = Array.from({ length: 900 }, () => '$not(modelName="x")')
    .join(' and ')
    .slice(0, 16_000);
  const whole = text.slice(0, text.lastIndexOf(' and '));
  const body = { id: 'a', file: 'a.bin', condition: whole, limits: { total: 1 } };
  const files = [{ name: 'a.json', bytes: Buffer.from(JSON.stringify([body, { ...body, id: 'b' }])) }];
  const { findings } = await checkRuleFiles(files);
  t.is(findings.filter(({ code }) => code === 'negated-missing').length, 40);
  t.is(findings.filter(({ code }) => code === 'same-upgrade').length, 1);
});
