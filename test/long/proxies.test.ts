import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { makeImage } from '../../cpe-sim/index.js';
import {
  commandKeys,
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  NEW_VERSION,
  OLD_VERSION,
  PRODUCT_CLASS,
  postRule,
  results,
  uploadImage,
} from '../e2e/simulated.js';
import { commandKeyOfResult } from '../support/command-key.js';
import { ADMIN, nbiClient, type TestFerry, until } from '../support/ferry.js';
import { FerryProcess, freePorts, type Ports } from '../support/ferry-process.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { inform, RawCpe, rpcOf, SET_PARAMETER_VALUES_RESPONSE, textOf } from '../support/raw-cpe.js';
import {
  nodeHost,
  PROXIES,
  type ProxyName,
  proxyProgram,
  startReverseProxy,
} from '../support/reverse-proxy.js';

const CPES = 30;
const CPES_BY_HAND = 16;
/** More than a proxy takes unless told, and more than CWMP's listener may take. */
const LARGE_IMAGE_BYTES = 17 * 1024 * 1024;
const IMAGE_BYTES = 600 * 1024;
/** That a load of rules stores, and reports, in one step. */
const BATCH_ITEMS = 1_000;
const INFORM = { productClass: PRODUCT_CLASS, version: OLD_VERSION };

interface Installation {
  /** As deploy/compose.yaml has them: all at the same ports, behind the proxy. */
  readonly nodes: readonly [FerryProcess, FerryProcess, FerryProcess];
  readonly ports: Ports;
  /** Through the proxy. */
  readonly acsUrl: string;
  readonly filesUrl: string;
  readonly nbiUrl: string;
  readonly nbi: TestFerry['nbi'];
}

const mongodb = mongodbUrl();

async function start(t: ExecutionContext, name: ProxyName, program: string): Promise<Installation> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-proxied-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const store =
    mongodb === null ? '--share-sessions' : `--store=${urlOfDatabase(mongodb, testDatabase(t, mongodb))}`;
  const ports = await freePorts();
  const [filesUrl, nbiUrl] = [`http://127.0.0.1:${ports.files}`, `http://127.0.0.1:${ports.nbi}`];
  const options = [store, '--trusted-proxy=127.0.0.1', `--public-file-url=${filesUrl}`];
  const startNode = async (node: number) => {
    const process = await FerryProcess.start(dataDir, { ...ports, host: nodeHost(node) }, options);
    t.teardown(async () => {
      if (!t.passed) t.log(process.log);
      await process.kill();
    });
    return process;
  };
  // All at once, as a composition starts them, on a store that holds nothing.
  const nodes = await Promise.all([startNode(1), startNode(2), startNode(3)]);
  await startReverseProxy(t, name, program, ports);
  return {
    nodes,
    ports,
    filesUrl,
    nbiUrl,
    acsUrl: `http://127.0.0.1:${ports.cwmp}/`,
    nbi: nbiClient(nbiUrl),
  };
}

/** None of the bounds of a proxy is below Ferry's own. */
async function largeImagesPass(t: ExecutionContext, { nbi, nbiUrl }: Installation): Promise<void> {
  const content = randomBytes(LARGE_IMAGE_BYTES);
  const uploaded = await nbi('PUT', '/v1/images/large.bin', new Uint8Array(content));
  t.is(uploaded.status, 201, JSON.stringify(uploaded.body));
  const authorization = `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`;
  const response = await fetch(`${nbiUrl}/v1/images/large.bin/content`, {
    headers: { Authorization: authorization },
  });
  t.is(response.status, 200);
  t.is(digest(Buffer.from(await response.arrayBuffer())), digest(content));
}

/** The report on rules in bulk begins before their body ends. */
async function bulkReportsComeMeanwhile(t: ExecutionContext, { nbiUrl }: Installation): Promise<void> {
  const load = http.request(`${nbiUrl}/v1/dyn/FirmwareStorage/.*`, {
    method: 'POST',
    auth: `${ADMIN.name}:${ADMIN.password}`,
    headers: { 'Content-Type': 'application/x-ndjson' },
  });
  t.teardown(() => load.destroy());
  let report = '';
  load.once('response', (response: http.IncomingMessage) => {
    response.on('data', (chunk: Buffer) => {
      report += chunk.toString();
    });
  });
  const write = (serial: number) => {
    const rule = { id: `BULK${serial}`, file: IMAGE_NAME, condition: { cpeid: cpeidOf(`BULK${serial}`) } };
    load.write(`${JSON.stringify(rule)}\n`);
  };
  for (let serial = 0; serial <= BATCH_ITEMS; serial++) write(serial);
  await until('the first batch is reported', () => report.includes('"code":204,"written":1000'));
  t.false(report.includes('"message"'));
  load.end();
  await until('the load is done', () => report.includes('"written":1001,"unchanged":0,"refused":0'));
}

