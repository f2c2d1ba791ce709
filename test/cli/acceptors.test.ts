import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { acceptMoreATurn } from '../../cli/server/acceptors.js';
import { silentLogger } from '../../common/index.js';
import { until } from '../support/ferry.js';

async function listening(
  t: ExecutionContext,
): Promise<{ readonly server: http.Server; readonly port: number }> {
  const server = http.createServer((_request, response) => response.end('ok'));
  server.listen({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.teardown(() => server.close());
  const at = server.address();
  return { server, port: typeof at === 'object' && at !== null ? at.port : 0 };
}

const connected = async (t: ExecutionContext, port: number) => {
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
};

const KNOCKING = 64;

/** How many connections a server is given in one turn of the event loop where so many wait. */
async function acceptedInOneTurn(t: ExecutionContext, further: number): Promise<number> {
  const { server, port } = await listening(t);
  t.teardown(await acceptMoreATurn([{ server, more: further }], silentLogger));
  let [accepted, turn, most] = [0, 0, 0];
  server.on('connection', () => {
    accepted++;
    // All of one turn come before its immediates.
    if (turn++ === 0)
      setImmediate(() => {
        most = Math.max(most, turn);
        turn = 0;
      });
  });
  // A client of the same process: in the turn in which all have connected, all wait to be accepted.
  await Promise.all(Array.from({ length: KNOCKING }, () => connected(t, port)));
  await until('all are accepted', () => accepted === KNOCKING && turn === 0);
  return most;
}

test('of each further descriptor of a listener a turn of the event loop takes one connection more', async (t) => {
  const without = await acceptedInOneTurn(t, 0);
  t.true((await acceptedInOneTurn(t, 7)) > without);
});

test('nobody who knocks meanwhile is lost, every connection is answered, and all descriptors are closed', async (t) => {
  const { server, port } = await listening(t);
  const get = async () =>
    (await fetch(`http://127.0.0.1:${port}/`, { headers: { Connection: 'close' } })).status;
  let isOver = false;
  const statuses = new Set<number>();
  const knocking = Array.from({ length: 10 }, async () => {
    while (!isOver) statuses.add(await get());
  });
  const close = await acceptMoreATurn([{ server, more: 3 }], silentLogger);
  for (let n = 0; n < 20; n++) statuses.add(await get());
  isOver = true;
  await Promise.all(knocking);
  t.deepEqual([...statuses], [200]);
  close();
  server.close();
  await once(server, 'close');
  const socket = net.connect(port, '127.0.0.1');
  const [error] = await once(socket, 'error').catch((reason: unknown) => [reason]);
  t.is(error.code, 'ECONNREFUSED');
});

test('a listener whose socket cannot be had again goes on with one connection a turn, and the log says so', async (t) => {
  const said: string[] = [];
  const server = http.createServer();
  const close = await acceptMoreATurn([{ server, more: 1 }], {
    ...silentLogger,
    warn: (event) => void said.push(event),
  });
  t.deepEqual(said, ['listeners.few-acceptors']);
  t.notThrows(close);
});
