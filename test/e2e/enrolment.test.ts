import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ferry as run } from '../cli/support.js';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  downloadResponse,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';
import { cpeidOf, IMAGE_NAME, PRODUCT_CLASS, postRule, uploadImage } from './simulated.js';

const HONEST = cpeidOf('honest');
const X = cpeidOf('1');

async function directoryOf(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-enrolment-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** One session; what is to be set is taken, and a Download. @returns the RPCs that the CPE was sent after its Inform, or its status where there was none */
async function session(
  t: ExecutionContext,
  { urls }: Pick<TestFerry, 'urls'>,
  fields: Parameters<typeof inform>[0],
  from: { readonly ip?: string; readonly credentials?: string } = {},
): Promise<readonly string[] | number> {
  const cpe = new RawCpe(urls.cwmp, from.ip);
  t.teardown(() => cpe.close());
  if (from.credentials !== undefined)
    cpe.headers = { Authorization: `Basic ${Buffer.from(from.credentials).toString('base64')}` };
  const began = await cpe.post(inform(fields));
  if (began.status !== 200) {
    if (began.status === 503) t.regex(String(began.headers['retry-after']), /^\d+$/);
    return began.status;
  }
  const sent: string[] = [];
  let { body } = await cpe.post('');
  while (body !== '') {
    const rpc = rpcOf(body);
    sent.push(rpc);
    const answer = rpc === 'Download' ? downloadResponse() : SET_PARAMETER_VALUES_RESPONSE;
    body = (await cpe.post(answer)).body;
  }
  return sent;
}

async function deviceOf({ nbi }: TestFerry, cpeid: string): Promise<Record<string, unknown> | null> {
  const { status, body } = await nbi('GET', `/v1/dyn/DeviceStorage/${cpeid}?parameters=true`);
  if (status === 404) return null;
  return (body as { details: readonly Record<string, unknown>[] }).details[0] ?? null;
}

async function commanded({ dataDir }: TestFerry, ...words: string[]) {
  return run([...words, `--data-dir=${dataDir}`]);
}

const RULE = { id: 'R', file: IMAGE_NAME, condition: { productClass: PRODUCT_CLASS } };
const LIMITS = { concurrent: 3, total: 3, stopAfterFailures: 3 };

for (const [enrol, honest, invented] of [
  // What a rule's limits keep for others will change this row.
  ['open', [], ['SetParameterValues', 'Download']],
  ['known', ['Download'], []],
  ['approve', ['Download'], []],
] as const) {
  test(`three invented CPEs before an honest one under limits of three, with --enrol ${enrol}: the honest one gets ${honest.length === 0 ? 'nothing' : 'its Download'}`, async (t) => {
    const dataDir = await directoryOf(t);
    const before = await startTestFerry(t, { dataDir });
    t.deepEqual(await session(t, before, { serial: 'honest' }), ['SetParameterValues']);
    await uploadImage(t, before.nbi);
    await postRule(t, before.nbi, { ...RULE, limits: LIMITS });
    await before.close();

    const ferry = await startTestFerry(t, { dataDir, config: { enrol } });
    for (const serial of ['1', '2', '3']) t.deepEqual(await session(t, ferry, { serial }), invented);
    t.deepEqual(await session(t, ferry, { serial: 'honest' }), honest);
    t.is((await deviceOf(ferry, HONEST))?.['enrolment'], undefined);
    t.is((await deviceOf(ferry, X))?.['enrolment'], enrol === 'open' ? undefined : 'waiting');
  });
}

test('a CPE that waits is answered and recorded without its data model, and gets no rule, settings or reads; once it is approved it gets all', async (t) => {
  const ferry = await startTestFerry(t, { config: { enrol: 'approve' } });
  await uploadImage(t, ferry.nbi);
  await postRule(t, ferry.nbi, [RULE, { ...RULE, id: 'READS', condition: 'parameters.Device.X_Y.Z = 1' }]);
  const fields = { serial: '1', parameters: { 'Device.WiFi.RadioNumberOfEntries': '2' } };
  t.deepEqual(await session(t, ferry, fields), []);
  t.deepEqual(await session(t, ferry, fields), []);
  t.deepEqual(await session(t, ferry, { ...fields, version: '1.0.1' }), []);
  t.like(await deviceOf(ferry, X), {
    enrolment: 'waiting',
    softwareVersion: '1.0.1',
    provisioning: 'due',
    parameters: {},
  });
  t.like(
    ferry.events.filter(({ event }) => event === 'cpe.waits-to-be-enrolled'),
    { length: 1, 0: { fields: { cpeid: X, ip: '127.0.0.1' } } },
  );
  t.false(ferry.events.some(({ event }) => event === 'cpe.registered'));

  const explained = await ferry.nbi('POST', '/v1/method/ExplainRules', { cpe_id: X });
  t.like(explained.body, { details: { kind: 'nothing', winner: null } });
  t.regex(JSON.stringify(explained.body), /waits to be enrolled/);
  const matched = await ferry.nbi('POST', '/v1/method/MatchDevices', { rule_id: 'R' });
  t.like(matched.body, {
    details: { matching: 1, would_upgrade_now: 0, verdicts: { 'waits-to-be-enrolled': 1 } },
  });
  const listed = await commanded(ferry, 'device', 'list', '--waiting', '--json');
  t.deepEqual(
    (JSON.parse(listed.stdout) as { id: string }[]).map(({ id }) => id),
    [X],
  );

  const approved = await commanded(ferry, 'device', 'approve', X);
  t.like(approved, { exitCode: 0, stdout: 'Enrolled 1 CPE.\n' });
  const again = await commanded(ferry, 'device', 'approve', X);
  t.is(again.stdout, 'Enrolled 0 CPEs.\n1 CPE enrolled already.\n');
  t.is((await deviceOf(ferry, X))?.['enrolment'], undefined);
  const sent = await session(t, ferry, { ...fields, version: '1.0.1' });
  t.deepEqual(
    [...new Set(sent as readonly string[])],
    ['SetParameterValues', 'GetParameterValues', 'Download'],
  );
  t.like(await deviceOf(ferry, X), { parameters: { 'Device.WiFi.RadioNumberOfEntries': '2' } });
});
