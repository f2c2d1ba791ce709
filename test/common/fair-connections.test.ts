import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { RefusedRequests, shareConnections, silentLogger } from '../../common/index.js';

const PROXY = '127.0.0.9';

/** A server with room for so many connections, which answers nothing. */
async function start(t: ExecutionContext, inAllMax: number) {
  const reasons: string[] = [];
  const refused = new RefusedRequests({
    listener: 'files',
    logger: silentLogger,
    onRefused: (reason) => reasons.push(reason),
  });
  const server = http.createServer(() => {});
  shareConnections(server, { inAllMax, isShared: (address) => address === PROXY }, refused);
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
  return { connect, reasons };
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
  await closed(await connect('127.0.0.5'));
  t.deepEqual(reasons, ['too-many-connections', 'made-room', 'too-many-connections'], 'each has one');
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
