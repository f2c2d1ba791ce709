import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  cpeFault,
  downloadResponse,
  type InformFields,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';

const RPCS_MAX = 20;
const SERVER = 'Device.ManagementServer';

async function start(
  t: ExecutionContext,
  options: Parameters<typeof startTestFerry>[1] = {},
): Promise<TestFerry> {
  const ferry = await startTestFerry(t, options);
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const rule = { id: 'R1', file: 'hgw-2.bin', condition: { productClass: 'HGW' } };
  t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule)).status, 200);
  return ferry;
}

/** Answers a SetParameterValues of these names; null hangs up on it. */
type Setting = (names: readonly string[]) => string | null;

/** One session. @returns what it was asked to set, each time, and `Download` */
async function visit(ferry: TestFerry, setting: Setting, fields: InformFields = {}): Promise<string[]> {
  const cpe = new RawCpe(ferry.urls.cwmp);
  const asked: string[] = [];
  await cpe.post(inform(fields));
  let answer = await cpe.post('');
  while (answer.status === 200 && asked.length < RPCS_MAX) {
    const rpc = rpcOf(answer.body);
    const names = [...answer.body.matchAll(/<Name>([^<]*)</g)].map(([, name]) => name ?? '');
    asked.push(rpc === 'SetParameterValues' ? names.map((name) => name.split('.').at(-1)).join() : rpc);
    const response = rpc === 'SetParameterValues' ? setting(names) : downloadResponse();
    if (response === null) break;
    answer = await cpe.post(response);
  }
  cpe.close();
  return asked;
}

interface ShownDevice {
  readonly provisioning: string;
  readonly provisioningTries?: number;
  readonly problems?: readonly string[];
}

async function device(ferry: TestFerry): Promise<ShownDevice> {
  const { body } = await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*');
  const [found] = (body as { details: ShownDevice[] }).details;
  if (found === undefined) throw new Error('no device is known');
  return found;
}

/** Fault 9003 of TR-069 A.3.2.1, with the parameters it is for. */
function refusing(culprits: readonly string[]): string {
  const entries = culprits.map(
    (name) =>
      `<SetParameterValuesFault><ParameterName>${name}</ParameterName><FaultCode>9008</FaultCode>` +
      '<FaultString>read-only</FaultString></SetParameterValuesFault>',
  );
  return cpeFault(9003, 'Invalid arguments').replace('</cwmp:Fault>', `${entries.join('')}</cwmp:Fault>`);
}

const ALL = 'PeriodicInformEnable,PeriodicInformInterval,ConnectionRequestUsername,ConnectionRequestPassword';
const CREDENTIALS = 'ConnectionRequestUsername,ConnectionRequestPassword';
const PERIODIC = 'PeriodicInformEnable,PeriodicInformInterval';
const HANGING_UP: Setting = () => null;
const UNREADABLE: Setting = () => '<SetParameterValuesResponse';
const BOOTSTRAP: InformFields = { events: ['0 BOOTSTRAP', '1 BOOT'] };

test('a CPE that hangs up on SetParameterValues is upgraded after three tries, and shown', async (t) => {
  const ferry = await start(t);
  t.deepEqual(await visit(ferry, HANGING_UP), [ALL]);
  t.like(await device(ferry), { provisioning: 'due', provisioningTries: 1 });
  for (let tries = 2; tries <= 3; tries++) t.deepEqual(await visit(ferry, HANGING_UP), [ALL]);
  t.deepEqual(await visit(ferry, HANGING_UP), ['Download']);
  t.deepEqual(await device(ferry).then(({ provisioning, problems }) => ({ provisioning, problems })), {
    provisioning: 'failed',
    problems: ['SetParameterValues found no answer that can be read, tries so far: 3'],
  });
  t.truthy(ferry.events.find(({ event }) => event === 'cpe.not-provisioned'));
});

test('also one that boots by it each time and reports the same events again', async (t) => {
  const ferry = await start(t);
  const seen: string[][] = [];
  for (let session = 0; session < 4; session++) seen.push(await visit(ferry, HANGING_UP, BOOTSTRAP));
  t.deepEqual(seen, [[ALL], [ALL], [ALL], ['Download']]);
});

