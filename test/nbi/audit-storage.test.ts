import test, { type ExecutionContext } from 'ava';
import { parse } from 'csv-parse/sync';
import { type Actor, EVENTS, type EventDocument, EventLog } from '../../events/index.js';
import { auditStorage } from '../../nbi/dyn/audit-storage.js';
import { EVERY_ID } from '../../nbi/dyn/id-pattern.js';
import { ADMIN, startTestFerry, until } from '../support/ferry.js';

const ANN: Actor = { name: 'ann', how: 'password', address: '192.0.2.1', requestId: 'r' };
const BOB: Actor = { name: '=cmd|bob', how: 'token', credential: 't1' };
const O1 = '0b8f7a52-3a3b-4f6e-9a51-6a4f7d3c2b10';
const BEGIN_MS = Date.UTC(2026, 0, 1);

/** A hundred entries, a second apart: of ten rules and ten images in turn, by two. */
async function filled(t: ExecutionContext) {
  const ferry = await startTestFerry(t);
  const { store } = ferry.installation;
  // Of the first admin, that he has logged in, and of two organizations, of which one is the default.
  await ferry.nbi('GET', '/v1/images');
  const made = await ferry.nbi('POST', '/v1/dyn/OrganizationStorage/.*', {
    id: O1,
    name: 'One',
    slug: 'one',
  });
  const before = store.collection<EventDocument>(EVENTS);
  if (made.status !== 200) throw new Error(JSON.stringify(made.body));
  await until('all are told', async () => (await before.count()) === 4);
  for await (const { document } of before.scan({})) await before.delete(document.id);
  let nowMs = BEGIN_MS;
  const log = new EventLog({ store, clock: () => nowMs });
  const changes = Array.from({ length: 100 }, (_, n) => {
    nowMs = BEGIN_MS + n * 1_000;
    return log.noting({
      action: n % 5 === 0 ? 'added' : 'changed',
      subject: n % 2 === 0 ? 'rule' : 'image',
      subjectId: `S${n % 10}`,
      by: n % 4 === 0 ? ANN : BOB,
      ...(n >= 90 && { organization: O1 }),
      after: { n, text: 'a, "b"\nc' },
    });
  });
  await store.commit(changes);
  const get = async (query: string, pattern = '.*') => {
    const answer = await ferry.nbi('GET', `/v1/dyn/AuditStorage/${pattern}${query}`);
    const { details } = answer.body as { details: { id: string; time: number; after: { n: number } }[] };
    return { ...answer, details, ns: answer.status === 200 ? details.map(({ after }) => after.n) : [] };
  };
  return { ferry, store, get };
}

const where = (holds: (n: number) => boolean) =>
  Array.from({ length: 100 }, (_, n) => n)
    .filter(holds)
    .reverse();

test('AuditStorage lists the latest first, by subject, id, name, action and time', async (t) => {
  const { get } = await filled(t);
  for (const [query, holds] of [
    ['', () => true],
    ['?subject=rule', (n) => n % 2 === 0],
    ['?subject=rule&subjectId=S4', (n) => n % 10 === 4],
    ['?subjectId=S4', (n) => n % 10 === 4],
    ['?by.name=ann', (n) => n % 4 === 0],
    ['?by.name=ann&by.name=nobody', (n) => n % 4 === 0],
    ['?by.how=token&action=added', (n) => n % 4 !== 0 && n % 5 === 0],
    // Whose entries they are: by slug and by id.
    ['?organization=one', (n) => n >= 90],
    [`?organization=${O1}&by.name=ann`, (n) => n >= 90 && n % 4 === 0],
    ['?since=2026-01-01T00:00:10Z&until=2026-01-01T00:00:20Z', (n) => n >= 10 && n < 20],
    [`?since=${BEGIN_MS / 1_000 + 97.5}`, (n) => n >= 98],
    [`?time%3E${BEGIN_MS / 1_000 + 97}`, (n) => n > 97],
    [`?time%3C=${BEGIN_MS / 1_000 + 3}&subject=image`, (n) => n <= 3 && n % 2 === 1],
    ['?by.name=ann&since=2026-01-01T00:01:30Z', (n) => n >= 90 && n % 4 === 0],
  ] as [string, (n: number) => boolean][])
    t.deepEqual((await get(query)).ns, where(holds), query);
  t.is((await get('?subject=user')).status, 404);
  t.is((await get('?organization=two')).status, 404);
  t.is((await get('?before=1')).status, 400);
  t.like((await get('?since=yesterday')).body, {
    details: [{ field: 'since', expected: 'epoch seconds, or a time as in 2026-12-01T02:30:00Z' }],
  });
});

