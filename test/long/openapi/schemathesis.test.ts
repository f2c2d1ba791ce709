import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { cpeidOf, uploadImage } from '../../e2e/simulated.js';
import { startTestFerry } from '../../support/ferry.js';
import { OPENAPI_FILES, openApiTools, runTool } from '../../support/openapi-tools.js';
import { SERIALS, serveAdminCredentials } from './admin-credentials.js';

const EXCEPTIONS = join(OPENAPI_FILES, 'schemathesis.toml');
/** Of each operation, beside what its schemas make worth trying. More, and others, for a hunt. */
const EXAMPLES = process.env['FERRY_SCHEMATHESIS_EXAMPLES'] ?? '3';
const SEED = process.env['FERRY_SCHEMATHESIS_SEED'] ?? '19';
/** For a hunt: what is left of so many seconds is filled with other examples. */
const SECONDS = process.env['FERRY_SCHEMATHESIS_SECONDS'];
const TRIED_MIN = 2_000;

const tools = openApiTools();
if (tools !== null) {
  test('what the document says is what the server does, and what it allows the server takes', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'ferry-schemathesis-'));
    t.teardown(() => rm(directory, { recursive: true, force: true }));
    // Credentials that are no good are tried at every operation, from one address.
    const ferry = await startTestFerry(t, { config: { nbiFailedLoginsMax: 1_000 } });
    await uploadImage(t, ferry.nbi);
    const report = join(directory, 'report.ndjson');
    const ran = await runTool(
      join(tools, 'schemathesis'),
      [
        ...['--config-file', EXCEPTIONS, 'run', `${ferry.urls.nbi}/v1/openapi.json`],
        ...['--max-examples', EXAMPLES, '--seed', SEED, '--workers', '1'],
        ...(SECONDS === undefined ? [] : ['--max-time', SECONDS]),
        ...['--continue-on-failure', '--generation-database', 'none', '--no-color'],
        ...['--report', 'ndjson', '--report-ndjson-path', report],
      ],
      {
        cwd: directory,
        env: {
          FERRY_DEVICES: SERIALS.map(cpeidOf).join(' '),
          FERRY_CREDENTIALS: await serveAdminCredentials(t, ferry),
          SCHEMATHESIS_HOOKS: 'hooks',
          PYTHONPATH: OPENAPI_FILES,
          PYTHONDONTWRITEBYTECODE: '1',
        },
      },
    );
    const tried = Number(/^ {2}(\d+) generated/m.exec(ran.output)?.[1]);
    t.log(`${tried} requests, and what came of them`);
    const kept = process.env['FERRY_SCHEMATHESIS_REPORT'];
    if (kept !== undefined) await copyFile(report, kept);
    t.is(ran.code, 0, ran.output);
    t.true(tried >= TRIED_MIN, ran.output);
  });
}

test('each exception from its checks names operations, one check and the reason', async (t) => {
  const text = await readFile(EXCEPTIONS, 'utf8');
  const [head = '', ...exceptions] = text.split(/^\[\[operations\]\]$/m);
  t.notRegex(head, /^[^#\n]/m, 'nothing is said of all operations');
  for (const exception of exceptions) {
    const lines = exception.trim().split('\n');
    t.regex(lines[0] ?? '', /^# \S+ .+/, `a reason: ${exception}`);
    const said = lines.filter((line) => !line.startsWith('#') && line.trim() !== '').join(' ');
    t.regex(
      said,
      /^include-operation-id = \[[^\]]+\]\s+\[operations\.checks\.\w+\] (?:enabled = false|expected-statuses = \[[^\]]+\])$/,
    );
  }
});
