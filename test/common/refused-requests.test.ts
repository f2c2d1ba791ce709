import { once } from 'node:events';
import http, { type RequestListener, type ServerOptions } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { RefusedRequests } from '../../common/index.js';
import { recordingLogger, until } from '../support/ferry.js';
import { sendRaw, statusesOf } from '../support/raw-socket.js';

async function startWatched(
  t: ExecutionContext,
  options: ServerOptions = {},
  handler: RequestListener = (_request, response) => void response.end('served'),
) {
  const { logger, events } = recordingLogger();
  const reasons: string[] = [];
  const refused = new RefusedRequests({
    listener: 'files',
    logger,
    onRefused: (reason) => reasons.push(reason),
  });
  const server = http.createServer({ requireHostHeader: false, ...options }, refused.requiringHost(handler));
  refused.watch(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}`, events, reasons };
}

const HEAD = 'GET / HTTP/1.1\r\nHost: x\r\n';
const REFUSED: readonly (readonly [reason: string, status: number, bytes: string])[] = [
  ['malformed', 400, 'get / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['malformed', 400, 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['malformed', 400, 'GET / HTTP/1.1\nHost: x\n\n'],
  ['malformed', 400, `${HEAD}X: a\r\n b\r\n\r\n`],
  ['malformed', 400, `${HEAD}Transfer-Encoding: chunked\r\n\r\n1 \r\n`],
  ['framing', 400, `${HEAD}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['framing', 400, `${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`],
  ['headers-too-large', 431, `${HEAD}X: ${'a'.repeat(20_000)}\r\n\r\n`],
  ['no-host', 400, 'GET / HTTP/1.1\r\n\r\n'],
  ['expectation', 417, `${HEAD}Expect: more\r\nConnection: close\r\n\r\n`],
];
for (const [index, [reason, status, bytes]] of REFUSED.entries()) {
  test(`what HTTP refuses as ${reason} gets ${status} as ever, is counted, and told with its address (${index})`, async (t) => {
    const { url, events, reasons } = await startWatched(t);
    const handled = statusesOf(await sendRaw(url, bytes));
    // Of a body the head was good: its handler has answered before the body turned out to be none.
    t.true(handled.includes(status) || bytes.includes('\r\n1 \r\n'), String(handled));
    t.deepEqual(reasons, [reason]);
    t.like(events, [{ event: 'http.refused', fields: { listener: 'files', reason, ip: '127.0.0.1' } }]);
  });
}

test('CONNECT is closed upon as ever, and told', async (t) => {
  const { url, reasons } = await startWatched(t);
  t.is(await sendRaw(url, 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'), '');
  t.deepEqual(reasons, ['connect']);
});

test('a request that does not come in time gets 408, and is told', async (t) => {
  const { url, reasons } = await startWatched(t, { headersTimeout: 1, connectionsCheckingInterval: 10 });
  t.deepEqual(statusesOf(await sendRaw(url, 'GET / HT')), [408]);
  t.deepEqual(reasons, ['timed-out']);
});

test('a client that goes away has been refused nothing', async (t) => {
  const { server, url, reasons } = await startWatched(t, {}, () => {});
  const client = net.connect(Number(new URL(url).port), '127.0.0.1');
  const [connection] = (await once(server, 'connection')) as [net.Socket];
  client.write(`${HEAD}\r\n`);
  await once(server, 'request');
  const gone = new Promise((resolve) => connection.on('close', resolve));
  client.resetAndDestroy();
  await gone;
  t.deepEqual(reasons, []);
});

test('thousands are told of once, and then how many there were', async (t) => {
  const { url, events, reasons } = await startWatched(t);
  for (let n = 0; n < 20; n++) await sendRaw(url, 'get / HTTP/1.1\r\n\r\n');
  t.is(reasons.length, 20);
  t.is(events.length, 1);
});

test('a refusal is not written into an answer that is under way', async (t) => {
  const { url, reasons } = await startWatched(t, {}, (_request, response) => {
    response.writeHead(200, { 'Content-Length': 1_000 });
    response.write('begun');
  });
  const { port } = new URL(url);
  const client = net.connect(Number(port), '127.0.0.1');
  let received = '';
  client.on('data', (data) => {
    received += String(data);
  });
  client.write(`${HEAD}\r\n`);
  await until('the answer has begun', () => received.endsWith('begun'));
  client.write('no request\r\n\r\n');
  await once(client, 'close');
  t.true(received.endsWith('begun'));
  t.deepEqual(reasons, ['malformed']);
});
