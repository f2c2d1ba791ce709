import { mkdtemp, open, rename, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import process from 'node:process';

/**
 * The baseline of uploads: node:http that writes each body into a file as it comes, flushes it, moves it into place and flushes the
 * directory, as Ferry does; and knows nothing of it.
 */
const directory = await mkdtemp(join(tmpdir(), 'ferry-bench-bare-'));

function placeOf({ url = '' }: http.IncomingMessage): string {
  return join(directory, basename(url));
}

async function keep(request: http.IncomingMessage): Promise<void> {
  const place = placeOf(request);
  const file = await open(`${place}.part`, 'wx');
  try {
    for await (const chunk of request) await file.writeFile(chunk);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${place}.part`, place);
  const parent = await open(directory, 'r');
  await parent.sync();
  await parent.close();
}

const server = http.createServer(async (request, response) => {
  if (request.method === 'PUT') await keep(request);
  else await rm(placeOf(request));
  response.writeHead(204).end();
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object')
    process.send?.({ port: address.port, nbiPort: address.port });
});
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
process.on('disconnect', async () => {
  await rm(directory, { recursive: true, force: true });
  process.exit(0);
});
