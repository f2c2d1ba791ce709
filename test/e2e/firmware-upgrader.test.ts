import test, { type ExecutionContext } from 'ava';
import { type Answered, ask, fieldOf, idOf, PREFIX, resultsOf } from '../nbi/firmware-upgrader/support.js';
import { operationIn } from '../nbi/firmware-upgrader/upgrade-support.js';
import { ADMIN, startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  Barrier,
  cpeidOf,
  createCpe,
  IMAGE,
  introduce,
  NEW_VERSION,
  OLD_VERSION,
  outcomes,
  PRODUCT_CLASS,
  SUCCESS,
  startFileProxy,
  startListener,
} from './simulated.js';

// A script of the firmware upgrader from its token to a device that runs the image, against CPEs that do what they are told.

interface Script {
  readonly ferry: TestFerry;
  readonly build: string;
  readonly image: string;
  call(method: string, path: string, json?: unknown): Promise<Answered>;
  /** A CPE that is known, of the board that the image is for; and its id. */
  device(
    serial: string,
    faults?: readonly string[],
  ): Promise<{ readonly id: string; readonly serial: string }>;
}

async function startScript(
  t: ExecutionContext,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Script> {
  const ferry = await startTestFerry(t, { config });
  const listener = await startListener(t);
  const { nbi: url } = ferry.urls;
  const logIn = { json: { username: ADMIN.name, password: ADMIN.password } };
  const token = String(fieldOf((await ask(`${url}/api/v1/users/token/`, 'POST', logIn)).body, 'token'));
  const call = (method: string, path: string, json?: unknown) =>
    ask(`${url}${PREFIX}${path}`, method, { token, ...(json !== undefined && { json }) });
  const category = idOf(await call('POST', 'category/', { name: 'Gateways' }));
  const build = idOf(await call('POST', 'build/', { category, version: '2', os: NEW_VERSION }));
  // Of a type that no list has, and so for the board that it is called by.
  const place = `build=${build}&type=${PRODUCT_CLASS}`;
  const uploaded = await ferry.nbi('PUT', `/v1/images/hgw.bin?${place}`, new Uint8Array(IMAGE));
  t.is(uploaded.status, 201, JSON.stringify(uploaded.body));
  const [image] = resultsOf(await call('GET', `build/${build}/image/`));
  return {
    ferry,
    build,
    image: String(image?.['id']),
    call,
    async device(serial, faults = []) {
      const cpe = createCpe(t, ferry.urls.cwmp, serial, { listener, faults });
      await introduce(ferry.nbi, cpe);
      return { id: ferry.acs.deviceIds.idOf(cpeidOf(serial) as never), serial };
    },
  };
}

/** An operation once it is no longer in progress. */
async function ended({ call }: Script, operation: string): Promise<unknown> {
  return until(`the operation ${operation} has ended`, async () => {
    const { body } = await call('GET', `upgrade-operation/${operation}/`);
    return fieldOf(body, 'status') !== 'in-progress' && body;
  });
}

test('a device that is given an image is called, upgraded once and verified, and all say so', async (t) => {
  const script = await startScript(t);
  const { call, ferry, image } = script;
  const { id, serial } = await script.device('1');
  const put = await call('PUT', `device/${id}/firmware/`, { image });
  t.is(put.status, 201, put.text);
  t.like(put.body, { image, installed: false });
  const operation = await ended(script, operationIn(put.body));
  t.like(operation, { device: id, image, status: 'success', progress: 100 });
  t.true(String(fieldOf(operation, 'log')).includes(OLD_VERSION));
  t.like((await call('GET', `device/${id}/firmware/`)).body, { image, installed: true });
  t.deepEqual(await outcomes(ferry.nbi, cpeidOf(serial)), [`200 ${SUCCESS}`]);
  // The same again: it is installed, and nothing is begun.
  const again = await call('PUT', `device/${id}/firmware/`, { image });
  t.is(again.status, 200);
  t.is(operationIn(again.body), operationIn(put.body));
  t.deepEqual((await call('GET', `build/${script.build}/upgrade/`)).body, {
    device_firmwares: [],
    devices: [],
  });
});

test('a build upgrades whom the dry run has told of: some succeed, one fails, and the batch says how many', async (t) => {
  const script = await startScript(t);
  const { call, build, image } = script;
  const devices = [
    await script.device('1'),
    await script.device('2'),
    await script.device('3', ['refuse:9010']),
  ];
  const ids = devices.map(({ id }) => id);
  const path = `build/${build}/upgrade/`;
  t.is((await call('POST', path, {})).status, 400);
  t.deepEqual(fieldOf((await call('GET', path)).body, 'devices'), ids.toReversed());
  const made = await call('POST', path, { upgrade_all: true });
  t.is(made.status, 201);
  const detail = `batch-upgrade-operation/${fieldOf(made.body, 'batch')}/`;
  const batch = await until('the batch has ended', async () => {
    const { body } = await call('GET', detail);
    const status = fieldOf(body, 'status');
    return status !== 'idle' && status !== 'in-progress' && body;
  });
  t.like(batch, { status: 'failed', progress_report: '3 out of 3', success_rate: 66, failed_rate: 33 });
  const operations = fieldOf(batch, 'upgradeoperations') as readonly { device: string; status: string }[];
  t.deepEqual(operations.map(({ device }) => device).sort(), ids.toSorted());
  t.is(operations.find(({ device }) => device === ids[2])?.status, 'failed');
  const listed = resultsOf(await call('GET', `upgrade-operation/?image=${image}&status=success`));
  t.deepEqual(listed.map(({ device }) => device).sort(), ids.slice(0, 2).sort());
  // Whom a second one would upgrade is the one that failed.
  const left = await call('GET', path);
  t.is((fieldOf(left.body, 'device_firmwares') as unknown[]).length, 1);
  t.deepEqual(fieldOf(left.body, 'devices'), []);
});

test('an upgrade is cancelled while its file is fetched, and its device keeps what it has', async (t) => {
  const barrier = new Barrier();
  const proxy = await startFileProxy(t, barrier);
  const script = await startScript(t, { publicFileUrl: [proxy.url] });
  const { call, ferry, image } = script;
  proxy.target = ferry.urls.files;
  const { id, serial } = await script.device('1');
  const operation = operationIn((await call('PUT', `device/${id}/firmware/`, { image })).body);
  await until('its Download is accepted', async () => {
    const { body } = await call('GET', `upgrade-operation/${operation}/`);
    return Number(fieldOf(body, 'progress')) >= 20;
  });
  const cancelled = await call('POST', `upgrade-operation/${operation}/cancel/`);
  t.is(cancelled.status, 200, cancelled.text);
  const after = await ended(script, operation);
  t.like(after, { status: 'cancelled' });
  barrier.open();
  const cpeid = cpeidOf(serial);
  t.deepEqual(await outcomes(ferry.nbi, cpeid), [
    '499 Upgrade was cancelled: withdrawn before the device began',
  ]);
  t.is((await ferry.acs.devices.get(cpeid as never))?.softwareVersion, OLD_VERSION);
  const again = await call('POST', `upgrade-operation/${operation}/cancel/`);
  t.is(again.text, '{"error":"Cannot cancel operation with status: cancelled"}');
});
