import test, { type ExecutionContext } from 'ava';
import { ferry as run } from '../cli/support.js';
import { ADMIN, startTestFerry, type TestFerry } from '../support/ferry.js';
import { mongodbUrl, testDatabase, urlOfDatabase } from '../support/mongodb.js';

const mongo = mongodbUrl();
define('one data directory', () => ({}));
if (mongo !== null) {
  define('MongoDB', (t) => ({ store: urlOfDatabase(mongo, testDatabase(t, mongo)) }));
}

/** What two nodes that share `store` know of sessions. */
function define(store: string, configOf: (t: ExecutionContext) => object): void {
  test(`a session that is begun on one node holds on the other, and ends there as it ends here, on ${store}`, async (t) => {
    t.timeout(180_000);
    const config = { ...configOf(t) };
    const one = await startTestFerry(t, { config });
    const other = await startTestFerry(t, { config, dataDir: one.dataDir });
    const where = [`--data-dir=${one.dataDir}`, ...('store' in config ? [`--store=${config.store}`] : [])];
    const statuses = (cookie: string) => Promise.all([one, other].map((node) => statusOf(node, cookie)));

    // By whoever may: on every node from the next request on.
    const first = await logIn(one);
    t.deepEqual(await statuses(first.cookie), [200, 200]);
    t.is((await one.nbi('DELETE', `/v1/sessions/${first.id}`)).status, 200);
    t.deepEqual(await statuses(first.cookie), [401, 401]);

    // By a command, with all of its user.
    const [second, third] = [await logIn(one), await logIn(other)];
    const listed = await run(['user', 'sessions', ADMIN.name, '--json', ...where]);
    t.deepEqual(
      (JSON.parse(listed.stdout) as { readonly id: string }[]).map(({ id }) => id),
      [second.id, third.id],
    );
    const ended = await run(['user', 'log-out', ADMIN.name, ...where]);
    t.is(ended.stdout, 'Ended 2 sessions of admin.\n');
    for (const { cookie } of [second, third]) t.deepEqual(await statuses(cookie), [401, 401]);
    t.is((await run(['user', 'sessions', ADMIN.name, ...where])).stdout, 'admin has no sessions.\n');

    // With the password, which another process changes.
    const fourth = await logIn(other);
    t.deepEqual(await statuses(fourth.cookie), [200, 200]);
    t.is((await run(['user', 'password', ADMIN.name, ...where])).exitCode, 0);
    t.deepEqual(await statuses(fourth.cookie), [401, 401]);
  });
}

async function logIn({ urls }: TestFerry): Promise<{ readonly cookie: string; readonly id: string }> {
  const answer = await fetch(`${urls.nbi}/v1/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(ADMIN),
  });
  const { details } = (await answer.json()) as { readonly details: { readonly session: string } };
  return { cookie: (answer.headers.get('Set-Cookie') ?? '').split(';')[0] ?? '', id: details.session };
}

async function statusOf({ urls }: TestFerry, cookie: string): Promise<number> {
  return (await fetch(`${urls.nbi}/v1/session`, { headers: { Cookie: cookie } })).status;
}
