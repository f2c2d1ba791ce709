import test from 'ava';
import { startTestFerry } from '../support/ferry.js';
import {
  downloadResponse,
  inform,
  RawCpe,
  rpcOf,
  SET_PARAMETER_VALUES_RESPONSE,
  textOf,
  transferComplete,
} from '../support/raw-cpe.js';

const UPGRADED = { version: '2.0', events: ['1 BOOT', '7 TRANSFER COMPLETE'] };

interface Listed<T> {
  readonly details: readonly T[] | '';
}

test('a CPE is not deleted before its upgrade has ended; then it goes, its result and its place in the limits stay as they were', async (t) => {
  const ferry = await startTestFerry(t, { config: { allowAnonymousCpe: true } });
  const list = async <T>(storage: string): Promise<readonly T[]> => {
    const { details } = (await ferry.nbi('GET', `/v1/dyn/${storage}/.*`)).body as Listed<T>;
    return details === '' ? [] : details;
  };
  const remove = async (query: string) =>
    (await ferry.nbi('DELETE', `/v1/dyn/DeviceStorage/${query}`)).status;
  await ferry.nbi('PUT', '/v1/images/hgw-2.bin?softwareVersion=2.0', Buffer.from('firmware two'));
  const rule = { id: 'R1', file: 'hgw-2.bin', condition: { productClass: 'HGW' }, limits: { total: 1 } };
  t.is((await ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', rule)).status, 200);

  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform({}));
  let answer = await cpe.post('');
  while (rpcOf(answer.body) !== 'Download') answer = await cpe.post(SET_PARAMETER_VALUES_RESPONSE);
  const key = textOf(answer.body, 'CommandKey') ?? '';
  t.is(await remove('.*?productClass=HGW'), 409);
  await cpe.post(downloadResponse(1));
  t.is(await remove('.*?productClass=HGW'), 409);
  cpe.close();

  const again = new RawCpe(ferry.urls.cwmp);
  await again.post(inform(UPGRADED));
  await again.post(transferComplete(key));
  await again.post('');
  again.close();
  const [result] = await list<{ readonly result: { readonly code: number } }>('FirmwareResultStorage');
  t.is(result?.result.code, 200);
  t.is(await remove('.*?productClass=HGW'), 200);
  t.deepEqual(await list('DeviceStorage'), []);
  t.deepEqual(await list('FirmwareResultStorage'), [result]);

  // It is new, and the rule has had all that its limits allow.
  const anew = new RawCpe(ferry.urls.cwmp);
  await anew.post(inform({}));
  const rpcs: string[] = [];
  for (
    let reply = await anew.post('');
    reply.status === 200;
    reply = await anew.post(SET_PARAMETER_VALUES_RESPONSE)
  ) {
    rpcs.push(rpcOf(reply.body));
  }
  anew.close();
  t.false(rpcs.includes('Download'), rpcs.join());
  t.is((await list('DeviceStorage')).length, 1);
  t.is(ferry.events.filter(({ event }) => event === 'cpe.registered').length, 2);
});

test('a session whose CPE is deleted in its midst goes to its end, and does not bring it back', async (t) => {
  const ferry = await startTestFerry(t, { config: { allowAnonymousCpe: true } });
  const cpe = new RawCpe(ferry.urls.cwmp);
  await cpe.post(inform({}));
  t.is((await ferry.nbi('DELETE', '/v1/dyn/DeviceStorage/.*?all=true')).status, 200);
  let answer = await cpe.post('');
  for (let steps = 0; answer.status === 200 && steps < 10; steps++)
    answer = await cpe.post(SET_PARAMETER_VALUES_RESPONSE);
  t.is(answer.status, 204);
  cpe.close();
  t.is((await ferry.nbi('GET', '/v1/dyn/DeviceStorage/.*')).status, 404);
});
