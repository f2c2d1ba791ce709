import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { EnvelopeObserver } from '../../cpe-sim/index.js';
import { holdToSchemas } from '../support/cwmp-schema.js';
import { nbiClient, type TestFerry, until } from '../support/ferry.js';
import { FerryProcess, freePorts, type Ports } from '../support/ferry-process.js';
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
class Node {
  process: FerryProcess | null = null;

  constructor(
    readonly dataDir: string,
    readonly ports: Ports,
    readonly store: string,
  ) {}

  get cwmp(): string {
    return `http://127.0.0.1:${this.ports.cwmp}`;
  }

  get nbi(): TestFerry['nbi'] {
    return nbiClient(`http://127.0.0.1:${this.ports.nbi}`);
  }

  async start(): Promise<void> {
    const shares = this.store === '' ? '--share-sessions' : `--store=${this.store}`;
    const options = [shares, '--trusted-proxy=127.0.0.1'];
    this.process ??= await FerryProcess.start(this.dataDir, this.ports, options);
  }

  async kill(): Promise<void> {
    await this.process?.kill();
    this.process = null;
  }

  async stop(): Promise<void> {
    await this.process?.stop();
    this.process = null;
  }
}

interface Nodes {
  readonly nodes: readonly [Node, Node, Node];
  readonly onEnvelope: EnvelopeObserver;
}

type StartNodes = (t: ExecutionContext) => Promise<Nodes>;

/**
 * Three nodes for all tests of a file, since starting them takes longer than most of what is tested: a test has CPEs of its
 * own, and leaves no rule behind. Who was killed in one is started again for the next.
 * @param store  as `--store` has it; '' for the embedded one of a data directory that they share
 * @param drop   removes what is in the store, once the nodes have ended
 */
