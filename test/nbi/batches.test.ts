import http from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../acs/index.js';
import type { JsonObject } from '../../nbi/http/index.js';
import { BATCHES, OPERATION_SHARES, OPERATIONS } from '../../rollout/index.js';
import {
  cpeidOf,
  createCpe,
  IMAGE_NAME,
  introduce,
  requestSession,
  startListener,
  uploadImage,
} from '../e2e/simulated.js';
import { ADMIN, type NbiAnswer, startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { deviceOf, OPERATOR, startNbi } from './support.js';

const PATH = '/v1/batches';
const NDJSON = { 'Content-Type': 'application/x-ndjson' };

const detailsOf = ({ body }: NbiAnswer) => (body as { readonly details: JsonObject }).details;
const listOf = ({ body }: NbiAnswer) => (body as { readonly details: readonly JsonObject[] }).details;
const problemOf = (answer: NbiAnswer) => listOf(answer)[0];

const text = (value: string) => new TextEncoder().encode(value);

/** A Ferry with an image and so many CPEs, `00A1B2-HGW-1` and so on, none of which comes by itself. */
async function start(t: ExecutionContext, cpes = 3): Promise<TestFerry> {
  const ferry = await startTestFerry(t);
  await uploadImage(t, ferry.nbi);
  await putDevices(ferry, cpes);
  return ferry;
}

async function putDevices({ installation: { store } }: TestFerry, cpes: number): Promise<void> {
  const devices = store.collection<Device>(DEVICES);
  await store.commit(
    Array.from({ length: cpes }, (_, at) => devices.putting(deviceOf({ serialNumber: String(at + 1) }))),
  );
}

const ofList = (...serials: readonly string[]) => ({
  name: 'a batch',
  image: IMAGE_NAME,
  cpeids: serials.map(cpeidOf),
  wakePerSecond: 0,
});

async function make(t: ExecutionContext, { nbi }: TestFerry, batch: JsonObject): Promise<JsonObject> {
  const answer = await nbi('POST', PATH, batch);
  t.is(answer.status, 201, JSON.stringify(answer.body));
  const made = detailsOf(answer);
  t.is(answer.headers.get('Location'), `${PATH}/${made['id']}`);
  return made;
}

const get = async ({ nbi }: TestFerry, id: unknown) => detailsOf(await nbi('GET', `${PATH}/${id}`));
const operationsOf = async ({ nbi }: TestFerry, id: unknown, query = '') =>
  listOf(await nbi('GET', `${PATH}/${id}/operations${query}`));

/** How many documents there are of batches, of whatever kind. */
async function leftovers({ installation: { store }, nbi }: TestFerry): Promise<readonly number[]> {
  const counts = await Promise.all(
    [BATCHES, OPERATIONS, OPERATION_SHARES].map((each) => store.collection(each).count()),
  );
  const rules = await nbi('GET', '/v1/dyn/FirmwareStorage/batch:.*');
  return [...counts, rules.status === 404 ? 0 : listOf(rules).length];
}

const NOTHING = {
  pending: 0,
  running: 0,
  verified: 0,
  failed: 0,
  'timed-out': 0,
  cancelled: 0,
  skipped: 0,
};

test('a batch of a list is made when the call answers: an operation and a rule for each CPE, those that there are not skipped', async (t) => {
  const ferry = await start(t);
  const made = await make(t, ferry, {
    ...ofList('1', '2', '1'),
    cpeids: [cpeidOf('1'), '2', cpeidOf('1'), 'nobody'],
  });
  t.like(made, {
    name: 'a batch',
    image: IMAGE_NAME,
    devices: 'list',
    persistent: true,
    priority: 0,
    options: {},
    by: ADMIN.name,
    state: 'idle',
  });
  t.deepEqual(made['progress'], { ...NOTHING, total: 3, pending: 2, skipped: 1 });
  t.deepEqual(made['reasons'], [
    { reason: 'unknown-device', count: 1, words: 'no such device is known', examples: ['nobody'] },
  ]);
  t.deepEqual(await get(ferry, made['id']), made);
  const operations = await operationsOf(ferry, made['id']);
  t.deepEqual(operations.map(({ cpeid, state, reason }) => [cpeid, state, reason]).sort(), [
    [cpeidOf('1'), 'pending', undefined],
    [cpeidOf('2'), 'pending', undefined],
    ['nobody', 'skipped', 'unknown-device'],
  ]);
  const rules = listOf(await ferry.nbi('GET', '/v1/dyn/FirmwareStorage/batch:.*'));
  t.deepEqual(
    rules.map(({ id }) => id).sort(),
    [cpeidOf('1'), cpeidOf('2')].map((cpeid) => `batch:${made['id']}:${cpeid}`),
  );
});

test('what comes as NDJSON is read line by line, texts and objects, however many there are', async (t) => {
  const ferry = await start(t, 1_300);
  const { cpeids: _, ...batch } = ofList();
  const lines = Array.from({ length: 1_300 }, (_each, at) => {
    const cpeid = cpeidOf(String(at + 1));
    return JSON.stringify(at % 2 === 0 ? cpeid : { cpeid });
  });
  const body = text(`${[JSON.stringify(batch), ...lines].join('\r\n')}\n\n`);
  const answer = await ferry.nbi('POST', PATH, body, NDJSON);
  t.is(answer.status, 201, JSON.stringify(answer.body));
  t.deepEqual(detailsOf(answer)['progress'], { ...NOTHING, total: 1_300, pending: 1_300 });
});

test('what is said of a batch is told of it, and in the event of its making, with the API that it came by', async (t) => {
  const ferry = await start(t);
  const note = 'Agreed with Graz:\n\tat night only — Łukasz';
  const made = await make(t, ferry, { ...ofList('1'), note });
  t.like(made, { note, through: 'batches' });
  t.like(await get(ferry, made['id']), { note, through: 'batches' });
  const [event] = listOf(await ferry.nbi('GET', '/v1/dyn/AuditStorage/.*?subject=batch'));
  t.like(event, { action: 'added', after: { note, through: 'batches' } });
});

test('of NDJSON that is wrong anywhere nothing is left, and the line is named', async (t) => {
  const ferry = await start(t, 700);
  const { cpeids: _, ...batch } = ofList();
  const head = JSON.stringify(batch);
  const many = Array.from({ length: 700 }, (_each, at) => JSON.stringify(cpeidOf(String(at + 1))));
  const cases: readonly (readonly [string, number | undefined, RegExp])[] = [
    [[head, ...many, '{"cpeid": 1}'].join('\n'), 702, /^the id of a CPE/],
    [[head, ...many, 'cpeid'].join('\n'), 702, /^a JSON body/],
    [[head, ...many, '""'].join('\n'), 702, /^the id of a CPE/],
    [[head, ...many, JSON.stringify('x'.repeat(513))].join('\n'), 702, /^the id of a CPE/],
    [[head, ...many, JSON.stringify('x'.repeat(70_000))].join('\n'), 702, /^at most 65536 bytes a line/],
    [head, undefined, /^at least one CPE/],
    ['\n \n', undefined, /^the batch on the first line/],
    [`"${cpeidOf('1')}"`, undefined, /^a JSON object/],
    [[JSON.stringify({ ...batch, cpeids: ['x'] }), ...many].join('\n'), undefined, /a line of its own$/],
    [[JSON.stringify({ ...batch, all: true }), ...many].join('\n'), undefined, /and only one$/],
  ];
  for (const [body, line, expected] of cases) {
    const answer = await ferry.nbi('POST', PATH, text(body), NDJSON);
    t.is(answer.status, 400, body.slice(-100));
    const problem = problemOf(answer);
    t.regex(String(problem?.['expected']), expected, body.slice(-100));
    t.is(problem?.['line'], line, body.slice(-100));
    t.deepEqual(await leftovers(ferry), [0, 0, 0, 0], body.slice(-100));
  }
});

test('of a list whose sender goes away nothing is left', async (t) => {
  const ferry = await start(t, 1_200);
  const { cpeids: _, ...batch } = ofList();
  const request = http.request(`${ferry.urls.nbi}${PATH}`, {
    method: 'POST',
    auth: `${ADMIN.name}:${ADMIN.password}`,
    agent: false,
    headers: { ...NDJSON, 'Transfer-Encoding': 'chunked' },
  });
  request.on('error', () => {});
  const closed = new Promise((resolve) => request.once('close', resolve));
  request.write(`${JSON.stringify(batch)}\n`);
  for (let serial = 1; serial <= 1_200; serial++) request.write(`"${cpeidOf(String(serial))}"\n`);
  await until('a portion is written', async () => (await leftovers(ferry))[1] !== 0);
  request.destroy();
  await closed;
  await until('it is gone', async () => (await leftovers(ferry)).every((count) => count === 0));
  t.pass();
});

test('of a list whose sender falls silent nothing is left, and the connection is not kept', async (t) => {
  const nbi = await startNbi(t, { limits: { bodyMsMax: 300 } });
  await nbi.call('/v1/images/a.bin', {
    method: 'PUT',
    body: text('firmware'),
    headers: { 'Content-Type': 'application/octet-stream' },
  });
  const request = http.request(`${nbi.url}${PATH}`, {
    method: 'POST',
    auth: OPERATOR,
    agent: false,
    headers: { ...NDJSON, 'Transfer-Encoding': 'chunked' },
  });
  request.on('error', () => {});
  const closed = new Promise((resolve) => request.once('close', resolve));
  const status = new Promise((resolve) =>
    request.once('response', (response) => resolve(response.resume().statusCode)),
  );
  request.write(`{"name":"a batch","image":"a.bin"}\n"${cpeidOf('1')}"\n`);
  t.is(await status, 408);
  await closed;
  for (const each of [BATCHES, OPERATIONS, OPERATION_SHARES])
    t.is(await nbi.store.collection(each).count(), 0);
});

test('what is wrong with a batch is told by its field, and nothing is made', async (t) => {
  const ferry = await start(t);
  const right = ofList('1');
  const { cpeids: _, ...whole } = right;
  const { image: __, ...without } = right;
  const cases: readonly (readonly [field: string, body: unknown])[] = [
    ['', []],
    ['', 'text'],
    ['name', { ...right, name: undefined }],
    ['name', { ...right, name: '' }],
    ['name', { ...right, name: 7 }],
    ['name', { ...right, name: 'x'.repeat(201) }],
    ['name', { ...right, name: 'a\u0000b' }],
    ['image', without],
    ['image', { ...right, image: 'missing.bin' }],
    ['image', { ...right, image: ['a'] }],
    ['build', { ...right, build: '00000000-0000-4000-8000-000000000000' }],
    ['build', { ...without, build: '00000000-0000-4000-8000-000000000000' }],
    ['build', { ...without, build: 'x'.repeat(1_000) }],
    ['build', { ...without, cpeids: undefined, build: 'x'.repeat(1_000), devices: 'build' }],
    ['cpeids', whole],
    ['cpeids', { ...right, cpeids: [] }],
    ['cpeids', { ...right, cpeids: 'all' }],
    ['cpeids', { ...right, cpeids: [1] }],
    ['cpeids', { ...right, cpeids: [''] }],
    ['cpeids', { ...right, cpeids: ['x'.repeat(513)] }],
    ['cpeids', { ...right, cpeids: Array.from({ length: 10_001 }, () => 'x') }],
    ['all', { ...right, all: true }],
    ['all', { ...whole, all: false }],
    ['condition', { ...whole, condition: 7 }],
    ['condition.productClass', { ...whole, condition: { productClass: {} } }],
    ['condition', { ...whole, condition: '1 +' }],
    ['condition', { ...whole, condition: null }],
    ['devices', { ...whole, devices: 'build' }],
    ['devices', { ...whole, devices: 'all' }],
    ['firmwareless', { ...right, firmwareless: true }],
    ['notBefore', { ...right, notBefore: 'tomorrow' }],
    ['notBefore', { ...right, notBefore: '2026-02-31T00:00:00Z' }],
    ['notAfter', { ...right, notAfter: '2020-01-01T00:00:00Z' }],
    ['persistent', { ...right, persistent: 'yes' }],
    ['limits', { ...right, limits: { total: 1 } }],
    ['limits', { ...right, limits: { all: 1 } }],
    ['limits.total', { ...whole, condition: {}, limits: { total: 0 } }],
    ['priority', { ...right, priority: 1.5 }],
    ['priority', { ...right, priority: 2_000_000 }],
    ['wakePerSecond', { ...right, wakePerSecond: -1 }],
    ['wakePerSecond', { ...right, wakePerSecond: 1_001 }],
    ['options', { ...right, options: [] }],
    ['options.c', { ...right, options: { c: 1 } }],
    ['note', { ...right, note: 7 }],
    ['note', { ...right, note: 'x'.repeat(1_001) }],
    ['note', { ...right, note: 'a\u0000b' }],
    ['note', { ...right, note: '\ud800' }],
    ['through', { ...right, through: 'sc-cloud' }],
    ['others', { ...right, others: 1 }],
  ];
  for (const [field, body] of cases) {
    const answer = await ferry.nbi('POST', PATH, body);
    t.is(answer.status, 400, JSON.stringify(body)?.slice(0, 200));
    t.is(problemOf(answer)?.['field'], field, JSON.stringify(body)?.slice(0, 200));
    t.true(String(problemOf(answer)?.['expected']).length > 5);
  }
  t.deepEqual(await leftovers(ferry), [0, 0, 0, 0]);
});

test('pages of batches and of operations follow each other without a gap, whatever is made or deleted meanwhile', async (t) => {
  const ferry = await start(t, 25);
  const ids: unknown[] = [];
  for (let at = 1; at <= 5; at++) ids.push((await make(t, ferry, ofList(String(at))))['id']);
  const page = async (path: string) => {
    const { headers, ...answer } = await ferry.nbi('GET', path);
    const next = /^<([^>]+)>; rel="next"$/.exec(headers.get('Link') ?? '')?.[1] ?? null;
    t.is(next === null, headers.get('X-Next-After') === null);
    return { found: listOf({ headers, ...answer }).map(({ id }) => id), next };
  };
  const first = await page(`${PATH}?limit=2`);
  t.is(first.found.length, 2);
  await ferry.nbi('DELETE', `${PATH}/${first.found[1]}`);
  await make(t, ferry, ofList('9'));
  const second = await page(first.next ?? '');
  const third = await page(second.next ?? '');
  t.is(third.next, null);
  t.deepEqual([...first.found, ...second.found, ...third.found].sort(), [...ids].sort());

  const serials = Array.from({ length: 25 }, (_, at) => String(at + 1));
  const { id } = await make(t, ferry, ofList(...serials));
  const operations: unknown[] = [];
  for (let next: string | null = `${PATH}/${id}/operations?limit=10`; next !== null; ) {
    const each = await page(next);
    operations.push(...each.found);
    next = each.next;
  }
  t.is(operations.length, 25);
  t.is(new Set(operations).size, 25);
  for (const query of ['limit=0', 'limit=1001', 'after=x', 'after=1.x', 'state=none', 'more=1'])
    t.is((await ferry.nbi('GET', `${PATH}?${query}`)).status, 400, query);
});

test('lists are narrowed by state, build, reason and CPE', async (t) => {
  const ferry = await start(t);
  const idle = await make(t, ferry, ofList('1'));
  const later = await make(t, ferry, { ...ofList('1'), notBefore: '2999-01-01T00:00:00+01:00' });
  const bad = await make(t, ferry, { ...ofList(), cpeids: ['nobody', 'nothing'] });
  const found = async (query: string) =>
    listOf(await ferry.nbi('GET', `${PATH}${query}`)).map(({ id }) => id);
  t.deepEqual(await found('?state=idle'), [idle['id']]);
  t.deepEqual(await found('?state=scheduled'), [later['id']]);
  t.deepEqual(await found('?state=failed'), [bad['id']]);
  t.deepEqual(await found('?state=success'), []);
  t.deepEqual(await found('?build=00000000-0000-4000-8000-000000000000'), []);
  t.is(later['notBefore'], '2999-01-01T00:00:00+01:00', 'a time stands as it was said');
  const { id } = await make(t, ferry, {
    ...ofList('1', '2'),
    cpeids: [cpeidOf('1'), cpeidOf('2'), 'nobody'],
  });
  const cpes = async (query: string) =>
    (await operationsOf(ferry, id, query)).map(({ cpeid }) => cpeid).sort();
  t.deepEqual(await cpes('?state=pending'), [cpeidOf('1'), cpeidOf('2')]);
  t.deepEqual(await cpes('?reason=unknown-device'), ['nobody']);
  t.deepEqual(await cpes('?reason=fault-9010'), []);
  t.deepEqual(await cpes(`?cpeid=${cpeidOf('2')}`), [cpeidOf('2')]);
  t.deepEqual(await cpes(`?cpeid=${cpeidOf('2')}&state=skipped`), []);
});

test('a batch is cancelled, for one CPE or all, tried again by reason or CPE, and deleted', async (t) => {
  const ferry = await start(t);
  const { nbi } = ferry;
  const { id } = await make(t, ferry, ofList('1', '2', '3'));
  const one = await nbi('POST', `${PATH}/${id}/operations/${cpeidOf('2')}/cancel`);
  t.is(one.status, 200, JSON.stringify(one.body));
  t.like(detailsOf(one), { cpeid: cpeidOf('2'), state: 'cancelled', reason: 'withdrawn' });
  t.is((await nbi('POST', `${PATH}/${id}/operations/${cpeidOf('2')}/cancel`)).status, 409);
  t.is((await nbi('POST', `${PATH}/${id}/operations/${cpeidOf('7')}/cancel`)).status, 404);
  t.like(await get(ferry, id), {
    state: 'idle',
    progress: { ...NOTHING, total: 3, pending: 2, cancelled: 1 },
  });

  const retried = await nbi('POST', `${PATH}/${id}/retry`, { cpeid: cpeidOf('2') });
  t.deepEqual(detailsOf(retried), { retried: 1 }, JSON.stringify(retried.body));
  t.like(await get(ferry, id), { state: 'idle', progress: { ...NOTHING, total: 3, pending: 3 } });

  const cancelled = await nbi('POST', `${PATH}/${id}/cancel`);
  t.is(detailsOf(cancelled)['state'], 'cancelled', JSON.stringify(cancelled.body));
  await until('all are cancelled', async () => {
    const { progress } = await get(ferry, id);
    return (progress as { cancelled: number }).cancelled === 3;
  });
  t.is((await nbi('POST', `${PATH}/${id}/cancel`)).status, 200, 'again without effect');
  t.deepEqual(detailsOf(await nbi('POST', `${PATH}/${id}/retry`, { reason: 'fault-9010' })), { retried: 0 });
  t.is((await get(ferry, id))['state'], 'cancelled');
  t.deepEqual(detailsOf(await nbi('POST', `${PATH}/${id}/retry`)), { retried: 3 }, 'all, without a body');
  t.like(await get(ferry, id), { state: 'idle', progress: { ...NOTHING, total: 3, pending: 3 } });
  for (const [body, field] of [
    [{ reasons: 'x' }, 'reasons'],
    [{ reason: '' }, 'reason'],
    [{ cpeid: 1 }, 'cpeid'],
  ] as const) {
    const answer = await nbi('POST', `${PATH}/${id}/retry`, body);
    t.is(answer.status, 400);
    t.is(problemOf(answer)?.['field'], field);
  }
  t.is((await nbi('POST', `${PATH}/${id}/retry`, { cpeid: cpeidOf('7') })).status, 404);

  t.is((await nbi('DELETE', `${PATH}/${id}`)).status, 200);
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/cancel'],
    ['POST', '/retry'],
    ['GET', '/operations'],
    ['POST', `/operations/${cpeidOf('1')}/cancel`],
  ] as const)
    t.is((await nbi(method, `${PATH}/${id}${path}`)).status, 404, `${method} ${path}`);
  await until('nothing of it is left', async () => (await leftovers(ferry)).every((count) => count === 0));
});

