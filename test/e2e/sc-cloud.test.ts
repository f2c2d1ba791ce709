import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { fieldOf, md5 } from '../nbi/sc-cloud/support.js';
import { ADMIN, startTestFerry, until } from '../support/ferry.js';
import { hasHttpClient, runHttpClient } from '../support/http-client.js';
import { createCpe, IMAGE, introduce, NEW_VERSION, OLD_VERSION, startListener } from './simulated.js';

// The documented calls, in their documented form, as a script sends them by curl: from the log-in to a device that runs the firmware.

interface Script {
  /** What curl prints, read; the path stands behind `/sc_cloud/`. */
  curl(path: string, ...args: readonly string[]): Promise<unknown>;
  /** A CPE that is known. */
  device(serial: string, faults?: readonly string[]): Promise<void>;
  /** A file of this size of firmware. */
  readonly file: string;
  readonly ferry: Awaited<ReturnType<typeof startTestFerry>>;
}

async function startScript(t: ExecutionContext): Promise<Script> {
  const ferry = await startTestFerry(t);
  const listener = await startListener(t);
  const directory = await mkdtemp(join(tmpdir(), 'ferry-sc-cloud-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const [file, jar] = [join(directory, 'hgw-2.0.0.mwf'), join(directory, 'cookies')];
  await writeFile(file, IMAGE);
  const switchedOn = { scCloud: true, password: ADMIN.password };
  t.is((await ferry.nbi('PUT', `/v1/dyn/UserStorage/${ADMIN.name}`, switchedOn)).status, 200);
  return {
    ferry,
    file,
    async curl(path, ...args) {
      const url = `${ferry.urls.nbi}/sc_cloud/${path}`;
      const printed = await runHttpClient('curl', ['-sS', '-b', jar, '-c', jar, ...args, url]);
      return JSON.parse(printed.toString());
    },
    async device(serial, faults = []) {
      await introduce(ferry.nbi, createCpe(t, ferry.urls.cwmp, serial, { listener, faults }));
    },
  };
}

const JSON_HEADERS = [
  '-H',
  'Accept: application/json, text/plain, */*',
  '-H',
  'Content-Type: application/json;charset=utf-8',
];

/** Logs in, uploads and adds the firmware. @returns its number */
async function withFirmware(t: ExecutionContext, { curl, file }: Script): Promise<unknown> {
  const loggedIn = await curl('login', '-F', `id=${ADMIN.name}`, '-F', `pass=${md5(ADMIN.password)}`);
  t.like(loggedIn, { name: ADMIN.name, pass: '', result: 0 });
  const uploaded = await curl('uploadFirmware', '-F', `file=@${file}`);
  t.like(uploaded, { result: 0, 'file-path': 'hgw-2.0.0.mwf', 'file-size': IMAGE.length });
  const path = JSON.stringify({ 'file-path': fieldOf(uploaded, 'file-path') });
  t.deepEqual(await curl('firmware/add', ...JSON_HEADERS, '-d', path), { method: 'add-firmware', result: 0 });
  const [device] = fieldOf(await curl('scapi/get-devs?id=0&module=0'), 'devs') as unknown[];
  const query = `dev-type=${fieldOf(device, 'module')}&product-id=${fieldOf(fieldOf(device, 'status'), 'product-id')}`;
  const [firmware] = fieldOf(
    await curl(`scapi/get-all-firmwares?${query}&hardware-ver=`),
    'firmwares',
  ) as unknown[];
  t.is(fieldOf(firmware, 'file-path'), 'hgw-2.0.0.mwf');
  return fieldOf(firmware, 'id');
}

const bodyOf = (sn: string, firmware: unknown) => JSON.stringify({ sn: [sn], 'firmware-id': firmware });

/** What get-dev shows once no upgrade waits or runs. */
async function ended({ curl, ferry }: Script, sn: string): Promise<unknown> {
  return until(`the upgrade of ${sn} has ended`, async () => {
    const { body } = await ferry.nbi('GET', `/v1/dyn/FirmwareResultStorage/.*?cpeid=00A1B2-HGW-${sn}`);
    const [result] = (fieldOf(body, 'details') ?? []) as unknown[];
    return fieldOf(result, 'status') === true && (await curl(`scapi/get-dev?sn=${sn}`));
  });
}

if (hasHttpClient('curl')) {
  test('a script by curl logs in, uploads, adds and starts an upgrade, and sees the device run it', async (t) => {
    const script = await startScript(t);
    const { curl } = script;
    await script.device('A302190930002');
    const firmware = await withFirmware(t, script);
    const body = bodyOf('A302190930002', firmware);
    t.deepEqual(await curl('upgrade/start', ...JSON_HEADERS, '-d', body), {
      result: 0,
      method: 'start-upgrade',
      details: [{ sn: 'A302190930002', result: 0 }],
    });
    const shown = await ended(script, 'A302190930002');
    t.is(fieldOf(fieldOf(fieldOf(shown, 'dev'), 'status'), 'version'), NEW_VERSION);
    t.deepEqual(fieldOf(shown, 'details'), [{ sn: 'A302190930002', result: 0 }]);
    t.deepEqual(await curl('logout', '-X', 'POST').then((each) => fieldOf(each, 'result')), 0);
    t.is(fieldOf(await curl('scapi/get-devs?id=0&module=0'), 'result'), -2);
  });

  test('a device that cannot fetch the firmware says so by its code, and may be tried again', async (t) => {
    const script = await startScript(t);
    const { curl } = script;
    await script.device('A1', ['transfer:9010']);
    const firmware = await withFirmware(t, script);
    const body = bodyOf('A1', firmware);
    t.is(fieldOf(await curl('upgrade/start', ...JSON_HEADERS, '-d', body), 'result'), 0);
    const shown = await ended(script, 'A1');
    const dev = fieldOf(shown, 'dev');
    t.is(fieldOf(fieldOf(dev, 'status'), 'version'), OLD_VERSION);
    t.is(fieldOf(dev, 'is-upload-file'), 0);
    t.like(fieldOf(shown, 'details'), [{ sn: 'A1', result: -12 }]);
    t.deepEqual(fieldOf(await curl('upgrade/start', ...JSON_HEADERS, '-d', body), 'details'), [
      { sn: 'A1', result: 0 },
    ]);
  });
}
