import type { ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../acs/device/device.js';
import { builtInModel, type Fault, Fleet, makeImage, type SimulatedCpe } from '../../cpe-sim/index.js';
import { openCampaigns } from '../../rules/campaign/campaign.js';
import { openMongoStore, type Store } from '../../store/index.js';
import { commandKeyOfResult } from '../support/command-key.js';
import { holdToSchemas } from '../support/cwmp-schema.js';
import { type TestFerry, until } from '../support/ferry.js';
import { portOf, proxiedUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { ChaosNodes, shake } from './chaos-nodes.js';
import { ChaosRecord, cpeidOf } from './chaos-record.js';

const OUI = '00A1B2';
const OLD_VERSION = '1.0.0';
const NEW_VERSION = '2.0.0';
const ENDED_MS_MAX = 900_000;
/** As seldom as is bearable: with each session a slow database has less time for those that upgrade. */
const PERIODIC_MS = 20_000;
/** The rule of so many executions is posted in the midst of it all, and wakes the CPEs that are known by then. */
const WOKEN = 2;
/** CPEs of each rule that fail every time: what stops these is only the number of its executions. */
const HOPELESS = 3;
/** More would bury what tells. */
const STORIES_TOLD_MAX = 3;

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
  readonly posted: Promise<void>;
}

interface Result {
  readonly id: string;
  readonly cpeid: string;
  readonly campaignid: string;
  readonly status: boolean;
  readonly result: { readonly code: number; readonly message: string };
}

/** One round and what it is judged by. */
interface Round {
  readonly options: ChaosOptions;
  readonly nodes: ChaosNodes;
  readonly random: () => number;
  readonly record: ChaosRecord;
}

/**
 * Three nodes on one database upgrade a fleet, whose CPEs come to another node with each request, while a node is killed every two
 * seconds, and started again, and the database is cut off twice. At the end every CPE that can is at its version, none was given more
 * CommandKeys than its rule has executions, nor one of them twice but where it had been asked, no limit was passed, every
 * result is final, and results, campaigns and what the CPEs saw tell the same.
 */
export async function chaosRound(t: ExecutionContext, options: ChaosOptions): Promise<void> {
  const random = randomFrom(options.seed);
  const database = testDatabase(t, options.url);
  const direct = urlOfDatabase(options.url, database);
  const proxy = await startTcpProxy(t, portOf(options.url));
  const record = new ChaosRecord();
  const onLog = (node: string, line: string) => record.logged(node, line);
  const settings = [`--periodic-inform-seconds=${PERIODIC_MS / 1_000}`];
  const nodes = await ChaosNodes.start(t, proxiedUrl(direct, proxy.port), settings, onLog);
  const round = { options, nodes, random, record };
  const campaigns: Campaign[] = [];
  for (let executions = 1; executions <= 3; executions++)
    campaigns.push(await startCampaign(t, round, executions));
  const cpes = campaigns.flatMap(({ fleet }) => fleet.cpes.slice(HOPELESS));
  const isUpgraded = ({ softwareVersion }: SimulatedCpe) => softwareVersion === NEW_VERSION;
  const suspects = new Set<string>();
  t.teardown(() => {
    if (t.passed) return;
    t.log(record.general);
    for (const cpeid of [...suspects].slice(0, STORIES_TOLD_MAX)) t.log(record.story(cpeid));
  });

  const durationMs = options.chaosMs;
  const killed = await shake(t, { nodes, proxy, random, durationMs, onLog });
  await Promise.all(campaigns.map(({ posted }) => posted));
  const calmSinceMs = performance.now();
  const calmMs = () => Math.round(performance.now() - calmSinceMs);
  await until('every CPE is at its version', () => cpes.every(isUpgraded), ENDED_MS_MAX).catch((error) => {
    for (const cpe of cpes) if (!isUpgraded(cpe)) suspects.add(cpeidOf(cpe.identity));
    throw error;
  });
  const upgradedMs = calmMs();
  let results: Result[] = [];
  await until(
    'every CPE has a verified result and every result is final',
    async () => {
      results = await listResults(nodes.nbi);
      const verified = results.filter(({ result }) => result.code === 200).length;
      const isOver = results.every(({ status }) => status) && verified === cpes.length;
      return isOver && hopelessAreDone(campaigns, results);
    },
    ENDED_MS_MAX,
  ).catch((error) => {
    for (const { cpeid, status } of results) if (!status) suspects.add(cpeid);
    t.log(`${results.length} results, of hopeless CPEs too: ${hopelessAreDone(campaigns, results)}`);
    for (const { identity } of cpes) {
      const cpeid = cpeidOf(identity);
      if (!results.some((each) => each.cpeid === cpeid && each.result.code === 200)) suspects.add(cpeid);
    }
    throw error;
  });
  const finalMs = calmMs();
  for (const { fleet } of campaigns) await fleet.stop();
  await nodes.stop();

  const store = await openMongoStore({ url: direct });
  t.teardown(() => store.close());
  for (const campaign of campaigns) {
    checkCpes(t, campaign, results, record, suspects);
    await checkCounts(t, store, campaign, results);
  }
  const repeated = results.filter(({ result }) => isRepeated(result.message)).length;
  const failed = results.filter(({ result }) => result.code !== 200).length;
  const reread = cpes.reduce((sum, { downloads }) => sum + downloads.length - keysOf(downloads), 0);
  const woken = campaigns.reduce((sum, { fleet }) => sum + fleet.summary().connectionRequests.accepted, 0);
  t.log(
    `seed ${options.seed}: ${killed} kills, ${results.length} upgrades of ${cpes.length} CPEs, ${failed} of them failed, ` +
      `${repeated} with a Download sent again, ${reread} of these read twice, ${woken} connection requests; ` +
      `all upgraded ${upgradedMs} ms and all final ${finalMs} ms after the last node was back`,
  );
}

function hopelessAreDone(campaigns: readonly Campaign[], results: readonly Result[]): boolean {
  return campaigns.every(({ fleet, executions }) =>
    fleet.cpes.slice(0, HOPELESS).every(({ identity }) => {
      const cpeid = cpeidOf(identity);
      return results.filter((result) => result.cpeid === cpeid).length >= executions;
    }),
  );
}

function keysOf(downloads: readonly { readonly commandKey: string }[]): number {
  return new Set(downloads.map(({ commandKey }) => commandKey)).size;
}

async function startCampaign(t: ExecutionContext, round: Round, executions: number): Promise<Campaign> {
  const { nodes, record, random } = round;
  const { cpes, chaosMs } = round.options;
  const id = `CHAOS-${executions}`;
  const productClass = `HGW${executions}`;
  const count = Math.floor(cpes / 3);
  const concurrent = Math.ceil(count / 5);
  const image = makeImage({ softwareVersion: NEW_VERSION, productClass, sizeBytes: 64 * 1024 });
  const file = `${productClass}.bin`;
  const path = `/v1/images/${file}?softwareVersion=${NEW_VERSION}`;
  const uploaded = await nodes.nbi('PUT', path, new Uint8Array(image));
  t.is(uploaded.status, 201, JSON.stringify(uploaded.body));
  const rule = {
    id,
    file,
    condition: { productClass },
    executions,
    limits: { concurrent },
    retry: { afterMinutes: 0.02, factor: 1 },
  };
  const post = async (body: object) => {
    const posted = await nodes.nbi('POST', '/v1/dyn/FirmwareStorage/.*', body).catch(() => null);
    return posted?.status === 200;
  };
  const fleet = new Fleet({
    acsUrl: nodes.acsUrl,
    dataModel: builtInModel('tr181'),
    count: count + HOPELESS,
    oui: OUI,
    productClass,
    serialPrefix: 'C',
    softwareVersion: OLD_VERSION,
    rebootMs: 500,
    retryMs: 500,
    // Whoever met ten kills in a row would otherwise be away for minutes.
    retryFactor: 1.2,
    downloadResumeMs: 100,
    silenceMsMax: 100,
    rampMs: chaosMs / 2,
    periodicIntervalMs: PERIODIC_MS,
    faults: (index) => (index <= HOPELESS ? [FAILURE] : faultsOf(random, executions)),
    onEnvelope: holdToSchemas(t),
  });
  record.watch(fleet, id);
  t.teardown(() => fleet.stop());
  if (executions !== WOKEN) {
    t.true(await post(rule));
    await fleet.start();
    return { id, executions, concurrent, fleet, posted: Promise.resolve() };
  }
  await fleet.start();
  const posted = (async () => {
    const metEnough = () => fleet.summary().sessions.ended >= count / 2;
    await until('half of the CPEs that will be woken are known', metEnough, ENDED_MS_MAX);
    const window = { cron: '* * * * *', durationMinutes: 60, wakePerSecond: 20 };
    await until('their rule is accepted', () => post({ ...rule, window }), ENDED_MS_MAX);
  })();
  return { id, executions, concurrent, fleet, posted };
}

const FAILURE = { kind: 'transfer', faultCode: 9010, faultString: 'Download failure', times: null } as const;

/**
 * Some lose a Download or their answer to it, some forget one that they have read, and a few of these do not tell what they have
 * queued; some fail as often as their rule lets them.
 */
function faultsOf(random: () => number, executions: number): Fault[] {
  const faults: Fault[] = [];
  const lot = random();
  if (lot < 0.05) faults.push({ kind: 'drop', at: 'download', times: 1 });
  else if (lot < 0.1) faults.push({ kind: 'drop', at: 'download-response', times: 1 });
  else if (lot < 0.2) faults.push({ kind: 'hang', times: 1 });
  if (lot > 0.17 && lot < 0.2) {
    faults.push({ kind: 'unsupported', method: 'GetAllQueuedTransfers' });
    faults.push({ kind: 'unsupported', method: 'GetQueuedTransfers' });
  }
  if (executions > 1 && random() < 0.3) {
    const times = 1 + Math.floor(random() * (executions - 1));
    faults.push({ ...FAILURE, times });
  }
  return faults;
}

function checkCpes(
  t: ExecutionContext,
  campaign: Campaign,
  results: readonly Result[],
  record: ChaosRecord,
  suspects: Set<string>,
): void {
  const most = record.concurrentMost(campaign.id);
  t.true(most <= campaign.concurrent, `${campaign.id}: ${most} at a time, of ${campaign.concurrent} allowed`);
  for (const [index, { identity }] of campaign.fleet.cpes.entries()) {
    const cpeid = cpeidOf(identity);
    const own = results.filter((result) => result.cpeid === cpeid);
    const read = record.downloads(cpeid);
    const keys = new Set(read);
    const shown = `${cpeid}: ${JSON.stringify(own)}, read ${read.join()}`;
    const check = (holds: boolean, what: string) => {
      if (!holds) suspects.add(cpeid);
      t.true(holds, `${what}: ${shown}`);
    };
    check(keys.size <= campaign.executions, 'no more CommandKeys than executions');
    check(own.length <= campaign.executions, 'no more upgrades than executions');
    const verified = own.filter(({ result }) => result.code === 200).length;
    if (index >= HOPELESS) check(verified === 1, 'verified once');
    else check(verified === 0 && keys.size === campaign.executions, 'tried as often as the rule says');
    check(record.unaskedRepeats(cpeid).length === 0, 'no Download repeated without being asked about');
    for (const key of keys) {
      const result = own.find((each) => commandKeyOfResult(each.id) === key);
      check(result !== undefined, 'each Download has a result');
      const isOnce = read.indexOf(key) === read.lastIndexOf(key);
      const message = result?.result.message ?? '';
      check(
        isOnce || !message.startsWith('Upgrade has succeeded') || isRepeated(message),
        'a repeat is told of',
      );
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
      verified: fleet.cpes.length - HOPELESS,
      cancelled: 0,
      failed: own.length - (fleet.cpes.length - HOPELESS),
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
