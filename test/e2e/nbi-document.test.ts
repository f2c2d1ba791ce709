import test, { type ExecutionContext } from 'ava';
import type { SimulatedCpe } from '../../cpe-sim/index.js';
import { type NbiAnswer, startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  Barrier,
  cpeidOf,
  createCpe,
  IMAGE,
  IMAGE_NAME,
  introduce,
  NEW_VERSION,
  OLD_VERSION,
  requestSession,
  SUCCESS,
  startFileProxy,
  startHttpServer,
  startListener,
  uploadImage,
} from './simulated.js';

// Every call of "Firmware Upgrade via NBI" in its order, against a CPE that does what it is told. Bodies are compared as text too:
// scripts written against the document may look for its fields in its order.

const CPEID = cpeidOf('1');
const RULE_ID = `UPGRADE_${CPEID}`;
const RUNNING = 'Upgrade is running: the device is downloading the file';
const FAULT_9010 = 'Upgrade has failed with FaultCode 9010. FaultString: Download failure. File not found.';

interface Setting {
  readonly ferry: TestFerry;
  readonly cpe: SimulatedCpe;
  /** How many Downloads the CPE has read. */
  downloads(): number;
}

function ruleFor(file: string): Record<string, unknown> {
  return {
    id: RULE_ID,
    enabled: true,
    automatic: true,
    file,
    condition: { cpeid: CPEID },
    executions: 1,
    priority: 1,
    author: 'api',
  };
}

/** A Ferry whose file server is reached through a proxy that holds files at the barrier, and a CPE that has registered. */
async function start(
  t: ExecutionContext,
  { barrier = new Barrier(), faults = [] }: { barrier?: Barrier; faults?: readonly string[] } = {},
): Promise<Setting & { readonly publicFileUrl: string }> {
  const proxy = await startFileProxy(t, barrier);
  const ferry = await startTestFerry(t, { config: { publicFileUrl: [proxy.url] } });
  proxy.target = ferry.urls.files;
  const listener = await startListener(t);
  const cpe = createCpe(t, ferry.urls.cwmp, '1', { listener, faults });
  await introduce(ferry.nbi, cpe);
  return { ferry, cpe, downloads: () => cpe.downloads.length, publicFileUrl: proxy.url };
}

function equals(t: ExecutionContext, answer: NbiAnswer, status: number, body: unknown): void {
  t.is(JSON.stringify(answer.body), JSON.stringify(body));
  t.is(answer.status, status);
}

function getResult({ ferry }: Setting): Promise<NbiAnswer> {
  return ferry.nbi('GET', `/v1/dyn/FirmwareResultStorage/.*?id=${RULE_ID}`);
}

async function createRule(t: ExecutionContext, { ferry }: Setting, rule: unknown): Promise<void> {
  equals(t, await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule), 200, {
    code: 204,
    message: 'response from FirmwareStorage',
    details: '',
  });
}

async function sendConnectionRequest(t: ExecutionContext, { ferry }: Setting): Promise<void> {
  equals(t, await ferry.nbi('POST', '/v1/method/SendCNR', { search_options: { cpe_id: CPEID } }), 200, {
    result: { code: 200, message: 'OK' },
  });
}

async function resultNotFound(t: ExecutionContext, setting: Setting): Promise<void> {
  equals(t, await getResult(setting), 404, {
    code: 404,
    message: 'response from FirmwareResultStorage',
    details: '',
  });
}

/** Waits for a result of this message, and compares the whole answer; `id` and `ts` are whatever fits their form. */
async function resultFound(
  t: ExecutionContext,
  setting: Setting,
  expected: { status: boolean; code: number; message: string; description?: string },
): Promise<void> {
  const answer = await until(`the result says ${JSON.stringify(expected.message)}`, async () => {
    const found = await getResult(setting);
    return JSON.stringify(found.body).includes(JSON.stringify(expected.message)) && found;
  });
  const text = JSON.stringify(answer.body);
  const { id = '', ts = '' } =
    /"id":"(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})".*"ts":(?<ts>\d{10}),/.exec(text)?.groups ?? {};
  t.true(Math.abs(Number(ts) - Date.now() / 1_000) < 60, 'ts is in epoch seconds');
  equals(t, answer, 200, {
    code: 200,
    message: 'response from FirmwareResultStorage',
    details: [
      {
        id,
        status: expected.status,
        ts: Number(ts),
        cpeid: CPEID,
        rule_description: expected.description ?? '',
        campaignid: RULE_ID,
        result: { code: expected.code, message: expected.message },
      },
    ],
  });
}

async function deactivate(t: ExecutionContext, { ferry }: Setting): Promise<void> {
  const answer = await ferry.nbi('PUT', `/v1/dyn/FirmwareStorage/.*?campaignid=${RULE_ID}`, {
    id: RULE_ID,
    enabled: false,
    automatic: false,
  });
  equals(t, answer, 200, { code: 204, message: 'response from FirmwareStorage', details: '' });
}