test('after a boot it is tried again, and what is then taken is done', async (t) => {
  const ferry = await start(t);
  for (let session = 0; session < 4; session++) await visit(ferry, HANGING_UP);
  t.deepEqual(await visit(ferry, () => SET_PARAMETER_VALUES_RESPONSE), []);
  t.deepEqual(await visit(ferry, () => SET_PARAMETER_VALUES_RESPONSE, { events: ['1 BOOT'] }), [ALL]);
  const { provisioning, provisioningTries, problems } = await device(ferry);
  t.deepEqual(
    { provisioning, provisioningTries, problems },
    {
      provisioning: 'done',
      provisioningTries: undefined,
      problems: undefined,
    },
  );
});

test('a SetParameterValuesResponse that cannot be read is no fault of the session: the upgrade comes in it', async (t) => {
  const ferry = await start(t, { checksSchema: false });
  t.deepEqual(await visit(ferry, UNREADABLE), [ALL, 'Download']);
  t.is((await device(ferry)).provisioning, 'due');
  for (let tries = 2; tries <= 3; tries++) await visit(ferry, UNREADABLE);
  t.is((await device(ferry)).provisioning, 'failed');
});

test('what a CPE names as read-only is left out, the rest is set once more, and the device says so', async (t) => {
  const ferry = await start(t);
  const culprit = `${SERVER}.PeriodicInformEnable`;
  const seen = await visit(ferry, (names) =>
    names.includes(culprit) ? refusing([culprit]) : SET_PARAMETER_VALUES_RESPONSE,
  );
  t.deepEqual(seen, [ALL, `PeriodicInformInterval,${CREDENTIALS}`, 'Download']);
  const { provisioning, problems } = await device(ferry);
  t.is(provisioning, 'partly');
  t.deepEqual(problems, [`not set: ${culprit}, with fault 9008 (read-only)`]);
});

test('where nothing is named credentials are tried alone, then the periodic Inform', async (t) => {
  const ferry = await start(t);
  const seen = await visit(ferry, (names) =>
    names.length > 2 ? cpeFault(9003, 'Invalid arguments') : SET_PARAMETER_VALUES_RESPONSE,
  );
  t.deepEqual(seen, [ALL, CREDENTIALS, PERIODIC, 'Download']);
  t.is((await device(ferry)).provisioning, 'done');
});

test('a CPE that refuses all is upgraded in the same session, says so in DeviceStorage, and is left alone until a boot', async (t) => {
  const ferry = await start(t);
  const refuses: Setting = () => cpeFault(9001, 'Request denied');
  t.deepEqual(await visit(ferry, refuses), [ALL, CREDENTIALS, PERIODIC, 'Download']);
  const { provisioning, problems } = await device(ferry);
  t.is(provisioning, 'refused');
  t.deepEqual(
    problems,
    [CREDENTIALS, PERIODIC].map((names) => {
      const full = names.split(',').map((name) => `${SERVER}.${name}`);
      return `not set: ${full.join(', ')}, with fault 9001 (Request denied)`;
    }),
  );
  t.deepEqual(await visit(ferry, refuses), []);
  t.is((await visit(ferry, refuses, { events: ['1 BOOT'] }))[0], ALL);
});

test('a session that is stored between two settings goes on with new credentials', async (t) => {
  const ferry = await start(t, { config: { shareSessions: true } });
  const passwordIn = (body: string) =>
    /<Name>[^<]*ConnectionRequestPassword<\/Name><Value[^>]*>([^<]+)</.exec(body)?.[1] ?? '';
  // Without keeping its connection, so that each step is stored.
  const cpe = new RawCpe(ferry.urls.cwmp);
  cpe.headers = { Connection: 'close' };
  await cpe.post(inform());
  const password = passwordIn((await cpe.post('')).body);
  t.true(password.length > 10);
  const next = passwordIn((await cpe.post(cpeFault(9003, 'Invalid arguments'))).body);
  t.true(next.length > 10);
  t.not(next, password);
  cpe.close();
});
