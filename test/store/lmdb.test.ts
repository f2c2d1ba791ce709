import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { open } from 'lmdb';
import { type Logger, silentLogger } from '../../common/index.js';
import { openLmdbStore, type Store, StoreError } from '../../store/index.js';
import { conformance } from './conformance.js';
import { given, ids, rejects, SEQUENCED_THINGS, type Thing } from './things.js';

async function place(t: ExecutionContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ferry-store-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const openAt = (directory: string) => openLmdbStore({ directory });

conformance('lmdb', { place, open: openAt, opensTwice: true, isSerial: false, numRuns: 60 });

/** So that a store with a short patience finds nothing to write when it is opened. */
async function makeThings(directory: string): Promise<void> {
  const store = await openAt(directory);
  await store.collection<Thing>(SEQUENCED_THINGS).put({ id: 'before' });
  await store.close();
}

const CHILD_SCRIPT = fileURLToPath(new URL('./lmdb-child.js', import.meta.url));

interface Child {
  readonly process: ChildProcessWithoutNullStreams;
  /** The next line it writes; null after the last. */
  line(): Promise<string | null>;
  /** Kills it with SIGKILL. @returns the lines it had still written */
  kill(): Promise<string[]>;
}

function startChild(t: ExecutionContext, command: string, directory: string): Child {
  const child = spawn(process.execPath, [CHILD_SCRIPT, command, directory]);
  child.stderr.pipe(process.stderr);
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    return done === true ? null : String(value);
  };
  return {
    process: child,
    line,
    async kill() {
      child.kill('SIGKILL');
      const rest: string[] = [];
      for (let last = await line(); last !== null; last = await line()) rest.push(last);
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      return rest;
    },
  };
}

test('kill -9 at any moment: every acknowledged commit is there, whole and indexed, and none by half', async (t) => {
  const directory = await place(t);
  const acknowledged: string[] = [];
  for (let round = 0; round < 10; round++) {
    // In every other round a server is on the same store while its neighbour dies, perhaps with the write lock.
    const neighbour = round % 2 === 1 ? await openAt(directory) : null;
    const child = startChild(t, 'write-until-killed', directory);
    const killAfter = acknowledged.length + 1 + Math.floor(Math.random() * 150);
    while (acknowledged.length < killAfter) acknowledged.push(given(await child.line()));
    acknowledged.push(...(await child.kill()));
    const store = neighbour ?? (await openAt(directory));
    await checkWhole(t, store, acknowledged);
    await store.close();
  }
});

async function checkWhole(t: ExecutionContext, store: Store, acknowledged: readonly string[]): Promise<void> {
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  const mirrors = store.collection<Thing>({ name: 'mirrors', indexes: { n: ['n'] } });
  const written = await ids(things, { index: 's', equals: ['written'] });
  const there = new Set(written);
  t.deepEqual(
    acknowledged.filter((id) => !there.has(id)),
    [],
  );
  t.deepEqual(await ids(mirrors, {}), written.toSorted());
  t.is((await things.get('total'))?.document.n, written.length);
  t.is(await things.count(), written.length + 1);
  for (const index of ['tags', 'tags-n', 's-n']) t.is(await things.count({ index }), written.length, index);
  t.is(await things.count({ index: 'n' }), written.length + 1);
  t.is(await mirrors.count({ index: 'n' }), written.length);
  t.is(await things.sequence(), written.length * 2);
  // Whoever died, others can write.
  await store.collection({ name: 'probes', indexes: {} }).put({ id: 'probe' });
}

test('two processes: commits take turns, and each sees what the other was told is done', async (t) => {
  const directory = await place(t);
  const store = await openAt(directory);
  t.teardown(() => store.close());
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  const child = startChild(t, 'count-on-request', directory);
  t.is(await child.line(), 'ready');
  for (let round = 1; round <= 20; round++) {
    child.process.stdin.write('10\n');
    const own = Array.from({ length: 10 }, () => store.commit([things.counting('counter', { n: 1 })]));
    const answer = given(await child.line());
    const seen = await things.sequence();
    t.true(seen >= Number(answer.replace('sequence ', '')), `${seen} < ${answer}`);
    t.true(Number((await things.get('counter'))?.document.n) >= round * 10);
    await Promise.all(own);
    t.is((await things.get('counter'))?.document.n, round * 20);
    t.is(await things.sequence(), round * 20);
  }
  const old = given(await things.get('counter'));
  child.process.stdin.write('1\n');
  await child.line();
  t.is(await things.replace({ ...old.document, n: 0 }, old.revision), null);
  child.process.stdin.end();
});

