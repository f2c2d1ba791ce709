import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { MINUTE_MS, ownProcessMark, processState, silentLogger, systemClock } from '../../common/index.js';
import {
  LEASES,
  type LeaseDocument,
  openLmdbStore,
  openMongoStore,
  type Store,
  StoreInUseError,
  takeExclusively,
  takeInUse,
  type UseParts,
} from '../../store/index.js';
import { mongodbUrl, testDatabase } from '../support/mongodb.js';

const CHILD = fileURLToPath(new URL('./lmdb-child.js', import.meta.url));

async function openTestStore(t: ExecutionContext): Promise<{ store: Store; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-in-use-'));
  const store = await openLmdbStore({ directory });
  t.teardown(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { store, directory };
}

const partsOf = (store: Store, more: Partial<UseParts> = {}): UseParts => ({
  store,
  clock: systemClock,
  logger: silentLogger,
  isOneMachine: true,
  ...more,
});

async function excludes(t: ExecutionContext, parts: UseParts, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const takers = [takeInUse, takeExclusively, takeInUse].map((take) => take(parts));
    const [first, alone, second] = await Promise.allSettled(takers);
    const used = [first, second].filter((each) => each?.status === 'fulfilled').length;
    t.true(alone?.status === 'rejected' || used === 0, `round ${round}: ${used} and one alone`);
    for (const each of [first, alone, second]) {
      if (each?.status === 'fulfilled') await each.value.release();
      else t.true(each?.reason instanceof StoreInUseError, String(each?.reason));
    }
  }
  const [a, b] = [await takeInUse(parts), await takeInUse(parts)];
  await t.throwsAsync(takeExclusively(parts), { instanceOf: StoreInUseError, message: /A server works on/ });
  await a.release();
  await t.throwsAsync(takeExclusively(parts), { instanceOf: StoreInUseError });
  await b.release();
  const alone = await takeExclusively(parts);
  await t.throwsAsync(takeInUse(parts), { instanceOf: StoreInUseError, message: /restore into this store/ });
  await t.throwsAsync(takeExclusively(parts), { instanceOf: StoreInUseError });
  await alone.release();
  await (await takeInUse(parts)).release();
  t.is(await parts.store.collection(LEASES).count(), 0);
}

test('many may use a store or one may have it for itself, never both, however they race; on the embedded store', async (t) => {
  await excludes(t, partsOf((await openTestStore(t)).store), 20);
});

const url = mongodbUrl();
if (url !== null) {
  test('many may use a store or one may have it for itself, never both, however they race; on MongoDB', async (t) => {
    t.timeout(3 * MINUTE_MS);
    const store = await openMongoStore({ url, database: testDatabase(t, url) });
    t.teardown(() => store.close());
    await excludes(t, partsOf(store, { isOneMachine: false }), 3);
  });
}

test('the lease of a process that was killed is nobody’s at once, and that of one that is stopped is its own', async (t) => {
  const { store, directory } = await openTestStore(t);
  const child = spawn(process.execPath, [CHILD, 'use', directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = await once(createInterface(child.stdout), 'line');
  t.is(line, 'in use');
  // It renews nothing any more, and long after its lease would have run out it may still wake.
  child.kill('SIGSTOP');
  const later = partsOf(store, { clock: () => Date.now() + 60 * MINUTE_MS });
  await t.throwsAsync(takeExclusively(later), { instanceOf: StoreInUseError });
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  await (await takeExclusively(partsOf(store, { isOneMachine: false }))).release();
});

test('whoever comes ends the leases of processes that were killed, and of nodes that are long gone, not of late ones', async (t) => {
  const { store } = await openTestStore(t);
  const leases = store.collection<LeaseDocument>(LEASES);
  const left = async () => (await leases.find({ prefix: 'in-use:', limit: 10 })).items.length;
  const [start] = (await ownProcessMark()).split(/-\d+-\d+$/);
  const killed = `${start}-999999999-1`;
  const untilMs = Date.now();
  await leases.put({ id: 'in-use:killed', holder: 'x', untilMs, process: killed } as LeaseDocument);
  await leases.put({ id: 'in-use:stranger', holder: 'x', untilMs, process: '' } as LeaseDocument);
  await takeInUse(partsOf(store));
  t.is(await left(), 2, 'the stranger may be at work in another container');
  const elsewhere = partsOf(store, { isOneMachine: false });
  await takeInUse({ ...elsewhere, clock: () => untilMs + 60 * MINUTE_MS });
  t.is(await left(), 3);
  await takeInUse({ ...elsewhere, clock: () => untilMs + 26 * 60 * MINUTE_MS });
  t.is(await left(), 1);
});

test('where nobody can look whether a process runs its lease counts for a minute, and one from far ahead not at all', async (t) => {
  const { store } = await openTestStore(t);
  const elsewhere = partsOf(store, { isOneMachine: false });
  await takeInUse(elsewhere);
  await t.throwsAsync(takeExclusively(elsewhere), {
    instanceOf: StoreInUseError,
    message: /counts until 20/,
  });
  const later = { ...elsewhere, clock: () => Date.now() + 2 * MINUTE_MS };
  await (await takeExclusively(later)).release();
  const ahead = { ...elsewhere, clock: () => Date.now() + 48 * 60 * MINUTE_MS };
  await takeInUse(ahead);
  await (await takeExclusively(elsewhere)).release();
});

test('who was taken for dead can change nothing under the condition that it has the store for itself', async (t) => {
  const { store } = await openTestStore(t);
  const parts = partsOf(store, { isOneMachine: false });
  const things = store.collection({ name: 'things', indexes: {} });
  const slow = await takeExclusively(parts);
  await slow.commit([things.inserting({ id: 'a' })]);
  await takeInUse({ ...parts, clock: () => Date.now() + 2 * MINUTE_MS });
  await t.throwsAsync(slow.commit([things.inserting({ id: 'b' })]), { instanceOf: StoreInUseError });
  t.is(await things.get('b'), null);
  await slow.release();
  t.is((await store.collection<LeaseDocument>(LEASES).find({ limit: 9 })).items.length, 1);
});

test('a process is told from another that has its number, and from one of an earlier start of the machine', async (t) => {
  const own = await ownProcessMark();
  t.is(await processState(own), 'running');
  const [boot = '', processes, pid, start] = own.split('-');
  t.is(await processState([boot, processes, pid, `${Number(start) + 1}`].join('-')), 'ended');
  t.is(await processState([`p${'1'.repeat(12)}`, processes, pid, start].join('-')), 'ended');
  t.is(await processState([`p${'1'.repeat(12)}`, processes, pid, start].join('-'), false), 'unknown');
  t.is(await processState([boot, '1'.repeat(12), pid, start].join('-')), 'unknown');
  t.is(await processState('another'), 'unknown');
});
