import test from 'ava';
import type { CpeId, RuleId } from '../../../common/index.js';
import { sendRaw } from '../../support/raw-socket.js';
import { type Reply, ruleBody, startNbi, VIEWER } from '../support.js';
import { startWithTwo } from '../two-organizations.js';

const RULES = '/v1/dyn/FirmwareStorage';
const RESULTS = '/v1/dyn/FirmwareResultStorage';

function counted(storage: string, count: number) {
  return { code: 200, message: `response from ${storage}`, details: count };
}

const textOf = ({ body }: Reply) => JSON.stringify(body);

test('count.* answers how many a list would have that is asked for in the same words, 0 where there is nothing', async (t) => {
  const nbi = await startNbi(t);
  const empty = await nbi.call(`${RULES}/count.*`);
  t.is(empty.status, 200);
  t.is(textOf(empty), '{"code":200,"message":"response from FirmwareStorage","details":0}');
  const json = Array.from({ length: 30 }, (_, n) => ruleBody(`R${n}`, { priority: n, enabled: n % 3 > 0 }));
  await nbi.call(`${RULES}/.*`, { method: 'POST', json });
  for (const [query, count] of [
    ['', 30],
    ['?enabled=false', 10],
    ['?priority<10', 10],
    ['?priority<=10&enabled=true', 7],
    ['?id=R1&id=R2&id=none', 2],
    ['?campaignid=R7', 1],
    ['?cpeid=00A1B2-HGW-R5', 1],
    ['?condition.cpeid=00A1B2-HGW-R5&condition.cpeid=00A1B2-HGW-R6', 2],
    ['?author=nobody', 0],
  ] as const) {
    const reply = await nbi.call(`${RULES}/count.*${query}`);
    t.deepEqual([reply.status, reply.body], [200, counted('FirmwareStorage', count)], query);
  }
});

test('results are counted as they are listed: of the current file, or every one', async (t) => {
  const nbi = await startNbi(t);
  await nbi.call(`${RULES}/.*`, { method: 'POST', json: ruleBody('r') });
  const [campaignid, cpeid] = ['r' as RuleId, 'cpe' as CpeId];
  for (let n = 0; n < 3; n++) await nbi.putUpgrade({ campaignid, cpeid });
  await nbi.putUpgrade({ campaignid: 'gone' as RuleId, cpeid });
  for (const [query, count] of [
    ['', 1],
    ['?revision=all', 4],
    ['?id=r&revision=all', 3],
    ['?id=gone', 1],
    ['?result.code=500', 0],
  ] as const) {
    const reply = await nbi.call(`${RESULTS}/count.*${query}`);
    t.deepEqual(reply.body, counted('FirmwareResultStorage', count), query);
  }
});

test('what no list could be asked for is a 400 that names it, and no list of pages is counted', async (t) => {
  const nbi = await startNbi(t);
  for (const query of [
    'nope=1',
    'limit=1',
    'offset=1',
    'after=x',
    'sort=id',
    'all=true',
    'enabled=perhaps',
  ]) {
    const { status, body } = await nbi.call(`${RULES}/count.*?${query}`);
    t.is(status, 400, query);
    const [problem] = (body as { readonly details: readonly { readonly field: string }[] }).details;
    t.is(problem?.field, query.split('=')[0]);
  }
});

