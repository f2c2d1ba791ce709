import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../acs/device/device.js';
import { builtInModel, type Fault, Fleet, makeImage } from '../../cpe-sim/index.js';
import { openCampaigns } from '../../rules/campaign.js';
import { openMongoStore, type Store } from '../../store/index.js';
import { startBalancer, startFileBalancer } from '../support/balancer.js';
import { holdToSchemas } from '../support/cwmp-schema.js';
import { nbiClient, type TestFerry, until } from '../support/ferry.js';
import { FerryProcess, freePorts, type Ports } from '../support/ferry-process.js';
import { portOf, proxiedUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

const NODES = 3;
const KILL_EVERY_MS = 2_000;
const CUT_MS = 5_000;
const OUI = '00A1B2';
const OLD_VERSION = '1.0.0';
const NEW_VERSION = '2.0.0';
const ENDED_MS_MAX = 300_000;

export interface ChaosOptions {
  /** The database, without its name. */
  readonly url: string;
  readonly seed: number;
  readonly cpes: number;
  /** For so long nodes are killed, and the database is cut off twice; the CPEs come in its first half. */
  readonly chaosMs: number;
}

/** A rule with so many executions, for the CPEs of a product class of its own. */
interface Campaign {
  readonly id: string;
  readonly executions: number;
  readonly concurrent: number;
  readonly fleet: Fleet;
}

interface Result {
  readonly id: string;
  readonly cpeid: string;
  readonly campaignid: string;
  readonly status: boolean;
  readonly result: { readonly code: number; readonly message: string };
}

/** What the CPEs themselves have seen, whatever the server says. */
interface Record {
  /** CommandKeys of the Downloads that a CPE has read, in order, by cpeid. */
  readonly downloads: Map<string, string[]>;
  /** By rule: the most CPEs that had a Download and had not ended its transfer, at any one moment. */
  readonly concurrentMost: Map<string, number>;
}

/**
 * Three nodes on one database upgrade a fleet, while a node is killed every two seconds, and started again, and the database is
 * cut off twice. At the end every CPE is at its version, none was given more CommandKeys than its rule has executions, no
 * limit was passed, every result is final, and results, campaigns and what the CPEs saw tell the same.
 */
export async function chaosRound(t: ExecutionContext, options: ChaosOptions): Promise<void> {
  const random = randomFrom(options.seed);
  const database = testDatabase(t, options.url);
  const direct = urlOfDatabase(options.url, database);
  const proxy = await startTcpProxy(t, portOf(options.url));
  const nodes = await Nodes.start(t, proxiedUrl(direct, proxy.port));
  const { nbi } = nodes;
  const record: Record = { downloads: new Map(), concurrentMost: new Map() };
  const campaigns: Campaign[] = [];
  for (let executions = 1; executions <= 3; executions++) {
    campaigns.push(await startCampaign(t, nodes, executions, options, random, record));
  }
  const shaking = new AbortController();
  t.teardown(() => shaking.abort());
  const killed = killNodes(nodes, random, options.chaosMs, shaking.signal);
  const cut = cutTwice(proxy, random, options.chaosMs, shaking.signal);
  await Promise.all([killed, cut]);

  const cpes = campaigns.flatMap(({ fleet }) => fleet.cpes);
  await until(
    'every CPE is at its version',
    () => cpes.every(({ softwareVersion }) => softwareVersion === NEW_VERSION),
    ENDED_MS_MAX,
  );
  const results = await until(
    'every CPE has a verified result and every result is final',
    async () => {
      const all = await listResults(nbi);
      const verified = all.filter(({ result }) => result.code === 200).length;
      return all.every(({ status }) => status) && verified === cpes.length && all;
    },
    ENDED_MS_MAX,
  );
  for (const { fleet } of campaigns) await fleet.stop();

  const store = await openMongoStore({ url: direct });
  t.teardown(() => store.close());
  for (const campaign of campaigns) {
    checkCpes(t, campaign, results, record);
    await checkCounts(t, store, campaign, results);
  }
  const repeated = results.filter(({ result }) => isRepeated(result.message)).length;
  const failed = results.filter(({ result }) => result.code !== 200).length;
  t.log(
    `seed ${options.seed}: ${await killed} kills, ${results.length} upgrades of ${cpes.length} CPEs, ` +
      `${failed} of them failed, ${repeated} with a Download sent again`,
  );
}

/** The nodes, and what is in front of them. */
class Nodes {
  readonly nbi: TestFerry['nbi'];
  readonly acsUrl: string;
  readonly #all: { readonly ports: Ports; process: FerryProcess | null }[] = [];
  readonly #start: (ports: Ports) => Promise<FerryProcess>;

  private constructor(start: (ports: Ports) => Promise<FerryProcess>, acsPort: number, nbiPort: number) {
    this.#start = start;
    this.acsUrl = `http://127.0.0.1:${acsPort}/`;
    this.nbi = nbiClient(`http://127.0.0.1:${nbiPort}`);
  }

  static async start(t: ExecutionContext, store: string): Promise<Nodes> {
    // All that a node has of its own: the master key, which is the same for all.
    const dataDir = await mkdtemp(join(tmpdir(), 'ferry-chaos-'));
    t.teardown(() => rm(dataDir, { recursive: true, force: true }));
    const ports: Ports[] = [];
    for (let node = 0; node < NODES; node++) ports.push(await freePorts());
    const filePort = await startFileBalancer(
      t,
      ports.map(({ files }) => files),
    );
    const args = [`--store=${store}`, `--public-file-url=http://127.0.0.1:${filePort}`];
    const nodes = new Nodes(
      (at) => FerryProcess.start(dataDir, at, args),
      await startBalancer(
        t,
        ports.map(({ cwmp }) => cwmp),
      ),
      await startBalancer(
        t,
        ports.map(({ nbi }) => nbi),
      ),
    );
    t.teardown(() => nodes.stop(t));
    for (const at of ports) nodes.#all.push({ ports: at, process: await nodes.#start(at) });
    return nodes;
  }

  /** Kills one of those that run, and starts it again. @returns resolves once it is back; null where none runs */
  killOne(random: () => number): Promise<void> | null {
    const running = this.#all.filter(({ process }) => process !== null);
    const node = running[Math.floor(random() * running.length)];
    if (node === undefined) return null;
    const { process, ports } = node;
    node.process = null;
    const comeBack = async () => {
      await process?.kill();
      // While the database is cut off a node cannot start; whoever supervises it tries again.
      await until(
        'a killed node is back',
        async () => {
          node.process = await this.#start(ports).catch(() => null);
          return node.process;
        },
        ENDED_MS_MAX,
      );
    };
    return comeBack();
  }

  async stop(t: ExecutionContext): Promise<void> {
    for (const { process } of this.#all) {
      if (!t.passed && process !== null) t.log(process.log);
      await process?.kill();
    }
  }
}

async function killNodes(
  nodes: Nodes,
  random: () => number,
  chaosMs: number,
  signal: AbortSignal,
): Promise<number> {
  const back: Promise<void>[] = [];
  const endMs = performance.now() + chaosMs;
  while (performance.now() < endMs && !signal.aborted) {
    const killed = nodes.killOne(random);
    if (killed !== null) back.push(killed);
    await delay(KILL_EVERY_MS);
  }
  await Promise.all(back);
  return back.length;
}

/** Once in each half. */
async function cutTwice(
  proxy: TcpProxy,
  random: () => number,
  chaosMs: number,
  signal: AbortSignal,
): Promise<void> {
  const half = chaosMs / 2;
  for (let time = 0; time < 2 && !signal.aborted; time++) {
    const beforeMs = random() * Math.max(0, half - CUT_MS);
    await delay(beforeMs);
    proxy.cut();
    await delay(CUT_MS);
    proxy.heal();
    await delay(Math.max(0, half - CUT_MS - beforeMs));
  }
}

async function startCampaign(
  t: ExecutionContext,
  { nbi, acsUrl }: Nodes,
  executions: number,
  { cpes, chaosMs }: ChaosOptions,
  random: () => number,
  record: Record,
): Promise<Campaign> {
  const id = `CHAOS-${executions}`;
  const productClass = `HGW${executions}`;
  const count = Math.floor(cpes / 3);
  const concurrent = Math.ceil(count / 4);
  const image = makeImage({ softwareVersion: NEW_VERSION, productClass, sizeBytes: 64 * 1024 });
  const file = `${productClass}.bin`;
  const uploaded = await nbi(
    'PUT',
    `/v1/images/${file}?softwareVersion=${NEW_VERSION}`,
    new Uint8Array(image),
  );
  t.is(uploaded.status, 201, JSON.stringify(uploaded.body));
  const posted = await nbi('POST', '/v1/dyn/FirmwareStorage/.*', {
    id,
    file,
    condition: { productClass },
    executions,
    limits: { concurrent },
    retry: { afterMinutes: 0.02, factor: 1 },
  });
  t.is(posted.status, 200, JSON.stringify(posted.body));
  const fleet = new Fleet({
    acsUrl,
    dataModel: builtInModel('tr181'),
    count,
    oui: OUI,
    productClass,
    serialPrefix: 'C',
    softwareVersion: OLD_VERSION,
    rebootMs: 500,
    retryMs: 500,
    // Whoever met ten kills in a row would otherwise be away for minutes.
    retryFactor: 1.2,
    downloadResumeMs: 100,
    rampMs: chaosMs / 2,
    periodicIntervalMs: 10_000,
    faults: () => faultsOf(random, executions),
    onEnvelope: holdToSchemas(t),
  });
  watch(fleet, id, record);
  t.teardown(() => fleet.stop());
  await fleet.start();
  return { id, executions, concurrent, fleet };
}

/** Some lose a Download or their answer to it; some fail as often as their rule lets them. */
function faultsOf(random: () => number, executions: number): Fault[] {
  const faults: Fault[] = [];
  if (random() < 0.1)
    faults.push({ kind: 'drop', at: random() < 0.5 ? 'download' : 'download-response', times: 1 });
  if (executions > 1 && random() < 0.3) {
    const times = 1 + Math.floor(random() * (executions - 1));
    faults.push({ kind: 'transfer', faultCode: 9010, faultString: 'Download failure', times });
  }
  return faults;
}

function watch(fleet: Fleet, id: string, { downloads, concurrentMost }: Record): void {
  const underWay = new Set<string>();
  fleet.events.on('download', ({ identity, commandKey }) => {
    const cpeid = `${identity.oui}-${identity.productClass}-${identity.serialNumber}`;
    downloads.set(cpeid, [...(downloads.get(cpeid) ?? []), commandKey]);
    underWay.add(commandKey);
    concurrentMost.set(id, Math.max(concurrentMost.get(id) ?? 0, underWay.size));
  });
  // From here on the server may know that it is over, even where the CPE does not learn so.
  fleet.events.on('transfer', ({ commandKey }) => underWay.delete(commandKey));
}

function checkCpes(
  t: ExecutionContext,
  campaign: Campaign,
  results: readonly Result[],
  record: Record,
): void {
  const most = record.concurrentMost.get(campaign.id) ?? 0;
  t.true(most <= campaign.concurrent, `${most} at a time, of ${campaign.concurrent} allowed`);
  for (const { identity } of campaign.fleet.cpes) {
    const cpeid = `${identity.oui}-${identity.productClass}-${identity.serialNumber}`;
    const own = results.filter((result) => result.cpeid === cpeid);
    const read = record.downloads.get(cpeid) ?? [];
    const keys = new Set(read);
    const shown = `${cpeid}: ${JSON.stringify(own)}, read ${read.join()}`;
    t.true(keys.size <= campaign.executions, `more CommandKeys than executions: ${shown}`);
    t.true(own.length <= campaign.executions, `more upgrades than executions: ${shown}`);
    t.is(own.filter(({ result }) => result.code === 200).length, 1, `verified once: ${shown}`);
    for (const key of keys) {
      const result = own.find((each) => each.id.replaceAll('-', '') === key);
      t.truthy(result, `a Download without a result: ${shown}`);
      const times = read.filter((each) => each === key).length;
      t.true(times === 1 || isRepeated(result?.result.message ?? ''), `repeated unasked: ${shown}`);
    }
  }
}

/** Results against what `limits` and `executions` are counted by. */
async function checkCounts(
  t: ExecutionContext,
  store: Store,
  { id, fleet }: Campaign,
  all: readonly Result[],
): Promise<void> {
  const own = all.filter(({ campaignid }) => campaignid === id);
  const devices = store.collection<Device>(DEVICES);
  const { shares, campaigns } = openCampaigns(store);
  const countKeys = new Set<string>();
  let executions = 0;
  for (const { identity } of fleet.cpes) {
    const stored = await devices.get(`${identity.oui}-${identity.productClass}-${identity.serialNumber}`);
    for (const [key, count] of Object.entries(stored?.document.counts ?? {})) {
      countKeys.add(key);
      executions += count.started;
    }
  }
  t.is(countKeys.size, 1, `${id} is one campaign`);
  const [countKey = ''] = countKeys;
  const totals = { started: 0, running: 0, verified: 0, cancelled: 0, failed: 0 };
  for await (const { document } of shares.scan({ atLeast: `${countKey}.`, below: `${countKey}/` })) {
    totals.started += document.started ?? 0;
    totals.running += document.running ?? 0;
    totals.verified += document.verified ?? 0;
    totals.cancelled += document.cancelled ?? 0;
  }
  totals.failed = (await campaigns.get(countKey))?.document.failed ?? 0;
  t.deepEqual(
    { ...totals, executions },
    {
      started: own.length,
      running: 0,
      verified: fleet.cpes.length,
      cancelled: 0,
      failed: own.length - fleet.cpes.length,
      executions: own.length,
    },
    id,
  );
}

function isRepeated(message: string): boolean {
  return message.includes('sent again');
}

async function listResults(nbi: TestFerry['nbi']): Promise<Result[]> {
  const answer = await nbi('GET', '/v1/dyn/FirmwareResultStorage/.*').catch(() => null);
  return answer?.status === 200 ? (answer.body as { details: Result[] }).details : [];
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
