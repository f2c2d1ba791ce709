import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  cpeidOf,
  createCpe,
  IMAGE,
  introduce,
  NEW_VERSION,
  OLD_VERSION,
  startHttpServer,
  startListener,
} from '../e2e/simulated.js';
import { ADMIN, startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { proxyProgram } from '../support/reverse-proxy.js';
import { startTlsProxy } from '../support/tls-proxy.js';
import { runPython, vendorClients } from '../support/vendor-clients.js';

// The vendor's own client of npm.system_update, steelscript.appresponse: its update script, unchanged, reaches a simulated CPE by the name
// that this has below --device-domain, through nginx with TLS.

const DOMAIN = 'cpe.example.net';
const SCRIPT = 'share/doc/steelscript/examples/appresponse/update_script.py';

const environment = vendorClients();
const nginx = proxyProgram('nginx');

interface Vendor {
  readonly ferry: TestFerry;
  /** Runs the update script for a CPE. */
  update(serial: string, args: readonly string[]): Promise<string>;
  /** What the client says of the update of a CPE. */
  told(
    serial: string,
    credentials: string,
  ): Promise<{ readonly state: string; readonly versions: readonly string[] }>;
}

async function start(t: ExecutionContext, python: string, program: string): Promise<Vendor> {
  const ferry = await startTestFerry(t, {
    config: { deviceDomain: DOMAIN, trustedProxy: ['127.0.0.1'], imageSources: ['127.0.0.0/8'] },
  });
  const home = await mkdtemp(join(tmpdir(), 'ferry-steelscript-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  const { port, certificate } = await startTlsProxy(t, program, { domain: DOMAIN, to: ferry.urls.nbi });
  const hostOf = (serial: string) => `${serial.toLowerCase()}.${DOMAIN}:${port}`;
  return {
    ferry,
    update: (serial, args) =>
      runPython(python, {
        domain: DOMAIN,
        home,
        certificate,
        script: join(python, SCRIPT),
        args: [hostOf(serial), ...args],
      }),
    async told(serial, credentials) {
      const said = await runPython(python, {
        domain: DOMAIN,
        home,
        certificate,
        script: TELL,
        args: [hostOf(serial), credentials],
      });
      return JSON.parse(said);
    },
  };
}

/** `HOST CREDENTIALS`: by the client, what the update of the device is. */
const TELL = `
import json, sys
from steelscript.appresponse.core.appresponse import AppResponse
from steelscript.common.service import OAuth, UserAuth
host, credentials = sys.argv[1:]
name, colon, password = credentials.partition(':')
box = AppResponse(host, auth=UserAuth(name, password) if colon else OAuth(credentials))
assert box.get_info()['device_name'], 'a name'
update = box.system_update.get_update()
history = [each['version'] for each in update.update_history()]
print(json.dumps({'state': update.state(), 'versions': history}))
`;

async function upgraded({ told }: Vendor, serial: string, credentials: string): Promise<readonly string[]> {
  return until(`${serial} runs what it was updated to`, async () => {
    const { state, versions } = await told(serial, credentials);
    return state === 'IDLE' && versions.length > 1 && versions;
  });
}

if (environment !== null && nginx !== null) {
  test('the update script uploads an image, and the CPE by whose name it asks runs it; it logs in by cookie', async (t) => {
    const vendor = await start(t, environment, nginx);
    const { ferry } = vendor;
    const listener = await startListener(t);
    const cpe = createCpe(t, ferry.urls.cwmp, 'STEEL1', { listener });
    await introduce(ferry.nbi, cpe);
    const image = join(ferry.dataDir, 'hgw-2.0.0.bin');
    await writeFile(image, IMAGE);
    const credentials = ['--username', ADMIN.name, '--password', ADMIN.password];
    const said = await vendor.update('STEEL1', [...credentials, '--image_path', image]);
    t.regex(
      said,
      /Upload successfully started[\s\S]*Upload progress: 100%[\s\S]*Validating the image[\s\S]*Update started/,
      said,
    );
    t.deepEqual(await upgraded(vendor, 'STEEL1', `${ADMIN.name}:${ADMIN.password}`), [
      OLD_VERSION,
      NEW_VERSION,
    ]);
    t.is(cpe.softwareVersion, NEW_VERSION);
    const sessions = await ferry.nbi('GET', '/v1/sessions');
    t.true(JSON.stringify(sessions.body).includes('system-update'));
  });

  test('the update script has an image fetched, and logs in by an access code', async (t) => {
    const vendor = await start(t, environment, nginx);
    const { ferry } = vendor;
    const files = await startHttpServer(t, (_request, response) => response.end(IMAGE));
    const listener = await startListener(t);
    const cpe = createCpe(t, ferry.urls.cwmp, 'STEEL2', { listener });
    await introduce(ferry.nbi, cpe);
    const made = await ferry.nbi('POST', '/v1/dyn/TokenStorage/.*', {
      name: 'updates',
      user: ADMIN.name,
      role: 'operator',
    });
    const token = String(/ferry_[\w-]+/.exec(JSON.stringify(made.body))?.[0]);
    const said = await vendor.update('STEEL2', ['--oauth', token, '--image_url', `${files}/hgw-2.0.0.bin`]);
    t.regex(
      said,
      /Fetch successfully started[\s\S]*Fetching progress: 100%[\s\S]*Validating the image[\s\S]*Update started/,
      said,
    );
    t.deepEqual(await upgraded(vendor, 'STEEL2', token), [OLD_VERSION, NEW_VERSION]);
    t.like((await ferry.nbi('GET', `/v1/dyn/DeviceStorage/${cpeidOf('STEEL2')}`)).body, { code: 200 });
  });
}
