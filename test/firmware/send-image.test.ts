import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { type Image, type ImageContent, sendImage } from '../../firmware/index.js';
import { until } from '../support/ferry.js';

const IMAGE: Image = {
  id: 'a.bin',
  name: 'a.bin',
  sha256: '0'.repeat(64),
  contentFile: 'a',
  sizeBytes: 1_000_000,
  softwareVersion: '2.0',
  fileType: '1 Firmware Upgrade Image',
  uploadedAtMs: 0,
  uploadedBy: 'test',
};

/** Content of which nothing ever comes. */
function silentContent(): { readonly content: ImageContent; readonly opened: Readable[] } {
  const opened: Readable[] = [];
  const content: ImageContent = {
    read() {
      const stream = new Readable({ read() {} });
      opened.push(stream);
      return stream;
    },
  };
  return { content, opened };
}

async function start(t: ExecutionContext) {
  const exchanges: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  const server = http.createServer((request, response) => void exchanges.push({ request, response }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  const taken = async (count: number) => {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count));
    await until('it is asked', () => exchanges.length === count);
    return exchanges;
  };
  return { socket, taken };
}

test('what is read for an answer is closed with the connection, also where its turn never came', async (t) => {
  const { socket, taken } = await start(t);
  const exchanges = await taken(2);
  const { content, opened } = silentContent();
  const ends = exchanges.map(({ request, response }) =>
    sendImage(request, response, { image: IMAGE, content }),
  );
  t.is(opened.length, 2);
  socket.destroy();
  await Promise.all(ends);
  await until('both are closed', () => opened.every(({ destroyed }) => destroyed));
  t.pass();
});

test('nothing is opened for a client that went while its content was looked for, and nobody waits for it', async (t) => {
  const { socket, taken } = await start(t);
  const [exchange] = await taken(1);
  socket.destroy();
  await until('it has gone', () => exchange?.response.destroyed);
  const { content, opened } = silentContent();
  if (exchange !== undefined) await sendImage(exchange.request, exchange.response, { image: IMAGE, content });
  t.deepEqual(opened, []);
});