/** The four calls of the document, with each answer that it shows on the way to success. */
async function upgradeByTheDocument(
  t: ExecutionContext,
  setting: Setting,
  file: string,
  barrier: Barrier,
): Promise<void> {
  await createRule(t, setting, ruleFor(file));
  await resultNotFound(t, setting);
  await sendConnectionRequest(t, setting);
  await resultFound(t, setting, { status: false, code: 202, message: RUNNING });
  barrier.open();
  await resultFound(t, setting, { status: true, code: 200, message: SUCCESS });
  await deactivate(t, setting);
  t.is(setting.cpe.softwareVersion, NEW_VERSION);
  t.is(setting.downloads(), 1);
}

test('the document, call by call: `file` is the name of an image', async (t) => {
  const barrier = new Barrier();
  const setting = await start(t, { barrier });
  await uploadImage(t, setting.ferry.nbi);
  await upgradeByTheDocument(t, setting, IMAGE_NAME, barrier);
  t.true(setting.cpe.downloads[0]?.url.startsWith(`${setting.publicFileUrl}/t/`));
});

test('the document, call by call: `file` is a URL of Ferry’s own file server', async (t) => {
  const barrier = new Barrier();
  const setting = await start(t, { barrier });
  await uploadImage(t, setting.ferry.nbi);
  await upgradeByTheDocument(t, setting, `${setting.publicFileUrl}/files/${IMAGE_NAME}`, barrier);
});

test('the document, call by call: `file` is a URL of somebody else’s server', async (t) => {
  const barrier = new Barrier();
  const url = await startHttpServer(t, async (request, response) => {
    await barrier.pass();
    response.writeHead(request.url === '/fw/2' ? 200 : 404, { 'Content-Length': IMAGE.length }).end(IMAGE);
  });
  const setting = await start(t);
  await upgradeByTheDocument(t, setting, `${url}/fw/2`, barrier);
  t.is(setting.cpe.downloads[0]?.url, `${url}/fw/2`);
});

test('a failure is reported in the words of the document, FaultCode 9010', async (t) => {
  const setting = await start(t, { faults: ['transfer:9010'] });
  await uploadImage(t, setting.ferry.nbi);
  await createRule(t, setting, { ...ruleFor(IMAGE_NAME), description: 'string' });
  await resultNotFound(t, setting);
  await sendConnectionRequest(t, setting);
  await resultFound(t, setting, { status: true, code: 500, message: FAULT_9010, description: 'string' });
  await deactivate(t, setting);
  t.is(setting.cpe.softwareVersion, OLD_VERSION);
});

test('a file that is not there is reported with what the CPE says of it', async (t) => {
  const url = await startHttpServer(t, (_request, response) => response.writeHead(404).end());
  const setting = await start(t);
  await createRule(t, setting, ruleFor(`${url}/gone.bin`));
  await sendConnectionRequest(t, setting);
  await resultFound(t, setting, {
    status: true,
    code: 500,
    message:
      'Upgrade has failed with FaultCode 9016. FaultString: Download failure: unable to access file (HTTP 404)',
  });
});

test('a deactivated rule sends nothing, whatever is asked of its CPE, until it is activated again', async (t) => {
  const setting = await start(t, { faults: ['refuse:9001'] });
  const { ferry, cpe } = setting;
  await uploadImage(t, ferry.nbi);
  await createRule(t, setting, ruleFor(IMAGE_NAME));
  await requestSession(t, ferry.nbi, cpe);
  t.is(setting.downloads(), 1);
  await deactivate(t, setting);
  // Nothing but the rule's being off keeps it from its CPE now.
  t.is((await ferry.nbi('POST', '/v1/method/RestartRule', { id: RULE_ID })).status, 200);
  await requestSession(t, ferry.nbi, cpe);
  await requestSession(t, ferry.nbi, cpe);
  t.is(setting.downloads(), 1);
  const activated = await ferry.nbi('PUT', `/v1/dyn/FirmwareStorage/${RULE_ID}`, { enabled: true });
  t.is(activated.status, 200);
  await requestSession(t, ferry.nbi, cpe);
  t.is(setting.downloads(), 2);
});

test('SendCNR: credentials that the CPE was given by somebody else are refused with 502', async (t) => {
  const { ferry, cpe } = await start(t);
  cpe.parameters.set('Device.ManagementServer.ConnectionRequestPassword', 'changed by its owner');
  const answer = await ferry.nbi('POST', '/v1/method/SendCNR', { search_options: { cpe_id: CPEID } });
  equals(t, answer, 502, { result: { code: 502, message: 'The CPE refused the credentials (401)' } });
});