test('processes that start at once on an empty directory make one store', async (t) => {
  const directory = join(await place(t), 'db');
  const children = Array.from({ length: 4 }, () => startChild(t, 'count-once', directory));
  const ends = await Promise.all(children.map(({ process: child }) => once(child, 'exit')));
  t.deepEqual(
    ends.map(([code]) => code),
    [0, 0, 0, 0],
  );
  const store = await openAt(directory);
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  t.is((await things.get('counter'))?.document.n, 4);
  t.is(await things.count({ index: 'n' }), 1);
  await store.close();
});

test('a read never answers from a snapshot taken before another process committed, not even in one event turn', async (t) => {
  const directory = await place(t);
  await makeThings(directory);
  const store = await openAt(directory);
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  await things.get('counter');
  const before = [
    things.get('counter'),
    things.getMany(['counter']),
    things.find({ limit: 9 }),
    things.count(),
    things.sequence(),
  ];
  execFileSync(process.execPath, [CHILD_SCRIPT, 'count-once', directory]);
  const after = [
    things.get('counter'),
    things.getMany(['counter']),
    things.find({ limit: 9 }),
    things.count(),
    things.sequence(),
  ];
  const [were, are] = [await Promise.all(before), await Promise.all(after)];
  for (const [at, was] of were.entries()) t.notDeepEqual(are[at], was);
  await store.close();
});

test('a process that waits for a write lock held elsewhere answers in bounded time, and goes on when it is free', async (t) => {
  const directory = await place(t);
  await makeThings(directory);
  const store = await openLmdbStore({ directory, writeWaitMs: 200 });
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  const holder = startChild(t, 'hold-the-write-lock', directory);
  t.is(await holder.line(), 'held');
  await rejects(t, things.put({ id: 'during' }), 'unavailable', /in time; nothing was changed/);
  t.truthy(await things.get('before'));
  await holder.kill();
  for (let tries = 0; tries < 100 && (await things.get('after')) === null; tries++) {
    await things.put({ id: 'after' }).catch(() => null);
  }
  t.deepEqual(await ids(things, {}), ['after', 'before']);
  await store.close();
});

test('closing while another process holds the write lock says so instead of waiting for ever', async (t) => {
  const directory = await place(t);
  await makeThings(directory);
  const store = await openLmdbStore({ directory, writeWaitMs: 100 });
  const things = store.collection<Thing>(SEQUENCED_THINGS);
  const holder = startChild(t, 'hold-the-write-lock', directory);
  t.is(await holder.line(), 'held');
  const put = things.put({ id: 'during' });
  await Promise.all([
    rejects(t, put, 'unavailable', /nothing was changed/),
    rejects(t, store.close(), 'unavailable', /cannot be closed/),
  ]);
  await holder.kill();
});

test('indexes follow the definition: made, made anew and dropped, in steps, whoever is killed meanwhile', async (t) => {
  const directory = await place(t);
  const total = 3_000;
  const first = await openAt(directory);
  const things = first.collection<Thing>({
    name: 'things',
    indexes: { s: ['s'], renewed: ['s'], dropped: ['tags'] },
  });
  await first.commit(
    Array.from({ length: total }, (_, at) =>
      things.putting({ id: `d${at}`, n: at, s: `${at % 7}`, tags: [at, at + 1] }),
    ),
  );
  await first.close();
  let kills = 0;
  for (let last = ''; last !== 'done'; kills++) {
    const child = startChild(t, 'make-indexes', directory);
    for (let step = 0; step < 3 && last !== 'done'; step++) {
      child.process.stdin.write('\n');
      last = given(await child.line());
    }
    // One byte ahead of what it has said: it is in the middle of the next step.
    await child.kill();
    t.true(kills < 50, 'each process must get further');
  }
  t.true(kills > 3, `killed ${kills} times`);

  const store = await openAt(directory);
  const renewed = store.collection<Thing>({
    ...SEQUENCED_THINGS,
    indexes: { s: ['s'], renewed: ['n', 's'] },
  });
  t.is(await renewed.count({ index: 'renewed' }), total);
  t.is(await renewed.count({ index: 's' }), total);
  t.deepEqual(await ids(renewed, { index: 'renewed', equals: [8] }), ['d8']);
  await rejects(t, renewed.find({ index: 'dropped', limit: 1 }), 'bad-query', /no index/);
  await store.close();
  // Two indexes of one entry per document: nothing of the dropped and the old one is left.
  t.is(entriesIn(directory), total * 2);
});

