import test from 'ava';
import type { CpeId } from '../../../common/index.js';
import { byCommand } from '../../../events/index.js';
import { type Reply, ruleBody, startNbi } from '../support.js';
import { startWithTwo } from '../two-organizations.js';

const RULES = '/v1/dyn/FirmwareStorage';
const NDJSON = 'application/x-ndjson';

type Row = Readonly<Record<string, unknown>>;
const rowsOf = ({ body }: Reply) => (body as { readonly details: readonly Row[] }).details;
const problemsOf = ({ status, body }: Reply) => [
  status,
  (body as { readonly details: readonly { readonly field: string }[] }).details.map(({ field }) => field),
];

/** What an export has beside the rule. */
const EXPORTED = {
  active: true,
  name: 'Night',
  events: [],
  cron: '',
  period: 60,
  batch: 100,
  create_record_ts: 1_700_000_000,
  ts: 1_700_000_100,
  editor: 'admin',
};

test('a row of an export is a rule: what it says beside it is taken and not kept, one by one, together, and line by line', async (t) => {
  const nbi = await startNbi(t);
  const [one, two, three] = ['A', 'B', 'C'].map((id) => ({ ...ruleBody(id), ...EXPORTED }));
  t.is((await nbi.call(`${RULES}/.*`, { method: 'POST', json: one })).status, 200);
  t.is((await nbi.call(`${RULES}/.*`, { method: 'POST', json: [one, two] })).status, 200);
  const lines = await nbi.call(`${RULES}/.*`, {
    method: 'POST',
    body: `${JSON.stringify(three)}\n`,
    headers: { 'Content-Type': NDJSON },
  });
  t.regex(String(lines.body), /"code":204,.*"written":1,/);
  const listed = rowsOf(await nbi.call(`${RULES}/.*`));
  for (const row of listed) for (const name of Object.keys(EXPORTED)) t.false(name in row, name);
  const plain = ruleBody('A', { description: '' });
  t.deepEqual(
    listed.find(({ id }) => id === 'A'),
    plain,
  );
  // What is the same again but for these fields changes nothing.
  const before = await nbi.rules.get('A' as never);
  await nbi.call(`${RULES}/.*`, { method: 'POST', json: { ...one, ts: 1, editor: 'another' } });
  t.deepEqual(await nbi.rules.get('A' as never), before);
});

test('PUT takes such a row too', async (t) => {
  const nbi = await startNbi(t);
  await nbi.call(`${RULES}/.*`, { method: 'POST', json: ruleBody('A') });
  const json = { ...ruleBody('A'), ...EXPORTED, enabled: false };
  t.is((await nbi.call(`${RULES}/.*?campaignid=A`, { method: 'PUT', json })).status, 200);
  t.deepEqual(rowsOf(await nbi.call(`${RULES}/A`)), [ruleBody('A', { enabled: false, description: '' })]);
  const nothing = await nbi.call(`${RULES}/A`, { method: 'PUT', json: { id: 'A', ts: 1 } });
  t.deepEqual(problemsOf(nothing), [400, ['']]);
});

test('what would restrict a rule, or make another thing of it, is not passed over', async (t) => {
  const nbi = await startNbi(t);
  for (const more of [
    { cron: '0 3 * * *' },
    { events: ['1 BOOT'] },
    { method: 'CWMP.Reboot' },
    { args: {} },
    { nope: 1 },
  ]) {
    const [field] = Object.keys(more);
    const reply = await nbi.call(`${RULES}/.*`, { method: 'POST', json: { ...ruleBody('A'), ...more } });
    t.deepEqual(problemsOf(reply), [400, [field]], field);
  }
  t.is((await nbi.call(`${RULES}/.*`)).status, 404);
});

const ADMIN = 'root:a test password';

test('whatever a list shows can be posted where it came from, and changes nothing', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  const by = byCommand('test');
  const call = (path: string, json?: unknown) =>
    nbi.call(`/v1/dyn/${path}`, { as: ADMIN, ...(json !== undefined && { method: 'POST', json }) });
  await call('FirmwareStorage/.*', [ruleBody('A'), ruleBody('B')]);
  await call('OrganizationStorage/.*', { name: 'North', slug: 'north' });
  const category = await nbi.images.builds.categories.add({ name: 'Gateways' }, by, null);
  await nbi.images.builds.add({ category: category.id, version: '2', os: 'HGW 2' }, by, null);
  await call('CpeAuthStorage/.*', { cpeid: 'c-1', username: 'one', password: 'a password' });
  for (const storage of [
    'FirmwareStorage',
    'OrganizationStorage',
    'CategoryStorage',
    'BuildStorage',
    'CpeAuthStorage',
    'UserStorage',
    'AuthStorage',
  ]) {
    const before = rowsOf(await call(`${storage}/.*`));
    t.true(before.length > 0, storage);
    for (const row of before) {
      const reply = await call(`${storage}/.*`, row);
      t.is(reply.status, 200, `${storage} ${JSON.stringify(reply.body)}`);
    }
    t.deepEqual(rowsOf(await call(`${storage}/.*`)), before, storage);
  }
});

