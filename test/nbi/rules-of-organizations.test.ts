import test from 'ava';
import type { CpeId } from '../../common/index.js';
import { type Reply, type RequestOptions, ruleBody, startNbi, type TestNbi } from './support.js';
import { startWithTwo, type TwoOrganizations } from './two-organizations.js';

const RULES = '/v1/dyn/FirmwareStorage';
const NOW_MS = Date.parse('2026-11-29T12:00:00Z');
const clock = () => NOW_MS;

const fleetRule = (id: string, more: Record<string, unknown> = {}) =>
  ruleBody(id, { condition: { productClass: 'HGW' }, ...more });

const post = (nbi: TestNbi, as: string, json: unknown, more: RequestOptions = {}) =>
  nbi.call(`${RULES}/.*`, { method: 'POST', json, as, ...more });

const method = (nbi: TestNbi, name: string, as: string, json?: unknown, query = '') =>
  nbi.call(`/v1/method/${name}${query}`, json === undefined ? { as } : { method: 'POST', as, json });

interface Listed {
  readonly id: string;
  readonly organization?: string;
  readonly priority?: number;
}

function entriesOf({ body }: Reply): readonly Listed[] {
  return (body as { readonly details?: readonly Listed[] }).details ?? [];
}

/** What can be seen of an answer, byte for byte but for what says when and to whom. */
function seen({ status, headers, body }: Reply): unknown {
  const text = Buffer.isBuffer(body) ? body.toString() : JSON.stringify(body);
  return [status, text, headers.get('X-Next-After'), headers.get('Link'), headers.get('Retry-After')];
}

/** Every entry of a list, page by page of one each. */
async function pages(nbi: TestNbi, as: string, query: string): Promise<readonly Listed[]> {
  const found: Listed[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const from: string = after === '' ? '' : `&after=${after}`;
    const reply = await nbi.call(`${RULES}/.*?limit=1${query}${from}`, { as });
    if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
    found.push(...entriesOf(reply));
    after = reply.headers.get('X-Next-After');
  }
  return found;
}

const stb = (serialNumber: string) => ({
  serialNumber,
  id: `00A1B2-STB-${serialNumber}` as CpeId,
  productClass: 'STB',
});

/** Both organizations and the installation have rules of the same names, which say something else. */
async function withSameNames(t: Parameters<typeof startWithTwo>[0]): Promise<TwoOrganizations> {
  const nbi = await startWithTwo(t, { clock });
  const { as } = nbi;
  for (const [user, priority] of [
    [as.south.operator, 2],
    [as.installation.operator, 3],
  ] as const) {
    const bodies = ['A', 'AB', 'C', 'P'].map((id) =>
      fleetRule(id, { priority, ...(id === 'P' && { condition: { cpeid: '00A1B2-HGW-1' } }) }),
    );
    t.is((await post(nbi, user, bodies)).status, 200);
  }
  return nbi;
}

