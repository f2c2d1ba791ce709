import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { runTests } from '../../cli/commands/rules/tested-rules.js';
import { CONTEXT_FIELDS, checkRuleFiles, LINTS, RULE_TEST_SCHEMA } from '../../rules/index.js';
import { temporaryDirectory } from '../cli/support.js';
import { GUIDE, transcript, withTranscript } from './transcript.js';

/** A code block that is a file: `<!-- file: canary.json -->` stands before it. */
const FILE_BLOCK = /<!-- file: (\S+) -->\n+```json\n([\s\S]*?)\n```/g;

const guide = await readFile(GUIDE, 'utf8');
const files = [...guide.matchAll(FILE_BLOCK)].map(([, name = '', text = '']) => ({ name, text }));
const recipes = files.filter(({ name }) => !name.endsWith('.test.json'));

test('the guide’s transcript is what the commands print (npm run docs:transcript)', async (t) => {
  t.is(withTranscript(guide, await transcript(await temporaryDirectory(t))), guide);
});

test('the guide has the recipes that were promised', (t) => {
  t.deepEqual(
    recipes.map(({ name }) => name),
    ['canary.json', 'range.json', 'window.json', 'times.json', 'one.json', 'stop.json'],
  );
});

for (const { name, text } of recipes) {
  test(`the recipe ${name} has nothing to be warned of, and passes its tests`, async (t) => {
    const ruleFiles = [{ name, bytes: Buffer.from(text) }];
    const { findings } = await checkRuleFiles(ruleFiles);
    t.deepEqual(
      findings.filter(({ severity }) => severity !== 'note'),
      [],
    );
    const tested = files.find((file) => file.name === name.replace('.json', '.test.json'));
    if (tested === undefined) return;
    const directory = await temporaryDirectory(t);
    await mkdir(directory, { recursive: true });
    const testFile = join(directory, tested.name);
    await writeFile(testFile, tested.text);
    const outcome = await runTests({ ruleFiles, testFiles: [testFile] });
    t.is(outcome.kind, 'run', JSON.stringify(outcome));
    if (outcome.kind !== 'run') return;
    t.true(outcome.results.length > 0);
    for (const { name: caseName, differences } of outcome.results) t.deepEqual(differences, [], caseName);
  });
}

test('each code of a finding is explained, and none that there is not', (t) => {
  const [, table = ''] = /## What `ferry rules check` warns of\n([\s\S]*?)\n## /.exec(guide) ?? [];
  const explained = [...table.matchAll(/^\| `([a-z-]+)`/gm)].map(([, code]) => code);
  t.deepEqual(explained.toSorted(), Object.keys(LINTS).toSorted());
});

test('each field of the context and of a test is in the guide', (t) => {
  for (const field of CONTEXT_FIELDS.keys()) t.true(guide.includes(`\`${field}\``), field);
  for (const field of Object.keys(RULE_TEST_SCHEMA.properties.cases.items.properties)) {
    t.true(guide.includes(`\`${field}\``), field);
  }
});
