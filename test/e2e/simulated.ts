import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import type { ExecutionContext } from 'ava';
import type { Result } from '../../cli/demo/nbi-client.js';
import {
  builtInModel,
  ConnectionRequestListener,
  makeImage,
  parseFault,
  SimulatedCpe,
  type SimulatedCpeOptions,
} from '../../cpe-sim/index.js';
import { type TestFerry, until } from '../support/ferry.js';

export const PRODUCT_CLASS = 'HGW';
export const OLD_VERSION = '1.0.0';
export const NEW_VERSION = '2.0.0';
export const IMAGE_NAME = 'hgw-2.0.0.bin';
export const IMAGE = makeImage({
  softwareVersion: NEW_VERSION,
  productClass: PRODUCT_CLASS,
  sizeBytes: 16 * 1024,
});
export const SUCCESS = `Upgrade has succeeded: software version ${NEW_VERSION}, before ${OLD_VERSION}`;

export type { Result };

type Nbi = TestFerry['nbi'];

export function cpeidOf(serial: string): string {
  return `00A1B2-${PRODUCT_CLASS}-${serial}`;
}

/** Uploads an image as {@link IMAGE_NAME}; a fleet needs nothing else to be upgraded but a rule. */
export async function uploadImage(t: ExecutionContext, nbi: Nbi, image: Buffer = IMAGE): Promise<void> {
  const path = `/v1/images/${IMAGE_NAME}?softwareVersion=${NEW_VERSION}&productClass=${PRODUCT_CLASS}`;
  const uploaded = await nbi('PUT', path, new Uint8Array(image));
  t.is(uploaded.status, 201, JSON.stringify(uploaded.body));
}

/** Posts a rule, or an array of rules. */
export async function postRule(t: ExecutionContext, nbi: Nbi, rule: unknown): Promise<void> {
  const { status, body } = await nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule);
  t.is(status, 200, JSON.stringify(body));
}

/** Whatever FirmwareResultStorage gives for this query, newest first. */
export async function results(nbi: Nbi, query: string): Promise<Result[]> {
  const { status, body } = await nbi('GET', `/v1/dyn/FirmwareResultStorage/.*?revision=all&${query}`);
  return status === 200 ? (body as { details: Result[] }).details : [];
}

/** The results of one CPE in a line each, oldest first: `running`, or code and message. */
export async function outcomes(nbi: Nbi, cpeid: string): Promise<string[]> {
  const found = await results(nbi, `cpeid=${cpeid}`);
  return found
    .reverse()
    .map(({ status, result }) => (status ? `${result.code} ${result.message}` : 'running'));
}

/** A listener for the connection requests of any number of CPEs. */
export async function startListener(t: ExecutionContext): Promise<ConnectionRequestListener> {
  const listener = new ConnectionRequestListener({ host: '127.0.0.1', port: 0 });
  await listener.start();
  t.teardown(() => listener.stop());
  return listener;
}

/** A CPE that is off yet, quick to reboot and to retry; it is switched off at the end of the test. */
export function createCpe(
  t: ExecutionContext,
  acsUrl: string,
  serial: string,
  {
    faults = [],
    ...options
  }: Partial<Omit<SimulatedCpeOptions, 'faults'>> & { faults?: readonly string[] } = {},
): SimulatedCpe {
  const cpe = new SimulatedCpe({
    acsUrl,
    identity: {
      manufacturer: 'Ferry Simulator',
      oui: '00A1B2',
      productClass: PRODUCT_CLASS,
      serialNumber: serial,
    },
    dataModel: builtInModel('tr181'),
    softwareVersion: OLD_VERSION,
    rebootMs: 50,
    retryMs: 50,
    downloadResumeMs: 50,
    faults: faults.map(parseFault),
    ...options,
  });
  t.teardown(() => cpe.stop());
  return cpe;
}

/** Resolves once the CPE, which has an emitter of its own, has ended `count` more sessions well. */
export async function sessionsEnded(cpe: SimulatedCpe, count = 1): Promise<void> {
  for (let ended = 0; ended < count; ) {
    const [session] = await once(cpe.events, 'session');
    if ((session as { outcome: string }).outcome === 'ended') ended++;
  }
}

/** Switches the CPE on; resolves once the ACS knows it and has set its connection-request credentials. */
export async function introduce(nbi: Nbi, cpe: SimulatedCpe): Promise<void> {
  cpe.start();
  const cpeid = cpeidOf(cpe.identity.serialNumber);
  await until(`${cpeid} is provisioned`, async () => {
    const { status, body } = await nbi('GET', `/v1/dyn/DeviceStorage/${cpeid}`);
    const [device] = status === 200 ? (body as { details: { provisioning: string }[] }).details : [];
    return device?.provisioning === 'done' && !cpe.inSession;
  });
}

/** Asks for a session by SendCNR, and waits for its end; for CPEs that begin none of their own accord. */
export async function requestSession(t: ExecutionContext, nbi: Nbi, cpe: SimulatedCpe): Promise<void> {
  const ended = sessionsEnded(cpe);
  const cpe_id = cpeidOf(cpe.identity.serialNumber);
  const { status, body } = await nbi('POST', '/v1/method/SendCNR', { search_options: { cpe_id } });
  t.is(status, 200, JSON.stringify(body));
  await ended;
}

/** Distinct CommandKeys of the Downloads the CPE has read. */
export function commandKeys(cpe: SimulatedCpe): string[] {
  return [...new Set(cpe.downloads.map(({ commandKey }) => commandKey))];
}

/** A plain HTTP server of the test's own. @returns its URL without a slash at the end */
export async function startHttpServer(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = http.createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return `http://127.0.0.1:${address.port}`;
}

/** Holds whoever passes until it is opened. */
export class Barrier {
  open: () => void = () => {};
  readonly #opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });

  pass(): Promise<void> {
    return this.#opened;
  }
}

/** A file server turns away whoever is one too many. */
const PROXY_CONNECTIONS_MAX = 50;

/** A reverse proxy in front of a file server, such as an operator might have, which holds every request at a barrier. */
export async function startFileProxy(
  t: ExecutionContext,
  barrier: Barrier,
): Promise<{ readonly url: string; target: string }> {
  const proxy = { url: '', target: '' };
  const agent = new http.Agent({ maxSockets: PROXY_CONNECTIONS_MAX });
  proxy.url = await startHttpServer(t, async (request, response) => {
    await barrier.pass();
    http
      .get(`${proxy.target}${request.url}`, { headers: request.headers, agent }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      })
      .on('error', () => response.destroy());
  });
  return proxy;
}