function entriesIn(directory: string): number {
  const root = open({ path: directory, noSubdir: false, maxDbs: 8, overlappingSync: false });
  const count = root
    .openDB('indexes', { encoding: 'string', keyEncoding: 'binary' })
    .getKeysCount({ start: Buffer.of(0) });
  void root.close();
  return Number(count);
}

test('a process with an older definition keeps the indexes of a newer one, and cannot search what that dropped', async (t) => {
  const directory = await place(t);
  const older = await openAt(directory);
  const things = older.collection<Thing>({ name: 'things', indexes: { s: ['s'], n: ['n'] } });
  await things.put({ id: 'a', s: 'x', n: 1, tags: ['t'] });
  const child = startChild(t, 'make-indexes', directory);
  child.process.stdin.end();
  for (let line = await child.line(); line !== 'done'; line = await child.line()) t.truthy(line);
  await things.put({ id: 'b', s: 'x', n: 2 });
  await things.put({ id: 'a', s: 'y', n: 3 });
  t.deepEqual(await ids(things, { index: 's', equals: ['x'] }), ['b']);
  await rejects(t, things.find({ index: 'n', limit: 1 }), 'unavailable', /another definition/);
  await older.close();

  const newer = await openAt(directory);
  const found = newer.collection<Thing>({ name: 'things', indexes: { s: ['s'], renewed: ['n', 's'] } });
  t.deepEqual(await ids(found, { index: 'renewed' }), ['b', 'a']);
  await newer.close();
});

test('an index that a stored document does not fit is refused when it is made', async (t) => {
  const directory = await place(t);
  const first = await openAt(directory);
  await first.collection<Thing>({ name: 'things', indexes: {} }).put({ id: 'a', n: [1], tags: [2] });
  await first.close();
  const store = await openAt(directory);
  const things = store.collection<Thing>({ name: 'things', indexes: { 'n-tags': ['n', 'tags'] } });
  await rejects(t, things.get('a'), 'bad-document', /a: n and tags share an index/);
  await rejects(t, things.put({ id: 'b' }), 'bad-document', /a: n and tags/);
  await store.close();
});

test('a full disk refuses what does not fit with no-space, keeps all that was there, and goes on when there is room', async (t) => {
  const directory = await place(t);
  const mounted = join(directory, 'small');
  await mkdir(mounted);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mounted], { stdio: 'pipe' });
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    t.log('skipped: mounting a small file system is not permitted here');
    t.pass();
    return;
  }
  try {
    const store = await openAt(join(mounted, 'db'));
    const things = store.collection<Thing>(SEQUENCED_THINGS);
    const pair = (at: number, bytes: number) =>
      store.commit([
        things.putting({ id: `a${at}`, s: 'pair', deep: 'x'.repeat(bytes) }),
        things.putting({ id: `b${at}`, s: 'pair', deep: 'x'.repeat(bytes) }),
      ]);
    let pairs = 0;
    const failure = await (async () => {
      for (;;) {
        try {
          await pair(pairs, 30_000);
        } catch (error) {
          return error;
        }
        pairs++;
      }
    })();
    t.true(failure instanceof StoreError && failure.code === 'no-space', String(failure));
    const sequence = await things.sequence();
    // What fits is not refused together with what does not, though they come in one batch.
    const settled = await Promise.allSettled([pair(1000, 2_000_000), things.get('a0'), pair(1001, 500_000)]);
    t.deepEqual(
      settled.map(({ status }) => status),
      ['rejected', 'fulfilled', 'rejected'],
    );
    t.is(await things.count(), pairs * 2);
    t.is(await things.count({ index: 's', equals: ['pair'] }), pairs * 2);
    t.is(await things.get('a1000'), null);
    t.is(await things.sequence(), sequence);

    execFileSync('mount', ['-o', 'remount,size=16m', mounted]);
    const outcomes = await Promise.allSettled([
      pair(1000, 7_900_000),
      pair(1001, 1_000),
      things.delete('a0'),
    ]);
    t.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled'],
    );
    await store.close();
    const again = await openAt(join(mounted, 'db'));
    t.is(await again.collection<Thing>(SEQUENCED_THINGS).count({ index: 's' }), pairs * 2 + 1);
    await again.close();
  } finally {
    execFileSync('umount', ['-l', mounted]);
  }
});

