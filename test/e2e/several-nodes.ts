import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { EnvelopeObserver } from '../../cpe-sim/index.js';
import { holdToSchemas } from '../support/cwmp-schema.js';
import { nbiClient, type TestFerry, until } from '../support/ferry.js';
import { FerryProcess, freePorts } from '../support/ferry-process.js';
import {
  cpeFault,
  downloadResponse,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';
import { startRoundRobin } from '../support/round-robin.js';
import {
  commandKeys,
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  NEW_VERSION,
  OLD_VERSION,
  outcomes,
  PRODUCT_CLASS,
  postRule,
  results,
  SUCCESS,
  uploadImage,
} from './simulated.js';

/** One of several processes that share a store and the sessions of their CPEs. */
interface Node {
  readonly process: FerryProcess;
  readonly cwmp: string;
  readonly nbi: TestFerry['nbi'];
}

interface Nodes {
  readonly nodes: readonly [Node, Node, Node];
  readonly onEnvelope: EnvelopeObserver;
}

/** Names the store that the nodes of a test share, as `--store` does; '' for the embedded one of their data directory. */
export type StoreOf = (t: ExecutionContext) => string;

async function startNodes(t: ExecutionContext, storeOf: StoreOf): Promise<Nodes> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-nodes-'));
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const onEnvelope = holdToSchemas(t);
  const store = storeOf(t);
  const start = async (): Promise<Node> => {
    const ports = await freePorts();
    const shares = store === '' ? '--share-sessions' : `--store=${store}`;
    const options = [shares, '--trusted-proxy=127.0.0.1'];
    const process = await FerryProcess.start(dataDir, ports, options);
    t.teardown(async () => {
      if (!t.passed) t.log(process.log);
      await process.stop();
    });
    return {
      process,
      cwmp: `http://127.0.0.1:${ports.cwmp}`,
      nbi: nbiClient(`http://127.0.0.1:${ports.nbi}`),
    };
  };
  // The first makes what has to be made.
  const first = await start();
  const [second, third] = await Promise.all([start(), start()]);
  return { nodes: [first, second, third], onEnvelope };
}

const FLEET_RULE = { id: 'FLEET', file: IMAGE_NAME, condition: { productClass: PRODUCT_CLASS } };
const INFORM = { productClass: PRODUCT_CLASS, version: OLD_VERSION };

/** One session's requests, wherever each of them goes. */
class Roaming {
  readonly #at = new Map<Node, RawCpe>();
  #cookie: string | null = null;