test('an organization is answered what a Ferry of its own would answer, byte for byte, whatever others call their rules', async (t) => {
  const alone = await startNbi(t, { clock });
  const beside = await withSameNames(t);
  const { north, south } = beside;
  for (const serialNumber of ['1', '2']) {
    await alone.putDevice(stb(serialNumber));
    await beside.putDeviceOf(north, stb(serialNumber));
  }
  await beside.putDeviceOf(south, stb('3'));
  await beside.putDevice({ serialNumber: '4' });
  t.is(
    (
      await post(
        beside,
        beside.as.south.operator,
        fleetRule('S', { condition: { productClass: ['HGW', 'STB'] }, priority: 99 }),
      )
    ).status,
    200,
  );
  const both = async (path: string, options: RequestOptions = {}) => {
    const [one, other] = await Promise.all([
      alone.call(path, options),
      beside.call(path, { ...options, as: beside.as.north.operator }),
    ]);
    t.deepEqual(seen(other), seen(one), `${options.method ?? 'GET'} ${path}`);
    return one;
  };
  const method = (name: string, json: unknown) => both(`/v1/method/${name}`, { method: 'POST', json });
  const put = (pattern: string, json: unknown, more: RequestOptions = {}) =>
    both(`${RULES}/${pattern}`, { method: 'POST', json, ...more });
  const NEW = { headers: { 'If-None-Match': '*' } };
  const lines = (...bodies: readonly unknown[]) => bodies.map((body) => JSON.stringify(body)).join('\n');

  await both(`${RULES}/.*`);
  await both(`${RULES}/A`);
  await both(`${RULES}/A`, { method: 'DELETE' });
  await both(`${RULES}/A`, { method: 'PUT', json: { enabled: false } });
  await method('RestartRule', { id: ['A', 'C'] });
  await method('MatchDevices', { rule_id: 'A' });
  await method('ExplainRules', { cpe: {}, rules: ['A', 'nobody'] });
  await put(
    '.*',
    [fleetRule('A'), fleetRule('AB'), ruleBody('P', { condition: { cpeid: '00A1B2-HGW-1' } })],
    NEW,
  );
  t.is((await put('.*', fleetRule('A'), NEW)).status, 409);
  await put('.*', [fleetRule('B'), fleetRule('B')]);
  await put('A', fleetRule('B'));
  await put('.*', fleetRule('B', { file: 'https://f.example.net/b.bin?key=1', priority: 7 }));
  const ndjson = { headers: { 'Content-Type': 'application/x-ndjson', 'If-None-Match': '*' } };
  await both(`${RULES}/.*`, { method: 'POST', ...ndjson, body: lines(fleetRule('D'), fleetRule('A')) });
  await both(`${RULES}/.*`, { method: 'POST', ...ndjson, body: lines(fleetRule('D'), { id: 'A' }) });
  for (const path of [
    '.*',
    'A',
    'A|C|D',
    'A.*',
    'A.+',
    '.*?id=A&id=D',
    '.*?cpeid=00A1B2-HGW-1',
    '.*?priority=7',
    '.*?priority=3',
    '.*?sort=priority',
    '.*?sort=-priority&limit=2',
    '.*?sort=file',
    'A%1FB',
  ])
    await both(`${RULES}/${path}`);
  for (const query of ['', '&sort=priority', '&sort=-id']) {
    for (let after: string | null = ''; after !== null; ) {
      const from: string = after === '' ? '' : `&after=${after}`;
      const reply = await both(`${RULES}/.*?limit=1${query}${from}`);
      t.is(reply.status, 200);
      after = reply.headers.get('X-Next-After');
    }
  }
  await method('MatchDevices', { rule_id: 'A' });
  await method('MatchDevices', { rule: fleetRule('A') });
  await put('.*', fleetRule('S', { condition: { productClass: 'STB' } }));
  await method('MatchDevices', { rule_id: 'S' });
  await method('MatchDevices', { rule_id: 'S', after: '00A1B2-STB-1', limit: 1 });
  await method('MatchDevices', { condition: { productClass: 'STB' } });
  await method('ExplainRules', { cpe: { productClass: 'STB' } });
  await method('ExplainRules', { cpe_id: '00A1B2-STB-1' });
  await method('ExplainRules', { cpe_id: '00A1B2-STB-3' });
  await method('ExplainRules', { cpe_id: '00A1B2-STB-9' });
  await both(`${RULES}/A`, { method: 'PUT', json: { enabled: false, priority: 5 } });
  await both(`${RULES}/.*?id=A`, { method: 'PUT', json: { id: 'C', priority: 5 } });
  await method('RestartRule', { id: 'A' });
  await both(`${RULES}/C`, { method: 'DELETE' });
  await both(`${RULES}/A.*`, { method: 'DELETE' });
  await both(`${RULES}/.*`);
  await both('/v1/method/FreezeUpgrades');
  await both(`${RULES}/.*?all=true`, { method: 'DELETE' });
  await both(`${RULES}/.*`);
  // And nobody else has noticed.
  const { as } = beside;
  for (const [user, priority] of [
    [as.south.viewer, 2],
    [as.installation.viewer, 3],
  ] as const) {
    const found = entriesOf(await beside.call(`${RULES}/.*`, { as: user })).filter(
      ({ organization }) => user !== as.installation.viewer || organization === undefined,
    );
    t.deepEqual(
      found.map((entry) => [entry.id, entry.priority]),
      [...(priority === 2 ? [['S', 99]] : []), ...['P', 'C', 'AB', 'A'].map((id) => [id, priority])],
    );
  }
});

