import { once } from 'node:events';
import { createServer } from 'node:http';
import test from 'ava';
import type { RuleId } from '../../common/index.js';
import { ruleBody, startCpe, startNbi, type TestNbi } from './support.js';

const OK = { result: { code: 200, message: 'OK' } };

const call = (nbi: TestNbi, name: string, json: unknown) =>
  nbi.call(`/v1/method/${name}`, { method: 'POST', json });

test('SendCNR to a CPE that nobody knows is a 404 that says so', async (t) => {
  const nbi = await startNbi(t);
  const { status, body } = await call(nbi, 'SendCNR', { search_options: { cpe_id: 'DMS_DEVICE' } });
  t.is(status, 404);
  t.deepEqual(body, { result: { code: 404, message: 'No CPE matches cpe_id "DMS_DEVICE"' } });
});

test('SendCNR to a CPE that refuses is a 502, to one that does not answer a 504', async (t) => {
  const nbi = await startNbi(t, { connectionRequestMsMax: 200 });
  await nbi.putDevice({ serialNumber: '1' });
  // 192.0.2.0/24 is for documents: nothing answers there, and the deadline is near.
  await nbi.putDevice({ serialNumber: '2', ip: '192.0.2.1', connectionRequestUrl: 'http://192.0.2.1:7547/' });
  const refused = await call(nbi, 'SendCNR', { search_options: { serialNumber: '1' } });
  t.is(refused.status, 502);
  t.like(refused.body, { result: { code: 502 } });
  const silent = await call(nbi, 'SendCNR', { search_options: { serialNumber: '2' } });
  t.is(silent.status, 504);
  t.like(silent.body, { result: { code: 504 } });
});

test('SendCNR to several CPEs tells the worst, and each', async (t) => {
  const nbi = await startNbi(t);
  const connectionRequestUrl = await startCpe(t, 204);
  for (const serialNumber of ['1', '2'])
    await nbi.putDevice({ serialNumber, tags: ['good'], connectionRequestUrl });
  await nbi.putDevice({ serialNumber: '3', connectionRequestUrl: await startCpe(t, 404) });
  const good = await call(nbi, 'SendCNR', { search_options: { tags: 'good' } });
  t.is(good.status, 200);
  t.deepEqual(good.body, {
    ...OK,
    details: [
      { cpeid: '00A1B2-HGW-1', code: 200, message: 'OK' },
      { cpeid: '00A1B2-HGW-2', code: 200, message: 'OK' },
    ],
  });
  const all = await call(nbi, 'SendCNR', {
    search_options: { oui: '00A1B2', softwareVersion: ['1.0.0', '2.0.0'] },
  });
  t.is(all.status, 502);
  t.like(all.body, {
    result: { code: 502, message: '1 of 3 connection requests failed' },
    details: [{ code: 200 }, { code: 200 }, { cpeid: '00A1B2-HGW-3', code: 502 }],
  });
});

test('SendCNR calls no more CPEs at a time than bounded, and refuses more than bounded', async (t) => {
  const nbi = await startNbi(t, { limits: { connectionRequestsMax: 8, connectionRequestsAtATime: 2 } });
  let open = 0;
  let openMost = 0;
  const cpe = createServer((_request, response) => {
    openMost = Math.max(openMost, ++open);
    setImmediate(() => {
      open--;
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(cpe, 'listening');
  t.teardown(() => cpe.close());
  const address = cpe.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const connectionRequestUrl = `http://127.0.0.1:${port}/`;
  for (let cpeNumber = 1; cpeNumber <= 8; cpeNumber++) {
    await nbi.putDevice({ serialNumber: String(cpeNumber), connectionRequestUrl });
  }
  t.is((await call(nbi, 'SendCNR', { search_options: { oui: '00A1B2' } })).status, 200);
  t.true(openMost <= 2);
  await nbi.putDevice({ serialNumber: '9' });
  const tooMany = await call(nbi, 'SendCNR', { search_options: { oui: '00A1B2' } });
  t.is(tooMany.status, 400);
  t.like(tooMany.body, {
    result: { code: 400, message: 'search_options: a search that matches at most 8 CPEs' },
    details: [{ field: 'search_options' }],
  });
});

test('SendCNR without options, with unknown ones, or with values of another type is a 400 that names them', async (t) => {
  const nbi = await startNbi(t);
  const bodies: readonly (readonly [string, unknown])[] = [
    ['search_options', {}],
    ['search_options', { search_options: {} }],
    ['search_options', { search_options: 'cpe' }],
    ['cpe_id', { cpe_id: 'cpe' }],
    ['color', { search_options: { color: 'red' } }],
    ['id', { search_options: { cpe_id: 7 } }],
    ['lastInform', { search_options: { lastInform: 'now' } }],
    ['', []],
  ];
  for (const [field, body] of bodies) {
    const reply = await call(nbi, 'SendCNR', body);
    t.is(reply.status, 400, field);
    t.like(
      reply.body,
      field === '' ? { result: { code: 400 } } : { result: { code: 400 }, details: [{ field }] },
    );
  }
});

test('RestartRule forgets what was counted, by id or by search options', async (t) => {
  const nbi = await startNbi(t);
  await nbi.call('/v1/dyn/FirmwareStorage/.*', { method: 'POST', json: [ruleBody('a'), ruleBody('b')] });
  const restarts = async (id: string) => (await nbi.rules.get(id as RuleId))?.rule.restarts;
  t.deepEqual((await call(nbi, 'RestartRule', { id: 'a' })).body, OK);
  t.deepEqual((await call(nbi, 'RestartRule', { search_options: { campaignid: ['a', 'b'] } })).body, OK);
  t.deepEqual([await restarts('a'), await restarts('b')], [2, 1]);
  const missing = await call(nbi, 'RestartRule', { id: ['a', 'nope'] });
  t.is(missing.status, 404);
  t.like(missing.body, { result: { code: 404 }, details: [{ field: 'id', ids: ['nope'] }] });
  t.is(await restarts('a'), 2);
  for (const body of [
    {},
    { id: [] },
    { id: 7 },
    { id: 'a', campaignid: 'b' },
    { name: 'a' },
    { id: 'a', search_options: {} },
  ]) {
    t.is((await call(nbi, 'RestartRule', body)).status, 400, JSON.stringify(body));
  }
});

test('FreezeUpgrades puts the brake on, tells who did and why, and takes it off', async (t) => {
  const nbi = await startNbi(t, { clock: () => 1_743_412_508_999 });
  t.deepEqual((await nbi.call('/v1/method/FreezeUpgrades')).body, { ...OK, details: { frozen: false } });
  const frozen = { ...OK, details: { frozen: true, by: 'api', reason: 'bricks', since: 1743412508 } };
  t.deepEqual((await call(nbi, 'FreezeUpgrades', { frozen: true, reason: 'bricks' })).body, frozen);
  t.deepEqual((await nbi.call('/v1/method/FreezeUpgrades')).body, frozen);
  t.true((await nbi.rules.freezeState()).frozen);
  t.like((await call(nbi, 'FreezeUpgrades', { frozen: false })).body, { ...OK, details: { frozen: false } });
  for (const body of [{}, { frozen: 'yes' }, { frozen: true, reason: 7 }, { frozen: true, until: 1 }]) {
    t.is((await call(nbi, 'FreezeUpgrades', body)).status, 400, JSON.stringify(body));
  }
  t.false((await nbi.rules.freezeState()).frozen);
});