function sharedNodes(store: string, drop: () => Promise<void>): StartNodes {
  let shared: Nodes['nodes'] | null = null;
  let hasImage = false;
  test.after.always(async () => {
    if (shared === null) return;
    await Promise.all(shared.map((node) => node.stop()));
    await drop();
    await rm(shared[0].dataDir, { recursive: true, force: true });
  });
  return async (t) => {
    if (shared === null) {
      const dataDir = await mkdtemp(join(tmpdir(), 'ferry-nodes-'));
      const make = async () => new Node(dataDir, await freePorts(), store);
      shared = [await make(), await make(), await make()];
    }
    const nodes = shared;
    // The first makes what has to be made.
    await nodes[0].start();
    if (!hasImage) await uploadImage(t, nodes[0].nbi);
    hasImage = true;
    await Promise.all(nodes.map((node) => node.start()));
    t.teardown(async () => {
      const alive = nodes.find(({ process }) => process !== null);
      await alive?.nbi('DELETE', '/v1/dyn/FirmwareStorage/.*?all=true');
      await alive?.nbi('POST', '/v1/method/FreezeUpgrades', { frozen: false });
      if (!t.passed) for (const { process } of nodes) t.log(process?.log ?? 'killed');
    });
    return { nodes, onEnvelope: holdToSchemas(t) };
  };
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
export function severalNodes(store = '', drop: () => Promise<void> = async () => {}): void {
  const startNodes = sharedNodes(store, drop);

  test.serial(
    'whole upgrades succeed though each request of a session goes to another process, over shared connections',
    async (t) => {
      const { nodes, onEnvelope } = await startNodes(t);
      const [, second, third] = nodes;
      await postRule(t, second.nbi, FLEET_RULE);
      const proxy = await startRoundRobin(
        t,
        nodes.map(({ cwmp }) => cwmp),
      );
      const cpes = Array.from({ length: 12 }, (_, serial) =>
        createCpe(t, `${proxy.url}/`, `roams${serial}`, { onEnvelope }),
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
    const { nodes } = await startNodes(t);
    const [first, second] = nodes;
    const serials = Array.from({ length: 10 }, (_, serial) => `asks${serial}`);
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
    const { nodes } = await startNodes(t);
    const [first, second] = nodes;
    const serials = ['answers1', 'answers2', 'answers3', 'answers4', 'answers5'];
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
    const { nodes } = await startNodes(t);
    const [first, second, third] = nodes;
    await introduced(t, first, 'goeson');
    await postRule(t, first.nbi, FLEET_RULE);
    const cpe = new Roaming(t);
    await cpe.post(first, inform({ ...INFORM, serial: 'goeson' }));
    await first.kill();
    const download = await cpe.post(second, '');
    t.is(rpcOf(download.body), 'Download');
    await second.kill();
    t.is((await cpe.post(third, downloadResponse())).status, 204);
    const found = await results(third.nbi, `cpeid=${cpeidOf('goeson')}`);
    t.is(found.length, 1);
    t.regex(found[0]?.result.message ?? '', /the device is downloading the file/);
  });

  test.serial(
    'CPEs whose processes are killed in mid-session are upgraded all the same, each by one CommandKey',
    async (t) => {
      const { nodes, onEnvelope } = await startNodes(t);
      const [first, second, third] = nodes;
      await postRule(t, first.nbi, FLEET_RULE);
      const proxy = await startRoundRobin(
        t,
        nodes.map(({ cwmp }) => cwmp),
      );
      const cpes = Array.from({ length: 12 }, (_, serial) =>
        createCpe(t, `${proxy.url}/`, `cutoff${serial}`, { onEnvelope, rebootMs: 300 }),
      );
      const reported = cpes.map((cpe) => once(cpe.events, 'transfer-complete-sent'));
      const begun = Promise.race(cpes.map((cpe) => once(cpe.events, 'session')));
      for (const cpe of cpes) cpe.start();
      await begun;
      await first.kill();
      await Promise.race(reported);
      await second.kill();
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
      const { nodes } = await startNodes(t);
      // Or fifty first contacts would change one device at once, and some would be told to come again.
      await introduced(t, nodes[0], 'fifty');
      await postRule(t, nodes[0].nbi, {
        id: 'ONE',
        file: IMAGE_NAME,
        condition: { cpeid: cpeidOf('fifty') },
      });
      let turn = 0;
      const next = () => nodes[turn++ % nodes.length] ?? nodes[0];
      const session = async () => {
        const cpe = new Roaming(t);
        let downloads = 0;
        // A process lets so many requests of one CPE wait, and has the others come again.
        const post = (body: string) =>
          until('it is let in', async () => {
            const answer = await cpe.post(next(), body);
            return answer.status === 503 ? null : answer;
          });
        t.is((await post(inform({ ...INFORM, serial: 'fifty' }))).status, 200);
        let answer = await post('');
        for (let rpcs = 0; answer.status === 200 && rpcs < RPCS_MAX; rpcs++) {
          const rpc = rpcOf(answer.body);
          if (rpc === 'Download') downloads++;
          answer = await post(ANSWERS[rpc] ?? SET_PARAMETER_VALUES_RESPONSE);
        }
        t.is(answer.status, 204);
        return downloads;
      };
      const downloads = await Promise.all(Array.from({ length: 50 }, session));
      t.is(
        downloads.reduce((total, each) => total + each, 0),
        1,
      );
      for (const { nbi } of nodes) t.is((await results(nbi, `cpeid=${cpeidOf('fifty')}`)).length, 1);
    },
  );

  test.serial(
    'a rule is in force at every node within a second, and switched off stops the very next reservation',
    async (t) => {
      const { nodes } = await startNodes(t);
      const [first, second, third] = nodes;
      for (const serial of ['late1', 'late2', 'late3']) await introduced(t, first, serial);
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
      await begun(second, 'late1');
      await switchTo(third, false);
      t.not(await begins(second, 'late2'), 'Download');
      t.not(await begins(first, 'late2'), 'Download');
      await switchTo(second, true);
      await begun(third, 'late2');
      const frozen = { frozen: true };
      t.is((await first.nbi('POST', '/v1/method/FreezeUpgrades', frozen)).status, 200);
      t.not(await begins(third, 'late3'), 'Download');
    },
  );
}