/** Whatever a CPE says of its address, and whoever goes round the proxy is believed nothing. */
async function addressesAreThoseCalledFrom(t: ExecutionContext, installation: Installation): Promise<void> {
  const { acsUrl, ports, nbi } = installation;
  const direct = `http://${nodeHost(2)}:${ports.cwmp}/`;
  const calls = [
    { url: acsUrl, serial: 'PROXIED', from: '127.0.1.7' },
    { url: direct, serial: 'DIRECT', from: '127.0.1.8' },
  ];
  for (const { url, serial, from } of calls) {
    const cpe = new RawCpe(url, from);
    t.teardown(() => cpe.close());
    const { status } = await cpe.post(inform({ ...INFORM, serial }), { 'X-Forwarded-For': '203.0.113.9' });
    t.is(status, 200);
    const { body } = await nbi('GET', `/v1/dyn/DeviceStorage/${cpeidOf(serial)}`);
    t.is((body as { details: { ip: string }[] }).details[0]?.ip, from, serial);
  }
}

/** Only its cookie says whose session a request is of. */
async function strangersGetNothing(t: ExecutionContext, { acsUrl, nbi }: Installation): Promise<void> {
  const open = () => {
    const cpe = new RawCpe(acsUrl);
    t.teardown(() => cpe.close());
    return cpe;
  };
  const serials = Array.from({ length: CPES_BY_HAND }, (_, serial) => `HAND${serial}`);
  /** Without a cookie, over connections on which the sessions of others were begun: no RPC, but what a probe gets. */
  const strangersAsk = async () => {
    const answers = await Promise.all(serials.map(() => open().post('')));
    t.deepEqual(
      answers.map(({ status, body }) => `${status} ${rpcOf(body)}`),
      serials.map(() => '204 '),
    );
  };
  const cpes = serials.map((serial) => ({ serial, cpe: open() }));
  for (const { serial, cpe } of cpes) t.is((await cpe.post(inform({ ...INFORM, serial }))).status, 200);
  await strangersAsk();
  const provisioned = await Promise.all(cpes.map(({ cpe }) => cpe.post('')));
  for (const { body } of provisioned) t.is(rpcOf(body), 'SetParameterValues');
  await strangersAsk();
  const sent = await Promise.all(cpes.map(({ cpe }) => cpe.post(SET_PARAMETER_VALUES_RESPONSE)));
  for (const [index, { body }] of sent.entries()) {
    t.is(rpcOf(body), 'Download');
    const found = await results(nbi, `cpeid=${cpeidOf(serials[index] ?? '')}`);
    const commandKeys = found.map(({ id }) => commandKeyOfResult(id));
    t.deepEqual(commandKeys, [textOf(body, 'CommandKey')]);
  }
}

async function fleetIsUpgradedThoughANodeDies(
  t: ExecutionContext,
  { nodes, acsUrl, filesUrl, nbi }: Installation,
): Promise<void> {
  const cpes = Array.from({ length: CPES }, (_, serial) => createCpe(t, acsUrl, `${serial}`));
  const fetched = Promise.race(cpes.map((cpe) => once(cpe.events, 'transfer')));
  for (const cpe of cpes) cpe.start();
  await fetched;
  await nodes[0].kill();
  for (const cpe of cpes) {
    const cpeid = cpeidOf(cpe.identity.serialNumber);
    const [result, ...others] = await until(`${cpeid} has a final result`, async () => {
      const found = await results(nbi, `cpeid=${cpeid}`);
      return found.length > 0 && found.every(({ status }) => status) && found;
    });
    t.is(result?.result.code, 200, result?.result.message);
    t.is(others.length, 0, cpeid);
    t.is(cpe.softwareVersion, NEW_VERSION);
    t.deepEqual(commandKeys(cpe), [commandKeyOfResult(result?.id ?? '')]);
    t.true(cpe.downloads.every(({ url }) => url.startsWith(filesUrl)));
  }
}

for (const name of PROXIES) {
  const program = proxyProgram(name);
  if (program === null) continue;
  test.serial(
    `behind ${name}, as deploy/ has it, large images and loads of rules pass, each CPE is known by its cookie and its address, ` +
      'and gets one Download of its own though a node dies',
    async (t) => {
      const installation = await start(t, name, program);
      const { nbi } = installation;
      await uploadImage(
        t,
        nbi,
        makeImage({ softwareVersion: NEW_VERSION, productClass: PRODUCT_CLASS, sizeBytes: IMAGE_BYTES }),
      );
      await postRule(t, nbi, { id: 'FLEET', file: IMAGE_NAME, condition: { productClass: PRODUCT_CLASS } });
      await largeImagesPass(t, installation);
      await bulkReportsComeMeanwhile(t, installation);
      await addressesAreThoseCalledFrom(t, installation);
      await strangersGetNothing(t, installation);
      await fleetIsUpgradedThoughANodeDies(t, installation);
    },
  );
}

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
