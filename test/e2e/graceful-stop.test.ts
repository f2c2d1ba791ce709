import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { startTestFerry } from '../support/ferry.js';
import {
  downloadResponse,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';

const CPES = 60;

test('stopping in the middle of a wave spends no execution: every upgrade that was reserved was sent and its answer taken', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ferry-stop-'));
  t.teardown(() => rm(dataDir, { recursive: true }));
  const ferry = await startTestFerry(t, { dataDir, acsOptions: { stopGraceMs: 10_000 } });
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  // Without provisioning the answer to an empty POST is the Download itself.
  const cpes = await Promise.all(
    Array.from({ length: CPES }, async (_, serial) => {
      const first = new RawCpe(ferry.urls.cwmp);
      await first.post(inform({ serial: String(serial) }));
      await first.post('');
      await first.post(SET_PARAMETER_VALUES_RESPONSE);
      first.close();
      const cpe = new RawCpe(ferry.urls.cwmp);
      return { cpe, serial: String(serial) };
    }),
  );
  const rule = { id: 'R', file: 'hgw-2.bin', condition: { productClass: 'HGW' }, executions: 1 };
  t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule)).status, 200);
  await Promise.all(cpes.map(({ cpe, serial }) => cpe.post(inform({ serial }))));
  let downloads = 0;
  const wave = new EventEmitter();
  const sessions = cpes.map(async ({ cpe }) => {
    const answer = await cpe.post('').catch(() => null);
    if (answer === null || rpcOf(answer.body) !== 'Download') return;
    downloads++;
    wave.emit('download');
    t.is((await cpe.post(downloadResponse())).status, 204);
  });
  await once(wave, 'download');
  await Promise.all([ferry.close(), ...sessions]);
  for (const { cpe } of cpes) cpe.close();

  const again = await startTestFerry(t, { dataDir });
  const answer = await again.nbi('GET', '/v1/dyn/FirmwareResultStorage/.*');
  const results = (answer.body as { details: { result: { message: string } }[] }).details;
  t.is(results.length, downloads);
  t.true(
    results.every(
      ({ result }) => result.message === 'Upgrade is running: the device is downloading the file',
    ),
  );
  t.log(`${downloads} of ${CPES} had their Download when it stopped`);
});

test('while it stops a new CPE is told to come again', async (t) => {
  const ferry = await startTestFerry(t, { acsOptions: { stopGraceMs: 10_000 } });
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', {
    id: 'R',
    file: 'hgw-2.bin',
    condition: { productClass: 'HGW' },
  });
  const [slow, waiting] = [new RawCpe(ferry.urls.cwmp), new RawCpe(ferry.urls.cwmp)];
  await slow.post(inform({ serial: 'slow' }));
  await slow.post('');
  const download = await slow.post(SET_PARAMETER_VALUES_RESPONSE);
  t.is(rpcOf(download.body), 'Download');
  await waiting.post(inform({ serial: 'waiting' }));
  const closing = ferry.close();
  // It listens no more, but this connection was there before.
  const refused = await waiting.post(inform({ serial: 'waiting' }));
  t.is(refused.status, 503);
  t.truthy(refused.headers['retry-after']);
  t.is((await slow.post(downloadResponse())).status, 204);
  await closing;
  slow.close();
  waiting.close();
});

test('a session that is under way while it stops begins no upgrade', async (t) => {
  const ferry = await startTestFerry(t, { acsOptions: { stopGraceMs: 10_000 } });
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const rule = { id: 'R', file: 'hgw-2.bin', condition: { productClass: 'HGW' } };
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule);
  const [slow, other] = [new RawCpe(ferry.urls.cwmp), new RawCpe(ferry.urls.cwmp)];
  for (const [cpe, serial] of [
    [slow, 'slow'],
    [other, 'other'],
  ] as const) {
    await cpe.post(inform({ serial }));
    t.is(rpcOf((await cpe.post('')).body), 'SetParameterValues');
  }
  t.is(rpcOf((await slow.post(SET_PARAMETER_VALUES_RESPONSE)).body), 'Download');
  const closing = ferry.close();
  t.is((await other.post(SET_PARAMETER_VALUES_RESPONSE)).status, 204);
  // A CPE that opens a connection for each request is still heard.
  const anew = new RawCpe(ferry.urls.cwmp);
  anew.cookie = slow.cookie;
  t.is((await anew.post(downloadResponse())).status, 204);
  await closing;
  for (const cpe of [slow, other, anew]) cpe.close();
});

test('requests that were pipelined and left do not hold up the stop', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false, acsOptions: { stopGraceMs: 90_000 } });
  const { hostname, port } = new URL(ferry.urls.cwmp);
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {}).resume();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'close');
  const stopped = ferry.close().then(() => 'stopped');
  t.is(await Promise.race([stopped, delay(30_000, 'waiting', { ref: false })]), 'stopped');
});