test('what was shown and is gone is made again as far as it can be, and a password is asked for where there is none', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  const call = (method: string, path: string, json?: unknown) =>
    nbi.call(`/v1/dyn/${path}`, { as: ADMIN, method, ...(json !== undefined && { json }) });
  for (const [storage, added] of [
    ['OrganizationStorage', { name: 'North', slug: 'north', rules: [{ subnet: '192.0.2.0/24' }] }],
    ['CategoryStorage', { name: 'Gateways', productFamily: 'Example' }],
  ] as const) {
    const [row = {}] = rowsOf(await call('POST', `${storage}/.*`, added));
    t.is((await call('DELETE', `${storage}/${row['id']}`)).status, 200);
    t.is((await call('POST', `${storage}/.*`, row)).status, 200, storage);
    const [again = {}] = rowsOf(await call('GET', `${storage}/${row['id']}`));
    t.deepEqual({ ...again, created: 0, modified: 0 }, { ...row, created: 0, modified: 0 }, storage);
    // Changed, it is a conflict still.
    const changed = await call('POST', `${storage}/.*`, { ...row, name: 'Another', slug: 'north' });
    t.true(changed.status === 409 || changed.status === 400, storage);
  }
  await call('POST', 'CpeAuthStorage/.*', { cpeid: 'c-1', username: 'one', password: 'a password' });
  const [login = {}] = rowsOf(await call('GET', 'CpeAuthStorage/.*'));
  for (const row of [{ ...login, username: 'two' }, { ...login, cpeid: 'c-2' }, { cpeid: 'c-1' as CpeId }])
    t.deepEqual(problemsOf(await call('POST', 'CpeAuthStorage/.*', row)), [400, ['password']]);
  const mixed = [{ cpeid: 'c-3', username: 'three', password: 'a password' }, login];
  t.is((await call('POST', 'CpeAuthStorage/.*', mixed)).status, 200);
  t.is(rowsOf(await call('GET', 'CpeAuthStorage/.*')).length, 2);
  await call('DELETE', 'CpeAuthStorage/one');
  const gone = await call('POST', 'CpeAuthStorage/.*', mixed);
  t.deepEqual(problemsOf(gone), [400, ['password']]);
  t.deepEqual(
    (gone.body as { readonly details: readonly { readonly item?: number }[] }).details.map(
      ({ item }) => item,
    ),
    [1],
  );
  const user = { id: 'gone', name: 'gone', role: 'viewer', active: true, created: 1 };
  t.deepEqual(problemsOf(await call('POST', 'UserStorage/.*', user)), [400, ['password']]);
});

test('a token that is shown is made anew by what it shows: nobody can have its secret part', async (t) => {
  const nbi = await startNbi(t);
  await nbi.users.add({ name: 'root', password: 'a test password', role: 'admin' });
  const call = (json?: unknown) =>
    nbi.call('/v1/dyn/TokenStorage/.*', { as: ADMIN, ...(json !== undefined && { method: 'POST', json }) });
  await call({ name: 'job', role: 'viewer', subnets: ['192.0.2.0/24'] });
  const [row = {}] = rowsOf(await call());
  const { status, body } = await call(row);
  t.is(status, 200);
  const { details } = body as { readonly details: Row };
  t.not(details['id'], row['id']);
  t.like(details, { name: 'job', user: 'root', role: 'viewer', expiresAt: row['expiresAt'] });
});

test('whose a row is stays: it is posted where it belongs, and nowhere else', async (t) => {
  const nbi = await startWithTwo(t);
  const { north, installation } = nbi.as;
  const post = (path: string, json: unknown, as: string, method = 'POST') =>
    nbi.call(`/v1/dyn/${path}`, { method, json, as });
  await post('FirmwareStorage/.*', ruleBody('A'), north.operator);
  await post('CategoryStorage/.*', { name: 'Gateways' }, north.operator);
  for (const storage of ['FirmwareStorage', 'CategoryStorage']) {
    const [row = {}] = rowsOf(await nbi.call(`/v1/dyn/${storage}/.*`, { as: installation.admin }));
    t.is(row['organization'], 'north', storage);
    t.is((await post(`${storage}/.*?organization=north`, row, installation.operator)).status, 200, storage);
    await nbi.call(`/v1/dyn/${storage}/.*?all=true`, { method: 'DELETE', as: north.operator });
    t.deepEqual(problemsOf(await post(`${storage}/.*`, row, installation.operator)), [400, ['organization']]);
    const lost = await post(`${storage}/.*?organization=south`, row, installation.operator);
    t.deepEqual(problemsOf(lost), [400, ['organization']]);
    t.is((await post(`${storage}/.*?organization=north`, row, installation.operator)).status, 200, storage);
  }
  await post('FirmwareStorage/.*', ruleBody('B'), nbi.as.south.operator);
  const mixed = rowsOf(await nbi.call('/v1/dyn/FirmwareStorage/.*', { as: installation.admin }));
  t.deepEqual(mixed.map(({ organization }) => organization).sort(), ['north', 'south']);
  const refused = await post('FirmwareStorage/.*', mixed, north.operator);
  t.deepEqual(problemsOf(refused), [400, ['organization']]);
  const own = mixed.filter(({ organization }) => organization === 'north');
  t.is((await post('FirmwareStorage/.*', own, north.operator)).status, 200);
  const put = await post('FirmwareStorage/A', { organization: 'south', priority: 2 }, north.operator, 'PUT');
  t.deepEqual(problemsOf(put), [400, ['organization']]);
  const [user = {}] = rowsOf(
    await nbi.call('/v1/dyn/UserStorage/viewer@north?organization=north', { as: installation.admin }),
  );
  t.is(user['organization'], 'north');
  t.is((await post('UserStorage/.*?organization=north', user, installation.admin)).status, 200);
  t.is((await post('UserStorage/.*', user, installation.admin)).status, 200);
  t.is((await post('UserStorage/.*?organization=south', user, installation.admin)).status, 400);
});