test('an id that there cannot be is as one that there is not', async (t) => {
  const { nbi } = await start(t);
  for (const id of [
    'x',
    '%00',
    '..',
    'A'.repeat(2_000),
    '00000000-0000-4000-8000-000000000000',
    '%F0%9F%98%80',
  ])
    t.is((await nbi('GET', `${PATH}/${id}`)).status, 404, id.slice(0, 50));
});

test('a batch of all is made in the background, and has a place in the list from the first', async (t) => {
  const ferry = await start(t, 20);
  const made = await make(t, ferry, { name: 'all', image: IMAGE_NAME, all: true, wakePerSecond: 0 });
  t.is(made['devices'], 'all');
  t.true(['preparing', 'idle'].includes(String(made['state'])));
  await until('it is made', async () => (await get(ferry, made['id']))['state'] === 'idle');
  t.deepEqual((await get(ferry, made['id']))['progress'], { ...NOTHING, total: 20, pending: 20 });
  const { id, condition } = await make(t, ferry, {
    name: 'whoever',
    image: IMAGE_NAME,
    condition: { productClass: 'HGW' },
    limits: { total: 5 },
  });
  t.deepEqual(condition, { productClass: 'HGW' });
  await until('it is made', async () => (await get(ferry, id))['state'] === 'idle');
  t.deepEqual((await get(ferry, id))['limits'], { total: 5 });
});

