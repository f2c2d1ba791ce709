import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { oneAtATime, RefusedRequests } from '../../common/index.js';
import { recordingLogger, until } from '../support/ferry.js';
import { statusesOf } from '../support/raw-socket.js';

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

async function start(t: ExecutionContext, answer: RequestListener) {
  const { logger, events } = recordingLogger();
  const reasons: string[] = [];
  const refused = new RefusedRequests({
    listener: 'files',
    logger,
    onRefused: (reason) => reasons.push(reason),
  });
  let begun = 0;
  const handler: RequestListener = (request, response) => {
    begun++;
    answer(request, response);
  };
  const oneByOne = oneAtATime(refused);
  const server = http.createServer(oneByOne(handler));
  refused.watch(server, oneByOne);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, port, events, reasons, begun: () => begun };
}

/** Sends bytes and gives what came until the server closed. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (data) => {
    received += data;
  });
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return received;
}

test('whoever sends the next request before the answer is out is cut off, and nothing of the next is begun', async (t) => {
  const { port, reasons, events, begun } = await start(t, () => {});
  await exchange(port, GET + GET);
  t.is(begun(), 1);
  t.deepEqual(reasons, ['pipelined']);
  t.like(events, [{ event: 'http.refused', fields: { reason: 'pipelined', ip: '127.0.0.1' } }]);
});

test('of a packet full of requests one is begun, and one refusal is counted', async (t) => {
  const { port, reasons, begun } = await start(t, () => {});
  await exchange(port, GET.repeat(600));
  t.is(begun(), 1);
  t.deepEqual(reasons, ['pipelined']);
});

test('of a packet full of requests no more is parsed than it takes to tell that it is one', async (t) => {
  const { server, port, reasons } = await start(t, () => {});
  let parsed = 0;
  server.prependListener('request', () => parsed++);
  await exchange(port, GET.repeat(600));
  t.deepEqual(reasons, ['pipelined']);
  t.is(parsed, 3);
});

test('requests that HTTP refuses by itself wait their turn as others do', async (t) => {
  const { port, reasons, begun } = await start(t, () => {});
  await exchange(port, GET + 'GET / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n'.repeat(10));
  t.is(begun(), 1);
  t.deepEqual(reasons, ['pipelined']);
});

test('an answer that the client does not take is not out', async (t) => {
  const { port, reasons, begun } = await start(t, (_request, response) =>
    response.end(Buffer.alloc(32 * 1024 * 1024)),
  );
  const socket = net.connect(port, '127.0.0.1').on('error', () => {});
  socket.write(GET);
  await once(socket, 'readable');
  socket.write(GET);
  await until('it is cut off', () => reasons.includes('pipelined'));
  t.is(begun(), 1);
  socket.destroy();
});

/** Each with the whole of what is sent for it, and how its answer is known to have come in full. */
const EXCHANGES: Readonly<
  Record<string, { readonly sent: string; readonly isWhole: (text: string) => boolean }>
> = {
  'a small answer': { sent: GET, isWhole: (text) => text.endsWith('small') },
  'an answer larger than buffers': {
    sent: GET.replace('/', '/large'),
    isWhole: (text) => text.endsWith('!'),
  },
  'an answer in chunks': { sent: GET.replace('/', '/chunks'), isWhole: (text) => text.endsWith('0\r\n\r\n') },
  'an answer whose end comes after its last byte': {
    sent: GET.replace('/', '/late'),
    isWhole: (text) => text.endsWith('late'),
  },
  HEAD: { sent: GET.replace('GET', 'HEAD'), isWhole: (text) => text.endsWith('\r\n\r\n') },
  '304': { sent: GET.replace('/', '/304'), isWhole: (text) => text.endsWith('\r\n\r\n') },
  'a body after 100-continue': {
    sent: 'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc',
    isWhole: (text) => text.endsWith('small'),
  },
  'a body that nobody reads': {
    sent: 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc',
    isWhole: (text) => text.endsWith('small'),
  },
};
/** Of each of four clients. */
const REQUESTS = 100;
const LARGE = Buffer.from(`${'x'.repeat(300_000)}!`);

const answers: RequestListener = ({ url = '' }, response) => {
  switch (url) {
    case '/large':
      response.end(LARGE);
      return;
    case '/chunks':
      response.write('one');
      response.write('two');
      response.end();
      return;
    case '/late':
      response.setHeader('Content-Length', 4);
      response.write('late');
      process.nextTick(() => response.end());
      return;
    case '/304':
      response.writeHead(304).end();
      return;
    default:
      response.end('small');
  }
};

for (const [what, { sent, isWhole }] of Object.entries(EXCHANGES)) {
  test(`a client that waits for each answer is never cut off, however soon it sends the next: ${what}`, async (t) => {
    t.timeout(120_000);
    const count = what.includes('larger') ? REQUESTS / 4 : REQUESTS;
    const { port, reasons, begun } = await start(t, answers);
    // Several at a time, so that the loop has other work between the write of an answer and the word that it is out.
    const clients = Array.from({ length: 4 }, async () => {
      const socket = net.connect(port, '127.0.0.1').setNoDelay(true);
      let left = count;
      let received = '';
      socket.setEncoding('latin1');
      socket.on('data', (data) => {
        received = (received + data).slice(-1_000);
        if (!isWhole(received)) return;
        received = '';
        if (--left === 0) socket.end();
        else socket.write(sent);
      });
      socket.on('error', () => {});
      socket.write(sent);
      await once(socket, 'close');
      return left;
    });
    t.deepEqual(await Promise.all(clients), [0, 0, 0, 0]);
    t.is(begun(), 4 * count);
    t.deepEqual(reasons, []);
  });
}

test('the next request may come after one that was answered before its body had come', async (t) => {
  const { port, reasons } = await start(t, answers);
  const socket = net.connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (data) => {
    received += data;
  });
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc');
  await until('it is answered', () => statusesOf(received).length === 1);
  socket.write(`def${GET}`);
  await until('the next is answered', () => statusesOf(received).length === 2);
  t.deepEqual(reasons, []);
  socket.destroy();
});