for (const query of ['', '&sort=id', '&sort=-id', '&sort=priority', '&sort=-priority']) {
  test(`the installation sees everybody’s rules of the same names, page by page, each once (${query || 'newest first'})`, async (t) => {
    const nbi = await withSameNames(t);
    await post(nbi, nbi.as.north.operator, [fleetRule('A'), fleetRule('C')]);
    const all = entriesOf(
      await nbi.call(`${RULES}/.*?${query.slice(1)}`, { as: nbi.as.installation.viewer }),
    );
    t.is(all.length, 10);
    const paged = await pages(nbi, nbi.as.installation.viewer, query);
    t.deepEqual(paged, all);
    const keys = paged.map(({ id, organization = '' }) => `${organization}/${id}`);
    t.is(new Set(keys).size, 10);
    t.deepEqual(keys.toSorted(), [
      '/A',
      '/AB',
      '/C',
      '/P',
      'north/A',
      'north/C',
      'south/A',
      'south/AB',
      'south/C',
      'south/P',
    ]);
    const field = query.replace(/^&sort=-?/, '') as 'id' | 'priority' | '';
    if (field === '') return;
    const values = paged.map((entry) => entry[field] ?? '');
    const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    t.deepEqual(values, query.includes('-') ? sorted.toReversed() : sorted);
  });
}

test('the installation finds everybody’s rules by id, by their beginning, by a CPE and by a field; and those of one that it names as its users do', async (t) => {
  const nbi = await withSameNames(t);
  await post(nbi, nbi.as.north.operator, [fleetRule('A', { priority: 1 }), fleetRule('N')]);
  const list = async (query: string, as = nbi.as.installation.viewer) =>
    entriesOf(await nbi.call(`${RULES}/${query}`, { as }))
      .map(({ id, organization = '' }) => `${organization}/${id}`)
      .toSorted();
  t.deepEqual(await list('A'), ['/A', 'north/A', 'south/A']);
  t.deepEqual(await list('.*?id=A&id=N'), ['/A', 'north/A', 'north/N', 'south/A']);
  t.deepEqual(await list('A.*'), ['/A', '/AB', 'north/A', 'south/A', 'south/AB']);
  t.deepEqual(await list('A.+?sort=id'), ['/AB', 'south/AB']);
  t.deepEqual(await list('.*?cpeid=00A1B2-HGW-1'), ['/P', 'south/P']);
  t.deepEqual(await list('.*?priority=1'), ['north/A', 'north/N']);
  t.deepEqual(await list('.*?organization=north'), ['/A', '/N']);
  t.deepEqual(await list('.*', nbi.as.north.viewer), ['/A', '/N']);
});

test('the installation changes its own rules, or those of the organization that it names', async (t) => {
  const nbi = await withSameNames(t);
  const { as } = nbi;
  const priorities = async () =>
    Object.fromEntries(
      entriesOf(await nbi.call(`${RULES}/A`, { as: as.installation.viewer })).map(
        ({ organization = '', priority }) => [organization, priority],
      ),
    );
  const change = (query: string, priority: number) =>
    nbi.call(`${RULES}/A${query}`, { method: 'PUT', json: { priority }, as: as.installation.operator });
  t.is((await change('', 7)).status, 200);
  t.deepEqual(await priorities(), { '': 7, south: 2 });
  t.is((await change('?organization=south', 8)).status, 200);
  t.deepEqual(await priorities(), { '': 7, south: 8 });
  t.is((await change('?organization=north', 9)).status, 404);
  t.is(
    (await nbi.call(`${RULES}/.*?all=true`, { method: 'DELETE', as: as.installation.operator })).status,
    200,
  );
  t.deepEqual(await priorities(), { south: 8 });
  // Nor is another's rule named by the id that it is stored under.
  const stored = encodeURIComponent(`${nbi.south.id}\u001fA`);
  for (const user of [as.installation.operator, as.north.operator]) {
    const options = { method: 'DELETE', as: user };
    t.is((await nbi.call(`${RULES}/.*?id=${stored}`, options)).status, 404);
    const json = { id: `${nbi.south.id}\u001fA` };
    t.is((await method(nbi, 'RestartRule', user, json)).status, 404);
    t.is((await method(nbi, 'MatchDevices', user, { rule_id: json.id })).status, 404);
    t.is((await method(nbi, 'ExplainRules', user, { cpe: {}, rules: [json.id] })).status, 404);
  }
  t.deepEqual(await priorities(), { south: 8 });
});

