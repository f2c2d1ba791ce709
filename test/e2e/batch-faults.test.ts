import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../acs/index.js';
import { type BatchId, HOUR_MS, silentLogger, systemClock } from '../../common/index.js';
import { builtInModel, type Fault, Fleet, parseFault, type SimulatedCpe } from '../../cpe-sim/index.js';
import { Hold } from '../../rollout/batches/hold.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { BatchRecord, contradictions, type RecordedKind } from './batch-record.js';
import {
  type BatchTold,
  begunSince,
  boot,
  countsIn,
  countsOf,
  operationsOf,
  progressOf,
} from './batch-told.js';
import {
  Barrier,
  commandKeys,
  cpeidOf,
  IMAGE_NAME,
  NEW_VERSION,
  OLD_VERSION,
  PRODUCT_CLASS,
  startFileProxy,
  uploadImage,
} from './simulated.js';

/** How many CPEs have a batch; `npm run test:hunt` has 2,000. */
const CPES = Number(process.env['FERRY_BATCH_CPES'] ?? 70);
/** All that are to begin have been called in so many seconds. */
const CALLED_IN_SECONDS = 5;
/** Whom a slow machine lets miss its call comes by itself, and not so many at once that this makes it slow. */
const PERIODIC_MS = Math.max(3_000, CPES * 50);
/** On a slow machine. */
const ENDED_MS_MAX = 120_000 + CPES * 1_000;
/** A CPE that was busy is tried again after an hour, and one that has accepted has a day to be heard of. */
const NO_LONGER_BUSY_MS = 2 * HOUR_MS;
const NOT_HEARD_OF_MS = 26 * HOUR_MS;

interface Kind extends RecordedKind {
  readonly faults: readonly string[];
  /** What becomes of it. */
  readonly told: string;
  /** Different CommandKeys that it reads; one that is lost is not read. */
  readonly downloads: number;
}

const WELL: Kind = { faults: [], told: 'verified', downloads: 1 };
/** In turn, each as many CPEs; three well ones to seven that are not. */
const KINDS: readonly Kind[] = [
  WELL,
  { faults: ['refuse:9001'], refused: 'failed fault-9001', told: 'failed fault-9001', downloads: 1 },
  { faults: ['transfer:9010'], told: 'failed fault-9010', downloads: 1 },
  { faults: ['early-complete', 'old-version'], staysOld: true, told: 'failed old-version', downloads: 1 },
  WELL,
  { faults: ['never-back'], told: 'timed-out not-heard-of', downloads: 1 },
  { faults: ['refuse:9004:1'], refused: 'pending', told: 'verified', downloads: 2 },
  { faults: ['hang:1'], told: 'verified', downloads: 1 },
  WELL,
  { faults: ['drop:download', 'drop:download-response'], told: 'verified', downloads: 1 },
];

function kindOf(index: number): Kind {
  return KINDS[index % KINDS.length] ?? WELL;
}

/**
 * CPEs that are known to Ferry.
 * @param periodicIntervalMs  how often they call of their own accord; absent: they do not within a day
 */
async function startFleet(
  t: ExecutionContext,
  ferry: TestFerry,
  faults: (index: number) => readonly Fault[],
  periodicIntervalMs?: number,
): Promise<Fleet> {
  t.timeout(2 * ENDED_MS_MAX);
  await uploadImage(t, ferry.nbi);
  const fleet = new Fleet({
    acsUrl: ferry.urls.cwmp,
    dataModel: builtInModel('tr181'),
    count: CPES,
    oui: '00A1B2',
    productClass: PRODUCT_CLASS,
    serialPrefix: '',
    softwareVersion: OLD_VERSION,
    rebootMs: 50,
    retryMs: 50,
    downloadResumeMs: 50,
    // Those that are held at their file do not give it up.
    downloadIdleMsMax: ENDED_MS_MAX,
    silenceMsMax: 100,
    sessionsMax: 100,
    faults: (index) => faults(index - 1),
    ...(periodicIntervalMs !== undefined && { periodicIntervalMs }),
  });
  t.teardown(() => fleet.stop());
  await fleet.start();
  const devices = ferry.installation.store.collection<Device>(DEVICES);
  await until(
    'all are provisioned',
    async () => {
      let done = 0;
      for await (const { document } of devices.scan({})) if (document.provisioning === 'done') done++;
      return done === CPES;
    },
    ENDED_MS_MAX,
  );
  return fleet;
}

async function makeBatch(
  t: ExecutionContext,
  ferry: TestFerry,
  fleet: Fleet,
  wakePerSecond: number,
): Promise<BatchId> {
  const { status, body } = await ferry.nbi('POST', '/v1/batches', {
    name: 'night',
    image: IMAGE_NAME,
    cpeids: fleet.cpes.map(cpeidOfCpe),
    wakePerSecond,
  });
  t.is(status, 201, JSON.stringify(body));
  return (body as { details: { id: BatchId } }).details.id;
}

function cpeidOfCpe({ identity }: Pick<SimulatedCpe, 'identity'>): string {
  return cpeidOf(identity.serialNumber);
}

