import { readSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { open } from 'lmdb';
import { type Logger, silentLogger, systemClock } from '../../common/index.js';
import { openLmdbStore, takeInUse } from '../../store/index.js';
import { SEQUENCED_THINGS, type Thing } from './things.js';

// Another process on the same store, for the tests of LMDB: `lmdb-child.js COMMAND DIRECTORY`. It answers in lines on
// standard output, written synchronously so that a line is out before anything that follows can be killed.
const [command = '', directory = ''] = process.argv.slice(2);
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      // The reader is slower than the store: a line this short is written whole or not at all, so it is tried again.
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

/** Reads one byte of standard input, which may be set not to wait. */
function waitForWord(): void {
  for (;;) {
    try {
      readSync(0, Buffer.alloc(1));
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

switch (command) {
  case 'open-while-written': {
    const store = await openLmdbStore({ directory });
    const things = store.collection<Thing>(SEQUENCED_THINGS);
    let isDone = false;
    const writer = async () => {
      while (!isDone) await things.put({ id: 'written' });
    };
    const writing = Promise.all([writer(), writer()]);
    for (let round = 0; round < 100; round++) await (await openLmdbStore({ directory })).close();
    isDone = true;
    await writing;
    await store.close();
    say('done');
    break;
  }
  case 'write-until-killed': {
    const store = await openLmdbStore({ directory });
    const things = store.collection<Thing>(SEQUENCED_THINGS);
    const mirrors = store.collection<Thing>({ name: 'mirrors', indexes: { n: ['n'] } });
    let next = (await things.get('total'))?.document.n ?? 0;
    const writer = async () => {
      for (;;) {
        const n = Number(next);
        next = n + 1;
        const id = `${process.pid}-${n}`;
        const outcome = await store.commit([
          things.inserting({ id, n, s: 'written', tags: [n, `${n % 3}`, 'all'] }),
          mirrors.putting({ id, n, deep: 'x'.repeat(n % 5000) }),
          things.counting('total', { n: 1 }),
        ]);
        if (!outcome.committed) throw new Error(`Refused: ${JSON.stringify(outcome.refused)}`);
        say(id);
      }
    };
    // A test that is gone must not leave this running.
    process.stdin.on('end', () => process.exit()).resume();
    await Promise.all(Array.from({ length: 5 }, writer));
    break;
  }
  case 'count-once': {
    const store = await openLmdbStore({ directory });
    const things = store.collection<Thing>(SEQUENCED_THINGS);
    await store.commit([things.counting('counter', { n: 1 })]);
    await store.close();
    break;
  }
  case 'count-on-request': {
    const store = await openLmdbStore({ directory });
    const things = store.collection<Thing>(SEQUENCED_THINGS);
    say('ready');
    for await (const line of createInterface({ input: process.stdin })) {
      const times = Number(line);
      await Promise.all(
        Array.from({ length: times }, () => store.commit([things.counting('counter', { n: 1 })])),
      );
      say(`sequence ${await things.sequence()}`);
    }
    await store.close();
    break;
  }
  case 'make-indexes': {
    const debug: Logger['debug'] = (event) => {
      say(event);
      waitForWord(); // until told to go on, or at once after the end of standard input
    };
    const store = await openLmdbStore({ directory, logger: { ...silentLogger, debug } });
    await store
      .collection<Thing>({ ...SEQUENCED_THINGS, indexes: { s: ['s'], renewed: ['n', 's'] } })
      .count();
    say('done');
    await store.close();
    break;
  }
  case 'use': {
    const store = await openLmdbStore({ directory });
    await takeInUse({ store, clock: systemClock, logger: silentLogger, isOneMachine: true });
    say('in use');
    setInterval(() => {}, 60_000);
    break;
  }
  case 'hold-the-write-lock': {
    open({ path: directory, noSubdir: false, maxDbs: 8, overlappingSync: false }).transactionSync(() => {
      say('held');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
    });
    break;
  }
  default:
    throw new Error(`Unknown command ${command}`);
}
