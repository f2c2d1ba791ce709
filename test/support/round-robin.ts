import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { ExecutionContext } from 'ava';

/**
 * A proxy that sends each request to another of its targets than the one before, over connections that it shares between its
 * clients, and says in X-Forwarded-For whose it is. A target that cannot be connected to is passed over.
 * @param targets  URLs; may change at any time
 * @param options  `connectionsMax`: to one target; few of them are shared by more clients
 */
export async function startRoundRobin(
  t: ExecutionContext,
  targets: readonly string[],
  { connectionsMax = 4 }: { readonly connectionsMax?: number } = {},
): Promise<{ readonly url: string; requests(): number }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connectionsMax });
  let requests = 0;
  const forward = (
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    triesLeft = targets.length,
  ) => {
    const target = targets[requests++ % targets.length];
    const headers = {
      ...request.headers,
      connection: 'keep-alive',
      'x-forwarded-for': request.socket.remoteAddress,
    };
    const onward = http.request(`${target}${request.url}`, { method: request.method, headers, agent });
    onward.on('response', (answer) => {
      const { connection: _, ...answerHeaders } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, answerHeaders);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    onward.on('error', (error: NodeJS.ErrnoException) => {
      // Only then is it certain that the target has not seen the request.
      const wasNotSent = error.code === 'ECONNREFUSED';
      if (wasNotSent && triesLeft > 1) forward(request, body, response, triesLeft - 1);
      else response.destroy();
    });
    onward.end(body);
  };
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    forward(request, Buffer.concat(chunks), response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    agent.destroy();
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return { url: `http://127.0.0.1:${address.port}`, requests: () => requests };
}