test('its pages follow one another in every order, also by single ids', async (t) => {
  const { get } = await filled(t);
  const { details } = await get('?subject=rule');
  const ids = details.slice(5, 25).map(({ id }) => id);
  for (const [query, pattern] of [
    ['', '.*'],
    ['subject=rule&subjectId=S2', '.*'],
    ['by.name=ann', '.*'],
    ['since=2026-01-01T00:00:10Z&subject=image', '.*'],
    ['sort=subjectId', '.*'],
    ['', ids.join('%7C')],
  ] as const) {
    const whole = (await get(`?${query}`, pattern)).ns;
    t.true(whole.length > 5);
    const paged: number[] = [];
    let after: string | null = '';
    while (after !== null) {
      const page = await get(`?${query}&limit=7${after === '' ? '' : `&after=${after}`}`, pattern);
      t.is(page.status, 200);
      paged.push(...page.ns);
      after = page.headers.get('X-Next-After');
    }
    t.deepEqual(paged, whole, query);
  }
});

test('it comes as NDJSON and as CSV, by Accept or by format, as long as it is', async (t) => {
  const { ferry, get } = await filled(t);
  const fetched = async (query: string, accept?: string) => {
    const { headers, body } = await ferry.nbi('GET', `/v1/dyn/AuditStorage/.*${query}`, undefined, {
      ...(accept !== undefined && { Accept: accept }),
    });
    return { type: headers.get('Content-Type'), text: String(body) };
  };
  const csv = await fetched('?format=csv');
  t.is(csv.type, 'text/csv; charset=utf-8; header=present');
  t.deepEqual(await fetched('', 'text/csv'), csv);
  const rows = parse(csv.text, { columns: true, record_delimiter: '\r\n' }) as Record<string, string>[];
  t.is(rows.length, 100);
  t.like(rows[1], {
    time: '2026-01-01T00:01:38Z',
    action: 'changed',
    subject: 'rule',
    'by.name': "'=cmd|bob",
    'by.how': 'token',
    'by.credential': 't1',
    organization: O1,
    before: '',
    after: '{"n":98,"text":"a, \\"b\\"\\nc"}',
  });
  const ndjson = await fetched('', 'application/x-ndjson');
  t.deepEqual(await fetched('?format=ndjson', 'text/csv'), ndjson);
  t.deepEqual(
    ndjson.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    (await get('')).details,
  );
  t.is((await get('?format=xml')).status, 400);
  // No other storage has it.
  t.regex(
    (await ferry.nbi('GET', '/v1/dyn/CpeAuthStorage/.*', undefined, { Accept: 'text/csv' })).headers.get(
      'Content-Type',
    ) ?? '',
    /json/,
  );
});

test('only admins read it, and those of an organization what belongs to it', async (t) => {
  const { ferry, store } = await filled(t);
  await ferry.installation.users.add({ name: 'op', password: ADMIN.password, role: 'operator' });
  const answer = await fetch(`${ferry.urls.nbi}/v1/dyn/AuditStorage/.*`, {
    headers: { Authorization: `Basic ${Buffer.from(`op:${ADMIN.password}`).toString('base64')}` },
  });
  t.is(answer.status, 403);
  const events = new EventLog({ store, clock: Date.now });
  const selection = { pattern: EVERY_ID, idLists: [], filters: [], everyRevision: false };
  const seen: unknown[] = [];
  const turn = <T>(work: () => Promise<T>) => work();
  for await (const { view } of auditStorage(events, O1).candidates(selection, null, turn))
    seen.push(view['organization']);
  t.deepEqual(seen, Array(10).fill(O1));
});
