import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

const SCRIPT = fileURLToPath(new URL('../../../test/fixtures/elsewhere.js', import.meta.url));

/** A page of somebody else, on a port of a host that leads here. @returns its origin */
export async function serveElsewhere(t: ExecutionContext, site: string): Promise<string> {
  const script = await readFile(SCRIPT);
  const server = http.createServer(({ url }, response) => {
    const isScript = url === '/elsewhere.js';
    response.writeHead(200, { 'Content-Type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : '<!doctype html><body><script src="elsewhere.js"></script></body>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://${site}:${(server.address() as AddressInfo).port}`;
}
