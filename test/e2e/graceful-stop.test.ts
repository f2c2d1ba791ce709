import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