test('an entry of everybody’s list is posted back to the organization that it names, and to no other', async (t) => {
  const nbi = await withSameNames(t);
  const { as } = nbi;
  const [entry] = entriesOf(await nbi.call(`${RULES}/C?sort=priority`, { as: as.installation.viewer }));
  t.like(entry, { id: 'C', organization: 'south', priority: 2 });
  const postTo = (query: string, user: string, json: unknown = { ...entry, priority: 4 }) =>
    nbi.call(`${RULES}/.*${query}`, { method: 'POST', as: user, json });
  const refusals: unknown[] = [];
  for (const [query, user] of [
    ['', as.installation.operator],
    ['?organization=north', as.installation.operator],
    ['', as.north.operator],
  ] as const) {
    const { status, body } = await postTo(query, user);
    t.is(status, 400);
    refusals.push(body);
    t.like(body, {
      details: [{ field: 'organization', found: '"south"', item: 0 }],
    });
    t.regex(JSON.stringify(body), /name it by \?organization=/);
  }
  const nowhere = await postTo('', as.north.operator, { ...entry, organization: 'nowhere' });
  t.deepEqual(JSON.stringify(nowhere.body).replaceAll('nowhere', 'south'), JSON.stringify(refusals[2]));
  t.is((await postTo('?organization=south', as.installation.operator)).status, 200);
  t.is(
    (await postTo('', as.south.operator, { ...entry, organization: nbi.south.id, priority: 5 })).status,
    200,
  );
  const [stored] = entriesOf(await nbi.call(`${RULES}/C`, { as: as.south.viewer }));
  t.is(stored?.priority, 5);
  t.false(Object.hasOwn(stored ?? {}, 'organization'));
  const lines = `${JSON.stringify(entry)}\n${JSON.stringify({ ...entry, id: 'D' })}`;
  const report = await nbi.call(`${RULES}/.*`, {
    method: 'POST',
    as: as.north.operator,
    body: lines,
    headers: { 'Content-Type': 'application/x-ndjson' },
  });
  t.regex(String(report.body), /"line":1,"code":400,"details":\[\{"field":"organization"/);
});

test('neither answers nor reports say an id as it is stored, unless within a cursor', async (t) => {
  const nbi = await withSameNames(t);
  const texts: string[] = [];
  for (const as of [nbi.as.installation.operator, nbi.as.south.operator]) {
    const query = as === nbi.as.south.operator ? '' : '?organization=south';
    const onlyNew = { 'If-None-Match': '*' };
    const options = { method: 'POST', as, headers: onlyNew };
    for (const reply of [
      await nbi.call(`${RULES}/.*`, { as }),
      await nbi.call(`${RULES}/.*${query}`, { ...options, json: fleetRule('A') }),
      await nbi.call(`${RULES}/.*${query}`, {
        ...options,
        headers: { ...onlyNew, 'Content-Type': 'application/x-ndjson' },
        body: JSON.stringify(fleetRule('A')),
      }),
      await method(nbi, 'ExplainRules', as, { cpe: { organization: 'south' } }),
      await method(nbi, 'MatchDevices', as, { rule_id: 'A' }, query),
      await method(nbi, 'RestartRule', as, { id: ['A', 'none'] }, query),
    ])
      texts.push(Buffer.isBuffer(reply.body) ? reply.body.toString() : JSON.stringify(reply.body));
  }
  for (const text of texts)
    for (const separator of ['\u001f', '\\u001f']) t.false(text.includes(separator), text);
  t.regex(texts[2] ?? '', /"code":"exists"/);
});
