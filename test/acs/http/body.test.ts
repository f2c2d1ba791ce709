import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { BodyBudget, BodyShare, BusyError, readBody } from '../../../acs/http/body.js';
import { until } from '../../support/ferry.js';

const KIB = 1024;

/** A server that reads bodies into one budget, and holds what it has read until it is told to leave. */
async function start(t: ExecutionContext, budgetBytes: number) {
  const budget = new BodyBudget(budgetBytes);
  const outcomes = new Map<string, string>();
  const shares = new Map<string, BodyShare>();
  const server = http.createServer(async (request, response) => {
    const name = request.url ?? '';
    const share = new BodyShare(budget);
    shares.set(name, share);
    const outcome = await readBody(request, { bytesMax: 64 * KIB, forgivesBlank: false }, share).then(
      ({ bytes }) => `${bytes.length} bytes`,
      (error: unknown) => (error instanceof BusyError ? 'gave way' : String(error)),
    );
    outcomes.set(name, outcome);
    if (outcome === 'gave way') share.giveBack();
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets: net.Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  /** Sends a part of a body, and waits until that has come. */
  const send = async (name: string, announcedBytes: number, sentBytes: number) => {
    const taken = once(server, 'request') as Promise<[http.IncomingMessage]>;
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    const head = `POST ${name} HTTP/1.1\r\nHost: x\r\nContent-Length: ${announcedBytes}\r\n\r\n`;
    socket.write(head + 'x'.repeat(sentBytes));
    const [{ socket: theirs }] = await taken;
    await until('it has come', () => theirs.bytesRead >= head.length + sentBytes);
    return socket;
  };
  const outcome = (name: string) => until(`the end of ${name}`, () => outcomes.get(name));
  return { send, outcome, outcomes, leave: (name: string) => shares.get(name)?.giveBack() };
}

test('bodies that stall give way to those that come, the longest under way first', async (t) => {
  const { send, outcome, outcomes } = await start(t, 10 * KIB);
  for (const name of ['/a', '/b']) await send(name, 5 * KIB, 4 * KIB);
  await send('/c', 4 * KIB, 4 * KIB);
  t.is(await outcome('/c'), `${4 * KIB} bytes`);
  t.is(await outcome('/a'), 'gave way');
  t.false(outcomes.has('/b'));
  for (const name of ['/d', '/e']) await send(name, 2 * KIB, 2 * KIB);
  t.is(await outcome('/e'), `${2 * KIB} bytes`);
  t.is(await outcome('/b'), 'gave way');
});

test('a body that has come stays until it is answered, and one beyond the most is turned away', async (t) => {
  const { send, outcome, leave } = await start(t, 10 * KIB);
  for (const name of ['/a', '/b']) {
    await send(name, 5 * KIB, 5 * KIB);
    t.is(await outcome(name), `${5 * KIB} bytes`);
  }
  await send('/c', KIB, KIB);
  t.is(await outcome('/c'), 'gave way');
  leave('/a');
  await send('/d', KIB, KIB);
  t.is(await outcome('/d'), `${KIB} bytes`);
});

test('a body that alone would be more than there may be is turned away', async (t) => {
  const { send, outcome } = await start(t, 10 * KIB);
  await send('/a', 11 * KIB, 11 * KIB);
  t.is(await outcome('/a'), 'gave way');
});
