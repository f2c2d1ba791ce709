import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import {
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  introduce,
  NEW_VERSION,
  SUCCESS,
  startListener,
  uploadImage,
} from '../../e2e/simulated.js';
import { ADMIN, startTestFerry } from '../../support/ferry.js';
import { OPENAPI_FILES, openApiTools, runTool } from '../../support/openapi-tools.js';

const PACKAGE = 'ferry_client';

const tools = openApiTools();
if (tools !== null) {
  test('the package that openapi-python-client makes of the document upgrades CPEs, by a rule and by a batch', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'ferry-python-client-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    const ferry = await startTestFerry(t);
    const document = await fetch(`${ferry.urls.nbi}/v1/openapi.json`);
    await writeFile(join(directory, 'openapi.json'), await document.text());
    // Nothing of it need look well.
    await writeFile(join(directory, 'config.yaml'), 'post_hooks: []\n');
    const made = await runTool(
      join(tools, 'openapi-python-client'),
      [
        ...['generate', '--path', 'openapi.json', '--config', 'config.yaml'],
        ...['--meta', 'none', '--output-path', PACKAGE],
      ],
      { cwd: directory },
    );
    t.is(made.code, 0, made.output);
    // It knows no JSON by lines, nor YAML, and leaves out what takes or gives nothing else; all other calls are there.
    const leftOut = [...made.output.matchAll(/^WARNING parsing (.*) within/gm)].map(([, call]) => call);
    t.deepEqual(leftOut, [
      'POST /v1/dyn/FirmwareStorage/{pattern}',
      'POST /v1/dyn/CpeAuthStorage/{pattern}',
      'POST /v1/batches',
      'GET /pages/{asset}',
      'GET /api/v1/docs/{asset}',
      'GET /api/v1/docs.yaml',
    ]);

    await uploadImage(t, ferry.nbi);
    const listener = await startListener(t);
    const serials = ['1', '2'];
    for (const serial of serials) {
      await introduce(ferry.nbi, createCpe(t, ferry.urls.cwmp, serial, { listener }));
    }
    const { users } = ferry.installation;
    const { text } = await users.tokens.create({ name: 'python', user: ADMIN.name }, null);
    const ran = await runTool(join(tools, 'python'), [
      join(OPENAPI_FILES, 'upgrade.py'),
      ...[directory, ferry.urls.nbi, text, IMAGE_NAME, NEW_VERSION],
      ...serials.map(cpeidOf),
    ]);
    t.is(ran.code, 0, ran.output);
    t.deepEqual(JSON.parse(ran.output), {
      rule: { stored: 204, asked: 200, campaignid: 'BY_PYTHON', code: 200, message: SUCCESS },
      batch: { made: 201, cpeid: cpeidOf('2'), state: 'verified', counted: 1 },
    });
  });
}
