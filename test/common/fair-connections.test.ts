import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import {
  type FairConnectionsOptions,
  RefusedRequests,
  shareConnections,
  silentLogger,
} from '../../common/index.js';

const PROXY = '127.0.0.9';

/** A server with room for so many connections, which answers nothing. */
async function start(
  t: ExecutionContext,
  inAllMax: number,
  more: Omit<FairConnectionsOptions, 'inAllMax' | 'isShared'> = {},
) {
  const reasons: string[] = [];
  const refused = new RefusedRequests({
    listener: 'files',
    logger: silentLogger,
    onRefused: (reason) => reasons.push(reason),
  });
  const server = http.createServer(() => {});
  shareConnections(server, { ...more, inAllMax, isShared: (address) => address === PROXY }, refused);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: net.Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  /** One after the other, so that it is known which is the oldest. */
  const connect = async (from: string) => {
    const taken = once(server, 'connection');
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: from }).on('error', () => {});
    socket.resume();
    sockets.push(socket);
    await taken;
    return socket;
  };
  /** One that is closed before the server hears of it. */
  const knock = async (from: string) => {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: from }).on('error', () => {});
    sockets.push(socket.resume());
    await closed(socket);
  };
  return { server, connect, knock, reasons };
}

async function closed(socket: net.Socket): Promise<void> {
  if (!socket.destroyed) await once(socket, 'close');
}

test('where all connections are taken, the address that has most of them makes room by its oldest', async (t) => {
  const { connect, reasons } = await start(t, 5);
  const greedy: net.Socket[] = [];
  for (let n = 0; n < 5; n++) greedy.push(await connect('127.0.0.2'));
  const others = [await connect('127.0.0.3'), await connect('127.0.0.4')];
  for (const socket of greedy.slice(0, 2)) await closed(socket);
  t.deepEqual(reasons, ['made-room', 'made-room']);
  t.deepEqual(
    [...greedy.slice(2), ...others].filter(({ destroyed }) => destroyed),
    [],
  );
});

test('whoever would have as many as any other afterwards is turned away, so that nobody is closed in turn', async (t) => {
  const { connect, reasons } = await start(t, 3);
  for (const from of ['127.0.0.2', '127.0.0.3', '127.0.0.2']) await connect(from);
  await closed(await connect('127.0.0.3'));
  t.deepEqual(reasons, ['too-many-connections'], 'one of two is not to go for the second of another');
  await connect('127.0.0.4');
  t.deepEqual(reasons, ['too-many-connections', 'made-room'], 'for the first of another it is');
});

/** Sends a request, which is never answered. */
async function ask({ server }: { readonly server: http.Server }, socket: net.Socket): Promise<void> {
  const begun = once(server, 'request');
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await begun;
}

test('where each address has one connection, the oldest on which no request is under way goes for the first of another', async (t) => {
  const ferry = await start(t, 3);
  const { connect, reasons } = ferry;
  const atWork = await connect('127.0.0.2');
  await ask(ferry, atWork);
  const idle = [await connect('127.0.0.3'), await connect('127.0.0.4')] as const;
  const newcomer = await connect('127.0.0.5');
  await closed(idle[0]);
  t.deepEqual(reasons, ['made-room']);
  for (const each of [idle[1], newcomer]) await ask(ferry, each);
  await closed(await connect('127.0.0.6'));
  t.deepEqual(reasons, ['made-room', 'too-many-connections'], 'nothing goes on which a request is under way');
  t.false(atWork.destroyed);
});

test('however many requests are under way, a newcomer looks at some connections only, and the next at others', async (t) => {
  const ferry = await start(t, 150);
  const { connect, reasons } = ferry;
  const from = (n: number) => `127.0.1.${n + 1}`;
  for (let n = 0; n < 149; n++) await ask(ferry, await connect(from(n)));
  const idle = await connect(from(149));
  await closed(await connect('127.0.0.2'));
  t.deepEqual(reasons, ['too-many-connections']);
  await connect('127.0.0.3');
  await closed(idle);
  t.deepEqual(reasons, ['too-many-connections', 'made-room']);
});

test('a whole fleet behind one address has all connections there are', async (t) => {
  const { connect, reasons } = await start(t, 50);
  for (let n = 0; n < 50; n++) await connect('127.0.0.2');
  t.deepEqual(reasons, []);
});

test("a proxy's connections make no room, since they are many clients'", async (t) => {
  const { connect, reasons } = await start(t, 3);
  for (let n = 0; n < 3; n++) await connect(PROXY);
  await closed(await connect('127.0.0.2'));
  t.deepEqual(reasons, ['too-many-connections']);
});

test('what has been closed is free again', async (t) => {
  const { connect, reasons } = await start(t, 2);
  for (let n = 0; n < 10; n++) {
    const socket = await connect('127.0.0.2');
    const gone = once(socket, 'close');
    socket.destroy();
    await gone;
  }
  await connect('127.0.0.2');
  await connect('127.0.0.3');
  t.deepEqual(reasons, []);
});

test('whoever has all that one address may is closed before there is a socket; a proxy is not', async (t) => {
  const { server, connect, knock, reasons } = await start(t, 20, { perAddressMax: 2 });
  for (const from of ['127.0.0.2', '127.0.0.2', PROXY, PROXY]) await connect(from);
  let heard = 0;
  server.on('connection', () => heard++);
  for (let n = 0; n < 3; n++) await knock('127.0.0.2');
  t.is(heard, 0);
  t.deepEqual(reasons, Array(3).fill('too-many-connections'));
  await connect(PROXY);
  t.is(heard, 1);
});

test('of one that waits to be let in nothing is read, and one that has gone is let in no more', async (t) => {
  const waiting = new Map<() => void, boolean>();
  let left = 0;
  const entrance = {
    waitingOf: () => waiting.size,
    wait(_client: string, isKnown: boolean, letIn: () => void) {
      waiting.set(letIn, isKnown);
      return () => {
        left++;
        waiting.delete(letIn);
      };
    },
  };
  const ferry = await start(t, 200, { entrance });
  const { server, connect, knock, reasons } = ferry;
  const taken = once(server, 'connection');
  const first = await connect('127.0.0.2');
  const [atServer] = (await taken) as [net.Socket];
  first.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await connect('127.0.0.2');
  t.is(atServer.bytesRead, 0);
  t.deepEqual([...waiting.values()], [false, false]);
  const begun = once(server, 'request');
  const [[letIn] = []] = waiting;
  letIn?.();
  await begun;
  t.true(atServer.bytesRead > 0);
  const gone = once(atServer, 'close');
  first.destroy();
  await gone;
  t.is(left, 1);
  for (let n = waiting.size; n < 100; n++) await connect('127.0.0.2');
  await knock('127.0.0.2');
  t.deepEqual(reasons, ['too-many-connections'], 'so many of one address may wait');
});
