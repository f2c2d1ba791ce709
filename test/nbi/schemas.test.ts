import test from 'ava';
import { RULE_FILE_SCHEMA, RULE_TEST_FILE_SCHEMA } from '../../rules/index.js';
import { startNbi } from './support.js';

test('the schemas of rule files and of their tests are served without log-in', async (t) => {
  const nbi = await startNbi(t);
  for (const [name, schema] of [
    ['rule-file', RULE_FILE_SCHEMA],
    ['rule-test', RULE_TEST_FILE_SCHEMA],
  ] as const) {
    const { status, headers, body } = await nbi.call(`/v1/schemas/${name}.json`, { as: null });
    t.is(status, 200);
    t.regex(headers.get('Content-Type') ?? '', /^application\/schema\+json/);
    t.deepEqual(JSON.parse(String(body)), schema);
  }
});
