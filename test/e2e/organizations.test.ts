import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { DEVICES, type Device } from '../../acs/index.js';
import { EventLog } from '../../events/index.js';
import { ORGANIZATIONS } from '../../organizations/index.js';
import { openLmdbStore } from '../../store/index.js';
import { ferry as run } from '../cli/support.js';
import { openTestRules } from '../rules/setup.js';
import { BY } from '../support/actor.js';
import { startTestFerry, type TestFerry, until } from '../support/ferry.js';
import { SHARED, startWithShared } from '../support/own-credentials.js';
import { inform, RawCpe, restOfSession, SET_PARAMETER_VALUES_RESPONSE } from '../support/raw-cpe.js';

const STORAGE = '/v1/dyn/OrganizationStorage/';
const ID_1 = '00A1B2-HGW-1';

interface Shown {
  readonly slug: string;
  readonly by: string;
  readonly active?: false;
}

/** One session of a CPE. @returns its RPCs */
async function session(
  t: ExecutionContext,
  { urls }: Pick<TestFerry, 'urls'>,
  fields: Parameters<typeof inform>[0] = {},
  from: {
    readonly ip?: string;
    readonly credentials?: string;
    readonly headers?: Record<string, string>;
  } = {},
): Promise<readonly string[]> {
  const cpe = new RawCpe(urls.cwmp, from.ip);
  t.teardown(() => cpe.close());
  cpe.headers = {
    ...from.headers,
    ...(from.credentials !== undefined && {
      Authorization: `Basic ${Buffer.from(from.credentials).toString('base64')}`,
    }),
  };
  t.is((await cpe.post(inform(fields))).status, 200);
  return (await restOfSession(cpe, { SetParameterValues: SET_PARAMETER_VALUES_RESPONSE })).rpcs;
}

async function devicesOf(ferry: TestFerry, query = ''): Promise<readonly Record<string, unknown>[]> {
  const { status, body } = await ferry.nbi('GET', `/v1/dyn/DeviceStorage/.*${query}`);
  return status === 404 ? [] : (body as { details: Record<string, unknown>[] }).details;
}

async function placeOf(ferry: TestFerry, cpeid = ID_1): Promise<string | undefined> {
  const device = (await devicesOf(ferry)).find(({ id }) => id === cpeid);
  const organization = device?.['organization'] as Shown | undefined;
  if (organization === undefined) return undefined;
  const { slug, by, active } = organization;
  return `${slug} by ${by}${active === false ? ', not active' : ''}`;
}

async function add(t: ExecutionContext, ferry: TestFerry, slug: string, more: object = {}): Promise<string> {
  const { status, body } = await ferry.nbi('POST', `${STORAGE}.*`, { name: slug, slug, ...more });
  t.is(status, 200, JSON.stringify(body));
  return (body as { details: [{ id: string }] }).details[0].id;
}

const told = ({ events }: TestFerry) =>
  events.filter(({ event }) => event === 'cpe.organization').map(({ fields }) => fields);

test('a CPE belongs to an organization by the first rule that holds in its session, and that is told when it moves', async (t) => {
  const ferry = await startTestFerry(t, { config: { trustedProxy: ['127.0.0.1'] } });
  await add(t, ferry, 'north', { order: 2, rules: [{ subnet: '192.0.2.0/24' }] });
  await add(t, ferry, 'south', { order: 1, rules: [{ condition: { productClass: 'STB' } }] });
  await add(t, ferry, 'west', { rules: [{ condition: 'parameters.Device.X.Site = "west"' }] });
  const from = (ip: string) => ({ headers: { 'X-Forwarded-For': ip } });
  await session(t, ferry, { serial: '1' }, from('192.0.2.7'));
  await session(t, ferry, { serial: '2', productClass: 'STB' }, from('192.0.2.7'));
  await session(t, ferry, { serial: '3' }, from('198.51.100.1'));
  await session(t, ferry, { serial: '4', parameters: { 'Device.X.Site': 'west' } }, from('198.51.100.1'));
  t.is(await placeOf(ferry), 'north by rule');
  t.is(await placeOf(ferry, '00A1B2-STB-2'), 'south by rule');
  t.is(await placeOf(ferry, '00A1B2-HGW-3'), 'default by default');
  t.is(await placeOf(ferry, '00A1B2-HGW-4'), 'west by rule');
  t.deepEqual(
    told(ferry).map(({ organization }) => organization),
    ['north', 'south', 'west'],
  );
  // The same CPE from another address, with nothing else that is new.
  await session(t, ferry, { serial: '1' }, from('198.51.100.1'));
  t.is(await placeOf(ferry), 'default by default');
  t.like(told(ferry).at(-1), { cpeid: ID_1, organization: 'default', before: 'north', by: 'default' });
  t.deepEqual(
    (await devicesOf(ferry, '?organization=south')).map(({ id }) => id),
    ['00A1B2-STB-2'],
  );
  t.deepEqual(
    (await devicesOf(ferry, '?organization=default&sort=organization')).map(({ id }) => id),
    [ID_1, '00A1B2-HGW-3'],
  );
});

