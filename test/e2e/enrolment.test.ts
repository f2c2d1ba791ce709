import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../acs/index.js';
import type { CpeId } from '../../common/index.js';
import { ferry as run } from '../cli/support.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  cpeFault,
  downloadResponse,
  inform,
  RawCpe,
  restOfSession,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';
import { cpeidOf, IMAGE_NAME, PRODUCT_CLASS, postRule, uploadImage } from './simulated.js';

const HONEST = cpeidOf('honest');
const X = cpeidOf('1');

/** A CPE as it was stored before anybody spoke of enrolment, by an earlier version too. */
async function storeKnown(
  { installation }: TestFerry,
  serialNumber: string,
  more: Partial<Device> = {},
): Promise<void> {
  await installation.store.collection<Device>(DEVICES).put({
    id: cpeidOf(serialNumber) as CpeId,
    manufacturer: 'Acme',
    oui: '00A1B2',
    productClass: PRODUCT_CLASS,
    serialNumber,
    softwareVersion: '1.0.0',
    root: 'Device',
    namespace: 'urn:dslforum-org:cwmp-1-0',
    ip: '127.0.0.1',
    provisioning: 'done',
    registeredMs: 0,
    lastInformMs: 0,
    lastEvents: [],
    tags: [],
    counts: {},
    informDigest: '',
    ...more,
  });
}