test('count.* is that path alone: other spellings are patterns, other methods mean ids that begin so, and what is called so is found by its id', async (t) => {
  const nbi = await startNbi(t);
  const json = ['count', 'counter', 'count.*', 'other'].map((id) =>
    ruleBody(id, { condition: { cpeid: 'x' } }),
  );
  await nbi.call(`${RULES}/.*`, { method: 'POST', json });
  const idsOf = ({ body }: Reply) =>
    (body as { readonly details: readonly { readonly id: string }[] }).details.map(({ id }) => id).sort();
  t.deepEqual(idsOf(await nbi.call(`${RULES}/(count.*)`)), ['count', 'count.*', 'counter']);
  t.deepEqual(idsOf(await nbi.call(`${RULES}/count.%2B`)), ['count.*', 'counter']);
  t.deepEqual(idsOf(await nbi.call(`${RULES}/count`)), ['count']);
  t.deepEqual(idsOf(await nbi.call(`${RULES}/.*?id=count.*`)), ['count.*']);
  for (const path of ['count.*', 'count.%2A'])
    t.deepEqual((await nbi.call(`${RULES}/${path}`)).body, counted('FirmwareStorage', 4), path);
  for (const path of ['COUNT.*', 'count.*/']) t.is((await nbi.call(`${RULES}/${path}`)).status, 404, path);
  const head = await sendRaw(
    nbi.url,
    `HEAD ${RULES}/count.* HTTP/1.1\r\nHost: ferry\r\nConnection: close\r\nAuthorization: Basic ${Buffer.from(VIEWER).toString('base64')}\r\n\r\n`,
  );
  t.regex(head, /^HTTP\/1\.1 200 .*\r\n\r\n$/s);
  const refused = await nbi.call(`${RULES}/count.*`, { method: 'PATCH' });
  t.deepEqual([refused.status, refused.headers.get('Allow')], [405, 'GET, POST, PUT, DELETE']);
  const put = await nbi.call(`${RULES}/count.*`, { method: 'PUT', json: { priority: 9 } });
  t.is(put.status, 200);
  t.deepEqual((await nbi.call(`${RULES}/count.*?priority=9`)).body, counted('FirmwareStorage', 3));
  t.is((await nbi.call(`${RULES}/count.*`, { method: 'DELETE' })).status, 200);
  t.deepEqual(idsOf(await nbi.call(`${RULES}/.*`)), ['other']);
});

test('whoever may list may count, and of an organization its own alone', async (t) => {
  const nbi = await startWithTwo(t);
  await nbi.putDeviceOf(nbi.north, { serialNumber: '1' });
  await nbi.putDeviceOf(nbi.south, { serialNumber: '2' });
  await nbi.putDevice({ serialNumber: '3' });
  const count = async (path: string, as: string) => {
    const { status, body } = await nbi.call(`/v1/dyn/${path}`, { as });
    return status === 200 ? (body as { readonly details: unknown }).details : status;
  };
  for (const storage of ['DeviceStorage', 'CpeDbService']) {
    t.is(await count(`${storage}/count.*`, nbi.as.installation.viewer), 3);
    t.is(await count(`${storage}/count.*?organization=north`, nbi.as.installation.viewer), 1);
    t.is(await count(`${storage}/count.*`, nbi.as.north.viewer), 1);
    t.is(await count(`${storage}/count.*?serialNumber=2`, nbi.as.north.viewer), 0);
    t.is(await count(`${storage}/count.*?organization=south`, nbi.as.north.viewer), 404);
  }
  for (const storage of ['UserStorage', 'AuthStorage', 'TokenStorage', 'AuditStorage']) {
    t.is(await count(`${storage}/count.*`, nbi.as.north.operator), 403, storage);
    t.is(typeof (await count(`${storage}/count.*`, nbi.as.north.admin)), 'number', storage);
  }
  t.is(await count('UserStorage/count.*?role=viewer', nbi.as.north.admin), 1);
  t.is(await count('OrganizationStorage/count.*', nbi.as.north.viewer), 1);
  t.is(await count('OrganizationStorage/count.*', nbi.as.installation.viewer), 3);
  t.is(await count('CpeAuthStorage/count.*', nbi.as.north.admin), 403);
  t.is(await count('AuditStorage/count.*?since=2100-01-01T00:00:00Z', nbi.as.installation.admin), 0);
});

test('counting takes the places of lists, and gives way where none is free', async (t) => {
  const nbi = await startNbi(t, { limits: { listsAtATime: 0, waitSecondsMax: 0 } });
  const all = await nbi.call(`${RULES}/count.*`);
  t.is(all.status, 503);
  t.deepEqual((await nbi.call(`${RULES}/count.*?id=one`)).body, counted('FirmwareStorage', 0));
});