test('a store of a newer format is refused, and left as it is', async (t) => {
  const directory = await place(t);
  await (await openAt(directory)).close();
  const root = open({ path: directory, noSubdir: false, maxDbs: 8, overlappingSync: false });
  await root.openDB('meta', { encoding: 'string', keyEncoding: 'binary' }).put(Buffer.from('format'), '2');
  await root.close();
  await rejects(t, openAt(directory), 'unavailable', /format 2, this version of Ferry knows 1/);
});

test('a damaged file is refused, not opened as an empty store', async (t) => {
  const directory = await place(t);
  for (const content of ['x', 'not LMDB '.repeat(10_000)]) {
    await writeFile(join(directory, 'data.mdb'), content);
    await rejects(t, openAt(directory), 'unavailable', /data\.mdb is damaged or not a store/);
  }
  // A process that was killed before it wrote anything.
  await writeFile(join(directory, 'data.mdb'), '');
  await (await openAt(directory)).close();
});

test('a directory is made for its owner alone; one that cannot be is unavailable', async (t) => {
  const directory = join(await place(t), 'new', 'db');
  await (await openAt(directory)).close();
  t.is((await stat(directory)).mode & 0o777, 0o700);
  t.deepEqual((await readdir(directory)).sort(), ['data.mdb', 'lock.mdb']);
  await rejects(t, openAt(join(directory, 'data.mdb')), 'unavailable', /cannot be opened/);
});

test('one directory opened twice in one process is one store', async (t) => {
  const directory = await place(t);
  const [a, b] = [await openAt(directory), await openAt(directory)];
  const [inA, inB] = [a.collection<Thing>(SEQUENCED_THINGS), b.collection<Thing>(SEQUENCED_THINGS)];
  await Promise.all(
    Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? inA : inB).put({ id: `${at}`, n: at })),
  );
  t.is(await inA.count({ index: 'n' }), 20);
  await a.close();
  await inB.put({ id: 'after', n: 1 });
  t.is(await inB.count({ index: 'n' }), 21);
  await b.close();
});

test('making indexes of what is there is logged as an event; of a new collection that is for whoever looks for faults', async (t) => {
  const events: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    info: (event) => events.push(`info ${event}`),
    debug: (event) => events.push(`debug ${event}`),
  };
  const made = (): readonly string[] => events.splice(0).filter((event) => event.endsWith('indexes-made'));
  const directory = await place(t);
  const first = await openLmdbStore({ directory, logger });
  await first.collection(SEQUENCED_THINGS).count();
  t.deepEqual(made(), ['debug store.indexes-made']);
  await first.close();

  const again = await openLmdbStore({ directory, logger });
  const { indexes } = SEQUENCED_THINGS;
  await again.collection({ ...SEQUENCED_THINGS, indexes: { ...indexes, another: ['another'] } }).count();
  t.deepEqual(made(), ['info store.indexes-made']);
  await again.close();
});

test('a range with more candidates than one read may walk gives short pages, and its count is still whole', async (t) => {
  const store = await openAt(await place(t));
  const things = store.collection<Thing>({ name: 'things', indexes: { s: ['s'] } });
  const total = 12_000;
  const common = 'x'.repeat(300);
  for (let from = 0; from < total; from += 4_000) {
    const some = Array.from({ length: 4_000 }, (_, at) => String(from + at).padStart(5, '0'));
    await store.commit(some.map((id) => things.putting({ id, s: `${common}${id}` })));
  }
  const wanted = `${common}11999`;
  const first = await things.find({ index: 's', equals: [wanted], limit: 10 });
  t.deepEqual(first.items, []);
  t.not(first.next, null);
  t.deepEqual(await ids(things, { index: 's', equals: [wanted] }), ['11999']);
  t.is(await things.count({ index: 's', equals: [wanted] }), 1);
  t.is(await things.count({ index: 's', prefix: common }), total);
  t.is(await things.count({ atLeast: '00500' }), total - 500);
  await store.close();
});

test('a store is opened while another of the same process writes in the same directory', async (t) => {
  // In a process of its own, as one whose thread waits for itself could not say so.
  const directory = await place(t);
  const script = [CHILD_SCRIPT, 'open-while-written', directory];
  const child = spawn(process.execPath, script, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000 });
  t.timeout(90_000);
  const said = await child.stdout.setEncoding('utf8').toArray();
  t.is(said.join(''), 'done\n');
});
