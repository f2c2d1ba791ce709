import test from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';
import {
  downloadResponse,
  envelope,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
} from '../support/raw-cpe.js';

const REQUEST_DOWNLOAD = envelope(
  '<cwmp:RequestDownload><FileType>1 Firmware Upgrade Image</FileType>' +
    '<FileTypeArg soap-enc:arrayType="cwmp:ArgStruct[0]"/></cwmp:RequestDownload>',
  { id: '42' },
);

async function postRule(ferry: TestFerry): Promise<void> {
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const rule = { id: 'R1', file: 'hgw-2.bin', condition: { productClass: 'HGW' } };
  await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule);
}

for (const shareSessions of [false, true]) {
  test(`a CPE that asks for a download is decided on in that session, also once it was over (shared: ${shareSessions})`, async (t) => {
    // It stands still, so that no session is over for good before the CPE says more in it.
    const nowMs = Date.now();
    const ferry = await startTestFerry(t, { config: { shareSessions }, clock: () => nowMs });
    const cpe = new RawCpe(ferry.urls.cwmp);
    await cpe.post(inform({ events: ['9 REQUEST DOWNLOAD'] }));
    const answered = await cpe.post(REQUEST_DOWNLOAD);
    t.is(rpcOf(answered.body), 'RequestDownloadResponse');
    t.is(textOf(answered.body, 'ID'), '42');
    t.is(rpcOf((await cpe.post('')).body), 'SetParameterValues');
    t.is((await cpe.post(SET_PARAMETER_VALUES_RESPONSE)).status, 204, 'no rule wants it yet');
    await postRule(ferry);
    t.is(rpcOf((await cpe.post(REQUEST_DOWNLOAD)).body), 'RequestDownloadResponse');
    t.is(rpcOf((await cpe.post('')).body), 'Download');
    t.is((await cpe.post(downloadResponse())).status, 204);
    t.is(rpcOf((await cpe.post(REQUEST_DOWNLOAD)).body), 'RequestDownloadResponse');
    t.is((await cpe.post('')).status, 204, 'there is one upgrade at a time');
    cpe.close();
  });
}

test('GetRPCMethods tells every RPC that is answered, and each that it tells is', async (t) => {
  const ferry = await startTestFerry(t, { checksSchema: false });
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform());
  const { body } = await cpe.post(envelope('<cwmp:GetRPCMethods/>'));
  const methods = [...body.matchAll(/<string>([^<]*)</g)].map(([, name]) => name);
  for (const name of ['Inform', 'GetRPCMethods', 'TransferComplete', 'RequestDownload'])
    t.true(methods.includes(name), `${name} in ${methods.join()}`);
  for (const name of methods.filter((method) => method !== 'Inform'))
    t.is(rpcOf((await cpe.post(envelope(`<cwmp:${name}/>`))).body), `${name}Response`);
  cpe.close();
});