test('of a batch over CPEs with seven kinds of faults every poll tells what they have done by then, and at the end of each what it came to', async (t) => {
  const time = { aheadMs: 0 };
  const ferry = await startTestFerry(t, { clock: () => Date.now() + time.aheadMs });
  const faults = (index: number) => kindOf(index).faults.map(parseFault);
  const fleet = await startFleet(t, ferry, faults, PERIODIC_MS);
  const record = new BatchRecord(fleet, kindOf);
  const batch = await makeBatch(t, ferry, fleet, Math.ceil(CPES / CALLED_IN_SECONDS));
  const wrong: string[] = [];
  let polls = 0;
  const polledUntil = async (what: string, isSo: (progress: BatchTold['progress']) => boolean) => {
    await until(
      what,
      async () => {
        const before = record.now();
        const told = await progressOf(ferry.nbi, batch);
        for (const each of contradictions(told, record.since(before))) wrong.push(`poll ${polls}: ${each}`);
        polls++;
        return wrong.length > 0 || isSo(told.progress);
      },
      ENDED_MS_MAX,
    );
    t.deepEqual(wrong, []);
  };
  const all = fleet.cpes.map((_, index) => kindOf(index));
  const busy = all.filter(({ refused }) => refused === 'pending').length;
  const gone = all.filter(({ told }) => told.startsWith('timed-out')).length;
  await polledUntil(
    'only the busy ones wait, and only those run that are gone',
    ({ pending, running }) => pending === busy && running === gone,
  );
  time.aheadMs += NO_LONGER_BUSY_MS;
  await polledUntil(
    'the busy ones have had their turn',
    ({ pending, running }) => pending === 0 && running === gone,
  );
  time.aheadMs += NOT_HEARD_OF_MS;
  await ferry.acs.sweep();
  await polledUntil('all have ended', ({ pending, running }) => pending === 0 && running === 0);
  t.log(`${polls} polls of ${CPES} CPEs`);

  const operations = await operationsOf(ferry.nbi, batch);
  for (const [index, cpe] of fleet.cpes.entries()) {
    const { told, downloads } = kindOf(index);
    const cpeid = cpeidOfCpe(cpe);
    t.deepEqual(operations.get(cpeid), { told, attempts: downloads }, cpeid);
    t.is(record.downloads(cpe), downloads, cpeid);
    t.is(cpe.softwareVersion === NEW_VERSION, told === 'verified', cpeid);
  }
  const last = await progressOf(ferry.nbi, batch);
  t.is(last.state, 'failed');
  t.is(last.progress['total'], CPES);
  t.deepEqual(countsIn(last), countsOf(all.map(({ told }) => told)));
});

/** Lets so many pass, and holds the others until it is opened. */
class Sluice extends Barrier {
  passed = 0;
  held = 0;
  readonly #passing: number;

  constructor(passing: number) {
    super();
    this.#passing = passing;
  }

  override async pass(): Promise<void> {
    if (this.passed < this.#passing) {
      this.passed++;
      return;
    }
    this.held++;
    await super.pass();
  }
}

/** In turn. All of them come when they are booted; those that are `away` only as the batch is cancelled, and after it. */
const CANCELLED_KINDS = ['well', 'denies', 'fails', 'old', 'away', 'hangs', 'well', 'away'] as const;
type CancelledKind = (typeof CANCELLED_KINDS)[number];
const CANCELLED_FAULTS: Readonly<Record<CancelledKind, readonly Fault[]>> = {
  well: [],
  denies: [{ kind: 'refuse', faultCode: 9001, times: 1 }],
  fails: [{ kind: 'transfer', faultCode: 9010, faultString: 'Download failure', times: 1 }],
  old: [{ kind: 'early-complete' }, { kind: 'old-version' }],
  away: [],
  hangs: [{ kind: 'hang', times: 1 }],
};

function cancelledKindOf(index: number): CancelledKind {
  return CANCELLED_KINDS[index % CANCELLED_KINDS.length] ?? 'well';
}

/** What becomes of a CPE that nothing is cancelled for: two of the kinds fail once, whenever that is. */
function toldAfter(kind: CancelledKind, attempts: number): string {
  if (kind === 'old') return 'failed old-version';
  if (kind === 'denies' && attempts === 1) return 'failed fault-9001';
  return kind === 'fails' && attempts === 1 ? 'failed fault-9010' : 'verified';
}

async function ended(ferry: TestFerry, batch: BatchId): Promise<void> {
  const isOver = async () => {
    const { pending, running } = (await progressOf(ferry.nbi, batch)).progress;
    return pending === 0 && running === 0;
  };
  await until('nothing of it waits or runs', isOver, ENDED_MS_MAX);
  await ferry.upgrading.batches.round();
}