test('a CPE belongs to an organization by what it has logged in as', async (t) => {
  const { ferry, set } = await startWithShared(t);
  t.is((await set(ID_1, 'north-1', 'secret')).exitCode, 0);
  await add(t, ferry, 'north', { rules: [{ username: 'north-*' }] });
  await add(t, ferry, 'fleet', { rules: [{ username: 'fleet' }] });
  await session(t, ferry, { serial: '1' }, { credentials: 'north-1:secret' });
  await session(t, ferry, { serial: '2' }, { credentials: SHARED });
  t.is(await placeOf(ferry), 'north by rule');
  t.is(await placeOf(ferry, '00A1B2-HGW-2'), 'fleet by rule');
});

test('what an operator says by hand goes before rules until he takes it back, and is an event by him', async (t) => {
  const ferry = await startTestFerry(t);
  await add(t, ferry, 'north', { rules: [{ subnet: '127.0.0.0/8' }] });
  const south = await add(t, ferry, 'south');
  for (const serial of ['1', '2']) await session(t, ferry, { serial });
  const put = async (pattern: string, body: unknown) =>
    (await ferry.nbi('PUT', `/v1/dyn/DeviceStorage/${pattern}`, body)).status;
  t.is(await put(ID_1, { organization: 'south' }), 200);
  await session(t, ferry, { version: '2.0' });
  t.is(await placeOf(ferry), 'south by hand');
  const { store } = ferry.installation;
  const noted = [];
  for await (const each of new EventLog({ store, clock: Date.now }).scan({
    subject: 'device',
    subjectId: ID_1,
  }))
    noted.push(each);
  t.is(noted.length, 2);
  // One moment, told to two organizations: neither is before the other.
  const told = new Map(noted.map((each) => [each.action, each]));
  t.like(told.get('joined'), {
    organization: south,
    by: { name: 'admin', how: 'password' },
    after: { organization: 'south', setBy: 'hand' },
  });
  t.like(told.get('left'), { before: { organization: 'north', setBy: 'rule' } });
  // Taken back it stays until its next session, by whose rules it goes.
  t.is(await put(ID_1, { organization: null }), 200);
  t.is(await placeOf(ferry), 'south by rule');
  await session(t, ferry, { version: '2.0' });
  t.is(await placeOf(ferry), 'north by rule');
  // Any number by pattern, by the id of an organization too.
  t.is(await put('00A1B2-HGW-.*', { organization: south }), 200);
  t.is((await devicesOf(ferry, '?organization=south')).length, 2);
  t.is(await put(ID_1, { organization: 'nobody' }), 404);
  t.is(await put(ID_1, { organization: 7 }), 400);
  t.is(await put(ID_1, { organization: 'south', tags: [] }), 400);
  t.is(await put('.*', { organization: 'south' }), 400);
  t.is(await put('none', { organization: 'south' }), 404);
});

test('deactivated, an organization keeps what a hand has put there and no other; deleted it is only where nothing is', async (t) => {
  const ferry = await startTestFerry(t);
  const north = await add(t, ferry, 'north', { rules: [{ subnet: '127.0.0.0/8' }] });
  await session(t, ferry, { serial: '1' });
  await session(t, ferry, { serial: '2' });
  await ferry.nbi('PUT', '/v1/dyn/DeviceStorage/00A1B2-HGW-2', { organization: 'north' });
  const remove = () => ferry.nbi('DELETE', STORAGE + north);
  t.is((await remove()).status, 409);
  t.is((await ferry.nbi('PUT', STORAGE + north, { active: false })).status, 200);
  await session(t, ferry, { serial: '1' });
  await session(t, ferry, { serial: '2' });
  t.is(await placeOf(ferry), 'default by default');
  t.is(await placeOf(ferry, '00A1B2-HGW-2'), 'north by hand, not active');
  const refused = await ferry.nbi('PUT', `/v1/dyn/DeviceStorage/${ID_1}`, { organization: 'north' });
  t.is(refused.status, 409);
  t.is((await remove()).status, 409);
  await ferry.nbi('PUT', '/v1/dyn/DeviceStorage/00A1B2-HGW-2', { organization: 'default' });
  t.is((await remove()).status, 200);
  t.is((await remove()).status, 404);
  // None but the default is left, and nothing is said of it.
  t.is(await placeOf(ferry), undefined);
});

