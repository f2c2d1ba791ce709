import { once } from 'node:events';
import http, { type RequestListener, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { cutIdleReaders, RefusedRequests, silentLogger } from '../../common/index.js';
import { until } from '../support/ferry.js';

const LARGE = Buffer.alloc(32 * 1024 * 1024);

/** @param idleMsMax  from when the request has come: of a connection without any the time may be over by then */
async function start(t: ExecutionContext, idleMsMax: number, handler: RequestListener) {
  const reasons: string[] = [];
  const refused = new RefusedRequests({
    listener: 'nbi',
    logger: silentLogger,
    onRefused: (reason) => reasons.push(reason),
  });
  const server = http.createServer({ keepAliveTimeout: 50 }, (request, response) => {
    request.socket.setTimeout(idleMsMax);
    handler(request, response);
  });
  cutIdleReaders(server, 60_000, refused);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  t.teardown(() => socket.destroy());
  return { socket, reasons };
}

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

test('whoever takes nothing of an answer is cut off, with a trace', async (t) => {
  const { socket, reasons } = await start(t, 200, (_request, response) => response.end(LARGE));
  socket.write(GET);
  await once(socket, 'readable');
  await until('it is cut off', () => reasons.length > 0);
  t.deepEqual(reasons, ['not-taken']);
});

test('whoever waits for us longer than that is answered', async (t) => {
  const waiting: ServerResponse[] = [];
  const { socket, reasons } = await start(t, 50, (_request, response) => void waiting.push(response));
  let received = '';
  socket.on('data', (data) => {
    received += String(data);
  });
  socket.write(GET);
  await until('it is asked', () => waiting.length === 1);
  await once(waiting[0]?.socket ?? socket, 'timeout');
  waiting[0]?.end('late');
  await until('it is answered', () => received.endsWith('late'));
  t.deepEqual(reasons, []);
});

test('a connection between requests is closed when its time is up, and has been refused nothing', async (t) => {
  const { socket, reasons } = await start(t, 60_000, (_request, response) => response.end('served'));
  socket.resume().write(GET);
  await once(socket, 'close');
  t.deepEqual(reasons, []);
});