test('what a CPE does is seen in its batch: verified, with the upgrade that did it', async (t) => {
  const ferry = await startTestFerry(t);
  await uploadImage(t, ferry.nbi);
  const listener = await startListener(t);
  const cpe = createCpe(t, ferry.urls.cwmp, '1', { listener });
  await introduce(ferry.nbi, cpe);
  const { id } = await make(t, ferry, ofList('1'));
  await requestSession(t, ferry.nbi, cpe);
  await until('it is a success', async () => (await get(ferry, id))['state'] === 'success');
  t.deepEqual((await get(ferry, id))['progress'], { ...NOTHING, total: 1, verified: 1 });
  const [operation] = await operationsOf(ferry, id);
  t.like(operation, { cpeid: cpeidOf('1'), state: 'verified', image: IMAGE_NAME, attempts: 1 });
  const result = await ferry.nbi('GET', `/v1/dyn/FirmwareResultStorage/${operation?.['result']}`);
  t.like(listOf(result)[0], { cpeid: cpeidOf('1'), status: true });
  t.deepEqual(detailsOf(await ferry.nbi('POST', `${PATH}/${id}/retry`)), { retried: 0 });
});

test('users of an organization see, make and change its batches alone, for its CPEs alone', async (t) => {
  const ferry = await start(t);
  const { nbi, installation } = ferry;
  const { users, store } = installation;
  const ids: Record<string, string> = {};
  for (const slug of ['north', 'south']) {
    const added = await nbi('POST', '/v1/dyn/OrganizationStorage/.*', { name: slug, slug });
    const organization = String(listOf(added)[0]?.['id'] ?? detailsOf(added)['id']);
    ids[slug] = organization;
    await users.add({ name: `op@${slug}`, password: 'a test password', role: 'operator', organization });
  }
  const devices = store.collection<Device>(DEVICES);
  for (const [serialNumber, slug] of [
    ['N', 'north'],
    ['S', 'south'],
  ] as const) {
    const device = deviceOf({ serialNumber });
    await devices.put({ ...device, organization: { id: ids[slug], by: 'hand' } } as Device);
  }
  const as = (slug: string) => ({
    Authorization: `Basic ${Buffer.from(`op@${slug}:a test password`).toString('base64')}`,
  });
  const north = await nbi('POST', PATH, ofList('N', 'S', '1'), as('north'));
  t.is(north.status, 201, JSON.stringify(north.body));
  const { id, progress, reasons, organization } = detailsOf(north);
  t.is(organization, undefined, 'its own users know whose it is');
  t.deepEqual(progress, { ...NOTHING, total: 3, pending: 1, skipped: 2 });
  t.is((reasons as JsonObject[])[0]?.['reason'], 'unknown-device', "another's CPE is as none");
  const everybodys = await make(t, ferry, ofList('N', 'S', '1'));
  t.deepEqual(everybodys['progress'], { ...NOTHING, total: 3, pending: 3 });

  const listed = async (headers?: Record<string, string>, query = '') =>
    listOf(await nbi('GET', `${PATH}${query}`, undefined, headers)).map((each) => each['id']);
  t.deepEqual(await listed(as('north')), [id]);
  t.deepEqual(await listed(as('south')), []);
  t.deepEqual(await listed(undefined, '?organization=north'), [id]);
  t.deepEqual(await listed(), [everybodys['id'], id]);
  t.is((await get(ferry, id))['organization'], 'north');
  for (const [method, path] of [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/cancel'],
    ['POST', '/retry'],
    ['GET', '/operations'],
    ['POST', `/operations/${cpeidOf('N')}/cancel`],
  ] as const) {
    for (const [batch, who] of [
      [id, 'south'],
      [everybodys['id'], 'north'],
    ] as const) {
      const foreign = await nbi(method, `${PATH}/${batch}${path}`, undefined, as(who));
      const unknown = await nbi(
        method,
        `${PATH}/00000000-0000-4000-8000-000000000000${path}`,
        undefined,
        as(who),
      );
      t.is(foreign.status, 404, `${method} ${path}`);
      t.deepEqual(foreign.body, unknown.body, `${method} ${path}`);
    }
  }
  t.is((await nbi('POST', `${PATH}/${id}/cancel`, undefined, as('north'))).status, 200);
  t.is((await get(ferry, id))['state'], 'cancelled');
  t.is((await get(ferry, everybodys['id']))['state'], 'idle');
});
