import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import test from 'ava';
import { Background } from '../../common/index.js';

/** Some computing, as much each time. */
const compute = async (): Promise<string> => createHash('sha256').update(Buffer.alloc(100_000)).digest('hex');

test('however much is read in the background, at most one piece comes between two turns of everybody else', async (t) => {
  const server = createServer((peer) => peer.on('error', () => {}).pipe(peer)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    .setNoDelay(true)
    .on('error', () => {});
  await once(socket, 'connect');
  t.teardown(() => {
    socket.destroy();
    server.close();
  });
  let answered = 0;
  socket.on('data', () => {
    answered++;
    socket.write('x');
  });
  socket.write('x');
  const background = new Background();
  const [readers, pieces] = [16, 25];
  const read = async () => {
    for (let piece = 0; piece < pieces; piece++) await background.turn('', compute);
  };
  await Promise.all(Array.from({ length: readers }, read));
  t.true(answered >= (readers * pieces) / 4, `${answered} round trips beside ${readers * pieces} pieces`);
});

for (const weight of [4, 9]) {
  test(`what is in the background leaves ${weight} times as long to what else is at work, where that is its weight`, async (t) => {
    let nowMs = 0;
    const background = new Background({ othersWeight: weight, nowMs: () => nowMs });
    let others = 0;
    let isDone = false;
    const work = () => {
      if (isDone) return;
      others++;
      nowMs += 1;
      setImmediate(work);
    };
    setImmediate(work);
    const pieces = 10;
    for (let piece = 0; piece < pieces; piece++) {
      await background.turn('', async () => {
        nowMs += 5;
      });
    }
    isDone = true;
    t.true(others >= weight * 5 * (pieces - 1), `${others}`);
  });
}

test('where nothing else is at work it goes on at once', async (t) => {
  let nowMs = 0;
  const background = new Background({ nowMs: () => nowMs });
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  count();
  const pieces = 10;
  for (let piece = 0; piece < pieces; piece++) {
    await background.turn('', async () => {
      nowMs += 1_000;
    });
  }
  isDone = true;
  t.true(turns <= 4 * pieces, `${turns}`);
});

test('pieces are done one after the other, as they were asked for, also where one waits or fails', async (t) => {
  const background = new Background();
  const done: string[] = [];
  const piece = (name: string) => async () => {
    done.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    done.push(`${name} ends`);
    if (name === 'b') throw new Error('failed');
    return name;
  };
  const [a, b, c] = await Promise.allSettled(['a', 'b', 'c'].map((name) => background.turn('', piece(name))));
  t.deepEqual(
    done,
    ['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]),
  );
  t.deepEqual([a?.status, b?.status, c?.status], ['fulfilled', 'rejected', 'fulfilled']);
  t.is(await background.turn('', async () => 'again'), 'again');
});

test('while a piece waits for something, nothing looks again and again whether it is over', async (t) => {
  let looks = 0;
  const background = new Background({ nowMs: () => looks++ && 0 });
  const pieces = 5;
  for (let piece = 0; piece < pieces; piece++) {
    await background.turn('', async () => {
      for (let wait = 0; wait < 50; wait++) await stat('.');
    });
  }
  t.true(looks <= 4 * pieces, `${looks} looks at the clock beside ${pieces} pieces`);
});

test('whoever asks for one piece after the other waits for one of each other client, however many those ask for', async (t) => {
  const background = new Background();
  const done = { many: 0, other: 0 };
  let isOver = false;
  const count = (client: keyof typeof done) => background.turn(client, async () => done[client]++);
  const readers = Array.from({ length: 200 }, async () => {
    while (!isOver) await count('many');
  });
  const other = async () => {
    while (!isOver) await count('other');
  };
  const all = [...readers, other()];
  for (let piece = 0; piece < 9; piece++) await background.turn('one', async () => {});
  t.true(done.many <= 10 && done.other <= 10, `${done.many} and ${done.other} beside nine`);
  isOver = true;
  await Promise.all(all);
});
