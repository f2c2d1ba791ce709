import test, { type ExecutionContext } from 'ava';
import type { BatchId, CpeId } from '../../common/index.js';
import type { SimulatedCpe } from '../../cpe-sim/index.js';
import type { NewBatch } from '../../rollout/index.js';
import { BY } from '../support/actor.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import {
  Barrier,
  commandKeys,
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  introduce,
  sessionsEnded,
  startFileProxy,
  startListener,
  uploadImage,
} from './simulated.js';

const HOUR_MS = 3_600_000;

/** CPEs that call of their own accord in an hour at the earliest, and are called by connection request. */
async function introduced(
  t: ExecutionContext,
  ferry: TestFerry,
  faults: readonly (readonly string[])[],
): Promise<readonly SimulatedCpe[]> {
  await uploadImage(t, ferry.nbi);
  const listener = await startListener(t);
  const cpes: SimulatedCpe[] = [];
  for (const [index, each] of faults.entries()) {
    const cpe = createCpe(t, ferry.urls.cwmp, String(index), { listener, faults: each });
    await introduce(ferry.nbi, cpe);
    cpes.push(cpe);
  }
  return cpes;
}

function listOf(cpes: readonly SimulatedCpe[], over: Partial<NewBatch> = {}): NewBatch {
  const cpeids = cpes.map(({ identity }) => cpeidOf(identity.serialNumber));
  return { name: 'night', what: { image: IMAGE_NAME }, whom: { kind: 'list', cpeids }, ...over };
}

/** The state and the reason of each operation, in the order of the CPEs. */
async function outcomes({ upgrading }: TestFerry, batch: BatchId, cpes: readonly SimulatedCpe[]) {
  const found: string[] = [];
  for (const { identity } of cpes) {
    const operation = await upgrading.operations.of(batch, cpeidOf(identity.serialNumber) as CpeId);
    found.push([operation?.state ?? 'none', operation?.reason ?? ''].join(' ').trim());
  }
  return found;
}

async function ended(ferry: TestFerry, batch: BatchId): Promise<void> {
  await until('nothing of it waits or runs', async () => {
    const counts = await ferry.upgrading.operations.counts(batch);
    return counts.byState.pending + counts.byState.running === 0;
  });
  await ferry.upgrading.batches.round();
}

test('a batch calls its CPEs, upgrades each once, and says what became of it; what failed is tried again, and the verified stay', async (t) => {
  const ferry = await startTestFerry(t);
  const { batches } = ferry.upgrading;
  const cpes = await introduced(t, ferry, [
    [],
    ['refuse:9001:1'],
    ['transfer:9010'],
    ['early-complete'],
    ['same-session-complete'],
    ['complete-twice'],
  ]);
  const { id } = await batches.create(listOf(cpes), BY);
  await ended(ferry, id);
  const expected = ['verified', 'failed fault-9001', 'failed fault-9010', 'verified', 'verified', 'verified'];
  t.deepEqual(await outcomes(ferry, id, cpes), expected);
  t.deepEqual(
    cpes.map((cpe) => commandKeys(cpe).length),
    [1, 1, 1, 1, 1, 1],
  );
  t.like(await batches.progress(id), {
    state: 'failed',
    total: 6,
    byReason: { 'fault-9001': 1, 'fault-9010': 1 },
    examples: { 'fault-9001': [cpeidOf('1')], 'fault-9010': [cpeidOf('2')] },
  });
  t.is(await batches.retry(id, {}, BY), 2);
  await ended(ferry, id);
  t.deepEqual(await outcomes(ferry, id, cpes), [
    'verified',
    'verified',
    'failed fault-9010',
    'verified',
    'verified',
    'verified',
  ]);
  t.deepEqual(
    cpes.map((cpe) => commandKeys(cpe).length),
    [1, 2, 2, 1, 1, 1],
  );
  t.like(await batches.progress(id), { state: 'failed', byState: { verified: 5, failed: 1 } });
});

test('of a batch that is cancelled half-way what runs goes on to its end, what has not begun gives up, and nothing more is sent', async (t) => {
  const barrier = new Barrier();
  const proxy = await startFileProxy(t, barrier);
  const ferry = await startTestFerry(t, { config: { publicFileUrl: [proxy.url] } });
  proxy.target = ferry.urls.files;
  const { batches } = ferry.upgrading;
  const cpes = await introduced(t, ferry, [[], [], []]);
  // One is called, and held at its file.
  const [first, ...others] = cpes;
  if (first === undefined) throw new Error('there is no CPE');
  const one = await batches.create(listOf([first]), BY);
  await until('the first downloads', () => first.downloads.length > 0);
  const rest = await batches.create(listOf(others, { wakePerSecond: 0 }), BY);
  await batches.cancel(rest.id, BY);
  await batches.made(rest.id);
  t.deepEqual(await outcomes(ferry, rest.id, others), ['cancelled withdrawn', 'cancelled withdrawn']);
  await batches.cancel(one.id, BY);
  await batches.made(one.id);
  barrier.open();
  await ended(ferry, one.id);
  const [outcome] = await outcomes(ferry, one.id, [first]);
  // Whether its CPE had begun with the file when it was asked is for the CPE to say.
  t.regex(outcome ?? '', /^(?:verified|cancelled withdrawn)$/);
  t.is((await batches.progress(one.id))?.state, 'cancelled');
  t.deepEqual(
    cpes.map((cpe) => commandKeys(cpe).length),
    [1, 0, 0],
  );
});

test('what is not persistent fails where its CPE does not come within the hour, and never begins after that', async (t) => {
  const time = { aheadMs: 0 };
  const ferry = await startTestFerry(t, { clock: () => Date.now() + time.aheadMs });
  const { batches } = ferry.upgrading;
  const cpes = await introduced(t, ferry, [[], []]);
  const [here, away] = cpes;
  if (here === undefined || away === undefined) throw new Error('there is no CPE');
  await away.stop();
  const { id } = await batches.create(listOf(cpes, { persistent: false }), BY);
  await until('the one that is here is upgraded', async () =>
    (await outcomes(ferry, id, [here])).includes('verified'),
  );
  time.aheadMs = HOUR_MS;
  await batches.round();
  t.deepEqual(await outcomes(ferry, id, cpes), ['verified', 'failed not-reached']);
  const back = createCpe(t, ferry.urls.cwmp, '1');
  const session = sessionsEnded(back);
  back.start();
  await session;
  t.is((await batches.progress(id))?.state, 'failed');
  t.deepEqual(commandKeys(back), []);
});
