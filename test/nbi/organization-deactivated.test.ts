import test, { type ExecutionContext } from 'ava';
import { startTestFerry, type TestFerry } from '../support/ferry.js';

const PASSWORD = 'a test password';
const BEGIN_MS = Date.UTC(2026, 0, 1);
const WITHIN_MS = 1_000;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly details: Readonly<Record<string, string>> };
}

/** Two nodes on one store, with one clock; it stands unless it is moved. */
async function startTwo(t: ExecutionContext) {
  const time = { nowMs: BEGIN_MS };
  const clock = () => time.nowMs;
  const one = await startTestFerry(t, { clock });
  const other = await startTestFerry(t, { clock, dataDir: one.dataDir });
  return { time, nodes: [one, other] as const, one };
}

async function ask(
  { urls }: TestFerry,
  path: string,
  headers: Readonly<Record<string, string>>,
  json?: unknown,
): Promise<Answer> {
  const answer = await fetch(`${urls.nbi}${path}`, {
    headers: { ...headers, ...(json !== undefined && { 'Content-Type': 'application/json' }) },
    ...(json !== undefined && { method: 'POST', body: JSON.stringify(json) }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
}

test('a deactivated organization keeps its users out within a second on every node, by password, token and session, until it is activated', async (t) => {
  t.timeout(180_000);
  const { time, nodes, one } = await startTwo(t);
  const id = '0b8f7a52-3a3b-4f6e-9a51-6a4f7d3c2b10';
  const made = await one.nbi('POST', '/v1/dyn/OrganizationStorage/.*', { id, name: 'North', slug: 'north' });
  t.is(made.status, 200);
  const ann = { name: 'ann@north', password: PASSWORD, role: 'admin', organization: 'north' };
  t.is((await one.nbi('POST', '/v1/dyn/UserStorage/.*', ann)).status, 200);
  const token = await one.nbi('POST', '/v1/dyn/TokenStorage/.*', { name: 'job', user: ann.name });
  const logIn = (node: TestFerry) => ask(node, '/v1/session', {}, { name: ann.name, password: PASSWORD });
  const { headers: given, body } = await logIn(one);
  t.is(body.details['name'], ann.name);
  const { token: text } = (token.body as Answer['body']).details;
  const ways: readonly Readonly<Record<string, string>>[] = [
    { Authorization: `Basic ${Buffer.from(`${ann.name}:${PASSWORD}`).toString('base64')}` },
    { Authorization: `Bearer ${text}` },
    { Cookie: (given.get('Set-Cookie') ?? '').split(';')[0] ?? '' },
  ];
  const statuses = async (node: TestFerry) => [
    ...(await Promise.all(ways.map(async (way) => (await ask(node, '/v1/dyn/UserStorage/.*', way)).status))),
    (await ask(node, '/v1/session', ways[2] ?? {})).status,
    (await logIn(node)).status,
  ];
  for (const node of nodes) t.deepEqual(await statuses(node), [200, 200, 200, 200, 200]);

  t.is((await one.nbi('PUT', `/v1/dyn/OrganizationStorage/${id}`, { active: false })).status, 200);
  time.nowMs += WITHIN_MS;
  for (const node of nodes) {
    t.deepEqual(await statuses(node), [403, 403, 403, 403, 403]);
    t.regex(JSON.stringify((await logIn(node)).body), /an organization that is active/);
  }
  // Those of others do not notice.
  for (const node of nodes) t.is((await node.nbi('GET', '/v1/dyn/UserStorage/.*')).status, 200);

  t.is((await nodes[1].nbi('PUT', `/v1/dyn/OrganizationStorage/${id}`, { active: true })).status, 200);
  time.nowMs += WITHIN_MS;
  for (const node of nodes) t.deepEqual(await statuses(node), [200, 200, 200, 200, 200]);
});
