import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import test from 'ava';
import { checkRuleFiles, RULE_FILE_SCHEMA, RULE_TEST_FILE_SCHEMA } from '../../../rules/index.js';
import { ruleBody } from '../setup.js';

const SHIPPED = [
  ['rule-file', RULE_FILE_SCHEMA],
  ['rule-test', RULE_TEST_FILE_SCHEMA],
] as const;

for (const [name, schema] of SHIPPED) {
  test(`schemas/${name}.schema.json is what the code says (npm run schemas)`, async (t) => {
    const url = new URL(`../../../../schemas/${name}.schema.json`, import.meta.url);
    t.is(await readFile(url, 'utf8'), `${JSON.stringify(schema, null, 2)}\n`);
  });

  test(`the ${name} schema is one of draft 7, and each of its fields has a description`, (t) => {
    const ajv = new Ajv({ strict: true, allowUnionTypes: true, validateFormats: false });
    t.true(ajv.validateSchema(schema));
    const undescribed: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, inner] of Object.entries(value)) {
        if (path.endsWith('/properties') && !('description' in Object(inner)))
          undescribed.push(`${path}/${key}`);
        visit(inner, `${path}/${key}`);
      }
    };
    visit(schema, '');
    t.deepEqual(undescribed, []);
  });
}

const LIMITS = { concurrent: 1 };
const BODIES: readonly (readonly [unknown, boolean])[] = [
  [ruleBody(), true],
  [[ruleBody({ id: 'a' }), ruleBody({ id: 'b', limits: LIMITS })], true],
  [{ $schema: 'https://acs.example.net/v1/schemas/rule-file.json', ...ruleBody() }, true],
  [[{ $schema: 'x', ...ruleBody() }], false],
  [ruleBody({ $schema: 1 }), false],
  [ruleBody({ condition: 'productClass = "HGW"', window: { cron: '0 2 * * *', durationMinutes: 60 } }), true],
  [ruleBody({ prioriti: 1 }), false],
  [ruleBody({ executions: 1.5 }), false],
  [ruleBody({ condition: { 'a..b': 1 } }), false],
  [ruleBody({ condition: { events: [] } }), false],
  [ruleBody({ window: { cron: '0 2 * * *' } }), false],
  [{ id: 'a', file: 'b.bin' }, false],
  ['a rule', false],
  [[], true],
];

test('the published schema and ferry rules check agree', async (t) => {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, unicodeRegExp: true });
  const validate = ajv.compile(RULE_FILE_SCHEMA);
  for (const [body, valid] of BODIES) {
    const text = JSON.stringify(body);
    t.is(validate(body), valid, text);
    const { findings } = await checkRuleFiles([{ name: 'a.json', bytes: Buffer.from(text) }]);
    t.is(
      findings.every(({ severity }) => severity !== 'error'),
      valid,
      text,
    );
  }
});
