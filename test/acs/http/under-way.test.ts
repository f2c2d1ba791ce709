import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import test from 'ava';
import { UnderWay } from '../../../acs/http/under-way.js';
import { until } from '../../support/ferry.js';

test('however many requests of a connection are under way, it is listened to once, and all go with it', async (t) => {
  const underWay = new UnderWay({ awaitsDownload: () => false });
  let begun = 0;
  const listeners = new Set<number>();
  const server = http.createServer((request, response) => {
    underWay.begin(request, response)();
    begun++;
    listeners.add(request.socket.listenerCount('close'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50));
  await until('all have come', () => begun === 50);
  t.is(listeners.size, 1);
  socket.destroy();
  await underWay.drain(600_000);
  t.true(underWay.isStopping);
});
