import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { DataModel, type ModelParameter } from '../../cpe-sim/index.js';
import { ADMIN, startTestFerry, until } from '../support/ferry.js';
import { hasHttpClient, runHttpClient } from '../support/http-client.js';
import {
  cpeidOf,
  createCpe,
  IMAGE,
  introduce,
  NEW_VERSION,
  OLD_VERSION,
  startListener,
} from './simulated.js';

const SERIAL = 'SLOTS1';
const INFO = 'Device.DeviceInfo.';
/** A CPE with two slots, the second of them empty. */
const MODEL = new DataModel(
  new Map(
    Object.entries({
      [`${INFO}ActiveFirmwareImage`]: `${INFO}FirmwareImage.1.`,
      [`${INFO}FirmwareImage.1.Version`]: OLD_VERSION,
      [`${INFO}FirmwareImage.2.Version`]: '',
      'Device.SoftwareModules.ExecEnv.1.AvailableDiskSpace': '64',
    }).map(([path, value]): [string, ModelParameter] => [path, { value, type: 'string', writable: false }]),
  ),
);

const withCurl = hasHttpClient('curl') ? test : test.skip;

withCurl(
  'the curl lines of the reference upload, test and upgrade, until the CPE runs what it was given',
  async (t) => {
    const ferry = await startTestFerry(t, { config: { deviceDomain: 'cpe.localhost' } });
    const listener = await startListener(t);
    const cpe = createCpe(t, ferry.urls.cwmp, SERIAL, { listener, dataModel: MODEL });
    await introduce(ferry.nbi, cpe);

    const directory = await mkdtemp(join(tmpdir(), 'ferry-slots-'));
    t.teardown(() => rm(directory, { recursive: true }));
    const [cookies, file] = [join(directory, 'cookies.txt'), join(directory, 'firmware.iso')];
    await writeFile(file, IMAGE);
    const { port } = new URL(ferry.urls.nbi);
    // As the box itself is called: curl takes every name below localhost for this machine.
    const host = `${SERIAL.toLowerCase()}.cpe.localhost`;
    const base = `http://${host}:${port}`;
    const curl = async (...line: readonly string[]) => {
      const answer = await runHttpClient('curl', ['-sS', '--max-time', '30', ...line]);
      return JSON.parse(answer.toString()) as Readonly<Record<string, unknown>>;
    };
    const versions = async () => {
      const { items } = (await curl('--cookie', cookies, `${base}/api/firmware/slots`)) as {
        items: readonly {
          key: string;
          body: { version?: string; current?: boolean; after_reboot?: boolean };
        }[];
      };
      return items.slice(0, 2).map(({ body }) => body);
    };

    await curl(
      '--basic',
      '--user',
      `${ADMIN.name}:${ADMIN.password}`,
      '--cookie-jar',
      cookies,
      `${base}/api/authentication`,
    );
    t.like(await curl('--cookie', cookies, `${base}/api/firmware`), { meta: { href: '/api/firmware' } });
    const uploaded = await curl(
      '--cookie',
      cookies,
      '-F',
      `firmware=@${file}`,
      `${base}/api/upload/firmware`,
    );
    t.like(uploaded, { key: '2', meta: { slot: '/api/firmware/slots/2' } });
    const tested = await curl('--cookie', cookies, `${base}/api/firmware/test`, '--data', '{"slot_id": 2}');
    t.like(tested, { key: '2', meta: { upgrade: '/api/firmware/upgrade' } });
    const live = '{"slot_id": "2", "live": true}';
    const alive = (await curl('--cookie', cookies, `${base}/api/firmware/test`, '--data', live)) as {
      body: { test_summary: string };
    };
    t.regex(alive.body.test_summary, /^Device check started\nDevice check: the CPE came; /);
    const free = `the firmware has ${IMAGE.length} bytes, and the CPE has told of ${64 * 1024} free`;
    t.true(alive.body.test_summary.includes(`Storage check: ${free}\n`), alive.body.test_summary);
    const { items } = await curl('--cookie', cookies, `${base}/api/firmware/slots`);
    t.is((items as readonly unknown[]).length, 2, 'its own slots were read as well');
    const body = '{"slot_id": "2", "message": null}';
    const upgraded = await curl('--cookie', cookies, `${base}/api/firmware/upgrade`, '--data', body);
    t.like(upgraded, { key: '2', meta: { href: '/api/firmware/upgrade' } });
    await until('the new one is current', async () => (await versions())[1]?.current === true);
    t.like((await versions())[0], { version: OLD_VERSION, current: false, after_reboot: false });
    t.like((await versions())[1], { current: true, after_reboot: false });
    t.is(cpe.softwareVersion, NEW_VERSION);
    const { body: devices } = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/${cpeidOf(SERIAL)}`);
    t.like(devices, { details: [{ softwareVersion: NEW_VERSION }] });
  },
);