test('once the cancelling of a batch half-way is answered nothing of it begins, what is under way ends, and of what is tried again the verified are no part', async (t) => {
  // Of the four in eight CPEs that fetch one in four comes back old: enough pass for one to be verified.
  const sluice = new Sluice(Math.ceil(CPES / 4));
  const proxy = await startFileProxy(t, sluice);
  const ferry = await startTestFerry(t, { config: { publicFileUrl: [proxy.url] } });
  proxy.target = ferry.urls.files;
  const fleet = await startFleet(t, ferry, (index) => CANCELLED_FAULTS[cancelledKindOf(index)]);
  const { cpes } = fleet;
  const ofKind = (...kinds: readonly CancelledKind[]) =>
    cpes.filter((_, index) => kinds.includes(cancelledKindOf(index)));
  const away = ofKind('away');
  const batch = await makeBatch(t, ferry, fleet, 0);
  await boot(
    fleet,
    cpes.filter((cpe) => !away.includes(cpe)),
  );
  await until(
    'it is half-way',
    async () => {
      const { progress, reasons } = await progressOf(ferry.nbi, batch);
      const old = reasons.find(({ reason }) => reason === 'old-version')?.count ?? 0;
      return (progress['verified'] ?? 0) + old === sluice.passed && sluice.held >= Math.floor(CPES / 10);
    },
    ENDED_MS_MAX,
  );
  // Whoever has it in hand withdraws nothing yet: that nothing begins is by its gate alone.
  const hold = await holdOf(ferry, batch);
  // Some come as it is cancelled, the others after it.
  const coming = boot(
    fleet,
    away.filter((_, index) => index % 2 === 0),
  );
  const { status } = await ferry.nbi('POST', `/v1/batches/${batch}/cancel`);
  const begun = begunSince(fleet);
  t.is(status, 200);
  const answered = await operationsOf(ferry.nbi, batch);
  await Promise.all([
    coming,
    boot(
      fleet,
      away.filter((_, index) => index % 2 === 1),
    ),
  ]);
  await ferry.upgrading.batches.made(batch);
  const waiting = [...(await operationsOf(ferry.nbi, batch)).values()].filter(
    ({ told }) => told === 'pending',
  );
  t.true(waiting.length >= Math.floor(away.length / 2), 'those that came after it still wait');
  t.deepEqual([...begun], []);
  await hold.release();
  await ferry.upgrading.batches.round();
  sluice.open();
  await ended(ferry, batch);
  t.deepEqual([...begun], []);
  const over = await operationsOf(ferry.nbi, batch);
  for (const cpe of cpes) {
    const cpeid = cpeidOfCpe(cpe);
    const { told, attempts } = over.get(cpeid) ?? { told: 'none', attempts: 0 };
    t.is(answered.get(cpeid)?.attempts, attempts, cpeid);
    t.is(commandKeys(cpe).length, attempts, cpeid);
    t.is(cpe.softwareVersion === NEW_VERSION, told === 'verified', `${cpeid} ${told}`);
    if (attempts === 0) t.is(told, 'cancelled withdrawn', cpeid);
  }
  const cancelled = await progressOf(ferry.nbi, batch);
  t.is(cancelled.state, 'cancelled');
  t.deepEqual(countsIn(cancelled), countsOf([...over.values()].map(({ told }) => told)));

  // One reason, and then all that is left.
  const failed = [...over].filter(([, { told }]) => told === 'failed fault-9010').map(([cpeid]) => cpeid);
  t.is(await retry(t, ferry, batch, { reason: 'fault-9010' }), failed.length);
  await boot(fleet, cpes);
  await ended(ferry, batch);
  const again = await operationsOf(ferry.nbi, batch);
  for (const [cpeid, before] of over)
    t.deepEqual(
      again.get(cpeid),
      failed.includes(cpeid) ? { told: 'verified', attempts: before.attempts + 1 } : before,
      cpeid,
    );
  const left = [...again].filter(([, { told }]) => told !== 'verified').length;
  t.is(await retry(t, ferry, batch, {}), left);
  await boot(fleet, cpes);
  await ended(ferry, batch);
  const last = await operationsOf(ferry.nbi, batch);
  for (const [index, cpe] of cpes.entries()) {
    const cpeid = cpeidOfCpe(cpe);
    const { told, attempts } = last.get(cpeid) ?? { told: 'none', attempts: 0 };
    t.is(told, toldAfter(cancelledKindOf(index), attempts), cpeid);
    t.is(commandKeys(cpe).length, attempts, cpeid);
    if (again.get(cpeid)?.told === 'verified') t.deepEqual(last.get(cpeid), again.get(cpeid), cpeid);
  }
  t.deepEqual(
    countsIn(await progressOf(ferry.nbi, batch)),
    countsOf([...last.values()].map(({ told }) => told)),
  );
});

/** As another node has a batch in hand. */
async function holdOf({ installation: { store } }: TestFerry, batch: BatchId): Promise<Hold> {
  const hold = await Hold.takeSoon({ store, clock: systemClock, logger: silentLogger }, batch);
  if (hold === null) throw new Error('somebody has the batch in hand');
  return hold;
}

/** @returns how many wait again */
async function retry(
  t: ExecutionContext,
  { nbi }: TestFerry,
  batch: BatchId,
  filter: object,
): Promise<number> {
  const { status, body } = await nbi('POST', `/v1/batches/${batch}/retry`, filter);
  t.is(status, 200, JSON.stringify(body));
  return (body as { details: { retried: number } }).details.retried;
}
