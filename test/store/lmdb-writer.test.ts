import { tmpdir } from 'node:os';
import test, { type ExecutionContext } from 'ava';
import { silentLogger } from '../../common/index.js';
import { StoreError } from '../../store/index.js';
import { Writer } from '../../store/lmdb/writer.js';

// What no healthy disk does: LMDB's transaction is played by a function here, everything else is tested on the real one.
type Transact = <T>(act: () => T) => Promise<T>;

const context = { finish() {} };

function writer(transact: Transact, waitMs = 10_000): Writer<typeof context> {
  return new Writer({ transaction: transact }, () => context, {
    directory: tmpdir(),
    logger: silentLogger,
    waitMs,
  });
}

async function code(t: ExecutionContext, promise: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await t.throwsAsync(promise, { instanceOf: StoreError, message });
  t.is(error instanceof StoreError ? error.code : '', 'unavailable');
}

test('jobs that come while a transaction is under way share the next one, in order', async (t) => {
  const batches: string[][] = [];
  const writes = writer(async (act) => {
    batches.push([]);
    const value = act();
    await new Promise((resolve) => setImmediate(resolve));
    return value;
  });
  const job = (name: string) => writes.run(() => batches.at(-1)?.push(name), 0);
  const first = job('first');
  await Promise.all([first, job('a'), job('b'), job('c')]);
  t.deepEqual(batches, [['first'], ['a', 'b', 'c']]);
  t.true(await writes.drain());
});

test('a job that throws is refused alone', async (t) => {
  const writes = writer(async (act) => act());
  const fails = writes.run(() => {
    throw new Error('mine');
  }, 0);
  const works = writes.run(() => 'done', 0);
  await t.throwsAsync(fails, { message: 'mine' });
  t.is(await works, 'done');
});

test('a batch holds 32 MiB of documents or one job, whichever is more', async (t) => {
  const batches: number[] = [];
  const writes = writer(async (act) => {
    batches.push(0);
    const value = act();
    await new Promise((resolve) => setImmediate(resolve));
    return value;
  });
  const mib = 1024 * 1024;
  const sizes = [1, 20, 12, 1, 64, 1].map((size) => size * mib);
  await Promise.all(
    sizes.map((size) => writes.run(() => batches.push((batches.pop() ?? 0) + size / mib), size)),
  );
  t.deepEqual(batches, [1, 32, 1, 64, 1]);
});

test('a failed commit reports the error behind lmdb’s own, and the next one is tried', async (t) => {
  let failing = true;
  const commitError = Promise.reject(Object.assign(new Error('Input/output error'), { code: 5 }));
  commitError.catch(() => {});
  const writes = writer(async (act) => {
    const value = act();
    if (failing) throw Object.assign(new Error('Commit failed'), { commitError });
    return value;
  });
  await code(
    t,
    writes.run(() => 1, 0),
    /could not be written: Input\/output error/,
  );
  failing = false;
  t.is(await writes.run(() => 2, 0), 2);
});

test('a flush that never ends leaves nobody waiting, and says that the outcome is open', async (t) => {
  const writes = writer((act) => {
    act();
    return new Promise(() => {});
  }, 20);
  await code(
    t,
    writes.run(() => 1, 0),
    /may or may not be in the store/,
  );
  await code(
    t,
    writes.run(() => 2, 0),
    /nothing was changed/,
  );
  t.false(await writes.drain());
});

test('a transaction that never begins leaves nobody waiting', async (t) => {
  const writes = writer(() => new Promise(() => {}), 20);
  await code(
    t,
    writes.run(() => 1, 0),
    /nothing was changed/,
  );
});

test('no more than 50000 jobs wait', async (t) => {
  const writes = writer(() => new Promise(() => {}), 20);
  const waiting = Array.from({ length: 50_000 }, () => writes.run(() => 1, 0).catch(() => 'late'));
  await code(
    t,
    writes.run(() => 1, 0),
    /too slow/,
  );
  t.true((await Promise.all(waiting)).every((outcome) => outcome === 'late'));
});