/** One session; what is to be set is taken, and a Download, unless it `fails`. @returns the RPCs that the CPE was sent after its Inform, or its status where there was none */
async function session(
  t: ExecutionContext,
  { urls }: Pick<TestFerry, 'urls'>,
  fields: Parameters<typeof inform>[0],
  from: { readonly ip?: string; readonly credentials?: string; readonly fails?: boolean } = {},
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
  const { rpcs } = await restOfSession(cpe, {
    SetParameterValues: SET_PARAMETER_VALUES_RESPONSE,
    Download: from.fails === true ? cpeFault(9010, 'Download failure') : downloadResponse(),
  });
  cpe.close();
  return rpcs;
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
const LIMITS = {
  concurrent: { concurrent: 3 },
  total: { total: 3 },
  failures: { stopAfterFailures: 3 },
  all: { concurrent: 3, total: 3, stopAfterFailures: 3 },
};
const [HOME, STRANGER] = ['127.0.0.1', '127.0.0.9'];

const [TOLD_ALL, TOLD_NO_RULE] = [['SetParameterValues', 'Download'], ['SetParameterValues']] as const;
const TAKE_ALL = [TOLD_ALL, TOLD_ALL, TOLD_ALL];
const LEAVE_ONE = [TOLD_ALL, TOLD_ALL, TOLD_NO_RULE];
const WAIT = [[], [], []];

// The table `Three invented CPEs` of docs/security.md.
for (const [enrol, from, limit, invented, honest] of [
  ['open', STRANGER, 'concurrent', LEAVE_ONE, ['Download']],
  ['open', STRANGER, 'total', LEAVE_ONE, ['Download']],
  ['open', STRANGER, 'failures', TAKE_ALL, []],
  ['open', HOME, 'concurrent', TAKE_ALL, []],
  ['open', HOME, 'total', TAKE_ALL, []],
  ['open', HOME, 'failures', TAKE_ALL, []],
  ['known', HOME, 'all', WAIT, ['Download']],
  ['approve', HOME, 'all', WAIT, ['Download']],
] as const) {
  const at = from === HOME ? 'the address of an honest one' : 'another address';
  test(`three invented CPEs at ${at}, before that, with --enrol ${enrol} and limits of three ${limit}: the honest one gets ${honest.length === 0 ? 'nothing' : 'its Download'}`, async (t) => {
    const ferry = await startTestFerry(t, { config: { enrol } });
    await storeKnown(ferry, 'honest');
    await uploadImage(t, ferry.nbi);
    await postRule(t, ferry.nbi, { ...RULE, limits: LIMITS[limit] });
    const fails = limit === 'failures';
    for (const [index, told] of invented.entries())
      t.deepEqual(await session(t, ferry, { serial: String(index + 1) }, { ip: from, fails }), told);
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

test('turned back to open, whoever waits does so no more: at the next session that is written, and explained before', async (t) => {
  const ferry = await startTestFerry(t);
  await storeKnown(ferry, '1', { enrolment: 'waiting' });
  const { body } = await ferry.nbi('POST', '/v1/method/ExplainRules', { cpe_id: X });
  t.notRegex(JSON.stringify(body), /waits to be enrolled/);
  t.is((await deviceOf(ferry, X))?.['enrolment'], 'waiting');
  await session(t, ferry, { serial: '1' });
  t.is((await deviceOf(ferry, X))?.['enrolment'], undefined);
});

const SHARED = 'fleet:shared secret';
const BY_SHARED = { credentials: SHARED };

for (const enrol of ['known', 'approve'] as const)
  test(`with --enrol ${enrol} a CPE of which credentials are on record is enrolled, also where it waits already`, async (t) => {
    const ferry = await startTestFerry(t, {
      config: { cpeAuth: SHARED, allowAnonymousCpe: false, enrol, bootstrapCredentials: true },
    });
    const give = (cpeid: string, username: string) =>
      run(
        [
          'cpe-auth',
          'set',
          cpeid,
          `--username=${username}`,
          '--password-stdin',
          `--data-dir=${ferry.dataDir}`,
        ],
        { input: 'first\n' },
      );
    const enrolment = async (serial: string) => (await deviceOf(ferry, cpeidOf(serial)))?.['enrolment'];
    t.deepEqual(await session(t, ferry, { serial: '1' }, BY_SHARED), [], 'nor is it given credentials');
    t.is(await enrolment('1'), 'waiting');
    await give(cpeidOf('1'), 'one');
    await give(cpeidOf('2'), 'two');
    t.deepEqual(await session(t, ferry, { serial: '1' }, BY_SHARED), ['SetParameterValues']);
    const own = { credentials: 'two:first' };
    t.deepEqual(await session(t, ferry, { serial: '2' }, own), ['SetParameterValues']);
    t.deepEqual([await enrolment('1'), await enrolment('2')], [undefined, undefined]);
    t.is(ferry.events.filter(({ event }) => event === 'cpe.enrolled').length, 1);
  });

for (const [enrol, enrolment] of [
  ['known', undefined],
  ['approve', 'waiting'],
] as const)
  test(`a CPE that was named before it was heard of ${enrolment === undefined ? 'is enrolled' : 'waits all the same'} with --enrol ${enrol}, and is a new one once it is deleted`, async (t) => {
    const ferry = await startTestFerry(t, { config: { enrol } });
    const approve = async (ids: unknown) => {
      const { body } = await ferry.nbi('POST', '/v1/method/ApproveDevices', { cpe_id: ids });
      return (body as { details?: unknown }).details;
    };
    const shown = async () => (await deviceOf(ferry, X))?.['enrolment'];
    t.deepEqual(await approve([X, cpeidOf('2')]), { approved: 0, named: 2, enrolled: 0 });
    await session(t, ferry, { serial: '1' });
    t.is(await shown(), enrolment);
    const approved = enrolment === undefined ? 0 : 1;
    t.deepEqual(await approve(X), { approved, named: 0, enrolled: 1 - approved });
    t.is(await shown(), undefined);
    t.is((await ferry.nbi('DELETE', `/v1/dyn/DeviceStorage/${X}`)).status, 200);
    await session(t, ferry, { serial: '1' });
    t.is(await shown(), 'waiting');
  });

test('CPEs of an address that has had most are told to come again where new ones run short; others are taken on, and known ones never asked', async (t) => {
  const ferry = await startTestFerry(t, {
    config: { newCpesPerMinute: 8, sharedAddress: ['127.0.0.3'] },
    // So that the minute does not end on a slow machine.
    monotonic: () => 1_000,
  });
  const from = (ip: string, serial: string) => session(t, ferry, { serial }, { ip });
  const taken = ['SetParameterValues'];
  for (let serial = 1; serial <= 6; serial++) t.deepEqual(await from('127.0.0.1', String(serial)), taken);
  t.is(await from('127.0.0.1', '7'), 503);
  t.is(await deviceOf(ferry, cpeidOf('7')), null);
  t.deepEqual(await from('127.0.0.2', '8'), taken);
  t.deepEqual(await from('127.0.0.3', '9'), taken);
  t.is(await from('127.0.0.2', '10'), 503);
  t.deepEqual(await from('127.0.0.1', '1'), []);
  const told = ferry.events.map(({ event }) => event);
  const [short, refused] = [told.indexOf('cpes.new-run-short'), told.indexOf('cwmp.unavailable')];
  t.true(short >= 0 && short < refused, 'warned before anybody was refused');
  const metrics = String((await ferry.nbi('GET', '/metrics')).body);
  const counts = { taken: 6, 'taken-guarded': 2, 'refused-greediest': 1, refused: 1 };
  for (const [outcome, count] of Object.entries(counts))
    t.true(metrics.includes(`ferry_new_cpes_total{outcome="${outcome}"} ${count}\n`), outcome);
});

test('the number of CPEs that there may be holds from the count that the server makes when it starts', async (t) => {
  const ferry = await startTestFerry(t, { config: { cpesMax: 10 } });
  for (let serial = 1; serial <= 10; serial++) await storeKnown(ferry, `s${serial}`);
  await ferry.close();
  const again = await startTestFerry(t, { dataDir: ferry.dataDir, config: { cpesMax: 10 } });
  await until('they are counted', async () =>
    /^ferry_cpes_waiting 0$/m.test(String((await again.nbi('GET', '/metrics')).body)),
  );
  t.is(await session(t, again, { serial: 'new' }), 503);
  t.deepEqual(await session(t, again, { serial: 's1' }), []);
});
