import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { openApiDocument } from '../../nbi/declared.js';
import { openApiTools, runTool } from '../../support/openapi-tools.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

let directory = '';
const file = () => join(directory, 'openapi.json');

test.before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ferry-openapi-'));
  await writeFile(file(), JSON.stringify(openApiDocument));
});

test.after.always(() => rm(directory, { recursive: true, force: true }));

const tools = openApiTools();
if (tools !== null) {
  test('the document is OpenAPI 3.1 to openapi-spec-validator', async (t) => {
    const ran = await runTool(join(tools, 'openapi-spec-validator'), [file()]);
    t.deepEqual(ran, { code: 0, output: `${file()}: OK\n` });
  });
}

test('redocly has nothing to say against the document, by what redocly.yaml asks for', async (t) => {
  const cli = join(ROOT, 'node_modules/@redocly/cli/bin/cli.js');
  const args = ['lint', '--config', join(ROOT, 'redocly.yaml'), '--format', 'json', file()];
  const env = { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const { code, output } = await runTool(process.execPath, [cli, ...args], { cwd: directory, env });
  const found: unknown = JSON.parse(output.slice(output.indexOf('{'), output.lastIndexOf('}') + 1));
  t.like(found, { totals: { errors: 0, warnings: 0, ignored: 0 }, problems: [] });
  t.is(code, 0);
});