  constructor(t: ExecutionContext) {
    t.teardown(() => {
      for (const cpe of this.#at.values()) cpe.close();
    });
  }

  async post(node: Node, body: string) {
    const cpe = this.#at.get(node) ?? new RawCpe(node.cwmp);
    this.#at.set(node, cpe);
    cpe.cookie = this.#cookie;
    const answer = await cpe.post(body);
    this.#cookie = cpe.cookie;
    return answer;
  }
}

/** First contact, so that what comes next is not provisioning. */
async function introduced(t: ExecutionContext, node: Node, serial: string): Promise<void> {
  const cpe = new Roaming(t);
  await cpe.post(node, inform({ ...INFORM, serial }));
  t.is(rpcOf((await cpe.post(node, '')).body), 'SetParameterValues');
  t.is((await cpe.post(node, SET_PARAMETER_VALUES_RESPONSE)).status, 204);
}

const RPCS_MAX = 10;

/** Of a CPE that does not tell what it has queued: one that did would have to know what its other sessions have read. */
const ANSWERS: Readonly<Record<string, string>> = {
  Download: downloadResponse(),
  GetQueuedTransfers: cpeFault(9000, 'Method not supported'),
};

/** What several nodes on one store must be to the CPEs that come to any of them. */
export function severalNodes(storeOf: StoreOf): void {
  test.serial(
    'whole upgrades succeed though each request of a session goes to another process, over shared connections',
    async (t) => {
      const { nodes, onEnvelope } = await startNodes(t, storeOf);
      const [first, second, third] = nodes;
      await uploadImage(t, first.nbi);
      await postRule(t, second.nbi, FLEET_RULE);
      const proxy = await startRoundRobin(
        t,
        nodes.map(({ cwmp }) => cwmp),
      );
      const cpes = Array.from({ length: 12 }, (_, serial) =>
        createCpe(t, `${proxy.url}/`, `${serial}`, { onEnvelope }),
      );
      await Promise.all(
        cpes.map(async (cpe) => {
          const reported = once(cpe.events, 'transfer-complete-sent');
          cpe.start();
          await reported;
        }),
      );
      for (const cpe of cpes) {
        t.is(cpe.softwareVersion, NEW_VERSION);
        t.is(commandKeys(cpe).length, 1);
        t.deepEqual(await outcomes(third.nbi, cpeidOf(cpe.identity.serialNumber)), [`200 ${SUCCESS}`]);
      }
    },
  );

  test.serial('of the same request at three processes at once one gets the Download', async (t) => {
    const { nodes } = await startNodes(t, storeOf);
    const [first, second] = nodes;
    await uploadImage(t, first.nbi);
    const serials = Array.from({ length: 10 }, (_, serial) => `${serial}`);
    for (const serial of serials) await introduced(t, first, serial);
    await postRule(t, first.nbi, { ...FLEET_RULE, executions: 2 });
    for (const serial of serials) {
      const cpe = new Roaming(t);
      await cpe.post(first, inform({ ...INFORM, serial }));
      const answers = await Promise.all(nodes.map((node) => cpe.post(node, '')));
      const downloads = answers.filter(({ body }) => rpcOf(body) === 'Download');
      t.is(downloads.length, 1, answers.map(({ status, body }) => `${status} ${rpcOf(body)}`).join());
      t.is((await results(second.nbi, `cpeid=${cpeidOf(serial)}`)).length, 1);
    }
  });

  test.serial('of the same answer at three processes at once one is taken', async (t) => {
    const { nodes } = await startNodes(t, storeOf);
    const [first, second] = nodes;
    await uploadImage(t, first.nbi);
    const serials = ['1', '2', '3', '4', '5'];
    for (const serial of serials) await introduced(t, first, serial);
    await postRule(t, first.nbi, FLEET_RULE);
    for (const serial of serials) {
      const cpe = new Roaming(t);
      await cpe.post(first, inform({ ...INFORM, serial }));
      t.is(rpcOf((await cpe.post(second, '')).body), 'Download');
      const answers = await Promise.all(nodes.map((node) => cpe.post(node, downloadResponse())));
      t.deepEqual(answers.map(({ status }) => status).sort(), [204, 400, 400]);
      const found = await results(second.nbi, `cpeid=${cpeidOf(serial)}`);
      t.is(found.length, 1);
      t.regex(found[0]?.result.message ?? '', /the device is downloading the file/);
    }
  });

  test.serial('a session goes on at another process when the one that began it is killed', async (t) => {
    const { nodes } = await startNodes(t, storeOf);
    const [first, second, third] = nodes;
    await uploadImage(t, first.nbi);
    await introduced(t, first, '1');
    await postRule(t, first.nbi, FLEET_RULE);
    const cpe = new Roaming(t);
    await cpe.post(first, inform({ ...INFORM, serial: '1' }));
    await first.process.kill();
    const download = await cpe.post(second, '');
    t.is(rpcOf(download.body), 'Download');
    await second.process.kill();
    t.is((await cpe.post(third, downloadResponse())).status, 204);
    const found = await results(third.nbi, `cpeid=${cpeidOf('1')}`);
    t.is(found.length, 1);
    t.regex(found[0]?.result.message ?? '', /the device is downloading the file/);
  });

  test.serial(
    'CPEs whose processes are killed in mid-session are upgraded all the same, each by one CommandKey',
    async (t) => {
      const { nodes, onEnvelope } = await startNodes(t, storeOf);
      const [first, second, third] = nodes;
      await uploadImage(t, first.nbi);
      await postRule(t, first.nbi, FLEET_RULE);
      const proxy = await startRoundRobin(
        t,
        nodes.map(({ cwmp }) => cwmp),
      );
      const cpes = Array.from({ length: 12 }, (_, serial) =>
        createCpe(t, `${proxy.url}/`, `${serial}`, { onEnvelope, rebootMs: 300 }),
      );
      const reported = cpes.map((cpe) => once(cpe.events, 'transfer-complete-sent'));
      const begun = Promise.race(cpes.map((cpe) => once(cpe.events, 'session')));
      for (const cpe of cpes) cpe.start();
      await begun;
      await first.process.kill();
      await Promise.race(reported);
      await second.process.kill();
      await Promise.all(reported);
      for (const cpe of cpes) {
        const cpeid = cpeidOf(cpe.identity.serialNumber);
        t.true(commandKeys(cpe).length <= 1, cpeid);
        t.is((await results(third.nbi, `cpeid=${cpeid}`)).length, 1, cpeid);
      }
    },
  );

  test.serial(
    'fifty sessions of one CPE at three processes at once, each of them roaming, get one Download between them',
    async (t) => {
      const { nodes } = await startNodes(t, storeOf);
      await uploadImage(t, nodes[0].nbi);
      // Or fifty first contacts would change one device at once, and some would be told to come again.
      await introduced(t, nodes[0], '1');
      await postRule(t, nodes[0].nbi, { id: 'ONE', file: IMAGE_NAME, condition: { cpeid: cpeidOf('1') } });
      let turn = 0;
      const next = () => nodes[turn++ % nodes.length] ?? nodes[0];
      const session = async () => {
        const cpe = new Roaming(t);
        let downloads = 0;
        t.is((await cpe.post(next(), inform({ ...INFORM, serial: '1' }))).status, 200);
        let answer = await cpe.post(next(), '');
        for (let rpcs = 0; answer.status === 200 && rpcs < RPCS_MAX; rpcs++) {
          const rpc = rpcOf(answer.body);
          if (rpc === 'Download') downloads++;
          answer = await cpe.post(next(), ANSWERS[rpc] ?? SET_PARAMETER_VALUES_RESPONSE);
        }
        t.is(answer.status, 204);
        return downloads;
      };
      const downloads = await Promise.all(Array.from({ length: 50 }, session));
      t.is(
        downloads.reduce((total, each) => total + each, 0),
        1,
      );
      for (const { nbi } of nodes) t.is((await results(nbi, `cpeid=${cpeidOf('1')}`)).length, 1);
    },
  );

  test.serial(
    'a rule is in force at every node within a second, and switched off stops the very next reservation',
    async (t) => {
      const { nodes } = await startNodes(t, storeOf);
      const [first, second, third] = nodes;
      await uploadImage(t, first.nbi);
      for (const serial of ['1', '2', '3']) await introduced(t, first, serial);
      const begins = async (node: Node, serial: string) => {
        const cpe = new Roaming(t);
        t.is((await cpe.post(node, inform({ ...INFORM, serial }))).status, 200);
        return rpcOf((await cpe.post(node, '')).body);
      };
      const begun = (node: Node, serial: string) =>
        until(`${serial} gets a Download`, async () => (await begins(node, serial)) === 'Download');
      const switchTo = async (node: Node, enabled: boolean) =>
        t.is((await node.nbi('PUT', '/v1/dyn/FirmwareStorage/FLEET', { enabled })).status, 200);
      await postRule(t, first.nbi, FLEET_RULE);
      await begun(second, '1');
      await switchTo(third, false);
      t.not(await begins(second, '2'), 'Download');
      t.not(await begins(first, '2'), 'Download');
      await switchTo(second, true);
      await begun(third, '2');
      const frozen = { frozen: true };
      t.is((await first.nbi('POST', '/v1/method/FreezeUpgrades', frozen)).status, 200);
      t.not(await begins(third, '3'), 'Download');
    },
  );
}
