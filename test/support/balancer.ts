import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';

/** Pause before a target is asked again, when none of them could answer. */
const PAUSE_MS = 100;
/** Less than a client waits for an answer. */
const TRIED_MS_MAX = 25_000;

/**
 * What stands in front of several nodes and knows nothing of HTTP: each connection goes to another node than the one before, and
 * to the next where one refuses it. It lasts as long as the node's end of it.
 * @param ports  of this machine
 * @returns its own port
 */
export async function startBalancer(t: ExecutionContext, ports: readonly number[]): Promise<number> {
  const clients = new Set<Socket>();
  let turn = 0;
  const lead = (client: Socket, triesLeft: number) => {
    const upstream = connect(ports[turn++ % ports.length] ?? 0, '127.0.0.1');
    let connected = false;
    upstream.on('connect', () => {
      connected = true;
      client.pipe(upstream);
      upstream.pipe(client);
    });
    upstream.on('error', () => {
      if (!connected && triesLeft > 1 && !client.destroyed) lead(client, triesLeft - 1);
      else client.resetAndDestroy();
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => {
      if (connected) client.destroy();
    });
  };
  const server = createServer((client) => {
    clients.add(client);
    client.on('error', () => {});
    client.on('close', () => clients.delete(client));
    lead(client, ports.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const client of clients) client.destroy();
    server.close();
  });
  return portOf(server.address());
}

/**
 * What stands in front of several file servers: a request that one of them could not begin to answer goes to another, as it does
 * with nginx's `proxy_next_upstream error timeout http_503`. What breaks off in the middle, breaks off.
 * @returns its own port
 */
export async function startFileBalancer(t: ExecutionContext, ports: readonly number[]): Promise<number> {
  let turn = 0;
  const ask = (request: IncomingMessage): Promise<IncomingMessage | null> =>
    new Promise((resolve) => {
      const { url, method, headers } = request;
      const port = ports[turn++ % ports.length] ?? 0;
      http
        .request({ port, host: '127.0.0.1', path: url, method, headers, agent: false }, resolve)
        .on('error', () => resolve(null))
        .end();
    });
  const relay = async (request: IncomingMessage, response: ServerResponse) => {
    const deadlineMs = performance.now() + TRIED_MS_MAX;
    while (!response.destroyed && performance.now() < deadlineMs) {
      const answer = await ask(request);
      if (answer !== null && answer.statusCode !== 503) {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on('error', () => response.destroy());
        answer.on('aborted', () => response.destroy());
        answer.pipe(response);
        return;
      }
      answer?.resume();
      await delay(PAUSE_MS);
    }
    response.destroy();
  };
  const server = http.createServer((request, response) => void relay(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return portOf(server.address());
}

function portOf(address: ReturnType<import('node:net').Server['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('The balancer has no port');
  return address.port;
}