test('conditions of rules read the organization of a CPE, and those of organizations do not', async (t) => {
  const ferry = await startTestFerry(t);
  await add(t, ferry, 'north', { rules: [{ subnet: '127.0.0.9' }] });
  const rule = (id: string, condition: unknown) =>
    ferry.nbi('POST', '/v1/dyn/FirmwareStorage/.*', {
      id,
      enabled: true,
      automatic: true,
      file: 'http://127.0.0.1:9/x.bin',
      target: { softwareVersion: '9' },
      condition,
    });
  t.is((await rule('OBJECT', { organization: 'north', serialNumber: '1' })).status, 200);
  t.is((await rule('TEXT', 'organization = "north" and serialNumber = "2"')).status, 200);
  t.is((await rule('REST', 'organization = "default" and serialNumber = "3"')).status, 200);
  for (const [serial, ip, gets] of [
    ['1', '127.0.0.9', true],
    ['2', '127.0.0.9', true],
    ['1', '127.0.0.1', false],
    ['3', '127.0.0.1', true],
    ['3', '127.0.0.9', false],
  ] as const) {
    // Of the CPE whose upgrade fails at once a new one may begin.
    const rpcs = await session(
      t,
      ferry,
      { serial: `${serial}`, productClass: `P${ip.length}`, events: ['1 BOOT'] },
      { ip },
    );
    t.is(rpcs.includes('Download'), gets, `${serial} from ${ip}`);
  }
  const explained = await ferry.nbi('POST', '/v1/method/ExplainRules', {
    cpe: { organization: 'north', serialNumber: '2' },
  });
  t.true(JSON.stringify(explained.body).includes('TEXT'), JSON.stringify(explained.body));
  for (const condition of [
    'organization = "x"',
    { organization: 'x' },
    '$.organization = "x"',
    'oui = ',
    { 'a.': 1 },
  ]) {
    const { status, body } = await ferry.nbi('POST', `${STORAGE}.*`, {
      name: 'x',
      slug: 'x',
      rules: [{ username: 'x' }, { condition }],
    });
    t.is(status, 400, JSON.stringify(condition));
    t.regex((body as { details: [{ field: string }] }).details[0].field, /^rules\.1\.condition/);
  }
});

test('a rule of an organization is for its CPEs alone, whatever its condition says, and its brake for them', async (t) => {
  const ferry = await startTestFerry(t);
  const north = await add(t, ferry, 'north', { rules: [{ subnet: '127.0.0.9' }] });
  await add(t, ferry, 'south', { rules: [{ subnet: '127.0.0.8' }] });
  const store = await openLmdbStore({ directory: join(ferry.dataDir, 'store') });
  t.teardown(() => store.close());
  const { rules } = await openTestRules(t, store);
  const file = 'http://127.0.0.1:9/x.bin';
  const body = (id: string, condition: object) => ({ id, file, condition, target: { softwareVersion: '9' } });
  await rules.put([body('ALL', { oui: '00A1B2' }), body('PINNED', { cpeid: '00A1B2-HGW-7' })], {
    by: BY,
    onlyNew: false,
    organization: north,
  });
  const gets = async (serial: string, ip: string) =>
    (await session(t, ferry, { serial, events: ['1 BOOT'] }, { ip })).includes('Download');
  t.true(await gets('1', '127.0.0.9'));
  t.false(await gets('2', '127.0.0.8'));
  t.false(await gets('3', '127.0.0.1'));
  t.false(await gets('7', '127.0.0.8'));
  await rules.freeze({ frozen: true, by: BY, organization: north });
  t.false(await gets('4', '127.0.0.9'));
  await rules.freeze({ frozen: false, by: BY, organization: north });
  t.true(await gets('5', '127.0.0.9'));
});

