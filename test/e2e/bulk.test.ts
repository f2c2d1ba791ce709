import http from 'node:http';
import test from 'ava';
import { ADMIN, startTestFerry, until } from '../support/ferry.js';
import {
  downloadResponse,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
} from '../support/raw-cpe.js';

const BATCHES = 5;
const BATCH_ITEMS = 1_000;

test('while rules are loaded CPEs have their sessions, and those whose rule is stored already get their upgrade', async (t) => {
  const ferry = await startTestFerry(t);
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const cpe = new RawCpe(ferry.urls.cwmp);
  t.teardown(() => cpe.close());
  const begin = async (serial: string): Promise<string> => {
    t.is((await cpe.post(inform({ serial }))).status, 200);
    return rpcOf((await cpe.post('')).body);
  };

  const load = http.request(`${ferry.urls.nbi}/v1/dyn/FirmwareStorage/.*`, {
    method: 'POST',
    auth: `${ADMIN.name}:${ADMIN.password}`,
    headers: { 'Content-Type': 'application/x-ndjson' },
  });
  let report = '';
  load.once('response', (response: http.IncomingMessage) => {
    response.on('data', (chunk: Buffer) => {
      report += chunk.toString();
    });
  });
  for (let batch = 0; batch < BATCHES; batch++) {
    for (let index = 0; index < BATCH_ITEMS; index++) {
      const serial = batch * BATCH_ITEMS + index;
      const rule = { id: `r${serial}`, file: 'hgw-2.bin', condition: { cpeid: `00A1B2-HGW-${serial}` } };
      load.write(`${JSON.stringify(rule)}\n`);
    }
    // While that batch is read, checked and stored.
    t.is(await begin(`new-${batch}`), 'SetParameterValues');
    t.is((await cpe.post(SET_PARAMETER_VALUES_RESPONSE)).status, 204);
  }
  await until('the first batch is stored', () => report.includes('"lines":[1,1000],"code":204'));
  t.is(await begin('7'), 'SetParameterValues');
  t.is(rpcOf((await cpe.post(SET_PARAMETER_VALUES_RESPONSE)).body), 'Download');
  t.is((await cpe.post(downloadResponse())).status, 204);
  t.false(report.includes('"message"'), 'the load is still under way');
  load.end();
  await until('the load is done', () => report.includes('"written":5000,"unchanged":0,"refused":0'));
});