test('a session that goes on at a process which has asked for no organizations is decided on by the organization of its CPE', async (t) => {
  const one = await startTestFerry(t, { acsOptions: { shareSessions: true } });
  await add(t, one, 'north', { rules: [{ subnet: '127.0.0.9' }] });
  const { status } = await one.nbi('POST', '/v1/dyn/FirmwareStorage/.*', {
    id: 'REST',
    enabled: true,
    automatic: true,
    file: 'http://127.0.0.1:9/x.bin',
    target: { softwareVersion: '9' },
    condition: 'organization = "default" and oui = "00A1B2"',
  });
  t.is(status, 200);
  const other = await startTestFerry(t, { acsOptions: { shareSessions: true }, dataDir: one.dataDir });
  for (const [ip, gets] of [
    ['127.0.0.9', false],
    ['127.0.0.1', true],
  ] as const) {
    const [begins, goesOn] = [new RawCpe(one.urls.cwmp, ip), new RawCpe(other.urls.cwmp, ip)];
    t.teardown(() => begins.close());
    t.teardown(() => goesOn.close());
    const [cookie = ''] = String(
      (await begins.post(inform({ serial: ip, events: ['1 BOOT'] }))).headers['set-cookie'],
    ).split(';');
    goesOn.headers = { Cookie: cookie };
    const { rpcs } = await restOfSession(goesOn, {
      SetParameterValues: SET_PARAMETER_VALUES_RESPONSE,
    });
    t.is(rpcs.includes('Download'), gets, ip);
  }
});

test('what a command changes of organizations holds in a running server within a second', async (t) => {
  const ferry = await startTestFerry(t);
  const beside = await startTestFerry(t, { dataDir: ferry.dataDir });
  const command = async (...words: string[]) => {
    const ended = await run([...words, `--data-dir=${ferry.dataDir}`]);
    t.is(ended.exitCode, 0, ended.stderr);
    return ended.stdout;
  };
  await session(t, ferry);
  t.is(await placeOf(ferry), undefined);
  await command('organization', 'add', 'north', '--name', 'North Ltd');
  const file = join(ferry.dataDir, 'rules.json');
  await writeFile(file, JSON.stringify([{ subnet: '127.0.0.0/8' }, { condition: 'oui = "none"' }]));
  t.regex(await command('organization', 'rules', 'north', file, '--dry-run'), /north +│ 1 +│ 1 /);
  t.is(JSON.parse(await command('organization', 'rules', 'north')).length, 0);
  await command('organization', 'rules', 'north', file);
  const sinceMs = performance.now();
  await until('the rules hold at both', async () => {
    await session(t, ferry, { serial: '1' });
    await session(t, beside, { serial: '2' });
    return (
      (await placeOf(ferry)) === 'north by rule' &&
      (await placeOf(beside, '00A1B2-HGW-2')) === 'north by rule'
    );
  });
  t.log(`held after ${Math.round(performance.now() - sinceMs)} ms`);
  t.regex(await command('organization', 'list'), /north +│ North Ltd +│ 100 +│ 2 +│ 2 /);
  t.regex(await command('device', 'list'), /Organization/);
  t.regex(await command('device', 'list', '--organization=north', '--json'), /"slug": "north"/);
  await command('device', 'organization', ID_1, 'default');
  t.is(await placeOf(ferry), 'default by hand');
  await command('device', 'organization', ID_1, '--automatic');
  await command('organization', 'rename', 'north', '--to', 'nord', '--name', 'Nord');
  t.regex(await command('organization', 'show', 'nord'), /subnet/);
  await command('organization', 'deactivate', 'nord');
  await command('organization', 'activate', 'nord');
  const failed = await run(['organization', 'remove', 'nord', `--data-dir=${ferry.dataDir}`]);
  t.is(failed.exitCode, 1);
  t.regex(failed.stderr, /without CPEs/);
  const unknown = await run(['device', 'organization', ID_1, 'nobody', `--data-dir=${ferry.dataDir}`]);
  t.is(unknown.exitCode, 1);
});

test('where there is none but the default nothing of organizations is stored or shown', async (t) => {
  const ferry = await startTestFerry(t);
  await session(t, ferry);
  await session(t, ferry);
  const [device] = await devicesOf(ferry);
  t.false('organization' in (device ?? {}));
  const stored = await ferry.installation.store.collection<Device>(DEVICES).get(ID_1);
  t.false('organization' in (stored?.document ?? { organization: '' }));
  t.is(await ferry.installation.store.collection(ORGANIZATIONS).count(), 0);
});
